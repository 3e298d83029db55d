"""The one place that decides where and in which precision a run is computed."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from napari_patchmap.errors import TrainingError


@dataclass(frozen=True)
class Device:
    """Where a run is computed, and why.

    Parameters
    ----------
    target : torch.device
    half : torch.dtype or None
        Half precision for convolutions and hidden layers; None for float32.
        Loss and output layer are always float32.
    reason : str
        One sentence for people.
    """

    target: torch.device
    half: torch.dtype | None
    reason: str

    @property
    def is_cpu(self) -> bool:
        """Whether this is the CPU."""
        return self.target.type == "cpu"


def choose_device(wanted: str = "auto") -> Device:
    """Choose a device and its precision.

    Parameters
    ----------
    wanted : {"auto", "cpu", "cuda", "mps"}

    Raises
    ------
    TrainingError
        If the wanted device is not there.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise TrainingError(
            "No CUDA GPU can be used here; choose device auto or cpu, or install a CUDA build "
            "of torch."
        )
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise TrainingError("No Apple GPU can be used here; choose device auto or cpu.")
    if wanted == "cuda" or (wanted == "auto" and torch.cuda.is_available()):
        name = torch.cuda.get_device_name()
        if torch.cuda.get_device_capability() >= (8, 0):
            return Device(torch.device("cuda"), torch.bfloat16, f"GPU {name}, bfloat16")
        return Device(torch.device("cuda"), None, f"GPU {name}, float32")
    if wanted == "mps" or (wanted == "auto" and torch.backends.mps.is_available()):
        return Device(torch.device("mps"), None, "Apple GPU, float32")
    cores = torch.get_num_threads()
    if _cpu_has_bfloat16():
        return Device(torch.device("cpu"), torch.bfloat16, f"CPU, {cores} threads, bfloat16")
    return Device(torch.device("cpu"), None, f"CPU, {cores} threads, float32")


def _cpu_has_bfloat16() -> bool:
    """Whether bfloat16 is computed in hardware; emulated it would be slower."""
    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check and check())
