"""At which size a trained network sees patches, and what is made of them before."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.trained.making import make_timm_net

#: So many parts along each side a transformer sees at least: of fewer it can tell little.
_FEWEST = 8

#: Multiples in which other networks want the sides of images, and sides that many take.
_TRIED = (32, 64, 96, 112, 128, 160, 192, 224, 256)


class InputSize(NamedTuple):
    """Sizes in pixels, (height, width)."""

    #: Of what goes in.
    size: tuple[int, int]
    #: To which a patch is brought before the middle is cut out.
    scaled: tuple[int, int]
    #: Rows and columns of parts that a transformer sees, (0, 0) of others.
    tokens: tuple[int, int]
    #: What timm is to be told, so that the network takes such images.
    arguments: dict[str, Any]


def choose_size(
    architecture: str,
    arguments: dict[str, Any],
    config: dict[str, Any],
    patch: tuple[int, int],
    side: int | None,
) -> InputSize:
    """Choose the size at which a model of timm sees patches of (height, width).

    A transformer whose parts are all of one size sees a patch at the nearest multiple of
    that, in at least 8 x 8 parts; others as they were trained. ``side`` is a person's choice.

    Raises
    ------
    ConfigError
        If the network takes no images with sides of ``side`` px.
    """
    step, usual = part_side(architecture, arguments), native_side(config)
    if step:
        size = (side, side) if side else _nearest(patch, step)
        if side and side % step:
            near = step * max(1, side // step)
            raise ConfigError(
                f"{architecture} sees parts of {step} x {step} px, so it takes sides of "
                f"{near} or {near + step} px, not {side}; choose one of them."
            )
        tokens = size[0] // step, size[1] // step
        return InputSize(size, scaled_to(patch, size, config), tokens, {"img_size": list(size)})
    size = (side or usual, side or usual)
    for more in ({}, {"img_size": list(size)}):
        if _takes(architecture, arguments | more, config, size):
            return InputSize(size, scaled_to(patch, size, config), (0, 0), more)
    fits = [
        one
        for one in _TRIED
        if _takes(architecture, arguments, config, (one, one))
        or _takes(architecture, arguments | {"img_size": [one, one]}, config, (one, one))
    ]
    closest = sorted(sorted(fits, key=lambda one: abs(one - size[0]))[:2])
    raise ConfigError(
        f"{architecture} takes no images of {size[0]} x {size[0]} px; "
        + (
            f"choose {' or '.join(map(str, closest))} px."
            if fits
            else "choose another network."
        )
    )


def channels_of(config: dict[str, Any]) -> int:
    """Return how many channels the images had that a network was trained on."""
    return int(next(iter(config.get("input_size") or (3,))))


def native_side(config: dict[str, Any]) -> int:
    """Return the longer side, in pixels, of the images that a network was trained on."""
    return int(max(tuple(config.get("input_size") or (3, 224, 224))[1:]))


def part_side(architecture: str, arguments: dict[str, Any]) -> int:
    """Return the side in pixels of the parts that a plain transformer sees, 0 of others."""
    with torch.device("meta"):
        net = make_timm_net(architecture, arguments, 3)
    embedding = getattr(net, "patch_embed", None)
    steps = {_reduction(one) for one in getattr(net, "feature_info", [])}
    return steps.pop() if embedding is not None and len(steps) == 1 else 0


def _reduction(one: Any) -> int:
    return int(one["reduction"]) if isinstance(one, dict) else 0


def _nearest(patch: tuple[int, int], step: int) -> tuple[int, int]:
    scale = max(1.0, _FEWEST * step / min(patch))
    height, width = (step * max(_FEWEST, round(side * scale / step)) for side in patch)
    return height, width


def scaled_to(
    patch: tuple[int, int], size: tuple[int, int], config: dict[str, Any]
) -> tuple[int, int]:
    """Return the size to which a patch is brought before its middle is taken, as timm does."""
    share = float(config.get("crop_pct") or 0.875)
    whole = math.floor(size[0] / share), math.floor(size[1] / share)
    if config.get("crop_mode") == "squash":
        return whole
    height, width = patch
    if size[0] == size[1]:  # the shorter side, as torchvision has it
        short = min(patch)
        return int(whole[0] * height / short), int(whole[0] * width / short)
    scale = max(whole[0] / height, whole[1] / width)
    return max(whole[0], int(height * scale)), max(whole[1], int(width * scale))


def _takes(
    architecture: str, arguments: dict[str, Any], config: dict[str, Any], size: tuple[int, int]
) -> bool:
    channels = channels_of(config)
    try:
        with torch.device("meta"), torch.inference_mode():
            net: nn.Module = make_timm_net(architecture, arguments, channels).eval()
            net(torch.empty(1, channels, *size))
    except NotImplementedError:  # something that is only computed with numbers
        return True
    except (TypeError, ValueError, AssertionError, RuntimeError, ArithmeticError, LookupError):
        return False
    return True
