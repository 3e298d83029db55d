"""Whether a network was trained enough for its map to mean something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_patchmap.methods.stage import Stage

if TYPE_CHECKING:
    from napari_patchmap.training.plan import Plan

#: Passes over the patches below which the whole network has learned next to nothing.
LEAST_EPOCHS = 1.0

#: Steps of the whole network below which its map tells little more than the pixels do.
LEAST_STEPS = 50

#: Fewer patches make a map whose groups are hardly more than single images.
FEW_PATCHES = 200


def skipped_stages(stages: Sequence[Stage], steps: Sequence[int]) -> list[str]:
    """Name the stages in which a run made no step.

    Parameters
    ----------
    stages : sequence of Stage
        Those that should train.
    steps : sequence of int
        That were made in each; stages that were not reached are missing.
    """
    made = [*steps, *[0] * len(stages)]
    return [stage.name for stage, count in zip(stages, made, strict=False) if count == 0]


def too_little(stages: Sequence[Stage], steps: Sequence[int], epochs: Sequence[float]) -> str:
    """Say in a sentence that a run made too few steps; "" if it made enough.

    Parameters
    ----------
    stages : sequence of Stage
        Those that should train.
    steps, epochs : sequence
        Steps and passes over the patches that were made in each stage; stages that were
        not reached are missing.
    """
    if not stages:
        return ""
    seen, made = (
        sum(n for s, n in zip(stages, numbers, strict=False) if s.trains == "all")
        for numbers in (epochs, steps)
    )
    if made == 0:
        return "The network made no step, so this map is one of random features; train longer."
    if seen < LEAST_EPOCHS:
        return (
            f"The network saw only {seen:.0%} of the patches once, so this map says little; "
            "train longer."
        )
    if made < LEAST_STEPS:
        return (
            f"The network made only {made} step{'s'[: made != 1]}, so this map says little; "
            "train longer."
        )
    skipped = skipped_stages(stages, steps)
    if skipped:
        return f"The training did not get to: {', '.join(skipped)}; go on with it."
    return ""


def epochs_in_budget(plan: Plan) -> float:
    """Return how often the whole network is expected to see each patch in the time given."""
    times, stages = plan.times, plan.recipe.stages
    assert times.budget is not None
    left = max(0.0, times.budget - times.around.likely)
    steps = sum(
        left * stage.share / step.likely
        for stage, step in zip(stages, times.step, strict=True)
        if stage.trains == "all"
    )
    return steps * plan.batch_size / plan.patches


def too_short(plan: Plan) -> str:
    """Say in a sentence that a time budget ends before much can be learned; "" if not."""
    if plan.times.budget is None or not plan.recipe.stages:
        return ""
    whole = [i for i, stage in enumerate(plan.recipe.stages) if stage.trains == "all"]
    made = [plan.times.steps_in_budget(stage) for stage in whole]
    fewest, most = (sum(counts) for counts in zip(*made, strict=True))
    per_epoch = plan.patches / plan.batch_size
    if most >= LEAST_STEPS and most >= LEAST_EPOCHS * per_epoch:
        return ""
    if most < LEAST_EPOCHS * per_epoch:
        seen = (f"{count / per_epoch:.0%}" for count in (fewest, most))
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
    if count >= FEW_PATCHES:
        return ""
    return (
        f"{count} patches are few: a map shows groups from about {FEW_PATCHES} patches on, "
        "and hardly more than single images below."
    )
