"""What to open and how: one value that command line, window and run folder share."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from napari_patchmap.errors import PatchError
from napari_patchmap.kind import known_origin
from napari_patchmap.patches import CropConfig, Kind, OpenRequest, open_patches, reopen
from napari_patchmap.patches.recognise import format_of, recognise
from napari_patchmap.patches.tile_config import TileConfig


def pixels(count: int = 6, side: int = 12) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, side, side), np.uint8)


@pytest.fixture
def places(tmp_path) -> dict[str, Path]:
    """One of each that patches can be read from."""
    np.save(tmp_path / "a.npy", pixels())
    np.savez(tmp_path / "b.npz", images=pixels(), labels=list("aabbcc"))
    tifffile.imwrite(tmp_path / "c.tif", pixels(), photometric="minisblack")
    zarr.save(str(tmp_path / "d.zarr"), pixels())
    (tmp_path / "folder").mkdir()
    for i, one in enumerate(pixels()):
        tifffile.imwrite(tmp_path / "folder" / f"{i}.tif", one)
    with tifffile.TiffWriter(tmp_path / "slide.tif") as slide:
        slide.write(pixels(1, 512)[0], subifds=1, tile=(256, 256))
        slide.write(pixels(1, 512)[0, ::2, ::2], subfiletype=1, tile=(128, 128))
    (tmp_path / "notes.txt").write_text("no patches")
    return {path.name: path for path in tmp_path.iterdir()}


KINDS = {
    "a.npy": Kind.STACK,
    "b.npz": Kind.STACK,
    "c.tif": Kind.STACK,
    "d.zarr": Kind.STACK,
    "folder": Kind.FOLDER,
    "slide.tif": Kind.SLIDES,
}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_recognised_is_how_it_is_opened(places, name):
    assert recognise(places[name]) is KINDS[name]
    assert format_of(OpenRequest(places[name])).kind is KINDS[name]
    tiles = TileConfig(size=64, foreground="none") if name == "slide.tif" else None
    assert open_patches(places[name], tiles=tiles).origin["kind"] == KINDS[name]


def test_what_holds_no_patches_is_not_recognised_and_refused(places, tmp_path):
    (tmp_path / "file.zarr").write_text("no store")
    for path in (places["notes.txt"], tmp_path / "nowhere", tmp_path / "file.zarr"):
        assert recognise(path) is None
        with pytest.raises(PatchError, match=path.name):
            format_of(OpenRequest(path))


def test_slides_stay_chosen_where_a_file_may_be_one(places):
    assert recognise(places["c.tif"], Kind.SLIDES) is Kind.SLIDES
    assert recognise(places["b.npz"], Kind.SLIDES) is Kind.STACK


def test_it_goes_through_json_whole(tmp_path):
    request = OpenRequest(
        tmp_path / "cells",
        sizes="pad",
        labels=tmp_path / "l.csv",
        axes="NYXC",
        pattern="{label}_{}",
        channels=("DAPI", "CD3"),
        label_column="kind",
        tiles=TileConfig(size=64),
        objects=tmp_path / "masks",
        crops=CropConfig(size=16),
    ).absolute()
    again = OpenRequest.from_dict(json.loads(json.dumps(request.to_dict())))
    assert again == request.but(channels=["DAPI", "CD3"])
    assert OpenRequest.from_dict({}) == OpenRequest()
    with pytest.raises(PatchError, match="labels"):
        OpenRequest.from_dict({"path": "x", "labels": 3})
    with pytest.raises(PatchError, match="resize, crop, pad"):
        OpenRequest.from_dict({"path": "x", "sizes": "stretch"})


def test_a_kind_of_somebodys_own_stays():
    assert known_origin({"kind": "telescope", "path": "x"}) == {
        "kind": "telescope",
        "path": "x",
    }
    assert known_origin({"path": "x"}) == {"path": "x"}


def test_values_given_as_labels_are_in_no_file(places):
    patches = open_patches(places["a.npy"], labels=list("aabbcc"))
    assert patches.origin["labels"] is None
    assert patches.table["label"].tolist() == list("aabbcc")


@pytest.mark.parametrize(("name", "kind"), [("b.npz", "npz"), ("d.zarr", "zarr")])
def test_an_origin_of_an_earlier_version_opens(places, name, kind):
    """With every key that it wrote, in its words."""
    origin = {"kind": kind, "path": str(places[name]), "sizes": None, "labels": None}
    origin |= {"axes": "auto", "pattern": None, "channels": None, "tiles": None}
    origin |= {"objects": None, "crops": None, "count": 6}
    again = reopen(origin)
    np.testing.assert_array_equal(again.stack()[..., 0], pixels())
    assert again.origin == known_origin(origin)
