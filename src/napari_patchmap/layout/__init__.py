"""Placing patches by their features: t-SNE, nearest neighbours, first layouts."""

from napari_patchmap import llvm, mkl  # noqa: F401 - before any computing
