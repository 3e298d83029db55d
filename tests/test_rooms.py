"""The rooms of the house: nobody imports upwards, and the engine needs no display."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import numpy as np
import pytest

import napari_patchmap
from tests.conftest import make_cells

ROOT = Path(napari_patchmap.__file__).parent
ROOMS = [
    "patches",
    "augment",
    "networks",
    "layout",
    "methods",
    "quality",
    "explore",
    "find",
    "runs",
    "training",
    "plugin",
]
#: The floors of the first room, from the ground up: each entry is a module or a
#: sub-package, which imports from the entries before its own alone.
FLOORS = [
    # what everything uses
    "watch", "latest", "threads", "room", "random_file", "signature", "names", "numbers",
    "quantity", "fit", "safe_hdf5", "safe_zarr", "anndata_nodes", "anndata_columns",
    "anndata_file", "intensity", "images", "axes", "wells", "colour_spaces", "photometric",
    "pictures", "content", "box_table", "own_rows", "patch_parts", "patchset",
    "field_of_view", "summary", "sample",
    # what all readers share
    "cache", "labels", "own_features", "source", "crop_config", "tile_config", "request",
    # the readers, and the one door
    "readers", "recognise", "open",
]  # fmt: skip
#: The floors of the readers, likewise: what several share, then one entry a format.
READER_FLOORS = [
    "flat", "chunked", "arrays", "array_columns", "cell_images", "npy", "npz", "tiff", "zarr",
    "hdf5", "plate", "dicom", "microscope", "folder", "stack_folder", "slides", "objects",
    "points",
]  # fmt: skip
#: The floors of the last room, likewise.
PLUGIN_FLOORS = [
    "collector", "worker", "newest", "torch_threads", "preferences", "own_changes", "of_viewer",
    "napari_private", "notifications", "actions", "undoable", "workspace",
    "written_soon", "annotation_keeper", "qt", "canvas", "source", "map", "panels", "entry",
]  # fmt: skip
GUI = {"napari", "qtpy", "magicgui", "superqt", "vispy", "PySide6", "PyQt6", "psygnal"}


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, those for types alone among them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def modules() -> dict[str, Path]:
    """Return all of ours by their names."""
    return {
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in ROOT.rglob("*.py")
    }


def is_package(path: Path) -> bool:
    return (path / "__init__.py").exists()


def test_no_two_modules_have_one_name():
    names = [path.stem for path in ROOT.rglob("*.py") if not path.stem.startswith("__")]
    assert sorted(names) == sorted(set(names))


def test_no_two_classes_have_one_name():
    """Nor two types that are named at the top of a module."""
    names: list[str] = []
    for path in modules().values():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                names.append(node.name)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                names += [name] if name[0].isupper() and not name.isupper() else []
    public = sorted(name for name in names if not name.startswith("_") and len(name) > 1)
    assert public == sorted(set(public))


def test_no_room_imports_upwards():
    wrong = []
    for level, room in enumerate(ROOMS):
        above = tuple(f"napari_patchmap.{name}" for name in ROOMS[level + 1 :])
        for path in (ROOT / room).rglob("*.py"):
            wrong += [f"{path.name}: {m}" for m in imports(path) if m.startswith(above)]
    assert wrong == []


@pytest.mark.parametrize(
    ("room", "floors"),
    [("patches", FLOORS), ("patches.readers", READER_FLOORS), ("plugin", PLUGIN_FLOORS)],
)
def test_no_floor_of_a_room_imports_upwards(room, floors):
    folder, prefix = ROOT.joinpath(*room.split(".")), f"napari_patchmap.{room}"
    entries = [path for path in folder.iterdir() if path.suffix == ".py" or is_package(path)]
    assert {path.stem for path in entries} - {"__init__"} == set(floors)
    wrong = []
    for level, floor in enumerate(floors):
        single = folder / f"{floor}.py"
        for path in [single] if single.exists() else (folder / floor).rglob("*.py"):
            ours = [m for m in imports(path) if m.startswith(f"{prefix}.")]
            inside = [m.removeprefix(f"{prefix}.").split(".")[0] for m in ours]
            wrong += [f"{path.name}: {m}" for m in set(inside) - set(floors[: level + 1])]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle():
    """Not for their types alone either: what goes in a circle cannot be read in parts."""
    paths = modules()
    graph = {name: imports(path) & (set(paths) - {name}) for name, path in paths.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' - '.join(error.args[1])}")


def test_only_one_folder_touches_private_names_of_napari():
    """What is private and used elsewhere in the room is defined there as well."""
    used, defined, inside = set(), set(), set()
    private_folder = "napari_patchmap.plugin.napari_private"
    for path in (ROOT / "plugin").rglob("*.py"):
        if path.parent.stem == "napari_private":
            continue
        inside |= {
            m for m in imports(path) & set(modules()) if m.startswith(f"{private_folder}.")
        }
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                (used if isinstance(node.ctx, ast.Load) else defined).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                defined.add(node.id)
    private = {name for name in used - defined if name.startswith("_")}
    assert {name for name in private if not name.startswith("__")} == set()
    assert inside == set(), "they are imported from the folder as a whole"


def names_in(path: Path) -> set[str]:
    """Return what a module defines or imports at its top, and its sub-modules."""
    found = {one.stem for one in path.parent.iterdir()} if path.stem == "__init__" else set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (part for target in targets for part in ast.walk(target))
            found |= {part.id for part in names if isinstance(part, ast.Name)}
    return found


def test_scripts_beside_the_package_import_what_there_is():
    paths, top = modules(), Path(__file__).parents[1]
    scripts = [
        path for folder in ("benchmarks", "docs") for path in (top / folder).glob("*.py")
    ]
    missing = []
    for script in scripts:
        for node in ast.walk(ast.parse(script.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module) in paths:
                there = names_in(paths[str(node.module)])
                missing += [
                    f"{script.name}: {a.name}" for a in node.names if a.name not in there
                ]
            elif isinstance(node, ast.ImportFrom) and str(node.module).startswith(ROOT.name):
                missing.append(f"{script.name}: {node.module}")
    assert missing == []


def test_only_the_plugin_room_knows_napari_and_qt():
    wrong = []
    for path in ROOT.rglob("*.py"):
        if "plugin" not in path.relative_to(ROOT).parts:
            wrong += [f"{path.name}: {m}" for m in imports(path) if m.split(".")[0] in GUI]
    assert wrong == []


def test_the_engine_works_where_napari_and_qt_are_missing(tmp_path):
    """Import all of the engine and train, with what only the window and some files need
    made impossible to import.
    """
    cells = make_cells(60)
    np.savez(tmp_path / "cells.npz", images=np.stack([cells[i] for i in range(60)]))
    code = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {[*sorted(GUI), "imagecodecs", "zarr"]!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
import importlib, pkgutil, napari_patchmap
for module in pkgutil.walk_packages(napari_patchmap.__path__, "napari_patchmap."):
    if ".plugin" not in module.name:
        importlib.import_module(module.name)
from napari_patchmap.cli import main
folder = {str(tmp_path)!r}
settings = ["--out", folder + "/run", "--device", "cpu", "--epochs", "1", "1", "1"]
assert main(["embed", folder + "/cells.npz", *settings]) == 0
sys.exit(main(["demo", "--no-window", "--out", folder + "/demo"]) - 2)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "run/map.png").exists()
    # The sample is compressed in a way that needs one of them.
    assert "This needs the package imagecodecs" in result.stderr
