"""Zeiss CZI: files are written by Zeiss's own library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_patchmap.errors import (
    MissingPackageError,
    MixedSizesError,
    PatchError,
    SingleImageError,
    UnclearArrayError,
)
from napari_patchmap.kind import Kind
from napari_patchmap.optional import optional
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.microscope import czi_file
from napari_patchmap.patches.recognise import recognise
from tests.patches.microscopes.made_czi import write_czi

pytest.importorskip("pylibCZIrw.czi")


def drawn(*shape: int, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 200, shape).astype(dtype)


def two_scenes(path: Path, other: int = 20) -> tuple[Path, np.ndarray, np.ndarray]:
    """Write two scenes of three times and two channels, one of another height."""
    first, second = drawn(3, 2, 20, 24), drawn(3, 2, other, 24)
    planes = {(0, t, c): first[t, c] for t in range(3) for c in range(2)}
    planes |= {(1, t, c): second[t, c] for t in range(3) for c in range(2)}
    return write_czi(path, planes, names={0: "DAPI", 1: "GFP"}), first, second


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_times_of_a_file_are_patches(tmp_path, dtype):
    planes = drawn(4, 12, 16, dtype=dtype)
    path = write_czi(tmp_path / "a.czi", {(0, t, 0): planes[t] for t in range(4)})
    assert recognise(path) is Kind.STACK
    patches = open_patches(path)
    assert (patches.dtype, patches.channel_names, patches.mpp) == (dtype, ("grey",), 0.25)
    np.testing.assert_array_equal(patches.stack()[..., 0], planes)


def test_scenes_are_one_set_with_a_column_that_names_them(tmp_path):
    path, first, second = two_scenes(tmp_path / "a.czi")
    patches = open_patches(path)
    assert patches.channel_names == ("DAPI", "GFP")
    assert patches.table["image"].tolist() == ["Scene 1"] * 3 + ["Scene 2"] * 3
    wanted = np.concatenate([first, second]).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(patches.stack(), wanted)
    one = open_patches(path, key="Scene 2", channels=["GFP"])
    np.testing.assert_array_equal(one.stack()[..., 0], second[:, 1])
    with pytest.raises(UnclearArrayError, match=r"no image 'Scene 9'; choose one of Scene 1"):
        open_patches(path, key="Scene 9")


def test_scenes_of_other_sizes_are_asked_about(tmp_path):
    path, first, _ = two_scenes(tmp_path / "a.czi", other=28)
    with pytest.raises(MixedSizesError):
        open_patches(path)
    patches = open_patches(path, sizes="pad")
    np.testing.assert_array_equal(patches[0], first[0].transpose(1, 2, 0))
    assert patches.images.sizes[:, 0].tolist() == [20] * 3 + [28] * 3


def test_colours_are_stored_as_blue_green_red(tmp_path):
    planes = drawn(3, 12, 16, 3, dtype=np.uint8)
    path = write_czi(tmp_path / "a.czi", {(0, t, 0): planes[t] for t in range(3)})
    patches = open_patches(path)
    assert patches.channel_names == ("red", "green", "blue")
    np.testing.assert_array_equal(patches.stack(), planes[..., ::-1])


def test_channels_of_two_pixel_types_keep_their_values(tmp_path):
    small, large = drawn(2, 12, 16, dtype=np.uint8), 300 * drawn(2, 12, 16)
    planes = {(0, t, 0): small[t] for t in range(2)} | {(0, t, 1): large[t] for t in range(2)}
    patches = open_patches(write_czi(tmp_path / "a.czi", planes))
    assert patches.dtype == np.uint16
    np.testing.assert_array_equal(patches.stack(), np.stack([small, large], axis=-1))


def test_a_time_that_was_not_recorded_is_left_out(tmp_path):
    planes = drawn(4, 12, 16)
    path = write_czi(tmp_path / "a.czi", {(0, t, 0): planes[t] for t in (0, 1, 3)})
    patches = open_patches(path)
    np.testing.assert_array_equal(patches.stack()[..., 0], planes[[0, 1, 3]])
    (skipped,) = patches.skipped
    assert skipped.source == "a.czi [2]"
    assert "it was not recorded" in skipped.reason


def test_what_cannot_be_read_is_one_sentence(tmp_path):
    one = write_czi(tmp_path / "one.czi", {(0, 0, 0): drawn(12, 16)})
    with pytest.raises(SingleImageError, match=r"one single image \(16 x 12") as asked:
        open_patches(one)
    assert asked.value.ways == ("tiles", "objects")
    (tmp_path / "cut.czi").write_bytes(one.read_bytes()[:2000])
    (tmp_path / "text.czi").write_text("no CZI at all")
    for name in ("cut.czi", "text.czi"):
        with pytest.raises(
            PatchError, match=f"{name} is not a Zeiss CZI file that can be read"
        ):
            open_patches(tmp_path / name)


def test_without_the_library_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    path = two_scenes(tmp_path / "a.czi")[0]
    monkeypatch.setattr(czi_file, "czi", optional("no_such_czi", extra="formats"))
    with pytest.raises(MissingPackageError, match=r"pip install 'napari-patchmap\[formats\]'"):
        open_patches(path)
