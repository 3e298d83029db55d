"""Backbones, projector and how they are run over many patches."""

from napari_patchmap.networks.network import Network, NetworkSpec

__all__ = ["Network", "NetworkSpec"]
