"""Work of napari and vispy that gives the same for each window, done once for all tests."""

from __future__ import annotations

from typing import Any

import pytest
from npe2 import PluginManifest
from vispy.gloo.program import Program


def spare(patch: pytest.MonkeyPatch) -> None:
    """Read each manifest and look through each shader once, not again for each window."""
    _spare_manifests(patch)
    _spare_shaders(patch)


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
