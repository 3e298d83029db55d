"""Files of Zeiss, Nikon and Leica: what is written is what their kept readers give us."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from napari_patchmap.errors import (
    MissingPackageError,
    MixedSizesError,
    PatchError,
    SingleImageError,
    UnclearArrayError,
    UnclearAxesError,
)
from napari_patchmap.kind import Kind
from napari_patchmap.optional import optional
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.microscope import czi_file, lif_file, nd2_file
from napari_patchmap.patches.recognise import recognise
from tests.patches.microscopes.made_czi import write_czi
from tests.patches.microscopes.made_lif import write_lif
from tests.patches.microscopes.made_nd2 import write_nd2

for library in ("pylibCZIrw.czi", "nd2", "liffile"):
    pytest.importorskip(library)


class Maker(NamedTuple):
    ending: str
    write: Any
    module: Any
    library: str
    second: str
    """What its second scene is called."""


ZEISS = Maker(".czi", write_czi, czi_file, "czi", "Scene 2")
NIKON = Maker(".nd2", write_nd2, nd2_file, "nd2", "Well 2")
LEICA = Maker(".lif", write_lif, lif_file, "liffile", "Series002")

by_maker = pytest.mark.parametrize("maker", [ZEISS, NIKON, LEICA], ids=lambda one: one.ending)


def drawn(*shape: int, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 200, shape).astype(dtype)


@by_maker
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_times_of_a_file_are_patches(tmp_path, maker, dtype):
    planes = drawn(4, 1, 12, 16, dtype=dtype)
    path = maker.write(tmp_path / f"a{maker.ending.upper()}", [planes])
    assert recognise(path) is Kind.STACK
    patches = open_patches(path)
    assert (patches.dtype, patches.channel_names) == (dtype, ("grey",))
    assert patches.mpp == pytest.approx(0.25)
    np.testing.assert_array_equal(patches.stack()[..., 0], planes[:, 0])


@by_maker
def test_scenes_are_one_set_with_a_column_that_names_them(tmp_path, maker):
    scenes = drawn(2, 3, 2, 20, 24)
    path = maker.write(tmp_path / f"a{maker.ending}", scenes, ["DAPI", "GFP"])
    patches = open_patches(path)
    assert patches.channel_names == ("DAPI", "GFP")
    assert patches.table["image"].tolist()[3:] == [maker.second] * 3
    np.testing.assert_array_equal(
        patches.stack(), scenes.reshape(6, 2, 20, 24).transpose(0, 2, 3, 1)
    )
    one = open_patches(path, key=maker.second, channels=["GFP"])
    np.testing.assert_array_equal(one.stack()[..., 0], scenes[1, :, 1])
    with pytest.raises(UnclearArrayError, match=r"has no image 'Scene 9'; choose one of"):
        open_patches(path, key="Scene 9")


@by_maker
def test_axes_that_are_given_say_what_is_a_patch(tmp_path, maker):
    planes = drawn(3, 2, 20, 24)
    path = maker.write(tmp_path / f"a{maker.ending}", [planes], ["DAPI", "GFP"])
    every = open_patches(path, axes="NQYX")
    np.testing.assert_array_equal(every.stack()[..., 0], planes.reshape(6, 20, 24))
    times = open_patches(path, axes="CNYX")
    assert times.channel_names == ("channel 0", "channel 1", "channel 2")
    np.testing.assert_array_equal(times.stack(), planes.transpose(1, 2, 3, 0))
    with pytest.raises(UnclearAxesError):
        open_patches(path, axes="NYX")


@by_maker
def test_colours_are_red_green_and_blue(tmp_path, maker):
    planes = drawn(3, 1, 12, 16, 3, dtype=np.uint8)
    patches = open_patches(maker.write(tmp_path / f"a{maker.ending}", [planes]))
    assert patches.channel_names == ("red", "green", "blue")
    np.testing.assert_array_equal(patches.stack(), planes[:, 0])


@by_maker
def test_a_missing_time_is_left_out_and_a_black_one_kept(tmp_path, maker):
    planes = drawn(4, 2, 12, 16)
    planes[1] = 0
    gone = [2, 3] if maker is LEICA else [2]  # the end of its memory is missing
    path = maker.write(tmp_path / f"a{maker.ending}", [planes, planes], missing=gone)
    patches = open_patches(path)
    there = [time for time in range(4) if time not in gone]
    wanted = planes[there + there].transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(patches.stack(), wanted)
    assert [(one.source, one.reason) for one in patches.skipped] == [
        (f"a{maker.ending} [{at}]", "is missing in the file")
        for at in (*gone, *(4 + time for time in gone))
    ]
    if maker is not ZEISS:  # which has no scene without a tile
        empty = maker.write(tmp_path / f"b{maker.ending}", [planes], missing=[0, 1, 2, 3])
        with pytest.raises(PatchError, match="no plane of which all channels are there"):
            open_patches(empty)


def test_a_missing_channel_costs_a_patch_only_where_it_is_wanted(tmp_path):
    czi = pytest.importorskip("pylibCZIrw.czi")
    planes = drawn(3, 2, 12, 16)
    path = tmp_path / "a.czi"
    with czi.create_czi(str(path)) as file:
        for time, channel in ((0, 0), (0, 1), (1, 0), (2, 0), (2, 1)):
            file.write(planes[time, channel][..., None], plane={"T": time, "C": channel})
        file.write_metadata(channel_names={0: "DAPI", 1: "GFP"})
    patches = open_patches(path)
    np.testing.assert_array_equal(patches.stack(), planes[[0, 2]].transpose(0, 2, 3, 1))
    assert [one.reason for one in patches.skipped] == ["GFP missing in the file"]
    assert any("Patches without GFP were left out" in note for note in patches.notes)
    alone = open_patches(path, channels=["DAPI"])
    np.testing.assert_array_equal(alone.stack()[..., 0], planes[:, 0])


@by_maker
def test_what_cannot_be_read_is_one_sentence(tmp_path, maker):
    one = maker.write(tmp_path / f"one{maker.ending}", [drawn(1, 2, 12, 16)])
    with pytest.raises(SingleImageError, match=r"one single image \(16 x 12") as asked:
        open_patches(one)
    assert asked.value.ways == ("tiles", "objects")
    cut, text = tmp_path / f"cut{maker.ending}", tmp_path / f"text{maker.ending}"
    cut.write_bytes(one.read_bytes()[:1200])
    text.write_text("not what its name says " * 99)
    for path in (cut, text):
        with pytest.raises(PatchError, match=rf"{path.name} is not a \w+ \w+ file that can be"):
            open_patches(path)


@by_maker
def test_without_the_library_it_is_said_how_to_get_it(tmp_path, maker, monkeypatch):
    path = maker.write(tmp_path / f"a{maker.ending}", [drawn(3, 1, 12, 16)])
    monkeypatch.setattr(maker.module, maker.library, optional("no_such", extra="formats"))
    with pytest.raises(MissingPackageError, match=r"pip install 'napari-patchmap\[formats\]'"):
        open_patches(path)


@pytest.mark.parametrize("maker", [ZEISS, LEICA], ids=lambda one: one.ending)
def test_scenes_of_other_sizes_are_asked_about(tmp_path, maker):
    scenes = [drawn(3, 1, 20, 24), drawn(3, 1, 28, 24)]
    path = maker.write(tmp_path / f"a{maker.ending}", scenes)
    with pytest.raises(MixedSizesError):
        open_patches(path)
    patches = open_patches(path, sizes="pad")
    for k in range(6):
        np.testing.assert_array_equal(patches[k][..., 0], scenes[k // 3][k % 3, 0])


def test_leica_images_of_another_kind_are_left_out(tmp_path):
    scenes = [drawn(3, 1, 20, 24), drawn(3, 2, 20, 24), drawn(3, 1, 20, 24)]
    patches = open_patches(write_lif(tmp_path / "a.lif", scenes))
    assert patches.table["image"].unique().tolist() == ["Series001", "Series003"]
    (skipped,) = patches.skipped
    assert skipped.source == "Series002"
    assert "is of another kind (axes TCYX, 2 channel(s), uint16)" in skipped.reason


def test_a_leica_file_that_is_cut_off_gives_what_it_holds(tmp_path):
    planes = drawn(4, 1, 12, 16)
    path = write_lif(tmp_path / "a.lif", [planes])
    path.write_bytes(path.read_bytes()[: -planes[0].nbytes - 9])
    patches = open_patches(path)
    np.testing.assert_array_equal(patches.stack()[..., 0], planes[:2, 0])
    assert [one.source for one in patches.skipped] == ["a.lif [2]", "a.lif [3]"]


def test_zeiss_channels_of_two_pixel_types_keep_their_values(tmp_path):
    czi = pytest.importorskip("pylibCZIrw.czi")
    small, large = drawn(2, 12, 16, dtype=np.uint8), 300 * drawn(2, 12, 16)
    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        for time in range(2):
            for channel, planes in enumerate((small, large)):
                file.write(planes[time, ..., None], plane={"T": time, "C": channel})
    patches = open_patches(tmp_path / "a.czi")
    assert patches.dtype == np.uint16
    np.testing.assert_array_equal(patches.stack(), np.stack([small, large], axis=-1))
