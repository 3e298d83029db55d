"""Crops, flips and rotations of a whole batch in one resampling.

Each patch has its own random parameters. They are composed into one map from
output pixels to source pixels, so that a view is interpolated once however many
operations made it, and no image is shrunk or blurred on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.magnitudes import Magnitudes
from napari_patchmap.augment.random_batch import Lot, RandomBatch

#: Tries to find a crop that fits, before the whole patch is taken.
_CROP_TRIES = 10


@dataclass
class Geometry(RandomBatch):
    """Geometric parameters of a batch of ``b`` views, each a tensor of shape (b,).

    Applied in this order: turn by ``angle``, cut the box out and enlarge it to
    the full size, flip.

    Parameters
    ----------
    angle : Tensor of float
        Counter-clockwise, in degrees, about the centre of the patch.
    top, left, height, width : Tensor of float
        Crop box in pixels.
    flip_horizontal, flip_vertical : Tensor of bool
    tilt : Tensor of float, shape (b, 8), optional
        Of a projection that comes before everything else: source (x, y) of a place
        (x, y), both in pixels from the centre, is ((a x + b y + c) / (g x + h y + 1),
        (d x + e y + f) / (g x + h y + 1)).
    """

    angle: Tensor
    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor
    flip_horizontal: Tensor
    flip_vertical: Tensor
    tilt: Tensor | None = None

    @classmethod
    def identity(cls, batch: int, size: tuple[int, int], device: torch.device) -> Geometry:
        """Leave every patch as it is."""
        zero = torch.zeros(batch, device=device)
        return cls(zero, zero, zero, zero + size[0], zero + size[1], zero.bool(), zero.bool())

    @staticmethod
    def numbers(config: AugmentConfig) -> int:
        """Random numbers that a view takes."""
        tilt, crop = 2 * 4 + 1, 4 * _CROP_TRIES
        flips = config.flip_horizontal + config.flip_vertical
        turns = config.right_angles + config.rotate
        return tilt * config.perspective + crop * config.crop + turns + flips

    @classmethod
    def of(
        cls,
        config: AugmentConfig,
        magnitudes: Magnitudes,
        size: tuple[int, int],
        lot: Lot,
    ) -> Geometry:
        """Make parameters for views of ``(height, width)`` patches of random numbers.

        Of the settings only the switches and shares count.
        """
        geometry = cls.identity(lot.views, size, lot.device)
        if config.perspective:
            moves = lot((2, 4)) * magnitudes.tilt
            geometry.tilt = tilt_of(moves * (lot() < config.perspective_share), size)
        if config.right_angles:
            geometry.angle = geometry.angle + 90.0 * (lot() < 0.5)
        if config.rotate:
            geometry.angle = geometry.angle + config.rotate_degrees * (2 * lot() - 1)
        if config.crop:
            geometry._take_crop(magnitudes, size, lot((4,), (_CROP_TRIES,)))
        if config.flip_horizontal:
            geometry.flip_horizontal = lot() < 0.5
        if config.flip_vertical:
            geometry.flip_vertical = lot() < 0.5
        return geometry

    def _take_crop(self, magnitudes: Magnitudes, size: tuple[int, int], random: Tensor) -> None:
        """Choose boxes as Inception does: area uniform, log aspect uniform, first that fits."""
        rows, columns = size
        area = rows * columns * (magnitudes.area + magnitudes.area_range * random[0])
        aspect = torch.exp(magnitudes.log_aspect * (2 * random[1] - 1))
        width = torch.round(torch.sqrt(area * aspect)).clamp_(min=1)
        height = torch.round(torch.sqrt(area / aspect)).clamp_(min=1)
        fits = (width <= columns) & (height <= rows)
        first = fits.int().argmax(dim=1, keepdim=True)
        found = fits.any(dim=1)
        # Where no try fits: the largest central box of an allowed aspect.
        self.height = torch.where(found, height.gather(1, first)[:, 0], magnitudes.high)
        self.width = torch.where(found, width.gather(1, first)[:, 0], magnitudes.wide)
        top = torch.floor(random[2, :, 0] * (rows - self.height + 1))
        left = torch.floor(random[3, :, 0] * (columns - self.width + 1))
        self.top = torch.where(found, top, magnitudes.top)
        self.left = torch.where(found, left, magnitudes.left)


def tilt_of(moves: Tensor, size: tuple[int, int]) -> Tensor:
    """Find the projections (b, 8) of :class:`Geometry` that move corners inwards.

    ``moves`` (2, 4, b) says how far each corner (top left, top right, bottom right, bottom
    left) moves along x and y, in shares of half the side.
    """
    height, width = size
    # Made where they are wanted: a GPU is waited for when numbers are sent to it.
    corner = torch.arange(4, device=moves.device)
    sign_x = torch.where((corner == 1) | (corner == 2), 1.0, -1.0)
    sign_y = torch.where(corner >= 2, 1.0, -1.0)
    # Corners about the centre as torchvision has them: 0 and size - 1, where 0 is the
    # edge, not the centre, of the first pixel.
    x = torch.where(sign_x < 0, 0, width - 1) - width / 2
    y = torch.where(sign_y < 0, 0, height - 1) - height / 2
    # Where they come to lie in the view.
    to_x = x[:, None] - sign_x[:, None] * moves[0] * (width // 2)
    to_y = y[:, None] - sign_y[:, None] * moves[1] * (height // 2)
    to_x, to_y = to_x.T.double(), to_y.T.double()  # (b, 4)
    from_x, from_y = (v.double().expand_as(to_x) for v in (x, y))
    one, zero = torch.ones_like(to_x), torch.zeros_like(to_x)
    rows_x = [to_x, to_y, one, zero, zero, zero, -from_x * to_x, -from_x * to_y]
    rows_y = [zero, zero, zero, to_x, to_y, one, -from_y * to_x, -from_y * to_y]
    matrix = torch.cat([torch.stack(rows_x, dim=2), torch.stack(rows_y, dim=2)], dim=1)
    wanted = torch.cat([from_x, from_y], dim=1)
    # Corners that move inwards leave a projection; checking for one waits for the GPU.
    solution, _ = torch.linalg.solve_ex(matrix, wanted, check_errors=False)
    return solution.float()


def resample(
    images: Tensor, geometry: Geometry, fill: Tensor, size: tuple[int, int] | None = None
) -> Tensor:
    """Apply the geometry of every patch, bilinear, in one interpolation.

    Images are (b, channel, height, width); what lies outside the patch gets the colour
    ``fill``, shape (channel,), in their units. The result has another size if one is given.
    """
    rows, columns = images.shape[-2:]
    x, y = source_places(geometry, (rows, columns), size or (rows, columns))
    grid = torch.stack((x * (2 / columns), y * (2 / rows)), dim=-1)
    # Sampling the difference to the fill colour makes "zero outside" the fill.
    colour = fill.to(images)[:, None, None]
    return (
        torch.nn.functional.grid_sample(
            images - colour, grid, mode="bilinear", padding_mode="zeros", align_corners=False
        )
        + colour
    )


def source_places(
    geometry: Geometry, whole: tuple[int, int], size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Find the places (x, y) in the patches that each pixel of the views shows.

    Each is (b, *size), in pixels from the centre of patches (height, width) ``whole``.
    """
    (rows, columns), (high, wide) = whole, size
    y = _box_coordinates(geometry.top, geometry.height, high, geometry.flip_vertical)
    x = _box_coordinates(geometry.left, geometry.width, wide, geometry.flip_horizontal)
    y, x = y - (rows - 1) / 2, x - (columns - 1) / 2
    radians = torch.deg2rad(geometry.angle)[:, None]
    cos, sin = torch.cos(radians), torch.sin(radians)
    # source = rotation^-1 of output, about the centre, in pixels (rows point down)
    source_x = (cos * x)[:, None, :] - (sin * y)[:, :, None]
    source_y = (sin * x)[:, None, :] + (cos * y)[:, :, None]
    if geometry.tilt is not None:
        a, b, c, d, e, f, g, h = geometry.tilt[..., None, None].unbind(dim=1)
        depth = g * source_x + h * source_y + 1
        source_x, source_y = (
            (a * source_x + b * source_y + c) / depth,
            (d * source_x + e * source_y + f) / depth,
        )
    return source_x, source_y


def _box_coordinates(start: Tensor, length: Tensor, size: int, flip: Tensor) -> Tensor:
    """Source coordinate of each output pixel along one axis, shape (b, size).

    Coordinates stay between the centres of the box's first and last pixel, so
    that a view shows nothing from outside its crop.
    """
    steps = torch.arange(size, device=start.device, dtype=start.dtype)
    steps = torch.where(flip[:, None], (size - 1) - steps, steps)
    start, length = start[:, None], length[:, None]
    inside = torch.minimum(((steps + 0.5) * (length / size) - 0.5).clamp_(min=0), length - 1)
    return start + inside
