"""Endings of the files that patches are read from: the one list of them. Loads nothing."""

from __future__ import annotations

#: Image files of which each can be a patch, in any case.
IMAGES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".jif", ".tif", ".tiff", ".bmp", ".dib", ".webp",
    ".gif", ".jp2", ".j2k", ".jpx", ".jpf", ".j2c",
)  # fmt: skip

#: Files and folders that hold one patch a plane.
STACKS = (".tif", ".tiff", ".npy", ".npz", ".zarr")

#: Files that may be slides, and those whose name says so without a doubt.
SLIDES = (".svs", ".tif", ".tiff", ".btf", ".tf8", ".ndpi", ".qptiff")
SURE_SLIDES = (".svs", ".ndpi", ".qptiff")

#: Image files that no slide has: a folder that holds one is not a folder of slides.
NEVER_SLIDES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif")

#: What napari asks us about when it is dropped; ``napari.yaml`` says the same.
OFFERED = (*SURE_SLIDES, ".npz")


def globs(endings: tuple[str, ...]) -> str:
    """Say endings as a file dialog wants them, such as ``*.tif *.npy``."""
    return " ".join(f"*{ending}" for ending in endings)
