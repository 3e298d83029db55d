"""Reading boxes of a slide: this project's reader beside OpenSlide, tiffslide and ``aszarr``.

``pip install openslide-python openslide-bin tiffslide``, then
``python benchmarks/slide_tiles.py SLIDE [--side 128] [--boxes 200] [--repeats 3]``

Each way opens the slide and reads the same random boxes of the full resolution,
the ways in turn. Prints the best milliseconds a box and the largest difference
from our pixels. What is not installed is left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile

from napari_patchmap.patches.readers.slides.slide import Slide

Boxes = list[tuple[int, int]]


def ours(path: Path, boxes: Boxes, side: int) -> list[np.ndarray]:
    """Read by this project."""
    slide = Slide(path)
    return [slide.read(0, y, x, side, side) for y, x in boxes]


def openslide(path: Path, boxes: Boxes, side: int) -> list[np.ndarray]:
    """Read by the C library."""
    import openslide

    slide = openslide.OpenSlide(path)
    return [np.asarray(slide.read_region((x, y), 0, (side, side)))[..., :3] for y, x in boxes]


def tiffslide(path: Path, boxes: Boxes, side: int) -> list[np.ndarray]:
    """Read by tiffslide, which goes through tifffile and zarr."""
    import tiffslide

    slide = tiffslide.TiffSlide(path)
    return [slide.read_region((x, y), 0, (side, side), as_array=True) for y, x in boxes]


def aszarr(path: Path, boxes: Boxes, side: int) -> list[np.ndarray]:
    """Read by tifffile and zarr."""
    import zarr

    with tifffile.TiffFile(path) as tif:
        level = zarr.open(tif.series[0].levels[0].aszarr(), mode="r")
        return [level[y : y + side, x : x + side] for y, x in boxes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("slide", type=Path)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--boxes", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    if not args.slide.is_file():
        parser.error(f"there is no file {args.slide}; give a slide")
    height, width = Slide(args.slide).shape
    rng = np.random.default_rng(0)
    ys = rng.integers(0, height - args.side, args.boxes).tolist()
    xs = rng.integers(0, width - args.side, args.boxes).tolist()
    boxes = list(zip(ys, xs, strict=True))
    ways: list[Callable[[Path, Boxes, int], list[np.ndarray]]] = [
        ours, openslide, tiffslide, aszarr,
    ]  # fmt: skip
    best: dict[str, float] = {}
    pixels: dict[str, list[np.ndarray]] = {}
    for _ in range(args.repeats):
        for way in ways:
            start = time.perf_counter()
            try:
                pixels[way.__name__] = way(args.slide, boxes, args.side)
            except ImportError:
                continue
            seconds = time.perf_counter() - start
            best[way.__name__] = min(seconds, best.get(way.__name__, np.inf))
    for name, seconds in best.items():
        pairs = zip(pixels[name], pixels["ours"], strict=True)
        off = max(np.abs(a.astype(float) - b).max() for a, b in pairs)
        print(f"{name:10} {1000 * seconds / len(boxes):6.2f} ms a box, off by {off:g} at most")


if __name__ == "__main__":
    main()
