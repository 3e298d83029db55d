"""What a label curve says, in a sentence and as lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.few_names import some_of
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality.asked import AskedCheck, AskedMap
from napari_patchmap.quality.label_curve import CurveConfig, label_curve
from napari_patchmap.quality.report import Evaluation

#: So much of the best accuracy is enough.
_ENOUGH = 0.95


def curve_said(found: dict[str, Any]) -> str:
    """Say from how many labels of each class on more bring little."""
    name, best = max(found["curves"].items(), key=lambda one: max(one[1]["mean"]))
    means, sizes = best["mean"], found["sizes"]
    top = max(means)
    enough = next(n for n, mean in zip(sizes, means, strict=True) if mean >= _ENOUGH * top)
    said = (
        f"{enough:,} {'label' if enough == 1 else 'labels'} of each class reach "
        f"{100 * _ENOUGH:.0f} % of the best balanced accuracy ({100 * top:.1f} %, {name}, "
        f"{sizes[int(np.argmax(means))]:,} of each)."
    )
    if found["small"]:
        few = some_of(found["small"])
        said += f" Classes that have fewer than {sizes[-1]:,} give all they have: {few}."
    if found["left_out"]:
        said += f" Left out, with fewer than four patches: {', '.join(found['left_out'][:3])}."
    return said


def curve_lines(found: dict[str, Any]) -> list[str]:
    """Say a label curve in lines for the command line: a sentence, and a table."""
    names = list(found["curves"])
    width = max(map(len, names))
    head = "".join(f"  {size:>11,}" for size in found["sizes"])
    about = (
        f"Balanced accuracy in % by labels of each class ({found['repeats']} draws, "
        f"{found['test_n']:,} patches tested; 95 % of the draws):"
    )
    lines = [curve_said(found), about, f"  {'':<{width}}{head}"]
    for name in names:
        curve = found["curves"][name]
        cells = "".join(
            f"  {f'{100 * m:.0f} ({100 * a:.0f}-{100 * b:.0f})':>11}"
            for m, a, b in zip(curve["mean"], curve["low"], curve["high"], strict=True)
        )
        lines.append(f"  {name:<{width}}{cells}")
    return lines


def _answer(asked: AskedMap, config: CurveConfig, watch: Watch) -> Evaluation:
    given = asked.figures()
    assert given.features is not None
    assert given.labels is not None
    found = label_curve(given.features, given.labels, config, LABEL_CURVE.growing(watch))
    return Evaluation({LABEL_CURVE.key: found}, {})


LABEL_CURVE = AskedCheck(
    key="label_curve",
    question="How many labels are enough?",
    config=CurveConfig,
    needs_features=True,
    needs_labels=True,
    of_labels=lambda entry: True,
    answer=_answer,
    lines=curve_lines,
    help="Train four classifiers on the features with 1 to 1,000 labels of each class, and "
    "test them on patches that were held out.",
    reference="Nielsen et al. 2023",
    without="there is no label curve",
)
