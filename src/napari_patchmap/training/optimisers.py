"""The optimiser of a stage, and the weights that it moves."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import Network
from napari_patchmap.training.muon import Muon


def make_optimiser(stage: Stage, network: Network) -> torch.optim.Optimizer:
    """Make a new optimiser for the weights that a stage trains; all others rest.

    Parameters
    ----------
    stage : Stage
    network : Network
    """
    moving: dict[str, tuple[nn.Module, ...]] = {
        "all": (network,),
        "projector": (network.hidden, network.output),
        "output": (network.output,),
    }
    network.requires_grad_(False)
    for part in moving[stage.trains]:
        part.requires_grad_(True)
    named = {name: p for name, p in network.named_parameters() if p.requires_grad}
    decay = stage.weight_decay
    if stage.optimiser == "muon":
        edges = {id(p) for p in network.output.parameters()}
        edges.add(id(next(network.backbone.parameters())))
        matrices = [p for p in named.values() if p.ndim > 1 and id(p) not in edges]
        others = [p for p in named.values() if p.ndim == 1 or id(p) in edges]
        return Muon(matrices, others, lr=stage.lr, weight_decay=decay)
    if stage.optimiser == "adamw":
        groups: list[dict[str, Any]] = [
            {"params": [p for p in named.values() if p.ndim > 1]},
            {"params": [p for p in named.values() if p.ndim == 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=stage.lr, betas=(0.9, 0.95), weight_decay=decay)
    return torch.optim.SGD(named.values(), lr=stage.lr, momentum=0.9, weight_decay=decay)
