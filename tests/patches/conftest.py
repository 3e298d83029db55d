"""Small real image files, written with the libraries that users' programs use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, np.ndarray], Path]:
    """Write one image below tmp_path/set; the format follows from the name."""

    def write(name: str, pixels: np.ndarray) -> Path:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            path.write_bytes(imagecodecs.png_encode(pixels))
        elif path.suffix in (".jpg", ".jpeg"):
            path.write_bytes(imagecodecs.jpeg8_encode(pixels, level=95, subsampling="444"))
        else:
            tifffile.imwrite(path, pixels)
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "set"


@pytest.fixture
def grey(rng: np.random.Generator) -> Callable[..., np.ndarray]:
    """Random grey pixels of a shape."""

    def grey(*shape: int, dtype: str = "uint8") -> np.ndarray:
        return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)

    return grey
