"""Patches from an array in memory, such as an Image layer that is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError, UnclearAxesError
from napari_patchmap.patches.axes import (
    ALPHA_NOTE,
    RGB,
    arrange,
    check_axes,
    checked_numbers,
    default_names,
    drop_opaque_alpha,
    guess_axes,
    looks_like_channels,
)
from napari_patchmap.patches.fit import Fit
from napari_patchmap.patches.labels import Labels
from napari_patchmap.patches.patchset import PatchSet, box_table
from napari_patchmap.patches.source import Source, Watch, finish


def from_array(
    array: Any,
    *,
    name: str,
    axes: str = "auto",
    rgb: bool | None = None,
    channel_names: Sequence[str] | None = None,
    labels: Labels | None = None,
    origin: dict[str, Any] | None = None,
    sizes: Fit | None = None,
) -> PatchSet:
    """Make a patch set of an array, one patch for each index of its patch axis.

    Parameters
    ----------
    array : array-like
        Patches of one size: ``(n, height, width)``, ``(n, height, width, channel)``
        or ``(n, channel, height, width)``, whole or floating-point numbers.
    name : str
        What people call it: the layer's or the file's name.
    axes : str
        One letter an axis, such as ``"NCYX"``: Y and X are the image, C the
        channels, every other letter numbers patches. ``"auto"`` guesses.
    rgb : bool, optional
        As napari knows it: True if the last axis is red, green, blue (and
        alpha, which is dropped), False if the last two axes are Y and X.
    channel_names : sequence of str, optional
        One name a channel.
    labels : path of a CSV file, or sequence of n values, optional
    origin : dict, optional
        How to open the set again; a set made of a layer cannot be opened
        again without it.
    sizes : {"resize", "crop", "pad"}, optional
        How patches of other sizes are fitted later; the array's own all agree.

    Returns
    -------
    PatchSet

    Raises
    ------
    PatchError
        If the array is one single image, its axes are ambiguous, it holds no
        numbers, or the labels do not fit.
    """
    array = np.asarray(array)
    source = plain_source(array, name, axes, rgb=rgb)
    if channel_names is not None:
        if len(channel_names) != len(source.channel_names):
            raise PatchError(
                f"{name} has {len(source.channel_names)} channels but {len(channel_names)} "
                "names were given; give one name a channel."
            )
        source.channel_names = tuple(channel_names)
    known = {"kind": "layer", "path": name, "layer": name, "axes": axes, "sizes": sizes}
    origin = known | (origin or {})
    return finish(source, name=name, origin=origin, sizes=sizes, labels=labels, watch=Watch())


def plain_source(array: np.ndarray, name: str, axes: str, rgb: bool | None = None) -> Source:
    """Read an array without metadata; see :func:`from_array` for the parameters."""
    array = checked_numbers(array, name)
    notes = []
    if axes != "auto":
        axes = check_axes(axes, array.ndim, name)
    elif rgb is True and array.ndim == 4:
        axes = "NYXS"
    elif rgb is False and array.ndim == 3:
        axes = "NYX"
    elif rgb is False and array.ndim == 4:
        if not looks_like_channels(array.shape[1], array.shape[2:]):
            shape = " x ".join(map(str, array.shape))
            raise UnclearAxesError(
                f"It is not clear which axis of {name} ({shape}) is what; say so with axes, "
                "for example NCYX (N patches, C channels) or TZYX (every plane a patch)."
            )
        axes = "NCYX"
    else:
        axes = guess_axes(array.shape, name)
    last = axes[-1] in "SC"
    images = arrange(array, axes)
    names = default_names(images.shape[-1], images.dtype, last)
    if rgb is True and images.shape[-1] == 4:
        images, names = images[..., :3], RGB
        notes.append(ALPHA_NOTE)
    elif last and rgb is None and (opaque := drop_opaque_alpha(images)) is not None:
        images, names = opaque, RGB
        notes.append("The fourth channel is 255 everywhere and was dropped as alpha.")
    count, height, width = images.shape[:3]
    table = box_table(name, np.arange(count), np.tile([height, width], (count, 1)))
    return Source(images, table, names, notes=notes)
