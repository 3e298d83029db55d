"""Which network a file of weights looks like, by the names and sizes of its layers."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

#: Vision transformers by the number of their features.
_SIZES = {192: "tiny", 384: "small", 768: "base", 1024: "large"}


def guessed_architecture(weights: Mapping[str, Tensor]) -> str:
    """Return the timm model that weights look like, "" where nothing can be said.

    Of vision transformers, which is what files of cell and tissue networks mostly hold.
    """
    first = weights.get("patch_embed.proj.weight")
    if first is None or first.ndim != 4 or first.shape[0] not in _SIZES:
        return ""
    size, side = _SIZES[first.shape[0]], int(first.shape[-1])
    registers = weights.get("reg_token", weights.get("register_tokens"))
    if "blocks.0.ls1.gamma" in weights and side == 14:  # layer scale
        few = registers is not None and registers.shape[1] == 4
        return f"vit_{size}_patch14_{'reg4_' if few else ''}dinov2"
    return f"vit_{size}_patch{side}_224" if side in (8, 16, 32) else ""
