"""Keeps triton's copy of LLVM apart from that of the graphics driver. To be imported.

torch's CUDA builds bring triton, and the first optimiser that is made imports it. Its
library exports the functions of the LLVM inside it, so that those of another LLVM which is
there already are called in their place: Mesa's, by which napari draws on AMD's and Intel's
graphics and without any. The process then dies of a segmentation fault. Bound deeply,
triton's library looks for functions in itself first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_LIBRARY = "triton._C.libtriton"


class _Apart(ExtensionFileLoader):
    """Loads a library that looks for functions in itself first."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        usual = sys.getdlopenflags()
        sys.setdlopenflags(usual | os.RTLD_DEEPBIND)
        try:
            return super().create_module(spec)
        finally:
            sys.setdlopenflags(usual)


class _Finder(MetaPathFinder):
    """Finds triton's library, whoever imports it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: Any = None
    ) -> ModuleSpec | None:
        if fullname != _LIBRARY:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, ExtensionFileLoader):
            spec.loader = _Apart(spec.loader.name, spec.loader.path)
        return spec


if hasattr(os, "RTLD_DEEPBIND"):  # Linux alone
    sys.meta_path.insert(0, _Finder())
