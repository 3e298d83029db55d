"""Features of people's own for new patches, where the map was made of such."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from napari_patchmap.errors import RunError
from napari_patchmap.networks.fixed import OwnFeatures
from napari_patchmap.patches import Kind, OpenRequest, PatchSet
from napari_patchmap.patches.own_features.feature_files import check_features_file
from napari_patchmap.patches.own_features.joined_features import with_features
from napari_patchmap.patches.recognise import format_of
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.run_parts import RunParts


def check_given(
    run: RunParts, file: str | os.PathLike[str] | None, request: OpenRequest | None
) -> None:
    """Say, before images are read, that their features are missing or of no use to a map.

    Parameters
    ----------
    run : RunParts
        With the map.
    file : path or None
        The features that were given for them.
    request : OpenRequest or None
        What is to be opened; None for what is open already, such as a layer.

    Raises
    ------
    RunError
        If the map needs features and none were given, or needs none.
    PatchError
        If there is no such file, or nothing to be opened.
    """
    if file:
        _check_of_use(run)
        check_features_file(Path(file).expanduser())
    elif not run.sees_images and not _points(request):
        raise _missing(run)


def with_given(
    run: RunParts,
    patches: PatchSet,
    file: str | os.PathLike[str],
    columns: str | None = None,
    watch: Watch = UNWATCHED,
) -> PatchSet:
    """Return new patches with the features that were given for them.

    Parameters
    ----------
    run : RunParts
        With the map, whose choice of columns is followed where ``columns`` says nothing.
    patches, file, columns, watch
        See :func:`~napari_patchmap.patches.own_features.joined_features.with_features`.

    Raises
    ------
    RunError
        If the map was made of images.
    PatchError
        If the features cannot be read or joined.
    LoadCancelled
    """
    _check_of_use(run)
    train = run.config.train
    wanted = columns or train.feature_columns
    return with_features(patches, file, wanted, train.feature_gaps, watch)


def features_of_new(run: RunParts, patches: PatchSet, backbone: OwnFeatures) -> np.ndarray:
    """Return the features of people's own for new patches, as those of the map are."""
    known = run.info.get("own", {})
    if patches.own is None and not patches.pictured:
        patches = with_given(run, patches, str(patches.origin.get("path")))
    if patches.own is None:
        raise _missing(run)
    new = patches.own.like(known.get("names", ()), backbone.out_features, run.name)
    return backbone.of_rows(new.values)


def _points(request: OpenRequest | None) -> bool:
    """Whether what is to be opened are points, which are their features themselves."""
    return request is not None and format_of(request.absolute()).kind is Kind.POINTS


def _check_of_use(run: RunParts) -> None:
    if run.sees_images:
        raise RunError(
            f"The map {run.name} was made of images, not of features; leave the features out."
        )


def _missing(run: RunParts) -> RunError:
    return RunError(
        f"The map {run.name} was made of features of your own, so new patches need theirs, "
        "too; give a file of them (patchmap transform --features; in napari above Place on the "
        "map)."
    )
