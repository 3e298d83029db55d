"""The compact network with few units, for tests of all that is around it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from napari_patchmap.methods.method import Method
from napari_patchmap.methods.recipe import Recipe
from napari_patchmap.networks import backbones

#: Of the projector's hidden units one in so many is left.
_SHARE = 8

_make = Method.make_recipe


def narrow(patch: pytest.MonkeyPatch) -> None:
    """Make the compact network and its projector narrow: same parts, a tenth of the time."""
    patch.setitem(backbones._OURS, "compact", partial(backbones.Compact, widths=(8, 16, 32)))
    patch.setattr(Method, "make_recipe", _make_narrow)


def widen(patch: pytest.MonkeyPatch) -> None:
    """Make the compact network as people train it."""
    patch.setitem(backbones._OURS, "compact", backbones.Compact)
    patch.setattr(Method, "make_recipe", _make)


def _make_narrow(method: Method, kind: str, *args: Any, **named: Any) -> Recipe:
    recipe = _make(method, kind, *args, **named)
    if kind != "compact":
        return recipe
    return replace(recipe, hidden=tuple(units // _SHARE for units in recipe.hidden))
