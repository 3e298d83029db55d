"""A file that is not what its name says is called what it is, whatever it was given as."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.own_features.feature_files import read_features
from napari_patchmap.patches.signature import belied

OBJECTS = (".tif", ".npy", "_seg.npy", ".geojson", ".roi", ".parquet", ".csv")
TABLES = (".csv", ".parquet")
FEATURES = (".npy", ".csv", ".parquet", ".h5ad")
IMAGES = (
    ".tif", ".npy", ".h5", ".h5ad", ".dcm", ".czi", ".nd2", ".lif", ".svs", ".parquet", ".csv",
)  # fmt: skip


def zip_file() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("a.txt", "x")
    return content.getvalue()


def png_file() -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(content, "png")
    return content.getvalue()


OPENED = {
    "objects": (OBJECTS, lambda path: open_patches(path.with_name("image.tif"), objects=path)),
    "table": (TABLES, lambda path: open_patches(path.with_name("stack.tif"), labels=path)),
    "features": (FEATURES, read_features),
    "images": (IMAGES, open_patches),
}


@pytest.mark.parametrize(
    ("kind", "ending"),
    [(kind, ending) for kind, (ends, _) in OPENED.items() for ending in ends],
)
def test_what_a_file_is_is_said(tmp_path, kind, ending):
    pixels = np.random.default_rng(0).integers(0, 255, (6, 12, 12), np.uint8)
    tifffile.imwrite(tmp_path / "image.tif", np.zeros((40, 50), np.uint8))
    tifffile.imwrite(tmp_path / "stack.tif", pixels, photometric="minisblack")
    path = tmp_path / f"given{ending}"
    for content, said in ((zip_file(), "a zip file"), (png_file(), "a PNG image")):
        path.write_bytes(content)
        with pytest.raises(PatchError, match=rf"given{ending} is {said}.* by its content"):
            OPENED[kind][1](path)


def test_what_a_name_says_rightly_or_nobody_knows_is_left_alone(tmp_path):
    for name, content in (
        ("a.zip", zip_file()), ("a.zarr.zip", zip_file()), ("a.PNG", png_file()),
        ("a.csv", b"name,label"), ("gone.csv", None),
        ("both.dcm", b"II*\x00" + b"\0" * 124 + b"DICM"),
    ):  # fmt: skip
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert belied(tmp_path / name) == ""
