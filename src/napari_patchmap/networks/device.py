"""The one place that decides where and in which precision a run is computed."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from napari_patchmap import system
from napari_patchmap.errors import TrainingError

#: Half precisions by the names with which they can be asked for, the best first.
_PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": None}


CPU = torch.device("cpu")


@dataclass(frozen=True)
class Device:
    """Where a run is computed, and why."""

    target: torch.device
    #: Half precision for convolutions and hidden layers; None for float32, which loss and
    #: output layer always have.
    half: torch.dtype | None
    #: One sentence for people.
    reason: str

    @property
    def is_cpu(self) -> bool:
        """Whether this is the CPU."""
        return self.target.type == "cpu"

    @property
    def scales_loss(self) -> bool:
        """Whether gradients would vanish in float16 unless the loss is scaled."""
        return self.half == torch.float16

    @property
    def half_name(self) -> str | None:
        """Name of the half precision, as torch has it."""
        return None if self.half is None else str(self.half).removeprefix("torch.")

    def autocast(self) -> torch.autocast:
        """Compute in this precision."""
        return autocast(self.target, self.half)


def autocast(target: torch.device, half: torch.dtype | None) -> torch.autocast:
    """Compute in half precision where that is possible; None for float32."""
    return torch.autocast(target.type, dtype=half, enabled=half is not None)


def choose_device(wanted: str = "auto", precision: str = "auto") -> Device:
    """Choose a device and its precision.

    Parameters
    ----------
    wanted : {"auto", "cpu", "cuda", "mps"}
    precision : {"auto", "float32", "bfloat16", "float16"}
        What is done fast in hardware when "auto": bfloat16 on GPUs since Ampere
        and CPUs with AVX-512 BF16 or AMX, float16 on GPUs with tensor cores
        before that, else float32.

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
        target, name = torch.device("cuda"), f"GPU {torch.cuda.get_device_name()}"
    elif wanted == "mps" or (wanted == "auto" and torch.backends.mps.is_available()):
        target, name = torch.device("mps"), "Apple GPU"
    else:
        threads = torch.get_num_threads()
        target, name = torch.device("cpu"), f"CPU, {threads} thread{'s'[: threads != 1]}"
    if precision == "auto":
        usual = (name for name, half in _PRECISIONS.items() if in_hardware(half, target))
        chosen, why = next(usual, "float32"), ""
    else:
        chosen, why = precision, " (as set)"
    return Device(target, _PRECISIONS[chosen], f"{name}, {chosen}{why}")


def free_memory(device: torch.device) -> int:
    """Bytes that can still be taken on a device (of the computer's memory on a CPU)."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    free = system.free_memory()
    if free is not None:
        return free
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (ValueError, OSError, AttributeError):  # Windows
        return 4 << 30


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes bfloat16 in hardware; emulated it would be slower."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check and check())


def in_hardware(half: torch.dtype | None, device: torch.device) -> torch.dtype | None:
    """Return a half precision if a device computes it in hardware, else None: float32.

    A CPU that emulates bfloat16 is seven times slower than it is in float32.
    """
    if half == torch.bfloat16:
        return half if has_bfloat16(device) else None
    if half == torch.float16 and device.type == "cuda":
        return half if torch.cuda.get_device_capability(device) >= (7, 0) else None
    return None
