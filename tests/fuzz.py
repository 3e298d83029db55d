"""Small valid files of every kind that can be opened, and what may become of a file."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import tifffile
import zarr

from napari_patchmap.errors import PatchmapError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.runs import Run
from napari_patchmap.runs.saved_map import read_map
from napari_patchmap.runs.unfinished import read_unfinished


class Kind(NamedTuple):
    """Something that can be opened: which of its files may be damaged, and how it is opened."""

    name: str
    folder: Path
    files: list[Path]
    open: Callable[[Path], None]


def read_all(path: Path, **options: object) -> None:
    """Open patches, and read each and what is said of it."""
    ps = open_patches(path, **options)  # type: ignore[arg-type]
    for i in range(len(ps)):
        with contextlib.suppress(PatchmapError):
            ps[i]
    assert len(ps.table) == len(ps)


def kinds(root: Path, run: Path, unfinished: Path) -> Iterator[Kind]:
    """Write a valid file of every kind; ``run`` and ``unfinished`` are folders of runs."""
    rng = np.random.default_rng(0)

    def grey(*shape: int, dtype: str = "u1") -> np.ndarray:
        return rng.integers(0, 200, shape).astype(dtype)

    def kind(name: str, write: Callable[[Path], object], first: str, **options: object) -> Kind:
        folder = root / name.replace(" ", "_")
        folder.mkdir()
        write(folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())

        def read(place: Path) -> None:
            beside = {key: place / str(options[key]) for key in _BESIDE if key in options}
            read_all(place / first, **{**options, **beside})

        return Kind(name, folder, files, read)

    images = {
        "grey.png": imagecodecs.png_encode(grey(12, 14)),
        "deep.png": imagecodecs.png_encode(grey(12, 14, 3, dtype="u2")),
        "colour.jpg": imagecodecs.jpeg8_encode(grey(16, 16, 3)),
        "colour.bmp": imagecodecs.bmp_encode(grey(12, 14, 3)),
        "colour.webp": imagecodecs.webp_encode(grey(16, 16, 3)),
    }
    for name, data in images.items():
        yield kind(name, lambda at, n=name, d=data: (at / n).write_bytes(d), "", sizes="pad")
    for name, options in _TIFFS.items():
        pixels = grey(4, 32, 32)
        yield kind(
            name,
            lambda at, p=pixels, o=options: tifffile.imwrite(at / "a.tif", p, **o),
            "a.tif",
        )
    lzw = {"compression": "lzw", "predictor": True, "photometric": "rgb"}
    colour = grey(12, 14, 3)
    yield kind("tiff in a folder", lambda at: tifffile.imwrite(at / "a.tif", colour, **lzw), "")
    yield kind("slide", _write_slide, "a.tif", tiles=TileConfig(size=32, foreground="none"))
    for order in "CF":
        stack = np.asarray(grey(5, 8, 9, dtype=">u2"), order=order)
        yield kind(f"npy {order}", lambda at, s=stack: np.save(at / "a.npy", s), "a.npy")
    columns = {"labels": np.arange(6) % 2, "class_names": np.array(["a", "b"])}
    for save in (np.savez, np.savez_compressed):
        arrays = {"images": grey(6, 8, 9), "area": np.arange(6.0), **columns}
        yield kind(save.__name__, lambda at, s=save, a=arrays: s(at / "a.npz", **a), "a.npz")
    for fmt in (2, 3):
        yield kind(f"zarr {fmt}", lambda at, f=fmt: _write_zarr(at / "a.zarr", f), "a.zarr")
    yield kind("ome zarr", lambda at: _write_ome(at / "a.zarr"), "a.zarr")
    yield kind("zarr zip", _write_zarr_zip, "a.zarr.zip")
    yield kind("objects", _write_objects, "a.tif", objects="mask.tif", sizes="pad")
    yield kind("objects npy", _write_objects, "a.npy", objects="mask.npy", sizes="pad")
    yield kind("objects png", _write_objects, "a.png", objects="mask.png", sizes="pad")
    yield kind("labels", _write_labels, "a.npy", labels="labels.csv")
    for name, folder, read in (
        ("run", run, lambda at: (Run.load(at), read_map(at).read())),
        ("unfinished run", unfinished, read_unfinished),
    ):
        shutil.copytree(folder, root / name)
        files = sorted(path for path in (root / name).rglob("*") if path.is_file())
        yield Kind(name, root / name, files, read)


_BESIDE = ("objects", "labels")

_TIFFS: dict[str, dict] = {
    "plain tiff": {"photometric": "minisblack"},
    "zlib tiff": {"compression": "zlib", "photometric": "minisblack", "rowsperstrip": 8},
    "jpeg tiff": {"compression": "jpeg", "photometric": "minisblack", "tile": (16, 16)},
    "imagej": {"imagej": True, "metadata": {"axes": "TYX"}},
    "ome tiff": {"ome": True, "metadata": {"axes": "TYX"}, "photometric": "minisblack"},
    "big tiff": {"bigtiff": True, "photometric": "minisblack", "compression": "packbits"},
}


def _write_slide(folder: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 200, (128, 160, 3), np.uint8)
    options = {"tile": (32, 32), "photometric": "rgb", "compression": "jpeg"}
    with tifffile.TiffWriter(folder / "a.tif") as tif:
        tif.write(pixels, subifds=1, **options)
        tif.write(pixels[::2, ::2].copy(), subfiletype=1, **options)


def _write_zarr(path: Path, fmt: int) -> None:
    pixels = np.random.default_rng(2).integers(0, 200, (6, 8, 9)).astype("u2")
    group = zarr.create_group(path, zarr_format=fmt)
    shards = {"shards": (4, 8, 9)} if fmt == 3 else {}
    group.create_array("images", shape=(6, 8, 9), chunks=(2, 8, 9), dtype="u2", **shards)
    group["images"][...] = pixels
    group.create_array("labels", data=np.arange(6) % 3)


def _write_ome(path: Path) -> None:
    group = zarr.create_group(path, zarr_format=2)
    axes = [{"name": name, "type": kind} for name, kind in zip("tcyx", _OME_KINDS, strict=True)]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": [{"path": "0"}], "version": "0.4"}]
    group.attrs["omero"] = {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}
    array = group.create_array("0", shape=(4, 2, 8, 9), chunks=(1, 1, 8, 9), dtype="u1")
    array[...] = np.random.default_rng(3).integers(1, 200, (4, 2, 8, 9), np.uint8)


_OME_KINDS = ("time", "channel", "space", "space")


def _write_zarr_zip(folder: Path) -> None:
    _write_zarr(folder / "a.zarr", 3)
    shutil.make_archive(str(folder / "a.zarr"), "zip", folder / "a.zarr")
    shutil.rmtree(folder / "a.zarr")


def _write_objects(folder: Path) -> None:
    rng = np.random.default_rng(4)
    image, mask = rng.integers(0, 200, (40, 44), np.uint8), np.zeros((40, 44), np.uint8)
    mask[3:9, 4:11], mask[20:33, 21:30] = 1, 2
    for name, pixels in (("a", image), ("mask", mask)):
        np.save(folder / f"{name}.npy", pixels)
        tifffile.imwrite(folder / f"{name}.tif", pixels, compression="zlib")
        (folder / f"{name}.png").write_bytes(imagecodecs.png_encode(pixels))


def _write_labels(folder: Path) -> None:
    np.save(folder / "a.npy", np.random.default_rng(5).integers(0, 9, (6, 8, 8), np.uint8))
    rows = "".join(f"{i},{'ab'[i % 2]},{i / 2}\n" for i in range(6))
    (folder / "labels.csv").write_text(f"index,label,area\n{rows}", "utf-8")


# -- what may become of a file --------------------------------------------------------

_NUMBERS = ("0", "-1", "1", "7", "4294967295", "99999999999999", "1e999", "NaN", "null", '"x"')
_INTS = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def mutate(path: Path, rng: np.random.Generator) -> str:
    """Change a file in one of many ways; return which."""
    data = path.read_bytes()
    if not data:
        path.write_bytes(b"\0")
        return "a byte"
    if zipfile.is_zipfile(path) and rng.random() < 0.5:
        return f"a member: {_in_zip(path, rng)}"
    is_text = b"\0" not in data[:200] or data.startswith(b"\x93NUMPY")
    ways = [_text] * 3 if is_text else [_integer, _integer]
    way = [_cut, _flip, _flip, _overwrite, _insert, _delete, *ways][rng.integers(6 + len(ways))]
    path.write_bytes(way(bytearray(data), rng))
    return way.__name__.strip("_")


def _in_zip(path: Path, rng: np.random.Generator) -> str:
    with zipfile.ZipFile(path) as file:
        members = {info.filename: file.read(info) for info in file.infolist()}
    name = sorted(members)[rng.integers(len(members))]
    inner = path.with_name("inner")
    inner.write_bytes(members[name])
    way = mutate(inner, rng)
    members[name] = inner.read_bytes()
    inner.unlink()
    how = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[rng.integers(2)]
    with zipfile.ZipFile(path, "w", how) as file:
        for key, value in members.items():
            file.writestr(key, value)
    return f"{name}: {way}"


def _place(data: bytearray, rng: np.random.Generator) -> int:
    """Choose a place, more often near the beginning, where heads are."""
    most = len(data) if rng.random() < 0.5 else min(len(data), 256)
    return int(rng.integers(most))


def _cut(data: bytearray, rng: np.random.Generator) -> bytes:
    return bytes(data[: rng.integers(len(data))])


def _flip(data: bytearray, rng: np.random.Generator) -> bytes:
    for _ in range(rng.integers(1, 9)):
        data[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(data)


def _overwrite(data: bytearray, rng: np.random.Generator) -> bytes:
    at, length = _place(data, rng), int(rng.integers(1, 64))
    some = (b"\0" * length, b"\xff" * length, rng.bytes(length))[rng.integers(3)]
    data[at : at + length] = some[: len(data) - at]
    return bytes(data)


def _insert(data: bytearray, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return bytes(data[:at]) + rng.bytes(int(rng.integers(1, 40))) + bytes(data[at:])


def _delete(data: bytearray, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return bytes(data[:at] + data[at + int(rng.integers(1, 40)) :])


def _integer(data: bytearray, rng: np.random.Generator) -> bytes:
    """Put an extreme number where one may be."""
    width = (2, 4)[rng.integers(2)]
    at = _place(data, rng) // 2 * 2
    order = ("little", "big")[rng.integers(2)]
    value = _INTS[rng.integers(len(_INTS))] & (256**width - 1)
    data[at : at + width] = value.to_bytes(width, order)
    return bytes(data)


def _text(data: bytearray, rng: np.random.Generator) -> bytes:
    """Replace a number, a word, a sign, or a value of JSON by another."""
    try:
        known = json.loads(data)
    except ValueError:
        known = None
    if known is not None and rng.random() < 0.6:
        return json.dumps(_changed(known, rng)).encode()
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?|\"[^\"]*\"|'[^']*'|[^\w\s]", bytes(data)))
    if not found:
        return _flip(data, rng)
    one = found[rng.integers(len(found))]
    new = rng.choice([*_NUMBERS, "", "[]", "{}", '"', ",", "é\n"]).encode()
    return bytes(data[: one.start()]) + new + bytes(data[one.end() :])


_ODD = (None, True, -1, 0, 10**13, 1e300, "x", "", "../..", [], {}, [[]], ["x", None], {"x": 1})


def _changed(value: object, rng: np.random.Generator) -> object:
    """Change one value somewhere inside."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = sorted(value)[rng.integers(len(value))]
        if rng.random() < 0.15:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = int(rng.integers(len(value)))
        return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return _ODD[rng.integers(len(_ODD))]
