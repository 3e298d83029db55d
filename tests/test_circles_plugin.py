"""The modules of the window import each other in one direction only."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import napari_patchmap

ROOT = Path(napari_patchmap.__file__).parent


def name_of(path: Path) -> str:
    parts = ("napari_patchmap", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def imported(path: Path, modules: set[str]) -> set[str]:
    """Return which modules a file imports; imports for types alone count as well."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found & modules


def test_no_circle_of_imports_in_plugin():
    paths = {name_of(path): path for path in (ROOT / "plugin").rglob("*.py")}
    graph = {name: imported(path, set(paths)) for name, path in paths.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' - '.join(error.args[1])}")


def private(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def test_only_one_module_touches_private_names_of_napari():
    """What is private and used elsewhere in the room is defined there as well."""
    used, defined = set(), set()
    for path in (ROOT / "plugin").rglob("*.py"):
        if path.stem == "napari_private":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                (used if isinstance(node.ctx, ast.Load) else defined).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                defined.add(node.id)
    assert private(used) - private(defined) == set()
