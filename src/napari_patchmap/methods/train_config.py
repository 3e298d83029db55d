"""Settings of a training: method, time, network, optimiser, layout, computer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from napari_patchmap.errors import ConfigError
from napari_patchmap.layout.neighbour_search import Metric
from napari_patchmap.layout.tsne import QUICK, Start, Tsne
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.learn_on import LearnOn, how_far
from napari_patchmap.methods.stage import Optimiser
from napari_patchmap.networks.backbones import BACKBONES
from napari_patchmap.networks.fine_tuned import PUBLISHED
from napari_patchmap.networks.trained.known_networks import NETWORKS
from napari_patchmap.networks.trained.network_names import check_name
from napari_patchmap.networks.trained.trained_record import MOST_RANK, ChannelUse, Pooling
from napari_patchmap.settings import Config, setting

#: Settings of a t-SNE among those of a training.
TSNE_SETTINGS = (
    "perplexity", "exaggeration", "last_exaggeration", "tsne_iterations", "tsne_start",
    "tsne_metric", "dimensions", "seed",
)  # fmt: skip

#: Power of the whitening with the preset quick; benchmarks/README.md has what was tried.
WHITENING = 0.75

_EACH = "; ".join(f"{method.name}: {method.help}" for method in METHODS.values())
_STAGES = ", ".join(f"{m.name} has {len(m.stages)}" for m in METHODS.values() if m.trains)

#: Networks that came trained, and what the list says of them in place of their names.
_SUGGESTED = {
    one.name: f"{one.title}: {one.line()}" for one in NETWORKS if one.name not in BACKBONES
}

_network = partial(setting, group="Network", rare=True)
_computer = partial(setting, group="Computer", rare=True)
_tsne = partial(setting, group="t-SNE", rare=True)
_own = partial(setting, group="Your own features")


@dataclass(frozen=True)
class TrainConfig(Config):
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

    method: str = setting(
        "tsimcne",
        f"How the map is made. {_EACH}.",
        group="Method",
        choices=tuple(METHODS),
        titles={method.name: method.title for method in METHODS.values()},
    )
    preset: Literal["quick", "standard", "paper"] = setting(
        "quick",
        "quick: a recipe for minutes, on a laptop or a GPU; standard: the published one with a "
        "shorter schedule; paper: the published one (hours on a GPU).",
        group="Method",
    )
    features: str | None = _own(
        None,
        "Of the method features: a file with a row of numbers for each patch (.npy, .csv, "
        ".parquet, .h5ad), joined by file names, ids or a column index, as tables of labels "
        "are; by order only where nothing else tells.",
        label="File of features",
        file=True,
    )
    feature_columns: str | None = _own(
        None,
        "Which of it are features: of a table, names of columns separated by commas, in which "
        "* stands for anything (emb_*); of .h5ad, X or the key of an array in obsm (X_pca). "
        "Empty takes all numbers of a table that are no id, class or place, and X.",
        label="Columns or array",
    )
    feature_scaling: Literal["auto", "standard", "none"] = _own(
        "auto",
        "standard: each feature is brought to the mean 0 and the deviation 1; none: as they "
        "are. auto takes standard for columns of tables and X of .h5ad, which are measured in "
        "units of their own, and none for .npy and arrays in obsm, which networks made.",
        label="Scaling",
        rare=True,
    )
    feature_gaps: Literal["refuse", "median", "columns"] = _own(
        "refuse",
        "Features that are no finite numbers: refuse them, take the median of the feature in "
        "place of them, or leave these features (columns) out.",
        label="Gaps",
        rare=True,
    )
    even_by: str | None = _own(
        None,
        "Technical column of the patches' table (plate, slide, day) between whose values the "
        "features are evened out before they are laid out, as patchmap even does it.",
        label="Even out by",
        rare=True,
    )
    minutes: float | None = setting(
        None,
        "Plan the training to end within this time, evaluation included; empty follows the "
        "preset's epochs.",
        unit="min",
        low=0.1,
        high=100_000.0,
        step=1.0,
        group="Time",
    )
    epochs: tuple[float, ...] | None = setting(
        None,
        f"Passes over the patches in each stage ({_STAGES}), in place of minutes; empty "
        "follows the preset.",
        low=0.0,
        high=1e6,
        group="Time",
        rare=True,
        instead_of="minutes",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto", "Where to compute; auto takes a GPU if there is one.", group="Computer"
    )
    seed: int = setting(
        0,
        "Same seed, same machine: same map; on a GPU nearly the same.",
        low=0,
        high=2**31 - 1,
        group="Computer",
    )
    batch_size: int | None = _network(
        None,
        "Patches in a step; more give more to compare with. Empty follows the preset.",
        unit="patches",
        low=2,
        high=65536,
    )
    balance_by: str | None = _network(
        None,
        "Column of the patches' table, such as the label, or what was found in a saved run of "
        "these patches, as RUN:group: each batch then has as many patches of each value. Empty "
        "takes patches as they come.",
    )
    backbone: str | None = _network(
        None,
        "Network that looks at a patch: compact, resnet18, resnet34, resnet50, one of these "
        "with -small-kernel (for patches up to about 64 px), or the name of a timm model; "
        "empty takes compact on a CPU and the paper's resnet18-small-kernel on a GPU. For the "
        "method pretrained also hf-hub:OWNER/NAME of huggingface.co, a folder with the "
        "config.json and the weights of such a network, a file of weights, or two of these "
        "with a + between, whose features are set side by side (patchmap networks lists some "
        "by kind of picture); empty takes resnet18.",
        suggestions=(*BACKBONES, *_SUGGESTED),
        titles=_SUGGESTED,
    )
    architecture: str | None = _network(
        None,
        "Of pretrained, where the network is a file of weights that lies alone: the timm model "
        "to which they belong, such as vit_small_patch14_dinov2.",
    )
    input_side: int | None = _network(
        None,
        "Of pretrained: side to which patches are brought for the network. Empty takes, of a "
        "transformer, the multiple of its parts nearest to the patches, with at least 8 x 8 "
        "parts; of others the side they were trained with.",
        unit="px",
        low=8,
        high=2048,
    )
    pooling: Pooling | None = setting(
        None,
        "Of pretrained, for transformers: features are the class token (class), the mean of "
        "all parts (mean), or both; empty takes what the network's publishers take.",
        group="Network",
        rare=True,
    )
    channel_use: ChannelUse | None = setting(
        None,
        "Of pretrained, where the network takes other channels than the patches have: give "
        "it each channel as a grey image and put the features side by side (of more than 512 "
        "their main axes are kept), those that it takes by their names (named), or have its "
        "first layer adapted. Empty takes them by name if the network names its channels, else "
        "each.",
        label="Channels",
        group="Network",
        rare=True,
    )
    learn_on: LearnOn | None = setting(
        None,
        "How far a network that came trained learns from the patches: its head alone, then "
        "small adapters of its layers (LoRA) or its last blocks, then all of it. auto takes "
        "adapters for transformers, last blocks for others, and undoes each step that does not "
        "help to tell apart patches that were held out. Of a network with adapters the run "
        "keeps these alone, a few megabytes, as long as its own weights rest. Empty is auto "
        "for hf-hub: and folders, and none for pretrained.",
        titles={
            "auto": "as far as it helps",
            "none": "not at all",
            "head": "head alone",
            "adapters": "head, then adapters (LoRA)",
            "blocks": "head, then last blocks",
            "all": "head, last blocks, then all",
        },
        group="Network",
        rare=True,
    )
    layer_decay: float = _network(
        0.75,
        "Of learn on: rate at which a block of the network learns, as a share of that of the "
        "next one; 1 for one rate.",
        low=0.1,
        high=1.0,
        step=0.05,
    )
    last_blocks: int | None = _network(
        None,
        "Of learn on: how many blocks are the last ones; empty is a third of them.",
        low=1,
        high=1000,
    )
    adapter_rank: int = _network(
        8,
        "Of learn on: rank of the adapters; more can change the network further.",
        low=1,
        high=MOST_RANK,
    )
    channels_of_network: str | None = _network(
        None,
        "Of pretrained, where channels are called otherwise than the network's: which is "
        "which, the network's name first, as in DNA=Hoechst,ER=ConA.",
        label="Channel names",
    )
    whitening: float | None = _network(
        None,
        "How far the main axes of the features are brought to one spread: 0 not at all, 1 "
        "wholly. What a network learned first, such as brightness, then outweighs less what "
        "else tells patches apart. Empty takes 0.75 with the preset quick where a network "
        "sees images, else 0.",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    dimensions: int = _network(2, "Dimensions of the map.", low=2, high=128)
    precision: Literal["auto", "float32", "bfloat16", "float16"] = _computer(
        "auto",
        "Numbers to compute with; auto takes what this device does fast. Loss and output are "
        "always float32.",
    )
    pixels: Literal["auto", "memory", "stream"] = _computer(
        "auto",
        "Where pixels are kept: in the device's memory, or on disk and read while training; "
        "auto decides by size.",
    )
    compile: Literal["auto", "on", "off"] = _computer(
        "auto",
        "Try torch.compile and use it if it is faster; auto tries it on NVIDIA GPUs when "
        "training takes longer than some minutes.",
    )
    checkpoint_every: float = _computer(
        30.0,
        "Time between two checkpoints, from which an interrupted training is resumed.",
        label="Time between checkpoints",
        unit="s",
        low=0.0,
        high=86_400.0,
    )
    longest_side: int | None = _network(
        None,
        "Longer side at which patches are trained; empty takes their own, at most 64.",
        unit="px",
        low=8,
        high=1024,
    )
    optimiser: Optimiser | None = setting(
        None,
        "How the whole network learns; empty takes what goes with the network.",
        group="Network",
        rare=True,
    )
    learning_rate: float | None = _network(
        None,
        "Highest learning rate of the first stage, to which later ones keep their ratio; "
        "empty takes the one published for the optimiser.",
        low=1e-6,
        high=100.0,
        step=1e-6,
    )
    weight_decay: float | None = _network(
        None,
        "Pull of the weights towards zero while the whole network learns; empty takes the one "
        "published for the optimiser.",
        low=0.0,
        high=10.0,
        step=1e-6,
    )

    temperature: float | None = _network(
        None,
        "Of simclr: the smaller, the more the most similar patches are pushed apart; empty "
        "takes 0.5 (0.1 is published for histology).",
        low=0.01,
        high=10.0,
        step=0.05,
    )
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

    weights: str | None = _network(
        None,
        "What the network begins with: published (those of ImageNet, downloaded once), or a "
        "file of weights (.safetensors or .pth). Empty is random; for the method pretrained, "
        "published.",
        suggestions=(PUBLISHED,),
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
