"""The "Augmentations" panel: presets, form, preview."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.patches import from_array
from napari_patchmap.plugin.panels.augment.augmentations import CUSTOM, VIEWS, Augmentations
from napari_patchmap.plugin.workspace import workspace_of
from tests.conftest import make_cells

ONE_WINDOW = True


@pytest.fixture
def panel(bare_viewer):
    widget = Augmentations(bare_viewer)
    bare_viewer.window.add_dock_widget(widget, name="Augmentations")
    widget.show()
    return widget


def settle(qtbot, panel):
    """Wait until the preview has caught up."""
    qtbot.waitUntil(lambda: not panel._pause.isActive() and not panel._previews.busy)


def choose(box, data):
    box.setCurrentIndex(box.findData(data))
    box.activated.emit(box.currentIndex())


def picture(panel):
    return panel.views.grab().toImage()


def pictures(grid):
    """Count the pictures that are painted."""
    painted = grid.grab().toImage()
    ground = painted.pixelColor(grid.cell(0).right() + 2, grid.cell(0).top())  # between two
    for place in range(2 * VIEWS):
        middle = grid.cell(place).center()
        if not painted.valid(middle) or painted.pixelColor(middle) == ground:
            return place
    return 2 * VIEWS


def test_without_patches_it_says_what_is_missing_and_leads_there(qtbot, panel):
    assert "Load patches first" in panel.missing
    button = panel._missing.button
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert "Load patches (Patchmap)" in panel.viewer.window.dock_widgets


def test_views_of_a_patch_are_shown(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    settle(qtbot, panel)
    assert panel.missing == ""
    qtbot.waitUntil(lambda: pictures(panel.views) == VIEWS)  # once the panel has its width
    assert pictures(panel.original) == 1
    assert "16 x 16 px" in panel.caption.text()


def test_views_follow_the_settings(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    settle(qtbot, panel)
    before = picture(panel)
    qtbot.keyClick(panel.form.field("grey"), Qt.Key.Key_Space)
    assert panel.workspace.augment == AugmentConfig(grey=False)
    assert panel.preset.currentText() == CUSTOM
    settle(qtbot, panel)
    assert picture(panel) != before


def test_the_chosen_patch_is_previewed(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    panel.workspace.set_current(7)
    settle(qtbot, panel)
    assert panel.caption.text().startswith("Patch 7 · ring")


def test_other_views_and_another_patch(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    panel.workspace.set_current(7)
    settle(qtbot, panel)
    before = picture(panel)
    qtbot.mouseClick(panel.again, Qt.MouseButton.LeftButton)
    settle(qtbot, panel)
    assert picture(panel) != before
    assert panel.caption.text().startswith("Patch 7")
    shown = set()
    for _ in range(8):
        qtbot.mouseClick(panel.other, Qt.MouseButton.LeftButton)
        settle(qtbot, panel)
        shown.add(panel.caption.text())
    assert len(shown) > 1


def test_presets_fill_the_form_and_are_recognised(panel):
    choose(panel.preset, "natural")
    assert panel.workspace.augment == AugmentConfig.preset("natural")
    assert not panel.form.field("flip_vertical").isChecked()
    panel.workspace.set_augment(AugmentConfig.preset("right-angles"))
    assert panel.preset.currentData() == "right-angles"
    assert "quarter turns" in panel.does.text()
    assert panel.form.config == AugmentConfig.preset("right-angles")


def test_what_does_not_apply_to_these_channels_is_said(qtbot, panel, cells):
    grey = from_array(cells.stack()[..., 0], name="grey cells")
    panel.workspace.set_patches(grey)
    assert "grey" in panel.note.text
    assert panel.note.isVisible()
    panel.workspace.set_patches(make_cells())
    assert not panel.note.isVisible()


def test_the_shared_settings_are_the_workspaces(panel):
    other = Augmentations(panel.viewer)
    panel.viewer.window.add_dock_widget(other, name="Another")
    other.form.field("rotate").setChecked(False)
    assert not panel.form.field("rotate").isChecked()
    assert workspace_of(panel.viewer).augment.rotate is False


def test_colour_jitter_has_three_strengths(qtbot, panel):
    assert panel.jitter.currentData() == ""
    choose(panel.jitter, "heavy")
    assert panel.workspace.augment == AugmentConfig().jittered("heavy")
    assert panel.form.config.hue == 0.4
    assert panel.preset.currentText() == "custom"
    choose(panel.preset, "histology")
    assert panel.jitter.currentData() == "medium"
    choose(panel.jitter, "light")
    assert panel.workspace.augment.called == "histology, light jitter"
