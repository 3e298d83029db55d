"""The optimiser of a stage, and the weights that it moves."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from napari_patchmap.methods.stage import MovingWeights, Stage
from napari_patchmap.networks import Network
from napari_patchmap.networks.first_layer import first_layer_of
from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.trained.learned_on import LearnedOn
from napari_patchmap.training.muon import Muon

_Named = dict[str, nn.Parameter]

#: Settings of a group that say by which kernels the device computes.
_KERNELS = ("fused", "foreach", "capturable", "differentiable")


def make_optimiser(stage: Stage, network: Network) -> torch.optim.Optimizer:
    """Make a new optimiser for the weights that a stage trains; all others rest.

    Which weights decay follows the publications:

    - SGD with momentum 0.9: all of them (Böhm et al., "Unsupervised visualization
      of image datasets using contrastive learning", 2023).
    - AdamW: all but biases and what has one dimension, normalisation in the first
      place (Caron et al., "Emerging properties in self-supervised vision
      transformers", 2021).
    - LARS with momentum 0.9 (You et al., "Large batch training of convolutional
      networks", 2017): those two do not decay either, and their step is not
      adapted to their size (Chen et al., "A simple framework for contrastive
      learning of visual representations", 2020).
    - LAMB (You et al., "Large batch optimization for deep learning", 2020), as
      timm has it, with gradients of norm 1 at most: like LARS.
    - Muon: weights of hidden layers; see :class:`Muon`.

    On a GPU of NVIDIA SGD and AdamW are one kernel, which also looks itself whether a
    gradient overflowed in float16; the others wait for the answer.

    Of a network that came trained, each block may have its own rate: a group's share of it
    is its ``scale``.

    Its ``state_dict`` holds tensors and numbers alone. What it is given to load may
    come from another device: how it computes stays its own, and what belongs to a
    weight takes that weight's place in memory.
    """
    optimiser = _make(stage, network)
    if stage.layer_decay < 1 and isinstance(network.backbone, LearnedOn):
        optimiser.param_groups = _by_block(optimiser, stage.layer_decay, network.backbone)
    optimiser.register_load_state_dict_pre_hook(_with_own_kernels)
    optimiser.register_load_state_dict_post_hook(_lay_out_as_weights)
    return optimiser


def _make(stage: Stage, network: Network) -> torch.optim.Optimizer:
    named = _moving(stage, network)
    decay = stage.weight_decay
    fused = network.device.type == "cuda" or None
    if stage.optimiser == "muon":
        hidden = _hidden_weights(network)
        matrices = [p for p in named.values() if id(p) in hidden]
        others = [p for p in named.values() if id(p) not in hidden]
        return Muon(matrices, others, lr=stage.lr, weight_decay=decay)
    if stage.optimiser == "adamw":
        groups = _by_decay(named, decay)
        return torch.optim.AdamW(
            groups, lr=stage.lr, betas=(0.9, 0.95), weight_decay=decay, fused=fused
        )
    if stage.optimiser == "sgd":
        optimiser = torch.optim.SGD(
            named.values(), lr=stage.lr, momentum=0.9, weight_decay=decay, fused=fused
        )
        _fill_momentum(optimiser)
        return optimiser
    groups = _by_decay(named, decay)
    # timm adapts what decays; these are to be adapted with a decay of zero, too.
    groups[0]["always_adapt"] = True
    timm()
    from timm.optim import Lamb, Lars

    if stage.optimiser == "lars":
        return Lars(groups, lr=stage.lr, momentum=0.9)
    return Lamb(groups, lr=stage.lr)


def _with_own_kernels(
    optimiser: torch.optim.Optimizer, state: dict[str, Any]
) -> dict[str, Any]:
    """Take from a saved state what was learned, and not the kernels of its device."""
    groups = [
        {**saved, **{name: own[name] for name in _KERNELS if name in own}}
        for saved, own in zip(state["param_groups"], optimiser.param_groups, strict=True)
    ]
    return {**state, "param_groups": groups}


def _lay_out_as_weights(optimiser: torch.optim.Optimizer) -> None:
    """Give what is kept of each weight the order in memory that the weight has.

    A checkpoint knows one order only. Fused kernels go through both side by side: on a
    GPU they refuse other strides, on a CPU they would mix the numbers up.
    """
    for weight, values in optimiser.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                values[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)
    _fill_momentum(optimiser)


def _fill_momentum(optimiser: torch.optim.Optimizer) -> None:
    """Let the momentum of a fused SGD begin with zeros.

    torch leaves it as it finds the memory if the first gradient overflows, and that step
    is left out.
    """
    for group in optimiser.param_groups:
        if isinstance(optimiser, torch.optim.SGD) and group["fused"]:
            for weight in group["params"]:
                if optimiser.state[weight].get("momentum_buffer") is None:
                    optimiser.state[weight]["momentum_buffer"] = torch.zeros_like(weight)


def _moving(stage: Stage, network: Network) -> _Named:
    """Let the weights that a stage trains move, and no others; return them by name."""
    backbone, projector = network.backbone, (network.hidden, network.output)
    moving: dict[MovingWeights, tuple[nn.Module, ...]] = {
        "all": (network,),
        "projector": projector,
        "output": (network.output,),
    }
    network.requires_grad_(False)
    if isinstance(backbone, LearnedOn):
        head = (backbone.adapter, *projector)
        moving |= {"head": head, "blocks": head}
        moving |= {"adapters": (backbone.low_rank, *head), "all": (backbone.net, *head)}
    for part in moving[stage.trains]:
        part.requires_grad_(True)
    if network.spec.first_layer == "whitened":
        first_layer_of(backbone).requires_grad_(False)
    if stage.last_blocks is not None and isinstance(backbone, LearnedOn):
        numbers = backbone.blocks()
        resting = max(numbers.values()) - stage.last_blocks
        for weight, number in numbers.items():
            weight.requires_grad_(number > resting)
    return {name: p for name, p in network.named_parameters() if p.requires_grad}


def _by_block(
    optimiser: torch.optim.Optimizer, decay: float, backbone: LearnedOn
) -> list[dict[str, Any]]:
    """Divide the groups of an optimiser by the blocks of their weights, the first ones first.

    What follows the blocks learns at the whole rate.
    """
    numbers = backbone.blocks()
    after = max(numbers.values()) + 1
    groups = []
    for group in optimiser.param_groups:
        parts: dict[int, list[nn.Parameter]] = {}
        for weight in group["params"]:
            parts.setdefault(numbers.get(weight, after), []).append(weight)
        groups += [
            {**group, "params": parts[number], "scale": decay ** (after - number)}
            for number in sorted(parts)
        ]
    return groups


def _by_decay(named: _Named, decay: float) -> list[dict[str, Any]]:
    """Divide weights into those that decay and those that do not."""
    exempt = {name for name, p in named.items() if p.ndim <= 1 or name.endswith(".bias")}
    return [
        {"params": [p for n, p in named.items() if n not in exempt], "weight_decay": decay},
        {"params": [p for n, p in named.items() if n in exempt], "weight_decay": 0.0},
    ]


def _hidden_weights(network: Network) -> set[int]:
    """Ids of the weights of linear layers and convolutions between the first and the last.

    Convolutions of one channel at a time are no matrices, and tokens and position
    embeddings no layers.
    """
    layers = [part for part in network.modules() if isinstance(part, nn.Linear | nn.Conv2d)]
    weights = {id(layer.weight) for layer in layers if getattr(layer, "groups", 1) == 1}
    # The layers of the backbone come first, and the first of them looks at the patch.
    return weights - {id(layers[0].weight), *map(id, network.output.parameters())}
