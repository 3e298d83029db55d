"""What a check is that takes longer and is asked for by a button of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import QualityError
from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import labels_of
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.report import Evaluation
from napari_patchmap.settings import Config

#: In an answer that is of labels: what these are called.
LABEL_FROM = "label_from"

#: A group of checks: they stand below one heading, and ``--stability`` makes all of them.
STABLE = "Is the map stable?"


@dataclass(frozen=True, eq=False)
class AskedMap:
    """A map that is asked, of a run; row i of everything is patch i.

    Parameters
    ----------
    called : str
        What it is in sentences.
    table : DataFrame
        Labels and all other columns.
    origin : mapping
        Where the patches are from.
    layout : {"network", "tsne"}
    dimensions : int
        How many features each patch has, 0 where there are none.
    figures : callable
        Returns map, labels and features, which are read then.
    images : callable
        Returns the patches, None where they are not to be had.
    tsne : callable
        Returns the t-SNE that laid the map out.
    views : callable
        Takes the patches, some rows and a seed; returns features and outputs of two views of
        each, first one of all.
    pixel_map : callable
        Takes the patches and a watch; returns a map of the pixels, (n, d), or None.
    columns : sequence of str
        Those that can tell patches apart, where somebody chooses among them.
    label_from : str
        What the label is called where it comes from.
    sees_images : bool
        Whether a network looked at images; not where features were people's own.
    """

    called: str
    table: pd.DataFrame
    origin: Mapping[str, Any]
    layout: str
    dimensions: int
    figures: Callable[[], FigureInput]
    images: Callable[[], PatchSet | None]
    tsne: Callable[[], Tsne]
    views: Callable[[PatchSet, np.ndarray, int], tuple[np.ndarray, np.ndarray]]
    pixel_map: Callable[[PatchSet | None, Watch], np.ndarray | None]
    columns: Sequence[str] = ()
    label_from: str = ""
    sees_images: bool = True


def _always(asked: AskedMap) -> str:
    return ""


def _anything(asked: AskedMap, config: Any) -> None:
    return None


def _never(entry: dict[str, Any]) -> bool:
    return False


def _nothing(asked: AskedMap) -> dict[str, list[str]]:
    return {}


@dataclass(frozen=True)
class AskedCheck:
    """A question about a map, how it is answered, and how the answer is written and explained.

    Panel, command line, run folder and report are made from it.

    Parameters
    ----------
    key : str
        Its entry in ``metrics.json``, and the key of its numbers of patches.
    question : str
        As a heading.
    answer : callable
        Takes an :class:`AskedMap`, the settings and a
        :class:`~napari_patchmap.patches.watch.Watch`, which it tells the answer so far;
        returns its entry and its numbers of patches as they are known by the end, nothing of
        both where it was ended at once; or raises a QualityError that says why there is no
        answer.
    lines : callable
        Takes its entry; returns the answer in short lines, the most important first.
    help, reference : str
        What it means and what it takes, in plain sentences; where it is from.
    name : str
        What its number of each patch is, as within a sentence; "" where it has none.
    config : type of Config
        Its settings.
    group : str
        What it helps to find out together with others, such as :data:`STABLE`.
    needs_features, needs_labels : bool
        Nobody is asked where there are none.
    by_network : str
        Why a map that a network made is not asked this, "" if it is.
    why_not : callable
        Takes the map; says in a sentence for what other reason it cannot be asked, "" if none.
    check : callable
        Takes the map and settings before any work; raises a QualityError if they do not fit.
    offers : callable
        Takes the map; returns what can be chosen for settings that are ``offered``.
    without : str
        What there is not where something is missing, as within a sentence.
    of_labels : callable
        Takes its entry; says whether that would be another with other labels.
    """

    key: str
    question: str
    answer: Callable[[AskedMap, Any, Watch], Evaluation]
    lines: Callable[[dict[str, Any]], list[str]]
    help: str
    reference: str
    name: str = ""
    config: type[Config] = Config
    group: str = ""
    needs_features: bool = False
    needs_labels: bool = False
    by_network: str = ""
    why_not: Callable[[AskedMap], str] = _always
    check: Callable[[AskedMap, Any], None] = _anything
    offers: Callable[[AskedMap], dict[str, list[str]]] = _nothing
    without: str = "this cannot be found out"
    of_labels: Callable[[dict[str, Any]], bool] = _never

    def lacks(self, asked: AskedMap) -> str:
        """Say what a map does not have that is needed, "" if it has all."""
        if self.needs_labels and labels_of(asked.table) is None:
            return f"{asked.called} has no labels, so {self.without}."
        if self.needs_features and not asked.dimensions:
            return f"{asked.called} has no features, so {self.without}; train it again."
        return ""

    def refusal(self, asked: AskedMap) -> str:
        """Say in a sentence why a map cannot be asked, "" if it can."""
        if said := self.lacks(asked):
            return said
        if self.by_network and asked.layout != "tsne":
            return self.by_network
        return self.why_not(asked)

    def ask(
        self, asked: AskedMap, config: Config | None = None, watch: Watch = UNWATCHED
    ) -> Evaluation:
        """Find it out.

        Raises
        ------
        QualityError
            If it cannot be found out.
        """
        config = self.config() if config is None else config
        if reason := self.refusal(asked):
            raise QualityError(reason)
        self.check(asked, config)
        found = self.answer(asked, config, watch)
        for entry in found.report.values():
            if self.of_labels(entry):
                entry[LABEL_FROM] = asked.label_from
        return found

    def known(self, metrics: dict[str, Any]) -> dict[str, Any] | None:
        """Return its entry in metrics, None where there is none that can be said.

        An older version may have written another; it can be asked again.
        """
        entry = metrics.get(self.key)
        if not isinstance(entry, dict) or not entry:
            return None
        try:
            self.lines(entry)
        except (LookupError, TypeError, ValueError, AttributeError):
            return None
        return entry

    def growing(self, watch: Watch) -> Watch:
        """Return what tells ``watch`` an entry as it grows."""
        return watch.telling(lambda entry: Evaluation({self.key: entry}, {}))


def map_width(embedding: np.ndarray) -> float:
    """Return the longer side of the box in which a map lies."""
    return float(np.ptp(embedding, axis=0).max())


def check_usable(given: FigureInput, fewest: int, doing: str) -> np.ndarray:
    """Return the features of a map that something can be done with, (n, f).

    Raises
    ------
    QualityError
        If there are none, no numbers or no differences among them, or too few patches.
    """
    if given.features is None:
        raise QualityError(f"This map has no features, which are needed to {doing}.")
    if len(given) < fewest:
        raise QualityError(
            f"{len(given):,} patches are too few to {doing}; it takes {fewest} at least."
        )
    if not (np.isfinite(given.features).all() and np.isfinite(given.embedding).all()):
        raise QualityError(
            "Some features or coordinates are not numbers; train the map again, then ask."
        )
    if not (given.features != given.features[0]).any():
        raise QualityError(
            f"All patches have the same features, so there is nothing to {doing} by."
        )
    return given.features
