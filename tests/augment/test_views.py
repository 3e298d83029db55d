"""Views as a whole: repeatable, in range, any number of channels, honest notes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_patchmap.augment import AugmentConfig, ViewMaker, notes, preview_views
from napari_patchmap.augment.views import apply_symmetry, symmetries
from napari_patchmap.errors import ConfigError
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import box_table


def patch_set(shape: tuple[int, ...], names: tuple[str, ...]) -> PatchSet:
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    table = box_table("x", np.arange(shape[0]), np.tile(shape[1:3], (shape[0], 1)))
    return PatchSet(images, table, names)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_views_are_repeatable_and_in_range(channels):
    patches = torch.randint(0, 256, (150, channels, 14, 10), dtype=torch.uint8)
    maker = ViewMaker(AugmentConfig(), is_rgb=channels == 3, fill=np.full(channels, 99.0))
    first = maker(patches, torch.Generator().manual_seed(5))
    other = maker(patches, torch.Generator().manual_seed(6))
    again = ViewMaker(AugmentConfig(), is_rgb=channels == 3, fill=np.full(channels, 99.0))(
        patches, torch.Generator().manual_seed(5)
    )
    assert first.shape == patches.shape
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("parts", [(75, 75), (101, 49), (150, 0)])
def test_views_made_in_parts_are_those_made_at_once(parts):
    patches = torch.randint(0, 256, (150, 3, 14, 10), dtype=torch.uint8)

    def maker() -> tuple[ViewMaker, torch.Generator]:
        fill = np.full(3, 99.0)
        return ViewMaker(AugmentConfig(), is_rgb=True, fill=fill), torch.Generator()

    make, generator = maker()
    whole = torch.cat([make(patches, generator) for _ in range(3)])
    start, made = 0, []
    for length in parts:
        part = slice(start, start + length)
        make, generator = maker()  # as in a process of its own
        views = [make(patches[part], generator, part=part, batch=150) for _ in range(3)]
        made.append(torch.stack(views))
        start += length
    assert torch.equal(torch.cat(made, dim=1).flatten(0, 1), whole)


def test_presets_differ_as_described():
    natural, right, rotations = (
        AugmentConfig.preset(name) for name in ("natural", "right-angles", "rotations")
    )
    assert not any((natural.rotate, natural.right_angles, natural.flip_vertical))
    assert right.right_angles
    assert right.flip_vertical
    assert not right.rotate
    assert rotations.rotate
    with pytest.raises(ConfigError, match="natural, right-angles, rotations"):
        AugmentConfig.preset("sideways")


def test_preview_shows_different_views_of_one_patch(cells):
    views = preview_views(cells, 3, AugmentConfig(), 6, seed=1)
    assert views.shape == (6, 16, 16, 3)
    assert views.dtype == np.uint8
    assert len({view.tobytes() for view in views}) == 6
    assert np.array_equal(views, preview_views(cells, 3, AugmentConfig(), 6, seed=1))


def test_notes_say_what_does_not_apply():
    assert notes(AugmentConfig(), patch_set((12, 8, 8, 3), ("red", "green", "blue"))) == []
    grey = notes(AugmentConfig(), patch_set((12, 8, 8, 1), ("grey",)))
    assert len(grey) == 1
    assert "grey patches" in grey[0]
    wide = notes(AugmentConfig(), patch_set((12, 8, 12, 3), ("red", "green", "blue")))
    assert "12 x 8" in wide[0]


def test_symmetries_follow_the_augmentations():
    square, wide = (28, 28), (20, 28)
    assert len(symmetries(AugmentConfig.preset("rotations"), square)) == 8
    assert len(symmetries(AugmentConfig.preset("rotations"), wide)) == 4
    assert symmetries(AugmentConfig.preset("natural"), square) == [(0, False), (0, True)]
    image = torch.rand(1, 3, 5, 5)
    copies = {
        apply_symmetry(image, s).numpy().tobytes() for s in symmetries(AugmentConfig(), (5, 5))
    }
    assert len(copies) == 8


def test_the_same_state_gives_the_same_views_again():
    """A step that is computed in parts makes its views twice."""
    patches = (torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 255).byte()
    maker = ViewMaker(AugmentConfig(), is_rgb=True, fill=np.zeros(3))
    generator = torch.Generator()
    made = []
    for _ in range(6):
        generator.manual_seed(5)
        made.append([maker(patches, generator) for _ in range(2)])
    assert not torch.equal(made[0][0], made[0][1])
    for again in made[1:]:
        assert torch.equal(again[0], made[0][0])
        assert torch.equal(again[1], made[0][1])
