"""A backbone with its projector, and the numbers that rebuild it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import chain, pairwise
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.backbones import make_backbone, weigh_borders_more
from napari_patchmap.networks.first_layer import FirstLayer
from napari_patchmap.networks.heads import HEADS, projector
from napari_patchmap.networks.trained.trained_record import TrainedRecord
from napari_patchmap.networks.whitening import Whitening

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
    head : str
        What follows the features, one of ``HEADS``.
    even_borders : bool
        Whether the compact network's averages count all pixels alike; those of runs before
        2026-11-28 do not, see :func:`~napari_patchmap.networks.backbones.weigh_borders_more`.
    first_layer : {"learned", "whitened"}
        Whether the first layer of the backbone learns, as that of all runs before 2026-11-28,
        or rests on main axes of the patches, see :mod:`~napari_patchmap.networks.first_layer`.
    whitening : float
        Power of the :class:`~napari_patchmap.networks.whitening.Whitening` of the features that
        are given away, 0 for none; the projector sees them as they are.
    trained : TrainedRecord, optional
        How a backbone that came trained is made, and how images are prepared for it.

    Raises
    ------
    ConfigError
        If there is no such head.
    """

    backbone: str
    channels: int
    size: tuple[int, int]
    hidden: tuple[int, ...] = (1024,)
    norm: bool = False
    out_dim: int = 128
    head: str = "projector"
    even_borders: bool = True
    first_layer: FirstLayer = "learned"
    whitening: float = 0.0
    trained: TrainedRecord | None = None

    def __post_init__(self) -> None:
        if self.head not in HEADS:
            raise ConfigError(
                f"There is no network head {self.head!r}; there are {', '.join(HEADS)}"
            )

    @property
    def makes_map(self) -> bool:
        """Whether outputs can be places on a map, or are of use while learning alone."""
        return HEADS[self.head].makes_map

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"size": list(self.size), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild a spec written by :meth:`to_dict`, by somebody who may mean no good.

        Raises
        ------
        ConfigError
            If no network is so large that is trained here, or has such a head.
        """
        height, width = (int(side) for side in values["size"])
        hidden = tuple(int(units) for units in values["hidden"])
        known = {"even_borders": False, **values}  # which older runs do not say
        if known.get("trained") is not None:
            known["trained"] = TrainedRecord.from_dict(known["trained"])
        spec = cls(**{**known, "size": (height, width), "hidden": hidden})
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
        self.backbone = make_backbone(
            spec.backbone,
            spec.channels,
            spec.size,
            spec.trained,
            whitened=spec.first_layer == "whitened",
        )
        if not spec.even_borders:
            weigh_borders_more(self.backbone)
        self.hidden, self.output = HEADS[spec.head].make(
            self.width, spec.hidden, spec.out_dim, norm=spec.norm
        )
        self.whitening = Whitening(self.width) if spec.whitening else None

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(chain(self.parameters(), self.buffers())).device

    @property
    def width(self) -> int:
        """How many features the backbone gives."""
        return int(self.backbone.out_features)  # type: ignore[arg-type]

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

    def whiten(self, features: np.ndarray, power: float) -> np.ndarray:
        """Whiten these features (n, d) and, from now on, all that are given away."""
        self.whitening = Whitening(self.width).to(self.device)
        self.whitening.fit(features, power)
        self.spec = replace(self.spec, whitening=power)
        return self.given_away(features)

    def given_away(self, features: np.ndarray) -> np.ndarray:
        """Return features (n, d) of the backbone as people and layouts get them."""
        if self.whitening is None:
            return features
        return self.whitening.of(features)

    def replace_output(self, weight: Tensor, bias: Tensor) -> None:
        """Put another output layer in, with as many outputs as ``weight`` has rows."""
        device = self.device
        layer = nn.Linear(weight.shape[1], weight.shape[0], device=device)
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        self.output = layer
        self.spec = replace(self.spec, out_dim=int(weight.shape[0]))

    def renew_projector(self, out_dim: int = 2) -> None:
        """Put a new projector in, its weights drawn at random.

        Outputs begin close together, so that a map unfolds from its middle.
        """
        device, spec = self.device, self.spec
        hidden, output = projector(self.width, spec.hidden, out_dim, norm=spec.norm)
        with torch.no_grad():
            output.weight.mul_(0.1)
        self.hidden, self.output = hidden.to(device), output.to(device)
        self.spec = replace(spec, out_dim=out_dim)
