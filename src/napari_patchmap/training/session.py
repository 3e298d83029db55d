"""One run, from patches to a :class:`Run`, as a walk through its stages."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any
from uuid import uuid4

import numpy as np
import torch

from napari_patchmap.augment.views import ViewMaker
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.inference import infer, recalibrate
from napari_patchmap.networks.pixels import PatchPixels, Pixels, in_memory
from napari_patchmap.runs.looks import MOST_LOOKS, MOST_PATCHES
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_folder import check_room
from napari_patchmap.training.balance import balance_groups
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.budget.speeds import remember_steps, step_of
from napari_patchmap.training.checkpoints import check_same_images, digest
from napari_patchmap.training.finishing import finish
from napari_patchmap.training.given_features import own_network
from napari_patchmap.training.judge import Judge
from napari_patchmap.training.kept import Kept, described
from napari_patchmap.training.learners import Context
from napari_patchmap.training.new_network import make_network
from napari_patchmap.training.run_setup import RunSetup
from napari_patchmap.training.seeds import NETWORK, seed_of
from napari_patchmap.training.stage_run import StageRun

#: Bytes that a patch takes in the table of a run, about.
_ROW_BYTES = 100

#: Bytes that its place takes in a look at the map.
_PLACE_BYTES = 4


class Session:
    """Everything that lives as long as a run: network, pixels, and where the run is.

    Parameters
    ----------
    setup : RunSetup
    saved : dict or None
        The checkpoint of a run that is resumed.
    """

    def __init__(self, setup: RunSetup, saved: dict[str, Any] | None) -> None:
        self._setup, self._plan, self._saved = setup, setup.plan, saved
        self._parts = setup.plan.parts
        self._symmetries = list(setup.plan.symmetries)
        self._steps_made: list[int] = []
        self._weights: str | None = None
        self._judge: Judge | None = None
        self._stage = 0
        #: Tells the files of this training from those of others.
        self._id = uuid4().hex

    # -- the walk --------------------------------------------------------------------

    def run(self) -> Run:
        """Train all stages that are left and put the run together."""
        setup, plan = self._setup, self._plan
        setup.reporter.reading()
        self._pixels = self._load_pixels()
        self._images = digest(setup.patches, self._pixels)
        setup.reporter.forecast.finish()
        if plan.recipe.stages:
            fill = setup.patches.border_colour(plan.size)
            rgb = setup.patches.is_rgb
            self._maker = ViewMaker(plan.config.augment, is_rgb=rgb, fill=fill)
        if plan.held_out:
            reporter, control = setup.reporter, setup.control
            self._judge = Judge(plan, self._pixels, self._maker, reporter, control)
        inside = self._begin()
        if setup.folder is not None and setup.ranks.is_main:
            check_room(setup.folder, self._bytes_on_disk())
        end = plan.times.training_due(setup.clock())
        while self._stage < len(plan.recipe.stages) and not setup.control.stopped:
            setup.reporter.begin_stage(self._stage, end)
            setup.snapshots.begin_stage()
            begins = inside is None and plan.recipe.stages[self._stage].judged
            judge = self._judge if begins else None
            if judge is not None:
                judge.begin(self._stage, self._network)
            pace = self._pace(end)
            if judge is not None and judge.leaves_out(self._stage, pace.seconds_left):
                self._steps_made.append(0)
                self._stage += 1
                continue
            if not self._train(pace, inside):
                break  # the map of the stage before is worth more than a new one without steps
            inside = None
            if not setup.control.stopped:
                self._stage += 1
                # After the last one as well: whatever fails from here on costs no training.
                setup.checkpoints.write(self._state())
        self._network.zero_grad(set_to_none=True)
        made = {
            "id": self._id,
            "parts": self._parts,
            "weights": self._weights,
            "steps": self._steps_made,
        }
        if self._judge is not None:
            made["learned_on"] = self._judge.records
            self._judge.finish(self._network)
        return finish(setup, self._network, self._pixels, self._symmetries, made)

    def _train(self, pace: Pace, inside: dict[str, Any] | None) -> bool:
        """Train through a stage; return False if it was stopped before its first step.

        Its optimiser ends with it, and what that keeps in memory.
        """
        setup, plan = self._setup, self._plan
        reporter, control, checkpoints = setup.reporter, setup.control, setup.checkpoints
        judge = self._judge if plan.recipe.stages[self._stage].judged else None
        context = Context(
            plan=plan,
            number=self._stage,
            network=self._network,
            pixels=self._pixels,
            maker=self._maker,
            parts=self._parts,
            pace=pace,
            clock=setup.clock,
            ranks=setup.ranks,
            control=control,
            cores=setup.cores,
            reporter=reporter,
            groups=self._groups(),
            rows=None if judge is None else judge.rows,
        )
        stage = StageRun(context)
        if judge is not None and inside is not None and setup.folder is not None:
            judge.read(setup.folder)
        if not stage.prepare(inside, setup.folder):
            return False
        held = (stage.held or {}) | ({} if judge is None else judge.held)
        if inside is not None and self._saved is not None:
            reporter.restore(self._saved["reporter"], inside=True)
        elif held:
            checkpoints.write(self._state(stage.state()), held)
        with closing(stage.steps()) as steps:
            for step in steps:
                self._parts = stage.parts
                reporter.step(step.loss, step.lr, pace, step.patches)
                setup.cores.step(step.seconds)
                if setup.snapshots.due:
                    self._take_snapshot()
                if checkpoints.due:
                    checkpoints.write(self._state(stage.state()))
        if control.stopped:
            checkpoints.write(self._state(stage.state()))
            control.check_leaving()
            self._symmetries = [(0, False)]  # whoever stops is in a hurry
        reporter.end_stage()
        stage.finish()
        if plan.recipe.settles_after(self._stage) or control.stopped:
            self._recalibrate()
        if judge is not None:
            judge.end(self._stage, self._network)
        self._steps_made.append(pace.done)
        if self._parts == 1 and setup.ranks.world == 1:
            work = step_of(context.stage, plan.spec, plan.device, plan.batch_size)
            remember_steps(work, pace)
        return True

    def _groups(self) -> np.ndarray | None:
        column, patches = self._plan.config.train.balance_by, self._setup.patches
        return balance_groups(patches, column, self._plan.batch_size) if column else None

    def _take_snapshot(self) -> None:
        """Report the map as it is now; while it has more dimensions, its main axes."""
        snapshots, pixels = self._setup.snapshots, self._pixels
        with snapshots.timed():
            began, chosen = time.monotonic(), snapshots.choose(len(pixels))
            rows = torch.from_numpy(chosen).to(pixels.device)
            features, outputs = infer(self._network, pixels[rows], half=self._plan.device.half)
            found = outputs if outputs.shape[1] else features
            outputs = snapshots.update(chosen, found, time.monotonic() - began)
            flat = snapshots.lay_flat(outputs, self._plan.config.train.dimensions)
            self._setup.reporter.snapshot(flat)

    def _recalibrate(self) -> None:
        """Give batch normalisation the statistics of patches as they are."""
        if self._plan.recipe.recalibrate:
            self._setup.reporter.settling()
            half = self._plan.device.half
            recalibrate(self._network, self._pixels, symmetries=self._symmetries, half=half)

    # -- time and room -----------------------------------------------------------------

    def _pace(self, end: float | None) -> Pace:
        clock, coarse = self._setup.clock, self._plan.recipe.stages[self._stage].coarse
        if end is None:
            return Pace(steps=self._plan.steps(self._stage), coarse=coarse, clock=clock)
        due = self._plan.times.stage_due(self._stage, clock(), end)
        return Pace(deadline=due, coarse=coarse, clock=clock)

    def _bytes_on_disk(self) -> int:
        """About how many more bytes the run and its checkpoints take at the same time."""
        weights = sum(p.numel() * p.element_size() for p in self._network.parameters())
        count = len(self._pixels)
        # A checkpoint holds the weights and two means of an optimiser; a new one is
        # written beside the one before, which of a resumed run is there.
        trained = (6 if self._saved is None else 3) * weights if self._plan.recipe.stages else 0
        trained += weights if self._judge is not None else 0  # what a stage may be undone to
        looks = MOST_LOOKS * min(count, MOST_PATCHES) * _PLACE_BYTES
        return weights + trained + looks + count * (4 * self._network.width + _ROW_BYTES)

    # -- pixels, network and checkpoints -----------------------------------------------

    def _load_pixels(self) -> Pixels:
        if self._plan.own is not None:
            return torch.from_numpy(self._plan.own.values)
        lazy = PatchPixels(self._setup.patches, self._plan.size)
        if self._plan.streamed:
            return lazy
        return in_memory(lazy, self._plan.device.target, self._setup.control.check_leaving)

    def _state(self, inside: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return all that a later process needs; ``inside`` is what a begun stage adds."""
        setup = self._setup
        return {
            "id": self._id,
            "config": self._plan.config.to_dict(),
            "name": setup.patches.name,
            "origin": setup.patches.origin,
            "images": self._images,
            "plan": self._plan.to_dict(),
            "device": described(self._plan.device),
            "seconds": setup.clock(),
            "stage": self._stage,
            "steps_made": list(self._steps_made),
            "parts": self._parts,
            "weights": self._weights,
            "reporter": setup.reporter.state(),
            "spec": self._network.spec.to_dict(),
            "network": self._network.state_dict(),
            "judge": None if self._judge is None else self._judge.state(),
            "inside": inside,
        }

    def _begin(self) -> dict[str, Any] | None:
        """Make the network, new or as it was saved; return what its stage had saved."""
        setup, plan, saved = self._setup, self._plan, self._saved
        seed, weights = plan.config.train.seed, plan.config.train.weights
        torch.manual_seed(seed_of(seed, 0, NETWORK))
        if plan.own is not None:
            network, flat = own_network(plan.spec, plan.own, plan.config.train)
            if flat:
                setup.reporter.note(flat)
        elif saved is None:
            network, self._weights = make_network(
                plan.spec, self._pixels, weights, setup.reporter.say, plan.device.target
            )
        else:
            assert setup.folder is not None
            check_same_images(saved["images"], self._images, setup.patches, setup.folder)
            network = Network(NetworkSpec.from_dict(saved["spec"]))
            network.load_state_dict(saved["network"])
        self._network = network.to(plan.device.target)
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        setup.ranks.broadcast(self._network)
        if saved is None:
            return None
        self._id = str(saved.get("id", self._id))
        self._stage = int(saved["stage"])
        self._weights = saved.get("weights")
        self._steps_made = [int(n) for n in saved["steps_made"]]
        if self._judge is not None:
            self._judge.restore(saved["judge"])
        setup.reporter.restore(saved["reporter"], inside=False)
        note = Kept.of(saved).note(plan.device)
        if note is not None:
            setup.reporter.note(note)
        setup.reporter.say("resuming")
        inside: dict[str, Any] | None = saved["inside"]
        return inside
