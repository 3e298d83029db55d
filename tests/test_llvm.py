"""triton's library is loaded apart from the LLVM of the graphics driver."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Stands for the library, which only torch's CUDA builds bring.
_CODE = """
import importlib.machinery, os, sys, types
import napari_patchmap.training
sys.path.insert(0, {folder!r})
flags = []
def create(self, spec):
    flags.append(sys.getdlopenflags())
    return types.ModuleType(spec.name)
importlib.machinery.ExtensionFileLoader.create_module = create
importlib.machinery.ExtensionFileLoader.exec_module = lambda self, module: None
before = sys.getdlopenflags()
import triton._C.libtriton
assert flags[-1] == before | os.RTLD_DEEPBIND, flags
assert sys.getdlopenflags() == before
import triton._C.other
assert flags[-1] == before, "others are loaded as ever"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="libraries are bound deeply on Linux alone")
def test_triton_is_bound_to_its_own_llvm(tmp_path):
    inner = tmp_path / "triton" / "_C"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").touch()
    for name in ("libtriton.so", "other.so"):
        (inner / name).touch()
    code = _CODE.format(folder=str(tmp_path))
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
