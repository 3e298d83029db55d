"""How maps are learnt and laid out."""

from napari_patchmap import llvm, mkl  # noqa: F401 - before any computing
