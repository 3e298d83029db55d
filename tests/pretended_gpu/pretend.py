"""A GPU for computers without one: see ``gpu.cpp``. A plugin of pytest, loaded before torch.

``python -m pytest --noconftest -p tests.pretended_gpu.pretend tests/pretended_gpu/checks.py``
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

if "torch" in sys.modules:
    raise RuntimeError("torch was imported before the GPU was pretended")

_Listener = ctypes.CFUNCTYPE(None, ctypes.c_char_p)

#: Bytes that the GPU has, while nobody says otherwise.
MEMORY = 8 << 30


def _build() -> Path:
    """Compile the library, unless it was given by a process before."""
    given = os.environ.get("PRETENDED_GPU")
    if given:
        return Path(given)
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise RuntimeError("A C++ compiler is needed; on Debian or Ubuntu install g++.")
    found = Path(tempfile.mkdtemp(prefix="pretended-gpu-")) / "gpu.so"
    include = _torch / "include"
    command = [compiler, "-O1", "-w", "-std=c++20", "-fPIC", "-shared"]
    command += [f"-I{include}", f"-I{include}/torch/csrc/api/include"]
    command += [str(Path(__file__).with_name("gpu.cpp")), "-o", str(found)]
    command += [f"-L{_torch}/lib", "-ltorch_cpu", "-lc10", f"-Wl,-rpath,{_torch}/lib"]
    subprocess.run(command, check=True)
    return found


_spec = importlib.util.find_spec("torch")
assert _spec is not None
assert _spec.origin is not None
_torch = Path(_spec.origin).parent
_library = ctypes.CDLL(str(_build()))
_library.pretend_used.restype = _library.pretend_most.restype = ctypes.c_int64
_library.pretend_start()

import torch  # noqa: E402

_limit = MEMORY
_kept: list[object] = []


def set_memory(size: int = MEMORY) -> None:
    """Give the GPU so many bytes."""
    global _limit
    _limit = size
    _library.pretend_limit(ctypes.c_int64(size))


def used() -> int:
    """Bytes that are taken now."""
    return int(_library.pretend_used())


def most_used() -> int:
    """Bytes that were taken at most since this was asked last."""
    return int(_library.pretend_most())


@contextlib.contextmanager
def watched() -> Iterator[collections.Counter[str]]:
    """Count the places of the package that wait for the GPU, in any thread."""
    places: collections.Counter[str] = collections.Counter()

    def note(what: bytes) -> None:
        frames = [f for f in traceback.extract_stack() if "napari_patchmap" in f.filename]
        place = f"{Path(frames[-1].filename).stem}.{frames[-1].name}" if frames else "elsewhere"
        places[f"{place}: {what.decode()}"] += 1

    listener = _Listener(note)
    _library.pretend_listen(listener)
    try:
        yield places
    finally:
        _library.pretend_listen(_Listener())


class Event:
    """Has happened when it is asked for the second time."""

    def __init__(self, *_: object, **__: object) -> None:
        self._asked = 0

    def record(self, *_: object) -> None:
        """Do nothing."""

    def query(self) -> bool:
        """Return whether it has happened."""
        self._asked += 1
        return self._asked > 1

    def synchronize(self) -> None:
        """Wait for it."""


def _pretend() -> None:
    """Let ``torch.cuda`` say what it says beside a GPU."""

    def seed(value: int) -> None:
        _library.pretend_seed(ctypes.c_uint64(value))

    answers = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "current_device": lambda: 0,
        "device_count": lambda: 1,
        "set_device": lambda device: None,
        "get_device_name": lambda device=None: "pretended",
        "get_device_capability": lambda device=None: (9, 0),
        "is_bf16_supported": lambda *_: True,
        "synchronize": lambda device=None: None,
        "mem_get_info": lambda device=None: (_limit - used(), _limit),
        "empty_cache": lambda: None,
        "get_rng_state": lambda device=None: torch.empty(0),
        "set_rng_state": lambda state, device=None: None,
        "manual_seed": seed,
        "manual_seed_all": seed,
        "Event": Event,
    }
    for name, answer in answers.items():
        setattr(torch.cuda, name, answer)
    # A storage cannot be made for a GPU that torch was not built for; a tensor can.
    for kind in (torch.Tensor, torch.nn.Parameter):
        kind.__deepcopy__ = _copier(kind.__deepcopy__)
    set_memory()


def _copier(usual):
    def deepcopy(self: torch.Tensor, memo: dict[int, object]) -> object:
        if not self.is_cuda:
            return usual(self, memo)
        if id(self) not in memo:
            copied = self.detach().clone()
            if isinstance(self, torch.nn.Parameter):
                copied = torch.nn.Parameter(copied, self.requires_grad)
            memo[id(self)] = copied
        return memo[id(self)]

    return deepcopy


_pretend()
