"""Importing torchvision where its compiled part does not match torch.

On Linux, PyPI's torchvision is compiled for CUDA. Beside a CPU build of torch
its operators do not load, and ``import torchvision`` fails although nothing
used here needs them. Declaring the two operators it looks for lets it import.
"""

from __future__ import annotations

import sys
from types import ModuleType

import torch

_declared: list[torch.library.Library] = []


def torchvision() -> ModuleType:
    """Return torchvision, its pure Python part at least."""
    if "torchvision" not in sys.modules:
        try:
            import torchvision
        except RuntimeError as error:
            if "torchvision::" not in str(error):
                raise
            _forget_half_imported()
            _declare("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _declare("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    return torchvision


def _forget_half_imported() -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        del sys.modules[name]


def _declare(schema: str) -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define(schema)
    _declared.append(library)  # the operators live as long as the library object
