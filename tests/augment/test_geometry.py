"""Every geometric operation is torchvision's, on each patch with its own parameters."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.geometry import Geometry, resample, tilt_of
from napari_patchmap.networks.vision import torchvision
from tests.augment.conftest import drawn

SIZE = (28, 20)  # not square: height and width must never be exchanged
BLACK = torch.zeros(3)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def same() -> Geometry:
    return Geometry.identity(4, SIZE, torch.device("cpu"))


def test_identity_leaves_patches_alone(images):
    assert torch.allclose(resample(images, same(), BLACK), images, atol=1e-5)


def test_rotation_is_torchvisions(functional, images):
    geometry = same()
    geometry.angle = torch.tensor([30.0, -75.0, 90.0, 181.0])
    expected = torch.stack(
        [
            functional.rotate(
                image, float(angle), interpolation=functional.InterpolationMode.BILINEAR
            )
            for image, angle in zip(images, geometry.angle, strict=True)
        ]
    )
    assert torch.allclose(resample(images, geometry, BLACK), expected, atol=1e-5)


def test_outside_of_a_turned_patch_has_the_fill_colour(images):
    geometry = same()
    geometry.angle = torch.full((4,), 45.0)
    fill = torch.tensor([0.2, 0.5, 0.9])
    turned = resample(images, geometry, fill)
    corner = turned[:, :, 0, 0]
    assert torch.allclose(corner, fill.expand(4, 3), atol=1e-6)
    # Where the patch covers the view fully the fill colour has no influence.
    assert torch.allclose(
        turned[:, :, 10:18, 8:12],
        resample(images, geometry, BLACK)[:, :, 10:18, 8:12],
        atol=1e-6,
    )


def test_crop_and_flips_are_torchvisions(functional, images):
    geometry = same()
    boxes = [(0, 0, 10, 20), (3, 4, 14, 8), (5, 2, 20, 9), (7, 9, 21, 11)]
    geometry.top, geometry.left, geometry.height, geometry.width = (
        torch.tensor(column, dtype=torch.float32) for column in zip(*boxes, strict=True)
    )
    geometry.flip_horizontal = torch.tensor([False, True, False, True])
    geometry.flip_vertical = torch.tensor([False, False, True, True])
    expected = []
    for i, (image, box) in enumerate(zip(images, boxes, strict=True)):
        view = functional.resized_crop(image, *box, list(SIZE), antialias=False)
        view = functional.horizontal_flip(view) if geometry.flip_horizontal[i] else view
        expected.append(functional.vertical_flip(view) if geometry.flip_vertical[i] else view)
    assert torch.allclose(resample(images, geometry, BLACK), torch.stack(expected), atol=1e-5)


def test_rotation_comes_before_the_crop_as_in_the_paper(functional, images):
    geometry = same()
    geometry.angle = torch.full((4,), 90.0)
    geometry.top = geometry.top + 2
    geometry.left = geometry.left + 1
    geometry.height = torch.full((4,), 12.0)
    geometry.width = torch.full((4,), 9.0)
    expected = functional.resized_crop(
        functional.rotate(images, 90.0), 2, 1, 12, 9, list(SIZE), antialias=False
    )
    found = resample(images, geometry, BLACK)
    assert torch.allclose(found, expected, atol=1e-5)


def test_right_angles_make_the_eight_symmetries_equally_likely():
    patch = torch.arange(9.0).reshape(1, 1, 3, 3) / 10
    symmetries = [
        torch.rot90(patch if not mirror else patch.flip(-1), turn, (-2, -1))
        for turn in range(4)
        for mirror in (False, True)
    ]
    config = AugmentConfig.preset("right-angles").replace(crop=False, jitter=False, grey=False)
    draws = 4000
    geometry = drawn(config, draws, (3, 3), seed=1).geometry
    views = resample(patch.expand(draws, -1, -1, -1), geometry, torch.zeros(1))
    counts = [
        int(((views - symmetry).abs().amax(dim=(1, 2, 3)) < 1e-4).sum())
        for symmetry in symmetries
    ]
    assert sum(counts) == draws
    # 500 expected of each; four standard deviations of a binomial are 84
    assert min(counts) > 416
    assert max(counts) < 584


def test_rotations_make_all_angles_equally_likely():
    config = AugmentConfig.preset("rotations")
    geometry = drawn(config, 20_000).geometry
    # flips of both axes are half a turn
    turn = geometry.angle + 180.0 * (geometry.flip_horizontal & geometry.flip_vertical)
    unmirrored = geometry.flip_horizontal == geometry.flip_vertical
    counts = np.histogram(turn[unmirrored].numpy() % 360, bins=12, range=(0, 360))[0]
    assert counts.min() > 0.85 * counts.mean()
    assert counts.max() < 1.15 * counts.mean()


def test_crops_are_distributed_as_torchvisions():
    config = AugmentConfig.preset("natural")
    geometry = drawn(config, 20_000, (40, 60)).geometry
    crop = torchvision().transforms.RandomResizedCrop
    with torch.random.fork_rng():
        torch.manual_seed(0)
        image = torch.zeros(1, 40, 60)
        expected = torch.tensor(
            [crop.get_params(image, [0.2, 1.0], [3 / 4, 4 / 3]) for _ in range(4000)]
        ).float()
    found = torch.stack([geometry.top, geometry.left, geometry.height, geometry.width], dim=1)
    assert torch.allclose(found.mean(dim=0), expected.mean(dim=0), atol=0.5)
    assert torch.allclose(found.std(dim=0), expected.std(dim=0), atol=0.4)
    for extreme in (torch.amin, torch.amax):
        assert torch.allclose(extreme(found, dim=0), extreme(expected, dim=0), atol=1)


def test_switched_off_geometry_changes_nothing():
    config = AugmentConfig.preset("natural").replace(crop=False, flip_horizontal=False)
    geometry = drawn(config, 50, SIZE).geometry
    images = torch.rand(50, 1, *SIZE)
    assert torch.allclose(resample(images, geometry, torch.zeros(1)), images, atol=1e-5)


def test_tilts_are_torchvisions(functional):
    """The corners of the view show what torchvision's perspective brings there."""
    images = torch.rand(3, 3, 21, 30, generator=torch.Generator().manual_seed(0))
    moves = 0.8 * torch.rand(2, 4, 3, generator=torch.Generator().manual_seed(1))
    geometry = Geometry.identity(3, (21, 30), torch.device("cpu"))
    geometry.tilt = tilt_of(moves, (21, 30))
    found = resample(images, geometry, torch.zeros(3))
    corners = [[0, 0], [29, 0], [29, 20], [0, 20]]
    inwards = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    for k in range(3):
        ends = [
            [x + sx * float(moves[0, i, k]) * 15, y + sy * float(moves[1, i, k]) * 10]
            for i, ((x, y), (sx, sy)) in enumerate(zip(corners, inwards, strict=True))
        ]
        solved = _coefficients(corners, ends)
        wanted = functional.perspective(
            images[k], None, None, interpolation=functional.InterpolationMode.BILINEAR,
            fill=None, coefficients=solved,
        )  # fmt: skip
        torch.testing.assert_close(found[k], wanted, atol=1e-4, rtol=0)


def _coefficients(starts, ends):
    """Solve for the projection that brings places of the view to those of the patch."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(starts, ends, strict=True):
        rows += [
            [u, v, 1, 0, 0, 0, -x * u, -x * v],
            [0, 0, 0, u, v, 1, -y * u, -y * v],
        ]
        wanted += [x, y]
    matrix = torch.tensor(rows, dtype=torch.float64)
    return torch.linalg.solve(matrix, torch.tensor(wanted, dtype=torch.float64)).tolist()


def test_no_move_is_no_tilt():
    images = torch.rand(2, 1, 9, 12, generator=torch.Generator().manual_seed(0))
    geometry = Geometry.identity(2, (9, 12), torch.device("cpu"))
    geometry.tilt = tilt_of(torch.zeros(2, 4, 2), (9, 12))
    torch.testing.assert_close(
        resample(images, geometry, torch.zeros(1)), images, atol=1e-5, rtol=0
    )


def test_views_of_another_size_show_the_same():
    ramp = torch.linspace(0, 1, 32).expand(2, 1, 32, 32)
    geometry = Geometry.identity(2, (32, 32), torch.device("cpu"))
    small = resample(ramp, geometry, torch.zeros(1), (16, 8))
    assert small.shape == (2, 1, 16, 8)
    wanted = torch.nn.functional.interpolate(
        ramp, (16, 8), mode="bilinear", align_corners=False
    )
    torch.testing.assert_close(small, wanted, atol=1e-5, rtol=0)


def test_the_largest_crop_is_kept_to():
    config = AugmentConfig(crop_smallest=0.1, crop_largest=0.3, crop_aspect=1.0)
    crop = drawn(config, 5000, (100, 100)).geometry
    share = crop.height * crop.width / 1e4
    assert float(share.max()) < 0.31
    assert float(share.mean()) == pytest.approx(0.2, abs=0.01)
