"""Two views of each patch at once, written so that a compiler makes few kernels of it.

What is costly on a GPU are the launches of hundreds of small kernels. Here colours are planes
of their own, since kernels are joined only where they go through numbers of one shape; and the
order of colour changes, which is drawn anew for each batch, is data and no other program.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.colour import (
    ColourChange,
    adjust_brightness,
    away_from,
    grey_of,
    hue_of,
    solarise_some,
    weight_of,
    wide,
)
from napari_patchmap.augment.geometry import source_places
from napari_patchmap.augment.magnitudes import Magnitudes
from napari_patchmap.augment.random_batch import Lot
from napari_patchmap.augment.random_views import RandomViews, draw_order
from napari_patchmap.augment.views import ViewMaker

#: Steps that every order of the four colour changes is a part of; those whose turn it is not
#: change nothing. Contrast, which has to see the whole view, is there once, and hue twice.
_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE = range(4)
_HALF = (_BRIGHTNESS, _SATURATION, _BRIGHTNESS, _HUE, _BRIGHTNESS, _SATURATION, _BRIGHTNESS)
_STEPS = (*_HALF, _CONTRAST, *_HALF)

_ORDERS = list(itertools.permutations(range(4)))

_Work = Callable[..., Tensor]


def pair_of(
    maker: ViewMaker,
    patches: Tensor,
    generator: torch.Generator,
    *,
    part: slice | None = None,
    batch: int | None = None,
    size: tuple[int, int] | None = None,
) -> Tensor:
    """Make two views of each patch by two calls of a maker, laid out as :class:`BothViews`.

    They have the patches' size, or another one.
    """
    views = [maker(patches, generator, part=part, batch=batch, size=size) for _ in range(2)]
    return torch.cat(views).contiguous(memory_format=torch.channels_last)


class BothViews:
    """Makes what :func:`pair_of` makes of a batch, apart from rounding.

    The maker's strength is followed.

    Parameters
    ----------
    maker : ViewMaker
    compiled : callable, optional
        From the function that makes views of tensors to the one that is called: a compiler.
    """

    def __init__(
        self, maker: ViewMaker, compiled: Callable[[_Work], _Work] | None = None
    ) -> None:
        # Of these settings only switches and shares count, which no strength changes.
        config, is_rgb = maker.config, maker.is_rgb

        def work(*tensors: Tensor) -> Tensor:
            return _both(config, is_rgb, *tensors)

        self._maker, self._work = maker, compiled(work) if compiled else work
        self._magnitudes: tuple[AugmentConfig, Tensor] | None = None
        self._turns: Tensor | None = None

    def __call__(self, patches: Tensor, generator: torch.Generator) -> Tensor:
        """Make views (2 b, channel, height, width) of uint8 patches, channels last in memory.

        The first views of all patches come first. ``generator`` is on their device.
        """
        device, batch = patches.device, len(patches)
        first, then = RandomViews.numbers(self._maker.config)
        before = torch.empty(2, first * batch, device=device)
        after = torch.empty(2, then * batch, device=device)
        orders = []
        for view in range(2):
            before[view].uniform_(generator=generator)
            orders.append(_ORDERS.index(draw_order(generator)))
            after[view].uniform_(generator=generator)
        if self._turns is None:
            self._turns = _turns_of_pairs().to(device)
        turns, strong = self._turns[orders[0], orders[1]], self._strong(patches)
        return self._work(patches, before, after, turns, strong, self._maker.colour_on(device))

    def _strong(self, patches: Tensor) -> Tensor:
        """Magnitudes on the device, sent when they change, without waiting for it."""
        config, device = self._maker.config, patches.device
        if self._magnitudes is None or self._magnitudes[0] is not config:
            size = patches.shape[-2], patches.shape[-1]
            numbers = torch.tensor(Magnitudes.of(config, size))
            numbers = numbers.pin_memory() if device.type == "cuda" else numbers
            self._magnitudes = config, numbers.to(device, non_blocking=True)
        return self._magnitudes[1]


def _turns_of_pairs() -> Tensor:
    """Turns (order, order, 2, step) of any two orders: what is wanted of it is one view of it.

    Two tensors could be the same one, for which a compiler makes another program.
    """
    turns = torch.tensor([turns_of(order) for order in _ORDERS])
    return torch.stack(torch.broadcast_tensors(turns[:, None], turns[None]), dim=2)


def turns_of(order: Sequence[int]) -> list[bool]:
    """Say of each of the steps whether it is its turn, so that changes come in this order.

    One more makes rows of 16 bytes, which kernels read at once.
    """
    left = list(order)
    turns = [bool(left) and step == left[0] and left.pop(0) is not None for step in _STEPS]
    return [*turns, False]


def _both(
    config: AugmentConfig,
    is_rgb: bool,
    patches: Tensor,
    before: Tensor,
    after: Tensor,
    turns: Tensor,
    strong: Tensor,
    colour: Tensor,
) -> Tensor:
    """Make views of random numbers, the turns of their colour changes, and magnitudes."""
    batch, channels, rows, columns = patches.shape
    size, lots = (rows, columns), (Lot(before, batch), Lot(after, batch))
    drawn = RandomViews.of(config, Magnitudes(*strong.unbind()), size, lots)
    places = source_places(drawn.geometry, size, size)
    corners = _corners(*places, size)
    parts = 3 if channels == 3 else 1
    planes = [
        _gathered(some, corners, fill[:, None, None])
        for some, fill in zip(patches.chunk(parts, 1), colour.chunk(parts), strict=True)
    ]
    if config.jitter:
        turns = turns[:, None].expand(-1, batch, -1).flatten(0, 1)
        planes = _jittered(planes, drawn.colours, turns, is_rgb=is_rgb)
    if config.grey and is_rgb:
        grey = grey_of(planes)
        planes = [torch.where(wide(drawn.colours.grey), grey, plane) for plane in planes]
    if drawn.blur is not None:
        planes = [drawn.blur.apply(plane) for plane in planes]
    if drawn.solarised is not None:
        planes = [solarise_some(plane, drawn.solarised) for plane in planes]
    return torch.cat([plane.movedim(1, -1) for plane in planes], dim=-1).movedim(-1, 1)


def _corners(x: Tensor, y: Tensor, size: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
    """Scalar and weight of the four pixels around each place, (v, height, width).

    Those outside of the patch weigh nothing.
    """
    rows, columns = size
    # Far away is as good as outside, and can be counted in whole numbers.
    x = (x + (columns - 1) / 2).clamp(-2, columns + 1)
    y = (y + (rows - 1) / 2).clamp(-2, rows + 1)
    left, top = x.floor(), y.floor()
    right_share, lower_share = x - left, y - top
    left, top = left.int(), top.int()
    found = []
    for down, high in ((0, 1 - lower_share), (1, lower_share)):
        for along, wide_share in ((0, 1 - right_share), (1, right_share)):
            row, column = top + down, left + along
            inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
            number = row.clamp(0, rows - 1) * columns + column.clamp(0, columns - 1)
            found.append((number.long(), torch.where(inside, high * wide_share, 0.0)))
    return found


def _gathered(patches: Tensor, corners: list[tuple[Tensor, Tensor]], fill: Tensor) -> Tensor:
    """Interpolate uint8 patches (b, c, height, width), of which each has v / b views."""
    pixels, channels = patches.flatten(2), patches.shape[1]
    total: Tensor = fill
    for number, weight in corners:
        views, height, width = number.shape
        seen = pixels.expand(views // len(patches), -1, -1, -1)
        chosen = number.view(len(seen), -1, 1, height * width).expand(-1, -1, channels, -1)
        values = seen.gather(3, chosen).view(views, channels, height, width)
        total = total + weight[:, None] * (values.float() / 255 - fill)
    return total


def _jittered(
    planes: list[Tensor], change: ColourChange, turns: Tensor, *, is_rgb: bool
) -> list[Tensor]:
    """Change colours in the order that ``turns`` (v, steps) gives for each view."""
    for step, what in enumerate(_STEPS):
        turn = turns[:, step]
        if what == _BRIGHTNESS:
            factor = torch.where(turn, change.brightness, 1.0)
            planes = [adjust_brightness(plane, factor) for plane in planes]
        elif what == _CONTRAST:
            factor = torch.where(turn, change.contrast, 1.0)
            base = [grey_of(planes)] * 3 if len(planes) == 3 else planes
            means = [one.mean(dim=(-2, -1), keepdim=True) for one in base]
            planes = [away_from(*pair, factor) for pair in zip(means, planes, strict=True)]
        elif what == _SATURATION and is_rgb:
            factor, grey = torch.where(turn, change.saturation, 1.0), grey_of(planes)
            planes = [away_from(grey, plane, factor) for plane in planes]
        elif what == _HUE and is_rgb:
            shift = wide(torch.where(turn, change.hue, 0.0))
            low, spread, hue = hue_of(planes, shift)
            planes = [low + spread * weight_of(hue, channel) for channel in range(3)]
    return planes
