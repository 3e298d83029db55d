"""All that a person found among the patches, on disk: annotations and named selections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from napari_patchmap.explore.findings import Findings
from napari_patchmap.explore.named_selections import SELECTIONS
from napari_patchmap.runs.annotation_files import read_annotations, save_annotations
from napari_patchmap.runs.annotation_place import AnnotationPlace
from napari_patchmap.runs.selection_files import read_selections, save_selections


@dataclass(frozen=True, eq=False)
class FoundThere:
    """What lies in a place, and what of it is not of patches that are here today.

    Parameters
    ----------
    findings : Findings
        Parts of which nothing lies there are those that were given.
    whole : bool
        Whether all of it lies there.
    names : DataFrame
        Class names of patches that are not here; see
        :class:`napari_patchmap.runs.annotation_files.FoundAnnotations`.
    selected : dict of int to ndarray
        Numbers of patches that are not here, by the key of the selection.
    note : str
        What could not be read and is left as it is, "" if all could.
    """

    findings: Findings
    whole: bool = False
    names: pd.DataFrame = field(default_factory=pd.DataFrame)
    selected: Mapping[int, np.ndarray] = field(default_factory=dict)
    note: str = ""


def read_findings(place: AnnotationPlace, here: Findings) -> FoundThere:
    """Read what lies in a place; what does not is taken from ``here``.

    Raises
    ------
    AnnotationError
        If annotations there are damaged or are not ours.
    """
    found, whole = FoundThere(here), True
    if place.annotated:
        kept = read_annotations(place)
        findings = replace(here, annotations=kept.annotations)
        found = replace(found, findings=findings, names=kept.others)
    else:
        whole &= here.annotations.empty
    if (place.folder / SELECTIONS).exists():
        named = read_selections(place)
        findings = replace(found.findings, selections=named.selections)
        found = replace(found, findings=findings, selected=named.others, note=named.note)
    else:
        whole &= here.selections.empty
    return replace(found, whole=whole)


def save_findings(
    place: AnnotationPlace, findings: Findings, there: FoundThere, before: Findings | None
) -> None:
    """Write findings, each file whole or not at all.

    Parameters
    ----------
    place : AnnotationPlace
    findings : Findings
    there : FoundThere
        As it was read from that place: what is of other patches is written back.
    before : Findings, optional
        What lies there now; parts that are the same are not written again.

    Raises
    ------
    AnnotationError
        If they cannot be written there.
    """
    annotations, selections = findings.annotations, findings.selections
    if (before is None or before.annotations is not annotations) and not (
        annotations.empty and not place.annotated
    ):
        save_annotations(place, annotations, there.names)
    if (before is None or before.selections is not selections) and not (
        selections.empty and not (place.folder / SELECTIONS).exists()
    ):
        save_selections(place, selections, there.selected)
