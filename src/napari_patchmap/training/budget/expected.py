"""What the parts of a run are expected to take, from a few steps on this machine."""

from __future__ import annotations

import math
from typing import NamedTuple

from napari_patchmap.layout.first_layout import MOST_LANDMARKS, first_tsne
from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.methods.recipe import Recipe
from napari_patchmap.networks import NetworkSpec
from napari_patchmap.networks.device import Device
from napari_patchmap.networks.inference import MOST_SETTLING
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality.figures import FIGURES
from napari_patchmap.training.budget.estimate import measure_speed, update_seconds
from napari_patchmap.training.budget.layout_time import LayoutTime
from napari_patchmap.training.budget.speeds import (
    Seconds,
    look_of,
    name_of,
    recall,
    saving_of,
    step_of,
)
from napari_patchmap.training.budget.timetable import Key, Part, Timetable
from napari_patchmap.training.judge import LOOKS
from napari_patchmap.training.learners import learner_of
from napari_patchmap.training.plan import Plan

#: How many times as long as in an earlier run something may take to be expected so again.
_ALIKE = 1.5

#: First guesses, of a computer that has not done it: reading and preparing a patch, noting
#: which it is, measuring a map beside its figures, saving a run.
_READING, _IDENTIFYING, _MEASURING, _SAVING = 1e-4, 1e-5, 0.3, 0.7


class Measured(NamedTuple):
    """What a network takes: a step of each stage, a look at a patch, and bytes a patch."""

    step: tuple[Seconds, ...]
    look: Seconds
    memory: int


def measure(
    recipe: Recipe, spec: NetworkSpec, device: Device, batch: int, share: int, watch: Watch
) -> Measured:
    """Measure a network; a second time if what is found is implausible.

    A step has ``batch`` patches, of which this process computes a ``share`` at most.

    Raises
    ------
    LoadCancelled
        If ``watch`` wants to stop; what was measured by then is forgotten.
    """
    works = [step_of(stage, spec, device, share) for stage in recipe.stages]
    updates = [update_seconds(watch, stage, spec, device) for stage in recipe.stages]

    def found(attempt: int) -> Measured:
        trains = bool(recipe.stages)
        speed = measure_speed(watch, spec, device, batch, trains=trains, attempt=attempt)
        steps = [share * learner_of(s).step_seconds(speed, s) for s in recipe.stages]
        step = tuple(
            _rate(seconds + update, work, speed.doubt) * stage.coarse.mean_work
            for seconds, update, work, stage in zip(
                steps, updates, works, recipe.stages, strict=True
            )
        )
        look = _rate(speed.look, look_of(spec, device), speed.doubt)
        return Measured(step, look, speed.memory)

    first = found(1)
    if not any(one.low < one.likely for one in (*first.step, first.look)):
        return first
    return min(first, found(2), key=lambda one: one.look.likely)


def _rate(measured: float, work: str, doubt: tuple[float, float]) -> Seconds:
    """Expect what was measured now, or what a whole run has shown, which tells more."""
    before = recall(work)
    if before is None:
        return Seconds(measured, measured * doubt[0], measured * doubt[1])
    if measured < _ALIKE * before:
        return Seconds.about(before)
    return Seconds(measured, before, measured)  # other programs work now


def timetable(plan: Plan, measured: Measured, watch: Watch) -> Timetable:
    """Put together what the parts of a run are expected to take.

    Raises
    ------
    LoadCancelled
        If ``watch`` wants to stop.
    """
    recipe, device, spec, count = plan.recipe, plan.device, plan.spec, plan.patches
    train, turned, look = plan.config.train, len(plan.symmetries), measured.look
    cached, settled = min(count, MOST_LANDMARKS), min(count, MOST_SETTLING)
    reading = name_of("reading", plan.name, *plan.size)
    none, parts = Seconds.about(0.0), dict[Key, Part]()

    def made(tsne: Tsne, patches: int) -> Seconds:
        return LayoutTime(tsne, patches, device=device.target, watch=watch).expected

    parts["reading", 0] = Part.of(reading, 0 if plan.streamed else count, _READING)
    for number, stage in enumerate(recipe.stages):
        learner = learner_of(stage)
        looks = learner.looks(stage, count, turned)
        judges = LOOKS * plan.held_out if stage.judged else 0
        lays_out = learner.lays_out and recipe.start == "tsne"
        first = made(first_tsne(train.seed), cached) if lays_out else none
        like = "cached" if learner.caches_features else "network"
        again = settled * (1 + turned) if recipe.settles_after(number) else 0
        parts["before", number] = Part(look * (looks + (0 if number else judges)))
        parts["first layout", number] = Part(first)
        parts["steps", number] = Part(measured.step[number] * plan.steps(number), like=like)
        parts["settling", number] = Part(look * again)
        if judges:
            parts["judging", number] = Part(look * judges)
    # Pixels that are read from disk meanwhile tell nothing of the network.
    seen = "" if plan.streamed else look_of(spec, device)
    parts["features", 0] = Part(look * (count * turned), seen, count * turned)
    tsne = train.tsne() if plan.method.layout == "tsne" else None
    parts["layout", 0] = Part(none if tsne is None else made(tsne, count))
    # Known for sets of about this size: some of it is done once, some for pairs.
    figures = [f for f in FIGURES if plan.labelled or not f.needs_labels]
    keys = (figure.key for figure in figures)
    evaluated = name_of("measuring", 2 ** round(math.log2(count)), *keys)
    guess = _MEASURING + sum(figure.seconds(count) for figure in figures)
    parts["measuring", 0] = Part.of(evaluated, 1, guess)
    named = name_of("identifying", plan.name)
    parts["identifying", 0] = Part.of(named, count, _IDENTIFYING)
    parts["saving", 0] = Part.of(saving_of(count), 1, _SAVING)
    return Timetable(
        parts,
        measured.step,
        tuple(stage.share for stage in recipe.stages),
        None if train.minutes is None else 60 * train.minutes,
    )
