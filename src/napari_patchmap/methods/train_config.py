"""All settings of a training: method, time, network, optimiser, layout, computer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from napari_patchmap.errors import ConfigError
from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.layout.tsne import QUICK, Start, Tsne
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.learn_on import LearnOn, how_far
from napari_patchmap.methods.network_settings import NetworkSettings
from napari_patchmap.networks.fine_tuned import PUBLISHED
from napari_patchmap.networks.fixed import PRETRAINED
from napari_patchmap.networks.trained.network_names import check_name, is_place
from napari_patchmap.settings import setting

#: Settings of a t-SNE among those of a training.
TSNE_SETTINGS = (
    "perplexity", "exaggeration", "last_exaggeration", "tsne_iterations", "tsne_start",
    "tsne_metric", "dimensions", "seed",
)  # fmt: skip

#: Power of the whitening with the preset quick; benchmarks/README.md has what was tried.
WHITENING = 0.75

#: Those of a network that came trained, and of one that learns further.
_CAME_TRAINED = (
    "architecture", "input_side", "pooling", "channel_use", "channels_of_network",
)  # fmt: skip
_LEARNING_ON = ("layer_decay", "last_blocks", "adapter_rank")

_tsne = partial(setting, group="t-SNE", rare=True)


@dataclass(frozen=True)
class TrainConfig(NetworkSettings):
    """What is trained, for how long and on what. None means "decide for me".

    Raises
    ------
    ConfigError
        If a value is out of its range, or two do not go together.

    Examples
    --------
    >>> from napari_patchmap.runs import TrainConfig
    >>> TrainConfig(method="simclr", minutes=5).method
    'simclr'
    """

    perplexity: float = _tsne(
        30.0, "Of a t-SNE: about as many neighbours of each patch count.", low=1.0, high=1000.0
    )
    exaggeration: float = _tsne(
        1.0,
        "Of a t-SNE: how much more neighbours attract each other; 2 to 4 sets groups apart.",
        low=0.5,
        high=20.0,
        step=0.5,
    )
    last_exaggeration: float | None = _tsne(
        None,
        "Of a t-SNE: the exaggeration of 100 more iterations at the end; 2 sets groups apart "
        "and costs few neighbours, 1 leaves them out. Empty takes 2 with the preset quick "
        "where a network sees images, else leaves them out.",
        low=1.0,
        high=20.0,
        step=0.5,
    )
    tsne_iterations: int | None = _tsne(
        None,
        "Of a t-SNE: iterations after the early phase. Empty takes 250 with the preset quick "
        "where a network sees images, else 500, as is usual.",
        low=10,
        high=100_000,
        step=50,
    )
    tsne_start: Start = setting(
        "pca", "First positions of a t-SNE.", label="t-SNE start", group="t-SNE", rare=True
    )
    tsne_metric: Metric | None = setting(
        None,
        "Distance of features in a t-SNE. Empty takes cosine with the preset quick where a "
        "network sees images, else euclidean, as is usual.",
        label="t-SNE metric",
        group="t-SNE",
        rare=True,
    )

    def tsne(self) -> Tsne:
        """Return the t-SNE that lays the map out, if the method has one."""
        usual = QUICK if self._refines else Tsne()
        last = self.last_exaggeration or usual.last_exaggeration
        return Tsne(
            self.perplexity,
            self.exaggeration,
            self.tsne_start,
            self.tsne_metric or usual.metric,
            self.dimensions,
            self.seed,
            self.tsne_iterations or usual.iterations,
            last_exaggeration=last if last > 1 else 0.0,
        )

    @property
    def whitens(self) -> float:
        """Power of the whitening of the features, 0 for none."""
        usual = WHITENING if self._refines else 0.0
        return usual if self.whitening is None else self.whitening

    @property
    def _refines(self) -> bool:
        return self.preset == "quick" and METHODS[self.method].refines

    weights: str | None = setting(
        None,
        "What the network begins with: published (those of ImageNet, downloaded once), or a "
        "file of weights (.safetensors or .pth). Empty is random; for the method pretrained, "
        "published.",
        suggestions=(PUBLISHED,),
        group="Network",
        rare=True,
    )

    @property
    def learns_on(self) -> LearnOn | None:
        """How far a network that came trained goes on learning; None if there is none."""
        return how_far(self.learn_on, METHODS[self.method], self.backbone)

    def __post_init__(self) -> None:
        super().__post_init__()
        method = METHODS[self.method]
        if self.learns_on:
            check_name(self.backbone or "")
        else:
            method.check(self.backbone, self.weights)
        if self.features is not None and method.sees_images:
            raise ConfigError(
                "Features of your own are laid out by the method features; choose it, or leave "
                "their file out."
            )
        if method.layout == "tsne":
            self.tsne()  # which says what it cannot do


def unused_settings(values: Mapping[str, Any]) -> set[str]:
    """Name the settings that mean nothing while others have these values."""
    method, backbone = METHODS[values["method"]], values["backbone"]
    unused = {*method.unused, *method.not_seen}
    asked = values["learn_on"] not in (None, "none") or (backbone and is_place(backbone))
    learns_on = method.trains and asked
    if not learns_on:
        unused |= {*_LEARNING_ON}
    if not (learns_on or method.backbone_of(backbone, None, "").startswith(PRETRAINED)):
        unused |= {*_CAME_TRAINED}
    return unused
