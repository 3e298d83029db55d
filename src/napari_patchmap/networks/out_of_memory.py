"""Running out of memory: noticing it, and giving memory back."""

from __future__ import annotations

import gc
import threading

import torch

#: How the parts of torch say that there is no memory left; oneDNN does not say why.
_SAID = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "could not create a primitive",
    "could not execute a primitive",
    "could not create a memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of the computer or the GPU is used up."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(said in words for said in _SAID)


def free_cached_memory() -> None:
    """Give memory back that nothing uses any more.

    What only cycles hold is looked for in the main thread alone: widgets of Qt may be
    among it, and one that is destroyed in another thread can wait for the main thread
    while that waits for it, for ever.
    """
    if threading.current_thread() is threading.main_thread():
        gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
