"""A backbone with its projector, and the numbers that rebuild it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import chain, pairwise
from typing import Any, Self

import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.backbones import make_backbone

#: More values of a patch, weights of a layer, or layers than any run has; a file may claim
#: others, and memory would be taken for them before its weights are looked at.
_MOST_INPUTS, _MOST_WEIGHTS, _MOST_LAYERS = 2**28, 2**28, 64


@dataclass(frozen=True)
class NetworkSpec:
    """What a network looks like; saved with a run.

    Parameters
    ----------
    backbone : str
    channels : int
    size : (height, width)
        Training size in pixels.
    hidden : tuple of int
        Units of each of the projector's hidden layers.
    norm : bool
        Whether the features and the hidden layers are batch-normalised.
    out_dim : int
        Outputs of the projector; 2 for a map, 0 for features alone.
    head : {"projector", "prototypes"}
        A projector; or DINO's, which says how alike the features are to each of
        ``out_dim`` prototypes and makes no map.
    """

    backbone: str
    channels: int
    size: tuple[int, int]
    hidden: tuple[int, ...] = (1024,)
    norm: bool = False
    out_dim: int = 128
    head: str = "projector"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"size": list(self.size), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild a spec written by :meth:`to_dict`, by somebody who may mean no good.

        Raises
        ------
        ConfigError
            If no network is so large that is trained here.
        """
        height, width = (int(side) for side in values["size"])
        hidden = tuple(int(units) for units in values["hidden"])
        spec = cls(**{**values, "size": (height, width), "hidden": hidden})
        layers = [*hidden, max(1, spec.out_dim)]
        if (
            min(height, width, spec.channels, *layers) < 1
            or height * width * spec.channels > _MOST_INPUTS
            or any(one * other > _MOST_WEIGHTS for one, other in pairwise([1, *layers]))
            or len(layers) > _MOST_LAYERS
        ):
            raise ConfigError(
                f"The network of {spec.channels} channel(s), {width} x {height} px and layers "
                f"of {layers} is not one that is trained here"
            )
        return spec


class Network(nn.Module):
    """Backbone and projector: patch -> features -> hidden layer -> output.

    By default the projector is that of Nwabufo et al.: one hidden layer with
    ReLU, no normalisation, biases on. The output is computed in float32 whatever
    the rest is computed in, since maps reach coordinates where half precision is
    coarse.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.backbone = make_backbone(spec.backbone, spec.channels, spec.size)
        width = int(self.backbone.out_features)  # type: ignore[arg-type]
        if spec.head == "prototypes":
            self.hidden, width = _smooth_layers(width, spec)
            self.output: nn.Linear | Prototypes = Prototypes(width, spec.out_dim)
            return
        self.hidden, width = _hidden_layers(width, spec)
        # Without outputs there is nothing to learn, and no projector.
        self.output = _output(width, spec.out_dim)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(chain(self.parameters(), self.buffers())).device

    def features(self, images: Tensor) -> Tensor:
        """Return backbone features, shape (b, d)."""
        return self.backbone(images)

    def project(self, features: Tensor) -> Tensor:
        """Return the projector's output for features, float32, shape (b, out_dim)."""
        if self.output is None:
            return features.new_zeros(len(features), 0, dtype=torch.float32)
        hidden = self.hidden(features)
        with torch.autocast(hidden.device.type, enabled=False):
            return self.output(hidden.float())

    def forward(self, images: Tensor) -> Tensor:
        """Return the projector's output, float32, shape (b, out_dim)."""
        return self.project(self.features(images))

    def replace_output(self, weight: Tensor, bias: Tensor) -> None:
        """Put another output layer in, with as many outputs as ``weight`` has rows."""
        device = self.device
        layer = nn.Linear(weight.shape[1], weight.shape[0], device=device)
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        self.output = layer
        self.spec = NetworkSpec(**{**asdict(self.spec), "out_dim": int(weight.shape[0])})

    def renew_projector(self, out_dim: int = 2) -> None:
        """Put a new projector in, its weights drawn at random.

        Outputs begin close together, so that a map unfolds from its middle.
        """
        device = self.device
        hidden, width = _hidden_layers(int(self.backbone.out_features), self.spec)  # type: ignore[arg-type]
        self.hidden = hidden.to(device)
        output = nn.Linear(width, out_dim)
        with torch.no_grad():
            output.weight.mul_(0.1)
        self.output = output.to(device)
        self.spec = NetworkSpec(**{**asdict(self.spec), "out_dim": out_dim})


class Prototypes(nn.Module):
    """Cosine of the angle between features and each of some directions.

    A linear layer with weight normalisation whose lengths are fixed at 1, on
    normalised features: the last layer of Caron et al. 2021.

    Parameters
    ----------
    width : int
        Of the features.
    count : int
        Directions.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, width))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, features: Tensor) -> Tensor:
        """Return the cosines, shape (b, count)."""
        normalised = nn.functional.normalize(features, dim=1)
        return nn.functional.linear(normalised, nn.functional.normalize(self.weight, dim=1))


def _smooth_layers(width: int, spec: NetworkSpec) -> tuple[nn.Sequential, int]:
    """Make DINO's hidden layers: GELU after all but the last, small weights."""
    layers: list[nn.Module] = [nn.BatchNorm1d(width, affine=False)] if spec.norm else []
    for i, units in enumerate(spec.hidden):
        linear = nn.Linear(width, units)
        nn.init.trunc_normal_(linear.weight, std=0.02)
        nn.init.zeros_(linear.bias)
        if i:
            layers += [nn.BatchNorm1d(width)] if spec.norm else []
            layers.append(nn.GELU())
        layers.append(linear)
        width = units
    return nn.Sequential(*layers), width


def _hidden_layers(width: int, spec: NetworkSpec) -> tuple[nn.Sequential, int]:
    """Make the hidden layers of a projector; return them and the units of the last."""
    layers: list[nn.Module] = [nn.BatchNorm1d(width, affine=False)] if spec.norm else []
    for units in spec.hidden:
        layers.append(nn.Linear(width, units, bias=not spec.norm))
        layers += [nn.BatchNorm1d(units)] if spec.norm else []
        layers.append(nn.ReLU(inplace=True))
        width = units
    return nn.Sequential(*layers), width


def _output(width: int, out_dim: int) -> nn.Linear:
    """Make the output layer; None for features alone, which nobody asks for an output."""
    return nn.Linear(width, out_dim) if out_dim else None  # type: ignore[return-value]
