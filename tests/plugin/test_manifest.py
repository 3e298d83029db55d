"""The manifest: what napari offers in its menus exists and works."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_patchmap
from napari_patchmap import formats
from napari_patchmap.plugin.qt.docks import PANELS, find_panel, open_docks

NAME = "napari-patchmap"
INSIDE = Path(napari_patchmap.__file__).parent / "napari.yaml"


@pytest.fixture
def manifest():
    return PluginManifest.from_file(INSIDE)


@pytest.fixture
def viewer(npe2pm, manifest, make_napari_viewer):
    """A viewer that knows our plugin and no other."""
    with npe2pm.tmp_plugin(manifest=manifest):
        yield make_napari_viewer(show=True)


def test_every_command_can_be_imported(manifest):
    manifest.validate_imports()
    assert manifest.name == NAME


def test_the_file_in_the_package_is_the_one_at_the_top():
    top = Path(__file__).parents[2] / "napari.yaml"
    assert INSIDE.read_text() == top.read_text()


def test_nothing_is_taken_from_others(manifest):
    assert not manifest.contributions.writers
    (reader,) = manifest.contributions.readers
    wanted = ["config.json", *(f"*{end}" for end in formats.OFFERED)]
    assert reader.filename_patterns == wanted, (
        f"filename_patterns in napari.yaml must be {wanted}, as formats.FORMATS offers it"
    )


def test_widgets_are_named_as_their_docks(manifest):
    names = {widget.display_name for widget in manifest.contributions.widgets}
    assert names == {panel.name for panel in PANELS.values()} | {"Workspace"}


def test_each_panel_opens_alone_from_the_menu(viewer):
    for key, panel in PANELS.items():
        viewer.window.add_plugin_dock_widget(NAME, panel.name)
        assert isinstance(find_panel(viewer, key), panel.load())


def test_the_menu_opens_the_workspace_again_and_again(qtbot, viewer):
    from napari._app_model import get_app_model

    command = get_app_model().commands
    for _ in range(2):
        command.execute_command(f"{NAME}.workspace")
        qtbot.waitUntil(lambda: "quality" in open_docks(viewer))
        qtbot.wait(50)
    docks = viewer.window.dock_widgets
    assert sorted(docks) == sorted(
        panel.dock_name for panel in PANELS.values() if panel.at_first
    )


def test_the_sample_opens_from_the_menu(viewer):
    viewer.open_sample(NAME, "blood_cells")
    assert viewer.layers[0].rgb


def test_the_menu_says_at_once_that_patchmap_is_starting(qtbot, viewer, monkeypatch):
    """As it is the first time, when what the panels need is not imported yet."""
    from napari_patchmap.plugin.entry import starting

    importer, slow = starting._import_panels, threading.Event()
    monkeypatch.setattr(starting, "_ready", lambda: False)
    monkeypatch.setattr(starting, "_import_panels", lambda _: (slow.wait(10), importer(_)))
    viewer.window.add_plugin_dock_widget(NAME, "Workspace")
    (said,) = viewer.window._qt_window.findChildren(starting.OpenWorkspace)
    qtbot.waitUntil(said.isVisible)
    assert "starting" in said.text.text()
    qtbot.wait(150)
    assert not open_docks(viewer)  # the window is alive meanwhile
    slow.set()
    qtbot.waitUntil(lambda: "quality" in open_docks(viewer), timeout=20_000)
    qtbot.wait(50)
    docks = viewer.window.dock_widgets
    assert sorted(docks) == sorted(
        panel.dock_name for panel in PANELS.values() if panel.at_first
    )


def test_what_the_menu_imports_is_light():
    """Nothing that takes seconds to import stands between the click and the first word."""
    code = (
        "import sys, napari_patchmap.plugin.entry.starting;"
        "import napari_patchmap.plugin.entry.napari_reader;"
        "print([m for m in ('torch', 'sklearn', 'timm', 'openTSNE') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
