"""One run, from patches to a :class:`Run`, as a walk through its stages."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from napari_patchmap.augment.views import ViewMaker, plain
from napari_patchmap.errors import TrainingError
from napari_patchmap.layout.tsne import LAST
from napari_patchmap.methods.stage import Stage
from napari_patchmap.methods.tsimcne import start_map
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.fine_tuned import FINE_TUNED, PUBLISHED, FineTuned, load_start
from napari_patchmap.networks.fixed import (
    PRETRAINED,
    PixelFeatures,
    PretrainedFeatures,
    load_published,
)
from napari_patchmap.networks.inference import infer, recalibrate
from napari_patchmap.networks.pixels import PatchPixels, Pixels
from napari_patchmap.patches import LoadCancelled, PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality import evaluate
from napari_patchmap.runs.identity import identify, places_of
from napari_patchmap.runs.image_kind import ImageKind
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.run_folder import check_room
from napari_patchmap.training.budget.amount import skipped_stages, too_little
from napari_patchmap.training.budget.layout_time import LayoutTime
from napari_patchmap.training.budget.pace import Clock, Pace
from napari_patchmap.training.budget.speeds import remember_steps, step_of
from napari_patchmap.training.checkpoints import Checkpoints, check_same_images, digest
from napari_patchmap.training.control import Control
from napari_patchmap.training.cores import Cores
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.kept import Kept, described
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.reporter import Reporter
from napari_patchmap.training.seeds import NETWORK, START, seed_of
from napari_patchmap.training.snapshots import Snapshots
from napari_patchmap.training.stage_run import StageRun

#: Bytes that a patch takes in the table of a run, about.
_ROW_BYTES = 100

#: Patches from which the main axes of a first map are taken.
_AXES_SAMPLE = 4096


class Session:
    """Everything that lives as long as a run: network, pixels, and where the run is.

    Parameters
    ----------
    patches : PatchSet
    config : RunConfig
    plan : Plan
    reporter : Reporter
    clock : Clock
    control : Control
    checkpoints : Checkpoints
    ranks : Ranks
    cores : Cores
    """

    def __init__(
        self,
        patches: PatchSet,
        config: RunConfig,
        plan: Plan,
        reporter: Reporter,
        clock: Clock,
        control: Control,
        checkpoints: Checkpoints,
        ranks: Ranks,
        cores: Cores,
    ) -> None:
        self.patches, self.config, self.plan = patches, config, plan
        self.reporter, self.clock, self.control = reporter, clock, control
        self.checkpoints, self.ranks, self.cores = checkpoints, ranks, cores
        self.device = plan.device
        self.parts = plan.parts
        self.generator = torch.Generator(self.device.target)
        self.symmetries = plan.symmetries
        self.steps_made: list[int] = []
        self.weights: str | None = None
        self.stage = 0
        #: Tells the files of this training from those of others.
        self.id = uuid4().hex

    # -- the walk --------------------------------------------------------------------

    def run(
        self, snapshot_seconds: float | None, saved: dict[str, Any] | None, folder: Path | None
    ) -> Run:
        """Train all stages that are left and put the run together."""
        plan = self.plan
        self.reporter.reading()
        self.pixels = self._load_pixels()
        self.images = digest(self.patches, self.pixels)
        self.reporter.forecast.finish()
        fill = self.patches.border_colour(plan.size)
        self.maker = ViewMaker(self.config.augment, is_rgb=self.patches.is_rgb, fill=fill)
        self.snapshots = Snapshots(snapshot_seconds)
        inside = self._restore(saved, folder)
        if folder is not None and self.ranks.is_main:
            check_room(folder, self._bytes_on_disk(resumed=saved is not None))
        end = plan.times.training_due(self.clock())
        while self.stage < len(plan.recipe.stages) and not self.control.stopped:
            stage = None  # its optimiser is no longer wanted, nor what that keeps in memory
            self.reporter.begin_stage(self.stage, end)
            self.snapshots.begin_stage()
            stage = StageRun(self, self.stage, self._pace(end))
            if not stage.prepare(inside, folder):
                break  # the map of the stage before is worth more than a new one without steps
            if inside is not None and saved is not None:
                self.reporter.restore(saved["reporter"], inside=True)
            inside = None
            stage.train()
            self.steps_made.append(stage.pace.done)
            if self.parts == 1:
                share = self.ranks.largest_share(plan.batch_size)
                work = step_of(stage.stage, plan.spec, plan.device, share)
                remember_steps(work, stage.pace)
            if not self.control.stopped:
                self.stage += 1
                # After the last one as well: whatever fails from here on costs no training.
                self.checkpoints.write(self.state())
        stage = None
        self.network.zero_grad(set_to_none=True)
        return self._finish()

    def _bytes_on_disk(self, *, resumed: bool) -> int:
        """About how many more bytes the run and its checkpoints take at the same time."""
        weights = sum(p.numel() * p.element_size() for p in self.network.parameters())
        count = len(self.patches)
        width = int(self.network.backbone.out_features)  # type: ignore[arg-type]
        # A checkpoint holds the weights and two means of an optimiser; a new one is
        # written beside the one before, which of a resumed run is there.
        trained = (3 if resumed else 6) * weights if self.plan.recipe.stages else 0
        return weights + trained + count * (4 * width + _ROW_BYTES)

    def _load_pixels(self) -> Pixels:
        lazy = PatchPixels(self.patches, self.plan.size)
        return lazy if self.plan.streamed else lazy[:].to(self.device.target).contiguous()

    def _pace(self, end: float | None) -> Pace:
        if end is None:
            return Pace(steps=self.plan.steps(self.stage), clock=self.clock)
        due = self.plan.times.stage_due(self.stage, self.clock(), end)
        return Pace(deadline=due, clock=self.clock)

    # -- checkpoints -----------------------------------------------------------------

    def state(self, inside: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return everything that a later process needs to go on from here.

        Parameters
        ----------
        inside : dict, optional
            What the current stage adds, if it has begun.
        """
        return {
            "id": self.id,
            "config": self.config.to_dict(),
            "name": self.patches.name,
            "origin": self.patches.origin,
            "images": self.images,
            "plan": self.plan.to_dict(),
            "device": described(self.device),
            "seconds": self.clock(),
            "stage": self.stage,
            "steps_made": list(self.steps_made),
            "parts": self.parts,
            "reporter": self.reporter.state(),
            "spec": self.network.spec.to_dict(),
            "network": self.network.state_dict(),
            "inside": inside,
        }

    def _restore(
        self, saved: dict[str, Any] | None, folder: Path | None
    ) -> dict[str, Any] | None:
        """Make the network, new or as it was saved; return what its stage had saved."""
        torch.manual_seed(seed_of(self.config.train.seed, 0, NETWORK))
        if saved is None:
            self._use(self._new_network())
            return None
        assert folder is not None
        check_same_images(saved["images"], self.images, self.patches, folder)
        network = Network(NetworkSpec.from_dict(saved["spec"]))
        network.load_state_dict(saved["network"])
        self._use(network)
        self.id = str(saved.get("id", self.id))
        self.stage = int(saved["stage"])
        self.steps_made = [int(n) for n in saved["steps_made"]]
        self.reporter.restore(saved["reporter"], inside=False)
        note = Kept.of(saved).note(self.device)
        if note is not None:
            self.reporter.note(note)
        self.reporter.say("resuming")
        inside: dict[str, Any] | None = saved["inside"]
        return inside

    def _new_network(self) -> Network:
        """Make the network, with random weights or those that were published for it."""
        network = Network(self.plan.spec)
        backbone = network.backbone
        if isinstance(backbone, PretrainedFeatures):
            self.reporter.say("getting weights")
            name = self.plan.spec.backbone.removeprefix(PRETRAINED)
            self.weights = load_published(backbone, name, self._weights_file)
        elif isinstance(backbone, FineTuned):
            self.reporter.say("getting weights")
            spec = self.plan.spec
            name = spec.backbone.removeprefix(FINE_TUNED)
            self.weights = load_start(backbone, name, spec.channels, self._weights_file)
        elif isinstance(backbone, PixelFeatures):
            chosen = torch.linspace(0, len(self.pixels) - 1, self._sample).round().long()
            backbone.fit(plain(self.pixels[chosen.to(self.pixels.device)]).cpu())
        return network

    @property
    def _weights_file(self) -> str | None:
        """File of the weights to begin with; None if they are published."""
        weights = self.config.train.weights
        return None if weights == PUBLISHED else weights

    @property
    def _sample(self) -> int:
        """Patches from which main axes are taken."""
        return min(_AXES_SAMPLE, len(self.pixels))

    def _use(self, network: Network) -> None:
        self.network = network.to(self.device.target)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ranks.broadcast(self.network)

    # -- the map ---------------------------------------------------------------------

    def infer(self, pixels: Pixels, *, final: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Features and outputs of patches; in the end averaged over their symmetries."""
        turned = self.symmetries if final else [(0, False)]
        watch = self._watch_features if final else None
        return infer(
            self.network, pixels, symmetries=turned, half=self.device.half, watch=watch
        )

    def _watch_features(self, done: int, total: int) -> None:
        """Choose threads, report features of a network that is not trained, let people stop."""
        self.cores.look()
        self.control.check_leaving()
        if self.plan.recipe.stages:
            return
        self.reporter.finishing(
            "features", f"computing features: {done:,} of {total:,} patches", done / total
        )
        if self.control.asked_to_stop():
            raise TrainingError("Stopped before there was a map, so nothing was saved.")

    @torch.no_grad()
    def start_map(self, stage: Stage) -> None:
        """Put the output of a map in, in place of that of the features."""
        torch.manual_seed(seed_of(self.config.train.seed, self.stage, START))
        if stage.trains == "projector":
            self.network.renew_projector(stage.dimensions)
        else:
            start = "random" if self.plan.recipe.start == "random" else "pca"
            features = self._some_features()
            start_map(self.network, features, start, stage.dimensions)  # type: ignore[arg-type]
        self.ranks.broadcast(self.network)

    def _some_features(self) -> Tensor:
        chosen = torch.linspace(0, len(self.pixels) - 1, self._sample).round().long()
        features, _ = self.infer(self.pixels[chosen.to(self.pixels.device)])
        return torch.from_numpy(features).to(self.device.target)

    def take_snapshot(self) -> None:
        """Report the map as it is now; while it has more dimensions, its main axes."""
        with self.snapshots.timed():
            began, chosen = time.monotonic(), self.snapshots.choose(len(self.pixels))
            rows = torch.from_numpy(chosen).to(self.pixels.device)
            features, outputs = self.infer(self.pixels[rows])
            found = outputs if outputs.shape[1] else features
            outputs = self.snapshots.update(chosen, found, time.monotonic() - began)
            flat = self.snapshots.lay_flat(outputs, self.config.train.dimensions)
            self.reporter.snapshot(flat)

    def hasten(self) -> None:
        """Make the map of a run that was stopped without the mean over symmetries."""
        self.control.check_leaving()
        self.symmetries = [(0, False)]

    def recalibrate(self) -> None:
        """Give batch normalisation the statistics of patches as they are."""
        if self.plan.recipe.recalibrate:
            self.reporter.settling()
            recalibrate(
                self.network, self.pixels, symmetries=self.symmetries, half=self.device.half
            )

    def _finish(self) -> Run:
        self.reporter.finishing("features", "placing all patches")
        dimensions, layout = self.config.train.dimensions, self.plan.recipe.layout
        if layout == "network" and self.network.spec.out_dim != dimensions:
            start_map(self.network, self._some_features(), "pca", dimensions)
        features, embedding = self.infer(self.pixels, final=True)
        if layout == "tsne":
            embedding = self._lay_out(features)
        if not np.isfinite(embedding).all():
            raise TrainingError(
                "Training became unstable and the map holds no numbers; choose another seed or "
                "a larger batch size under More."
            )
        self.reporter.finishing("measuring", "measuring quality")
        self.control.check_leaving()
        metrics = self._measured(embedding)
        plan = self.plan
        epochs = [n * plan.batch_size / len(self.patches) for n in self.steps_made]
        wanted = plan.trained_stages
        short = too_little(wanted, self.steps_made, epochs)
        if short:
            self.reporter.note(short)
            metrics["notes"].insert(0, short)
        known = self._known()
        self.reporter.forecast.finish()
        if not self.control.stopped and self.ranks.world == 1:
            plan.times.keep(self.reporter.forecast.seen)
        metrics["training"] = {"steps": self.steps_made, "epochs": epochs, "warning": short}
        return Run(
            config=self.config,
            network=self.network.cpu().eval(),
            embedding=embedding,
            features=features,
            table=self.patches.table,
            images=ImageKind.of(self.patches),
            name=self.patches.name,
            origin=self.patches.origin,
            skipped=tuple(self.patches.skipped),
            known=known,
            symmetries=list(self.symmetries),
            metrics=metrics,
            history=self.reporter.history(),
            layout=layout,
            complete=not (self.control.stopped or skipped_stages(wanted, self.steps_made)),
            info={
                "id": self.id,
                "device": plan.device.reason,
                "half": _name(plan.device.half),
                "batch_size": plan.batch_size,
                "parts": self.parts,
                "weights": self.weights,
                "processes": self.ranks.world,
                "plan": plan.to_dict(),
                "stages": [stage.to_dict() for stage in plan.recipe.stages],
                "steps": self.steps_made,
                "epochs": epochs,
                "seconds": round(self.clock(), 2),
                "notes": list(self.reporter.notes),
            },
        )

    def _measured(self, embedding: np.ndarray) -> dict[str, Any]:
        """Measure the quality of a map; if that fails, that is said, and costs no map."""
        try:
            return evaluate(embedding, self.patches.labels)
        except Exception as error:  # noqa: BLE001 - whatever it is, the map is worth more
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            note = f"The quality of the map could not be measured ({reason})."
            self.reporter.note(note)
            return {"n": len(embedding), "labelled": 0, "knn": None, "silhouette": None,
                    "notes": [note]}  # fmt: skip

    def _known(self) -> pd.DataFrame:
        """Note which patch each row is; if pixels cannot be read again, by its name alone."""
        watch = Watch(should_stop=lambda: self.control.leaves)
        try:
            return identify(self.patches, watch, hurry=self.control.stopped)
        except LoadCancelled:
            self.control.check_leaving()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the map is worth more
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            self.reporter.note(
                f"What the pixels of the patches are could not be noted ({reason}); the run "
                "finds its images again by their names alone."
            )
            return places_of(self.patches.table)

    def _lay_out(self, features: np.ndarray) -> np.ndarray:
        """Make the map by t-SNE of the features; end early if time is up."""
        clock, late = self.clock, self.plan.times.map_due
        tsne, total = self.config.train.tsne(), self.config.train.tsne().steps
        timed = LayoutTime(tsne, len(features), clock)

        def hurry(done: int) -> bool:
            if clock() + timed.last() < late:
                return False
            self.reporter.note(
                f"Time was short: {done} iterations of t-SNE were made before the last "
                f"{LAST}, not {total - LAST}."
            )
            return True

        def watch(done: int, embedding: np.ndarray) -> bool:
            timed.note(done)
            due = self.snapshots.due
            with self.snapshots.timed() if due else nullcontext():
                self.reporter.finishing(
                    "layout",
                    f"laying out the map: {done} of {total} iterations",
                    timed.share(done),
                    embedding if due else None,
                )
            if self.control.leaves:
                return True
            if clock() > late and done < total:
                self.reporter.note(
                    f"Time was up after {done} of {total} iterations of t-SNE; the map would "
                    "still have moved."
                )
                return True
            # Of this process alone: the others wait for the layout.
            alone = self.ranks.world == 1
            return self.control.asked_to_stop() if alone else self.control.should_stop()

        def make() -> Tensor:
            jobs = torch.get_num_threads()
            layout = tsne.lay_out(features, jobs=jobs, watch=watch, hurry=hurry)
            timed.keep()
            return torch.from_numpy(layout)

        self.reporter.finishing("layout", "laying out the map")
        embedding = self.ranks.from_main(make).cpu().numpy()
        self.control.asked_to_stop()
        self.control.check_leaving()
        return embedding


def _name(precision: torch.dtype | None) -> str | None:
    """Name of a half precision, as torch has it."""
    return None if precision is None else str(precision).removeprefix("torch.")
