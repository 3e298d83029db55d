"""Does it help that a trained network learns on? Told without labels, by patches held out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from napari_patchmap.augment.views import ViewMaker
from napari_patchmap.networks import Network
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.pixels import Pixels
from napari_patchmap.networks.trained.learned_on import LearnedOn
from napari_patchmap.networks.whitening import Whitening
from napari_patchmap.quality.view_pairs import partner_ranks
from napari_patchmap.runs.run import metric_of
from napari_patchmap.training.budget.speeds import Seconds
from napari_patchmap.training.checkpoints import read_features
from napari_patchmap.training.control import Control
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.reporter import Reporter
from napari_patchmap.training.seeds import JUDGE, seed_of

#: Patches that are held out at most, and of how many one is.
_MOST, _ONE_IN = 250, 10

#: Among views of so many times as many patches a view has to be found again.
_AMONG = 3

#: Looks at a patch that it takes to judge, by patches that are held out.
LOOKS = 1 + _AMONG

#: Standard errors by which the figure has to rise.
_SURE = 2.0

#: A stage that may be undone makes so many steps, in so much of its time, or none at all.
_FEWEST_STEPS, _STEPPING = 10, 0.5

#: Patches of which views are made at once.
_PART = 128


def held_out(patches: int) -> int:
    """Return how many patches are held out of a set, if there is time to look at them."""
    return max(1, min(_MOST, patches // _ONE_IN))


def enough(seconds: float, step: Seconds) -> bool:
    """Whether so much time is worth the trial of a stage; NaN is."""
    return not seconds * _STEPPING < _FEWEST_STEPS * step.likely


class Judge:
    """Measures how near two views of a patch that was held out lie, beside views of others.

    That is the place of the second view among all of them, by its distance from the first: 1
    if it is the nearest; of some patches their geometric mean. Views are those of the
    training, distances those of the map; the others are the patches held out and twice as
    many that were learned from.

    Parameters
    ----------
    plan : Plan
    pixels : Pixels
    maker : ViewMaker
        Of views at full strength.
    reporter : Reporter
        Told what is being done, and what was found.
    control : Control
        Lets people leave meanwhile.
    """

    def __init__(
        self, plan: Plan, pixels: Pixels, maker: ViewMaker, reporter: Reporter, control: Control
    ) -> None:
        seed = plan.config.train.seed
        self._plan, self._pixels = plan, pixels
        self._reporter, self._control = reporter, control
        self._maker, self._seed = maker.with_config(maker.config), seed_of(seed, 0, JUDGE)
        order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(self._seed))
        count = plan.held_out
        self._some = order[: _AMONG * count]
        #: Patches to learn from.
        self.rows = order[count:].sort().values
        #: What was found of each stage.
        self.records: list[dict[str, Any]] = []
        self._found: np.ndarray | None = None
        self._before: dict[str, Tensor] = {}

    # -- a stage -----------------------------------------------------------------------

    def begin(self, number: int, network: Network) -> None:
        """Measure the network before a stage (from 0), and keep it if that may be undone."""
        if self._found is None:
            self._reporter.preparing("before", "looking at the network as it came", math.nan)
            self._found = self._measure(network)
        self._before = {}
        if self._plan.recipe.stages[number].judged == "decides":
            known = network.state_dict()
            self._before = {k: v.detach().to("cpu", copy=True) for k, v in known.items()}

    def end(self, number: int, network: Network) -> None:
        """Measure the network after a stage, and undo that if it is to be."""
        stage = self._plan.recipe.stages[number]
        self._reporter.judging()
        before, after = self._found, self._measure(network)
        assert before is not None
        gain, error = float((before - after).mean()), _error(before - after)
        helped = gain > _SURE * error
        kept = helped or stage.judged != "decides"
        self.records.append(
            {
                "stage": stage.name,
                "before": round(float(np.exp(before.mean())), 3),
                "after": round(float(np.exp(after.mean())), 3),
                "patches": len(after),
                "among": _AMONG * len(after),
                "helped": helped,
                "kept": kept,
            }
        )
        if kept:
            self._found = after
        else:
            network.load_state_dict(self._before)
        self._before = {}
        self._reporter.note(_said(self.records[-1]))

    def finish(self, network: Network) -> None:
        """Merge adapters into the network, and note whether its own weights ever moved."""
        stages = [stage for stage in self._plan.recipe.stages if stage.judged]
        # Of a run that was stopped there are fewer records than stages.
        tried = zip(stages, self.records, strict=False)
        moved = any(stage.moves_weights and record["kept"] for stage, record in tried)
        if isinstance(network.backbone, LearnedOn):
            network.backbone.finish(rests=not moved)

    def leaves_out(self, number: int, seconds: float) -> bool:
        """Whether some seconds are too few for a stage (from 0) to be worth its trial; say so.

        NaN is enough. What a person asked for is always done.
        """
        stage, step = self._plan.recipe.stages[number], self._plan.times.step[number]
        if stage.judged != "decides" or enough(seconds, step):
            return False
        self.records.append({"stage": stage.name, "kept": False, "left_out": True})
        self._reporter.note(
            f"There was no time for {stage.name}, so the network stays as it was before that; "
            "give it more minutes."
        )
        return True

    def _measure(self, network: Network) -> np.ndarray:
        """Logarithm of the place of the other view of each patch, (n,), mean of both ways."""
        device, count = network.device, self._plan.held_out
        generator = torch.Generator(device).manual_seed(self._seed)
        first = self._features(network, self._some[:count], generator)
        second = self._features(network, self._some, generator)
        if power := self._plan.config.train.whitens:  # as those that are laid out
            whitening = Whitening(second.shape[1])
            whitening.fit(second, power)
            first, second = whitening.of(first), whitening.of(second)
        others, own = second[count:], np.arange(count)
        metric = metric_of(self._plan.config, self._plan.method.layout)
        there = partner_ranks(first, second[:count], second, own, metric)
        back = partner_ranks(
            second[:count], first, np.concatenate([first, others]), own, metric
        )
        return (np.log1p(there) + np.log1p(back)) / 2

    def _features(
        self,
        network: Network,
        rows: Tensor,
        generator: torch.Generator,
    ) -> np.ndarray:
        made = []
        for chosen in rows.split(_PART):
            patches = self._pixels[chosen.to(self._pixels.device)].to(network.device)
            views = self._maker(patches, generator).mul_(255).round_().byte()
            half = self._plan.device.half
            made.append(infer(network, views, half=half)[0])
            self._control.check_leaving()
        return np.concatenate(made)

    # -- interruptions -----------------------------------------------------------------

    @property
    def held(self) -> dict[str, Any]:
        """The network before the stage, to be kept beside its checkpoints."""
        return {"before": self._before} if self._before else {}

    def read(self, folder: Path) -> None:
        """Read the network as it was before a stage inside of which a run was interrupted."""
        self._before = dict(read_features(folder).get("before", {}))

    def state(self) -> dict[str, Any]:
        """Return what :meth:`restore` needs."""
        found = None if self._found is None else self._found.tolist()
        return {"records": list(self.records), "found": found}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another one stopped."""
        self.records = list(state["records"])
        self._found = None if state["found"] is None else np.asarray(state["found"], float)


def _error(differences: np.ndarray) -> float:
    """Return the standard error of a mean difference."""
    return float(differences.std() / max(1, len(differences)) ** 0.5)


def _said(found: dict[str, Any]) -> str:
    """Say what a stage was worth."""
    said = (
        f"After {found['stage']}, the second view of a patch held out is on average number "
        f"{found['after']:.1f} of {found['among']:,} by likeness to the first (before: "
        f"{found['before']:.1f}; {found['patches']:,} patches)"
    )
    if found["helped"]:
        return f"{said}, so it was kept."
    if found["kept"]:
        return f"{said}, which is no clear gain; it was kept as asked."
    return f"{said}, which is no clear gain, so it was undone."
