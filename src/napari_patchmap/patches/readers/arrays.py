"""Patches from an array in memory, such as an Image layer that is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError, UnclearAxesError, UnusableError
from napari_patchmap.kind import Kind
from napari_patchmap.patches.axes import (
    ALPHA_NOTE,
    RGB,
    arrange,
    check_axes,
    default_names,
    guess_axes,
    looks_like_channels,
)
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.fit import Fit
from napari_patchmap.patches.images import ArrayImages, Images
from napari_patchmap.patches.labels.join import Labels
from napari_patchmap.patches.numbers import as_pixels, check_numbers
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.patches.readers.flat import sampled
from napari_patchmap.patches.source import Source, finish
from napari_patchmap.patches.watch import UNWATCHED, Watch


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

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.patches import from_array
    >>> cells = np.zeros((12, 2, 32, 32), np.uint16)
    >>> patches = from_array(cells, name="cells", axes="NCYX", channel_names=["DAPI", "actin"])
    >>> patches[0].shape
    (32, 32, 2)
    >>> patches.pixels([0, 1, 2], size=(16, 16)).shape
    (3, 2, 16, 16)
    """
    array = np.asarray(array)
    try:
        check_numbers(array.dtype, array.size)
    except UnusableError as error:
        raise error.of(name) from None
    letters = plain_axes(array.shape, name, axes, rgb)
    images = ArrayImages(arrange(as_pixels(array), letters))
    source = described(images, letters, name, UNWATCHED, rgb=rgb)
    if channel_names is not None:
        if len(channel_names) != len(source.channel_names):
            raise PatchError(
                f"{name} has {len(source.channel_names)} channels but {len(channel_names)} "
                "names were given; give one name a channel."
            )
        source.channel_names = tuple(channel_names)
    known = {"kind": str(Kind.LAYER), "path": name, "layer": name, "axes": axes, "sizes": sizes}
    origin = known | (origin or {})
    return finish(source, name=name, origin=origin, sizes=sizes, labels=labels, watch=UNWATCHED)


def plain_axes(shape: tuple[int, ...], name: str, axes: str, rgb: bool | None = None) -> str:
    """Decide the axes of an array without metadata: as given, by ``rgb``, or by its shape.

    Raises
    ------
    PatchError, UnclearAxesError
        See :func:`guess_axes`.
    """
    if axes != "auto":
        return check_axes(axes, len(shape), name)
    if rgb is True and len(shape) == 4:
        return "NYXS"
    if rgb is False and len(shape) == 3:
        return "NYX"
    if rgb is False and len(shape) == 4:
        if looks_like_channels(shape[1], shape[2:]):
            return "NCYX"
        raise UnclearAxesError(
            f"It is not clear which axis of {name} ({' x '.join(map(str, shape))}) is what; "
            "say so with axes, for example NCYX (N patches, C channels) or TZYX (every plane a "
            "patch).",
            ("NCYX", "TZYX"),
        )
    return guess_axes(shape, name)


def described(
    images: Images,
    axes: str,
    name: str,
    watch: Watch,
    *,
    rgb: bool | None = None,
    sample: Images | None = None,
) -> Source:
    """Name the channels of images without metadata, and lay out their table.

    ``axes`` are those of the array they come from, ``sample`` the images that can be looked
    at, where some cannot.
    """
    notes = []
    last = axes[-1] in "SC"
    names = default_names(images.channels, images.dtype, last)
    if rgb is True and images.channels == 4:
        images, names = _three(images), RGB
        notes.append(ALPHA_NOTE)
    elif last and rgb is None and _is_opaque(images if sample is None else sample, watch):
        images, names = _three(images), RGB
        notes.append("The fourth channel is 255 everywhere and was dropped as alpha.")
    table = box_table(name, np.arange(len(images)), images.sizes)
    return Source(images, table, names, notes=notes)


def _is_opaque(images: Images, watch: Watch) -> bool:
    """Whether a fourth channel is 255 everywhere, so that it can only be alpha."""
    if images.channels != 4 or images.dtype != np.uint8:
        return False
    for some in sampled(images, 1000):
        if not (some[..., 3] == 255).all():
            return False
        watch.step(0, len(images))
    return True


def _three(images: Images) -> Images:
    if isinstance(images, ArrayImages):
        return ArrayImages(images.array[..., :3])  # a view, which is faster
    return images.with_channels(range(3))
