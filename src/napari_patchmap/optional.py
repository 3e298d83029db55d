"""Packages that only some inputs need: without them everything else works."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, NoReturn

from napari_patchmap.errors import MissingPackageError


class _Missing:
    """Says, once it is needed, what is missing."""

    def __init__(self, name: str, extra: str) -> None:
        self._name = name
        self._install = f"'napari-patchmap[{extra}]'" if extra else name

    def __getattr__(self, attribute: str) -> NoReturn:
        raise MissingPackageError(
            f"This needs the package {self._name}, which is not installed here; install it: "
            f"pip install {self._install}"
        )


def optional(name: str, package: str = "", extra: str = "") -> Any:
    """Import a package if it is there.

    Parameters
    ----------
    name : str
        Of the package or a module of it, as Python knows it.
    package : str
        As pip knows it, where that is another name.
    extra : str
        Of ours, that installs it with others of its kind.

    Returns
    -------
    module
        Or an object whose every attribute raises :class:`MissingPackageError`.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return _Missing(package or name, extra)


def is_there(name: str) -> bool:
    """Whether a package is installed; it is not imported."""
    return importlib.util.find_spec(name) is not None
