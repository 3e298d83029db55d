"""Settings of a training: the network, how it learns, and how the computer is used for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from napari_patchmap.methods.learn_on import LearnOn
from napari_patchmap.methods.method_settings import MethodSettings
from napari_patchmap.methods.stage import Optimiser
from napari_patchmap.networks.backbones import BACKBONES
from napari_patchmap.networks.trained.known_networks import NETWORKS
from napari_patchmap.networks.trained.trained_record import MOST_RANK, ChannelUse, Pooling
from napari_patchmap.settings import setting

#: Networks that came trained, and what the list says of them in place of their names.
_SUGGESTED = {
    one.name: f"{one.title}: {one.line()}" for one in NETWORKS if one.name not in BACKBONES
}

_network = partial(setting, group="Network", rare=True)
_computer = partial(setting, group="Computer", rare=True)


@dataclass(frozen=True)
class NetworkSettings(MethodSettings):
    """The network, how it learns, and how the computer is used for it."""

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
