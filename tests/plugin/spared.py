"""Work of napari and vispy that gives the same for each window, or that no test looks at."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from napari._vispy import canvas
from napari.settings import NapariSettings
from napari.utils.events.event import EventEmitter
from npe2 import PluginManifest
from vispy.gloo.program import Program
from vispy.visuals.shaders import parsing


def spare(patch: pytest.MonkeyPatch) -> None:
    """Read each manifest, shader and signature once; write no settings of napari."""
    _spare_manifests(patch)
    _spare_shaders(patch)
    _spare_signatures(patch)
    # napari looks through all objects for each layer that is removed, for a driver on Windows.
    patch.setattr(canvas, "gc", SimpleNamespace(collect=lambda: 0))
    # napari writes all of its settings some seven times for each window.
    patch.setattr(NapariSettings, "save", lambda *args, **named: None)


def _spare_manifests(patch: pytest.MonkeyPatch) -> None:
    """Keep what was found: npe2 drops what it reads of a plugin that it knows."""
    discover = PluginManifest.discover
    found: list[Any] = []

    def once(paths: Any = ()) -> Any:
        if paths:
            return discover(paths)
        if not found:
            found.extend(discover())
        return iter(found)

    patch.setattr(PluginManifest, "discover", once)


def _spare_signatures(patch: pytest.MonkeyPatch) -> None:
    """Keep which methods take an event: napari asks whenever one is connected."""
    check = EventEmitter._check_signature
    known: dict[Any, bool] = {}

    def once(called: Any) -> bool:
        method = getattr(called, "__func__", None)
        if method is None:
            return check(called)
        if method not in known:
            known[method] = check(called)
        return known[method]

    patch.setattr(EventEmitter, "_check_signature", staticmethod(once))


def _spare_shaders(patch: pytest.MonkeyPatch) -> None:
    """Keep the variables of each program: they follow from its code."""
    parse = Program._parse_variables_from_code
    known: dict[tuple[str, ...], dict[str, Any]] = {}

    def once(self: Program, update_variables: bool = True) -> None:
        code = tuple(shader.code for shader in self._shaders)
        if code not in known:
            parse(self, update_variables=False)
            known[code] = self._code_variables
        self._code_variables = dict(known[code])
        if update_variables:
            self._process_pending_variables()

    patch.setattr(Program, "_parse_variables_from_code", once)
    variables, functions = cache(parsing.find_program_variables), cache(parsing.find_functions)
    patch.setattr(parsing, "find_program_variables", lambda code: dict(variables(code)))
    patch.setattr(parsing, "find_functions", lambda code: list(functions(code)))
