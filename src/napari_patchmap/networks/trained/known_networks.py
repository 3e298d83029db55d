"""Networks for images of cells and tissue that people ask for, and what is known of them.

By the cards and files of their publishers at Hugging Face, and by how TRIDENT and LazySlide
load them, as of November 2026. What a network's own config.json says goes before. Arguments
stand here where a network cannot be made without them and its config.json may lack them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_patchmap.networks.trained.trained_record import Pooling

#: In front of a repository at Hugging Face, and of a folder; as timm has them.
HUB, FOLDER = "hf-hub:", "local-dir:"

#: Kinds of pictures that networks are suggested for.
KINDS = ("blood", "tissue", "fluorescence", "anything")

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_HALF = (0.5,) * 3, (0.5,) * 3
_LUNIT = (0.70322989, 0.53606487, 0.66096631), (0.21716536, 0.26081574, 0.20723464)
_OPTIMUS = (0.707223, 0.578729, 0.703617), (0.211883, 0.230117, 0.177517)
_SWIGLU = {"mlp_layer": "SwiGLUPacked", "act_layer": "silu"}


@dataclass(frozen=True, kw_only=True)
class KnownNetwork:
    """A published network: what it is for, how it is had, and how timm makes it.

    Parameters
    ----------
    title : str
        What people call it.
    name : str
        What it is called as a backbone: ``hf-hub:OWNER/NAME``, a model of timm, or a ResNet.
    kinds : tuple of str
        Of ``KINDS``, what it is suggested for; empty for what is only known.
    millions : float
        Weights in millions; four times that are the megabytes of its file. 0 if unknown.
    licence : str
        Of the weights.
    gated : bool
        Whether the weights are given only to those who ask.
    architecture : str
        Of timm; "" where only its own config.json says.
    arguments : mapping
    pooling : Pooling or None
        That of its publishers, where it is not what timm does.
    normalised : (mean, standard deviation)
        Of images in [0, 1].
    side : int
        Of the images that it was trained on, in pixels.
    mpp : float
        Micrometres per pixel of these, 0 where there were several or nobody says.
    channels : tuple of str
        Names of its channels where they are not red, green and blue.
    """

    title: str
    name: str
    kinds: tuple[str, ...] = ()
    millions: float = 0.0
    licence: str = ""
    gated: bool = False
    architecture: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    pooling: Pooling | None = None
    normalised: tuple[tuple[float, ...], tuple[float, ...]] = _IMAGENET
    side: int = 224
    mpp: float = 0.0
    channels: tuple[str, ...] = ()

    @property
    def megabytes(self) -> float:
        """Size of the file of its weights, about; 0 if unknown."""
        return 4 * self.millions

    def config(self) -> dict[str, Any]:
        """Return it as timm writes what it knows of weights, with what timm has no name for."""
        mean, std = self.normalised
        known: dict[str, Any] = {"license": self.licence}
        if self.mpp:
            known["mpp"] = self.mpp
        if self.channels:
            return known | {"channel_names": list(self.channels)}
        return known | {
            "input_size": (3, self.side, self.side),
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": mean,
            "std": std,
        }

    def line(self) -> str:
        """Say in a few words what it is: size, licence, whether one has to ask."""
        said = [f"for {', '.join(self.kinds)}"] if self.kinds else []
        said += [f"{self.megabytes:,.0f} MB"] if self.millions else []
        said += [self.licence or "licence unknown"]
        return ", ".join([*said, *(["to be asked for"] if self.gated else [])])


def _blood(size: str, architecture: str, millions: float) -> KnownNetwork:
    return KnownNetwork(
        title=f"DinoBloom {size[0].upper()}",
        name=f"{HUB}1aurent/vit_{size}_patch14_224.dinobloom",
        kinds=("blood",),
        millions=millions,
        licence="apache-2.0",
        architecture=architecture,
        arguments={"img_size": 224},
    )


def _asked_for(
    title: str,
    repository: str,
    millions: float,
    architecture: str,
    arguments: Mapping[str, Any],
    normalised: tuple[tuple[float, ...], tuple[float, ...]] = _IMAGENET,
) -> KnownNetwork:
    """Describe one for tissue at 0.5 micrometres per pixel, given to researchers who ask."""
    return KnownNetwork(
        title=title,
        name=HUB + repository,
        kinds=("tissue",),
        millions=millions,
        licence="cc-by-nc-nd-4.0",
        gated=True,
        architecture=architecture,
        arguments=arguments,
        normalised=normalised,
        mpp=0.5,
    )


#: What is suggested for a kind comes in this order: the one to begin with first.
NETWORKS: tuple[KnownNetwork, ...] = (
    _blood("small", "vit_small_patch14_dinov2", 21.6),
    _blood("base", "vit_base_patch14_dinov2", 85.7),
    _blood("large", "vit_large_patch14_dinov2", 303.2),
    KnownNetwork(
        title="Kaiko S16",
        name=f"{HUB}1aurent/vit_small_patch16_224.kaiko_ai_towards_large_pathology_fms",
        kinds=("tissue",), millions=21.7, licence="kaiko-non-commercial",
        architecture="vit_small_patch16_224", normalised=_HALF,
    ),
    KnownNetwork(
        title="Lunit S8", name=f"{HUB}1aurent/vit_small_patch8_224.lunit_dino",
        kinds=("tissue",), millions=21.7, licence="lunit-non-commercial", mpp=0.5,
        architecture="vit_small_patch8_224", normalised=_LUNIT,
    ),
    _asked_for(
        "H0-mini", "bioptimus/H0-mini", 85.7, "vit_base_patch14_reg4_dinov2",
        {"mlp_ratio": 5.33334, **_SWIGLU}, _OPTIMUS,
    ),
    _asked_for(
        "UNI", "MahmoodLab/UNI", 303.4, "vit_large_patch16_224", {"init_values": 1e-5}
    ),
    _asked_for(
        "UNI2-h", "MahmoodLab/UNI2-h", 681.4, "vit_giant_patch14_224",
        {
            "depth": 24, "num_heads": 24, "init_values": 1e-5, "embed_dim": 1536,
            "mlp_ratio": 5.33334, "no_embed_class": True, "reg_tokens": 8, **_SWIGLU,
        },
    ),
    KnownNetwork(
        title="Virchow", name=f"{HUB}paige-ai/Virchow", kinds=("tissue",), millions=631.2,
        licence="apache-2.0", gated=True, mpp=0.5, architecture="vit_huge_patch14_224",
        arguments={
            "init_values": 1e-5, "mlp_ratio": 5.3375, "global_pool": "", **_SWIGLU,
        },
        pooling="class+mean",
    ),
    KnownNetwork(
        title="Virchow2", name=f"{HUB}paige-ai/Virchow2", kinds=("tissue",), millions=631.2,
        licence="cc-by-nc-nd-4.0", gated=True, architecture="vit_huge_patch14_224",
        arguments={
            "init_values": 1e-5, "mlp_ratio": 5.3375, "global_pool": "", "reg_tokens": 4,
            **_SWIGLU,
        },
        pooling="class+mean",
    ),
    KnownNetwork(
        title="H-optimus-0", name=f"{HUB}bioptimus/H-optimus-0", kinds=("tissue",),
        millions=1134.8, licence="apache-2.0", mpp=0.5, normalised=_OPTIMUS,
        architecture="vit_giant_patch14_reg4_dinov2", arguments={"init_values": 1e-5},
    ),
    _asked_for(
        "H-optimus-1", "bioptimus/H-optimus-1", 1134.8, "vit_giant_patch14_reg4_dinov2",
        {"init_values": 1e-5}, _OPTIMUS,
    ),
    KnownNetwork(
        title="DINOv2 S", name="vit_small_patch14_dinov2.lvd142m",
        kinds=("fluorescence", "anything"), millions=22.1, licence="apache-2.0", side=518,
        architecture="vit_small_patch14_dinov2",
    ),
    KnownNetwork(
        title="DINOv3 S", name="vit_small_patch16_dinov3.lvd1689m",
        kinds=("fluorescence", "anything"), millions=21.6, licence="dinov3-license", side=256,
        architecture="vit_small_patch16_dinov3",
    ),
    KnownNetwork(
        title="DINOv2 B", name="vit_base_patch14_dinov2.lvd142m",
        kinds=("fluorescence", "anything"), millions=86.6, licence="apache-2.0", side=518,
        architecture="vit_base_patch14_dinov2",
    ),
    KnownNetwork(
        title="scDINO v2 (blood cells, 5 channels)", name=f"{HUB}CSEM-AI4LS/scdino-v2-base",
        kinds=("fluorescence",), licence="mit", side=50,
        # Each of its channels has several markers.
        channels=("647", "brightfield", "DAPI", "488", "594"),
    ),
    KnownNetwork(
        title="EfficientNet-Lite0", name="tf_efficientnet_lite0", kinds=("anything",),
        millions=4.7, licence="apache-2.0", architecture="tf_efficientnet_lite0",
    ),
    KnownNetwork(
        title="ResNet18", name="resnet18", kinds=("anything",), millions=11.7,
        licence="bsd-3-clause", architecture="resnet18",
    ),
)  # fmt: skip

#: By owner and name, those of Hugging Face.
KNOWN: Mapping[str, KnownNetwork] = {
    one.name.removeprefix(HUB): one for one in NETWORKS if one.name.startswith(HUB)
}


def suggested(kind: str) -> tuple[KnownNetwork, ...]:
    """Return the networks that are suggested for a kind of pictures, the first one first."""
    return tuple(one for one in NETWORKS if kind in one.kinds)


def known_of(place: str) -> KnownNetwork | None:
    """Return what is known of a network by owner and name, or by the folder it lies in."""
    if place in KNOWN:
        return KNOWN[place]
    folders = Path(place).parts[::-1]
    for repository, network in KNOWN.items():
        # As people name a folder, and as the hub's client does.
        if {repository.split("/")[1], "models--" + repository.replace("/", "--")} & {*folders}:
            return network
    return None
