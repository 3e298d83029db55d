"""Whether a network was trained enough for its map to mean something."""

from __future__ import annotations

from collections.abc import Sequence

from napari_patchmap.methods.stage import Stage
from napari_patchmap.percent import percent
from napari_patchmap.training.plan import Plan

#: Passes over the patches below which the whole network has learned next to nothing.
_LEAST_EPOCHS = 1.0

#: Steps of the whole network below which its map tells little more than the pixels do.
_LEAST_STEPS = 50

#: Fewer patches make a map whose groups are hardly more than single images.
_FEW_PATCHES = 200


def skipped_stages(stages: Sequence[Stage], steps: Sequence[int]) -> list[str]:
    """Name the stages without a step, of those that should train.

    ``steps`` are those that were made; stages that were not reached are missing. One that may
    be undone was left out on purpose if it made none.
    """
    made = [*steps, *[-1] * len(stages)]
    return [
        stage.name
        for stage, count in zip(stages, made, strict=False)
        if count < 0 or (count == 0 and stage.judged != "decides")
    ]


def too_little(stages: Sequence[Stage], steps: Sequence[int], epochs: Sequence[float]) -> str:
    """Say in a sentence that a run made too few steps; "" if it made enough.

    Takes the stages that should train, and the steps and passes over the patches that were
    made in each; stages that were not reached are missing.
    """
    if not stages:
        return ""
    skipped = skipped_stages(stages, steps)
    not_there = f"The training did not get to: {', '.join(skipped)}; go on with it."
    if any(stage.judged for stage in stages):  # it came trained, and says what steps did
        return not_there if skipped else ""
    seen, made = (
        sum(n for s, n in zip(stages, numbers, strict=False) if s.learns_features)
        for numbers in (epochs, steps)
    )
    if made == 0:
        return "The network made no step, so this map is one of random features; train longer."
    if seen < _LEAST_EPOCHS:
        return (
            f"The network saw only {percent(seen)} of the patches once, so this map says "
            "little; train longer."
        )
    if made < _LEAST_STEPS:
        return (
            f"The network made only {made} step{'s'[: made != 1]}, so this map says little; "
            "train longer."
        )
    return not_there if skipped else ""


def epochs_in_budget(plan: Plan) -> float:
    """Return how often the whole network is expected to see each patch in the time given."""
    _, steps, _ = plan.times.steps_in_budget(_learning(plan))
    return steps * plan.batch_size / plan.patches


def _learning(plan: Plan) -> list[int]:
    """Stages (from 0) in which features are learned from images."""
    stages = plan.recipe.stages
    whole = [i for i, stage in enumerate(stages) if stage.moves_backbone]
    return whole or [i for i, stage in enumerate(stages) if stage.learns_features]


def too_short(plan: Plan) -> str:
    """Say in a sentence that a time budget ends before much can be learned; "" if not."""
    if plan.times.budget is None or not plan.recipe.stages:
        return ""
    fewest, _, most = plan.times.steps_in_budget(_learning(plan))
    per_epoch = plan.patches / plan.batch_size
    if most >= _LEAST_STEPS and most >= _LEAST_EPOCHS * per_epoch:
        return ""
    if most < _LEAST_EPOCHS * per_epoch:
        seen = (percent(count / per_epoch) for count in (fewest, most))
        what = f"sees {_range(*seen)} of the patches"
    else:
        what = f"makes {_range(f'{fewest:.0f}', f'{most:.0f}')} steps"
    other = "" if plan.spec.backbone == "compact" else ", or take the compact network"
    return (
        f"In this time the network {what}, too few to learn much; give it more minutes or a "
        f"GPU{other}."
    )


def _range(low: str, high: str) -> str:
    return f"about {high}" if low == high else f"{low} to {high}"


def few_patches(count: int) -> str:
    """Say in a sentence that there are few patches for a map; "" if there are enough."""
    if count >= _FEW_PATCHES:
        return ""
    return (
        f"{count} patches are few: a map shows groups from about {_FEW_PATCHES} patches on, "
        "and hardly more than single images below."
    )
