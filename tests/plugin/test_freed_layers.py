"""A layer that is removed frees what it took of the graphics card where it was drawn."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from napari._vispy import canvas
from qtpy.QtGui import QOffscreenSurface, QOpenGLContext
from vispy.gloo.glir import GlirProgram

from napari_patchmap.plugin.napari_private import canvas_widget
from tests.plugin.images import grid_labels, open_beside, start

ONE_WINDOW = True


@pytest.fixture
def freed_in(monkeypatch):
    """In which contexts programs were freed."""
    contexts, delete = [], GlirProgram.delete
    monkeypatch.setattr(canvas, "gc", gc)  # which other tests spare themselves

    def noting(self):
        contexts.append(QOpenGLContext.currentContext())
        delete(self)

    monkeypatch.setattr(GlirProgram, "delete", noting)
    return contexts


@pytest.fixture
def elsewhere(viewer):
    """Another context of the same window, as Qt has one to put its parts together."""
    surface, other = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    other.setShareContext(canvas_widget(viewer).context())
    assert other.create()
    yield lambda: other.makeCurrent(surface)
    other.doneCurrent()


def two_pictures(viewer):
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    below = viewer.add_image(picture, rgb=True)
    viewer.add_image(picture, rgb=True, translate=(70, 0))
    return below


def test_a_layer_is_freed_in_its_canvas_whatever_is_current(
    qtbot, viewer, workspace, elsewhere, freed_in
):
    below = two_pictures(viewer)
    widget = canvas_widget(viewer)
    qtbot.waitUntil(lambda: widget.grab().toImage().pixelColor(400, 300).value() > 30)
    assert elsewhere()
    viewer.layers.remove(below)
    assert freed_in
    assert all(context == widget.context() for context in freed_in)
    # With the wrong one, Mesa draws the next picture without any shader and crashes.
    assert elsewhere()
    widget.grab()


def test_an_image_beside_the_map_is_freed_in_its_own_canvas(
    qtbot, viewer, workspace, elsewhere, freed_in
):
    start(viewer, grid_labels())
    beside = open_beside(viewer, qtbot)
    here, there = canvas_widget(viewer), canvas_widget(beside.model)
    for widget in (here, there):
        widget.grab()
    assert elsewhere()
    freed_in.clear()
    viewer.layers.remove(viewer.layers["field"])  # its twin beside goes with it
    qtbot.waitUntil(lambda: "field" not in beside.model.layers)
    assert there.context() in freed_in
    assert all(context in (here.context(), there.context()) for context in freed_in)
    there.grab()
