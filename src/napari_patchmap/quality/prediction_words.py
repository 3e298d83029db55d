"""What a prediction says, in a sentence, as a table and as lines."""

from __future__ import annotations

from typing import Any

from napari_patchmap.errors import QualityError
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality.asked import AskedCheck, AskedMap
from napari_patchmap.quality.prediction import PredictionConfig, Score, predict, scores_of
from napari_patchmap.quality.report import Evaluation

#: So much more, of 1, is predicted right where groups are mixed: worth a word.
_LEAK = 0.02


#: What the ways to predict are, for those who look at the table.
WAYS = (
    "Linear: logistic regression of the standardised features, without penalty as Nwabufo et "
    "al. 2024 evaluate networks; L2: with a penalty that is chosen by cross-validation among "
    "the patches that are learned from. Ridge: the same for numbers. NN: most of the nearest "
    "neighbours, or their mean."
)


def prediction_table(found: dict[str, Any], *, short: bool = False) -> dict[str, list[str]]:
    """Write a prediction as columns: ways to predict, and their scores, by heading."""
    rows = list(found["scores"].items())
    rows += [(f"{name}, {found['apart']} mixed", row) for name, row in found["mixed"].items()]
    table = {"predicted by": [name for name, _ in rows]}
    for score in scores_of(found):
        head = score.short if short else score.name
        table[f"{head}{score.scale.unit}"] = [
            _written(score, row[score.key], spread=found["repeats"] > 1) for _, row in rows
        ]
    return table


def prediction_basis(found: dict[str, Any]) -> str:
    """Say what a prediction is of."""
    held = f"{found['test_n']:,} of {found['n']:,} patches held out"
    if found["apart"]:
        held += f", no {found['apart']} (of {found['groups']:,}) on both sides"
    times = f", {found['repeats']:,} times; mean ± standard deviation"
    return held + (times if found["repeats"] > 1 else ", once")


def prediction_said(found: dict[str, Any]) -> str:
    """Say in a sentence or two how well a column is predicted."""
    score, scores = scores_of(found)[0], found["scores"]
    guess, near, *featured = list(scores)

    def mean(name: str) -> float:
        return float(scores[name][score.key]["mean"])

    def text(name: str) -> str:
        return f"{_written(score, scores[name][score.key])}{score.scale.unit}"

    said, apart = f"The {found['column']} of held-out patches is predicted ", found["apart"]
    if found["numbers"]:
        said += f"from the map with a {score.name} of {text(near)}"
        if featured:
            best = min(featured, key=mean)
            said += f", from the features with {text(best)} ({best})"
        said += f"; always guessing their {guess} is off by {text(guess)}."
        gain = mean(guess) - mean(near)
    else:
        said += f"right for {text(near)} from the map"
        if featured:
            best = max(featured, key=mean)
            said += f", for {text(best)} from the features ({best})"
        said += f"; always guessing the {guess} is right for {text(guess)}."
        gain = mean(near) - mean(guess)
    if gain <= 2 * scores[near][score.key]["sd"]:
        said += " The map predicts no better than that."
    leaked = found["mixed"].get(near)
    if leaked and not found["numbers"] and leaked[score.key]["mean"] - mean(near) > _LEAK:
        said += (
            f" With each {apart} on both sides it would seem to be "
            f"{_written(score, leaked[score.key])}{score.scale.unit}: the difference comes "
            f"from recognising the {apart}."
        )
    return said


def prediction_lines(found: dict[str, Any]) -> list[str]:
    """Say a prediction in lines for the command line: a sentence, and a table."""
    table = prediction_table(found)
    widths = {head: max(map(len, [head, *cells])) for head, cells in table.items()}
    rows = [list(table), *zip(*table.values(), strict=True)]
    lines = [
        "  ".join(
            ["", *(cell.ljust(widths[head]) for cell, head in zip(row, table, strict=True))]
        )
        for row in rows
    ]
    told = [prediction_said(found), f"{prediction_basis(found)}:"]
    return told + [line.rstrip() for line in lines] + found["left_out"]


def _written(score: Score, number: dict[str, float], *, spread: bool = False) -> str:
    scale = score.scale
    parts = [number["mean"], *([number["sd"]] if spread else [])]
    return " ± ".join(f"{scale.factor * part:.{scale.usual}f}" for part in parts)


def _check(asked: AskedMap, config: PredictionConfig) -> None:
    for name in filter(None, (config.column, config.apart)):
        if name not in asked.table:
            names = ", ".join(map(str, asked.table.columns))
            raise QualityError(f"There is no column {name}; choose one of {names}.")


def _answer(asked: AskedMap, config: PredictionConfig, watch: Watch) -> Evaluation:
    apart = asked.table[config.apart] if config.apart else None
    values, growing = asked.table[config.column], PREDICTION.growing(watch)
    return Evaluation(
        {PREDICTION.key: predict(asked.figures(), values, apart, config, growing)}, {}
    )


def _offers(asked: AskedMap) -> dict[str, list[str]]:
    apart = [name for name in asked.columns if name != "label"]
    return {"column": list(asked.columns), "apart": ["", *apart]}


PREDICTION = AskedCheck(
    key="prediction",
    question="What can be predicted?",
    config=PredictionConfig,
    check=_check,
    answer=_answer,
    offers=_offers,
    lines=prediction_lines,
    of_labels=lambda entry: "label" in (entry.get("column"), entry.get("apart")),
    help="Hold patches out and predict their values from the others: by neighbours on the map, "
    "by neighbours among the features, and by linear models of the features.",
    reference="linear models as Nwabufo et al. 2024",
)
