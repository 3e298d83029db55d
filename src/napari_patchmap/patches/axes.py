"""Which axis of an array numbers the patches, and which holds the channels."""

from __future__ import annotations

import math

import numpy as np

from napari_patchmap.errors import PatchError, UnclearAxesError, UnusableError

RGB = ("red", "green", "blue")
GREY = ("grey",)

#: The most patches of a set, and the most values of one of them: 8,192 x 8,192 pixels of
#: four channels.
MOST_PATCHES, MOST_VALUES = 50_000_000, 2**28

#: Said wherever an alpha channel is left out.
ALPHA_NOTE = "Alpha (transparency) was dropped."

#: What axes are called that were numbered without a meaning, by tifffile.
UNNAMED = "QI"

#: What they are called instead, so that each can be told from the others.
_FREE = "NQPMLKJ"

#: A trailing or second axis this short is taken as channels without a doubt.
_FEW = 4

#: What stacks of so many axes usually are.
_USUAL = {3: ("NYX",), 4: ("NYXC", "NCYX")}


#: More "channels" than this and no other axis: ImageJ's way of writing a plain stack.
_MANY = 8


def check_axes(axes: str, ndim: int, name: str = "") -> str:
    """Return axes given by the user in capitals, or say what is wrong with them.

    ``Y`` and ``X`` are the image, ``C`` or ``S`` the channels; every other
    letter numbers patches.

    Raises
    ------
    UnclearAxesError
        With the name, or :class:`UnusableError` without one.
    """
    axes = axes.upper()
    reason = ""
    if len(set(axes)) < len(axes) or not {"Y", "X"} <= set(axes) or not axes.isalpha():
        reason = f"cannot be read with the axes {axes!r}"
    elif len(axes) != ndim:
        reason = f"has {ndim} axes, but {axes!r} name {len(axes)}"
    if reason:
        remedy = (
            "name each by one letter, Y and X among them and C for channels, for example NYX "
            "or NCYX"
        )
        error = UnusableError(reason, remedy, _USUAL.get(ndim, ("NYX", "NCYX")))
        raise error.of(name) if name else error
    return axes


def guess_axes(shape: tuple[int, ...], name: str) -> str:
    """Guess the axes of a plain array from its shape.

    Three axes are patches of one channel; of four, the last or the second are
    channels, whichever is short against the image's sides.

    Raises
    ------
    PatchError
        If the array is one image.
    UnclearAxesError
        If more than one reading is likely.
    """
    size = " x ".join(map(str, shape))
    if single_axes(shape):
        raise PatchError(
            f"{name} is one single image ({size}); give a stack of many patches, or a folder "
            "with one image file a patch."
        )
    if len(shape) == 3:
        return "NYX"
    if len(shape) == 4:
        last = looks_like_channels(shape[3], shape[1:3])
        second = looks_like_channels(shape[1], shape[2:4])
        if last and not second:
            return "NYXC"
        if second and not last:
            return "NCYX"
    raise UnclearAxesError(
        f"It is not clear which axis of {name} ({size}) is what; say so with axes, for example "
        "NYXC or NCYX (N patches, C channels, Y and X the image).",
        _USUAL.get(len(shape), ()),
    )


def single_axes(shape: tuple[int, ...]) -> str:
    """Return the axes of a plain array that can only be one image, "" for others."""
    if len(shape) == 2:
        return "YX"
    colour = len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) > _FEW
    return "YXC" if colour else ""


def settle_axes(
    letters: str, shape: tuple[int, ...], *, volume: bool, stains: bool = False
) -> tuple[str, list[str]]:
    """Check that axes known from metadata leave no doubt, and note what was decided.

    There is one letter an axis; ``volume`` says that planes along Z are sections of one body,
    ``stains`` that C are channels, be they many.

    Raises
    ------
    UnusableError
    """
    if not {"Y", "X"} <= set(letters):
        raise UnusableError(
            f"has the axes {letters}, without Y and X: it is not a stack of images"
        )
    guessed = guess_unnamed(letters, shape)
    if guessed is not None:
        sides = " x ".join(map(str, shape))
        return guessed, [f"Its axes have no names; {sides} was read as {guessed}."]
    letters = _named(letters)
    lengths = dict(zip(letters, shape, strict=True))
    lead = [axis for axis in letters if axis not in "YXSC" and lengths[axis] > 1]
    if len(lead) > 1:
        listed = " and ".join(f"{axis} ({lengths[axis]})" for axis in lead)
        channels, other = letters.replace(lead[-1], "C"), ""
        if "C" not in letters and "S" not in letters:
            other = f", to {channels} if {lead[-1]} are channels,"
        raise UnusableError(
            f"has more than one axis that could number patches, {listed}",
            f"set axes to {letters} to take every plane as a patch{other} or save a projection",
            [letters, *([channels] if other else [])],
        )
    if lead == ["Z"] and volume:
        every = letters.replace("Z", "N")
        raise UnusableError(
            f"is a 3-D volume of {lengths['Z']:,} planes (axes {letters})",
            f"set axes to {every} to take every plane as a patch, or save a projection",
            [every],
        )
    count = lengths.get("C", 1)
    if not lead and count > 1 and ("S" in letters or (count > _MANY and not stains)):
        # tifffile and some ImageJ macros write a stack's planes as channels.
        return letters.replace("C", "N"), [f"Its {count:,} channels were taken as patches."]
    return letters, []


def guess_unnamed(letters: str, shape: tuple[int, ...]) -> str | None:
    """Read axes without names from their lengths, as those of plain arrays; None if unclear."""
    lead, rest = letters[:-2], letters[-2:]
    if rest != "YX" or not lead or set(lead) - set(UNNAMED) or 1 in shape:
        return None
    if len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) > _FEW:
        return "YXC"  # one colour image, of which every row became a plane
    try:
        return guess_axes(shape, "") if len(shape) == 4 else None
    except UnclearAxesError:
        return None


def _named(letters: str) -> str:
    """Give axes that were only numbered letters of their own."""
    named = ""
    for at, letter in enumerate(letters):
        if letters.count(letter) > 1:
            taken = set(named) | set(letters[at + 1 :]) - {letter}
            letter = next(free for free in _FREE if free not in taken)
        named += letter
    return named


def arrange(array: np.ndarray, axes: str) -> np.ndarray:
    """Return ``array`` as ``(n, height, width, channel)``, a view where that can be.

    Several patch axes (time and position, say) are counted through in order.
    """
    channel, lead = channel_axis(axes), lead_axes(axes)
    order = [*lead, axes.index("Y"), axes.index("X")]
    if channel is not None:
        order.append(axes.index(channel))
    moved = array.transpose(order)
    if channel is None:
        moved = moved[..., None]
    if len(lead) == 1:
        return moved
    return moved.reshape(-1, *moved.shape[len(lead) :])


def channel_axis(axes: str) -> str | None:
    """Return the letter of the channel axis: S (samples of a pixel) before C, or None."""
    return next((letter for letter in "SC" if letter in axes), None)


def lead_axes(axes: str) -> list[int]:
    """Return the places of the axes that number patches."""
    channel = channel_axis(axes)
    return [place for place, axis in enumerate(axes) if axis not in ("Y", "X", channel)]


def extents(shape: tuple[int, ...], axes: str) -> tuple[int, int, int, int]:
    """Return how many images an array holds, their height, width and count of channels."""
    lengths = dict(zip(axes, shape, strict=True))
    channels = lengths.get(channel_axis(axes) or "", 1)
    return math.prod(shape[i] for i in lead_axes(axes)), lengths["Y"], lengths["X"], channels


def default_names(channels: int, dtype: np.dtype, last: bool) -> tuple[str, ...]:
    """Name channels of which only the number is known.

    Three channels are a colour image when they are stored pixel by pixel
    (``last``) or in 8 bits; else they are more likely stains.
    """
    if channels == 1:
        return GREY
    if channels == 3 and (last or dtype == np.uint8):
        return RGB
    return tuple(f"channel {i}" for i in range(channels))


def check_extent(shape: tuple[int, ...], axes: str) -> None:
    """Refuse an array that claims more patches, or larger ones, than anybody has.

    A file of a few bytes may claim any shape, and lists of patches and their pixels
    are made after it.

    Raises
    ------
    UnusableError
    """
    count, height, width, channels = extents(shape, axes)
    if count > MOST_PATCHES:
        raise UnusableError(
            f"claims {count:,} patches, more than the {MOST_PATCHES:,} that can be shown",
            "save a part of them, or save it again if there are fewer",
        )
    if count > 1 and height * width * channels > MOST_VALUES:
        raise UnusableError(
            f"claims patches of {width:,} x {height:,} pixels and {channels:,} channel(s), too "
            "large for patches",
            "cut them into tiles, or save it again if they are smaller",
        )


def looks_like_channels(length: int, sides: tuple[int, ...]) -> bool:
    """Whether an axis is short enough against an image's sides to be its channels."""
    return min(sides) > length and (length <= _FEW or 2 * length <= min(sides))
