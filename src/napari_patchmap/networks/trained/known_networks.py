"""What has to be known of some networks beyond what lies beside their weights.

By the cards of their publishers. Arguments stand here where a network cannot be made
without them and its config.json may lack them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_patchmap.networks.trained.trained_record import Pooling

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_OPTIMUS = (0.707223, 0.578729, 0.703617), (0.211883, 0.230117, 0.177517)
_SWIGLU = {"mlp_layer": "SwiGLUPacked", "act_layer": "silu"}


@dataclass(frozen=True)
class KnownNetwork:
    """A network at Hugging Face: how timm makes it, and how its images are prepared."""

    architecture: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    pooling: Pooling | None = None
    normalised: tuple[tuple[float, ...], tuple[float, ...]] = _IMAGENET
    side: int = 224

    def config(self) -> dict[str, Any]:
        """Return it as timm writes what it knows of weights."""
        mean, std = self.normalised
        return {
            "input_size": (3, self.side, self.side),
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": mean,
            "std": std,
        }


#: By owner and name.
KNOWN: Mapping[str, KnownNetwork] = {
    "1aurent/vit_small_patch14_224.dinobloom": KnownNetwork(
        "vit_small_patch14_dinov2", {"img_size": 224}, "apache-2.0"
    ),
    "1aurent/vit_large_patch14_224.dinobloom": KnownNetwork(
        "vit_large_patch14_dinov2", {"img_size": 224}, "apache-2.0"
    ),
    "MahmoodLab/UNI": KnownNetwork(
        "vit_large_patch16_224", {"init_values": 1e-5}, "cc-by-nc-nd-4.0"
    ),
    "MahmoodLab/UNI2-h": KnownNetwork(
        "vit_giant_patch14_224",
        {"depth": 24, "num_heads": 24, "init_values": 1e-5, "embed_dim": 1536,
         "mlp_ratio": 5.33334, "no_embed_class": True, "reg_tokens": 8, **_SWIGLU},
        "cc-by-nc-nd-4.0",
    ),
    "paige-ai/Virchow": KnownNetwork(
        "vit_huge_patch14_224",
        {"init_values": 1e-5, "mlp_ratio": 5.3375, "global_pool": "", **_SWIGLU},
        "apache-2.0",
        "class+mean",
    ),
    "paige-ai/Virchow2": KnownNetwork(
        "vit_huge_patch14_224",
        {"init_values": 1e-5, "mlp_ratio": 5.3375, "global_pool": "", "reg_tokens": 4,
         **_SWIGLU},
        "cc-by-nc-nd-4.0",
        "class+mean",
    ),
    "bioptimus/H-optimus-0": KnownNetwork(
        "vit_giant_patch14_reg4_dinov2", {"init_values": 1e-5}, "apache-2.0", None, _OPTIMUS
    ),
    "bioptimus/H-optimus-1": KnownNetwork(
        "vit_giant_patch14_reg4_dinov2", {"init_values": 1e-5}, "", None, _OPTIMUS
    ),
    "bioptimus/H0-mini": KnownNetwork(
        "vit_base_patch14_reg4_dinov2", dict(_SWIGLU), "", None, _OPTIMUS
    ),
}  # fmt: skip


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
