"""Backbones, projector and how they are run over many patches."""

from napari_patchmap import llvm, mkl  # noqa: F401 - before any computing
from napari_patchmap.networks.network import Network, NetworkSpec

__all__ = ["Network", "NetworkSpec"]
