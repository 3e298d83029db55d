"""Images with objects on them, and what people do there."""

from __future__ import annotations

import numpy as np
import tifffile
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches import from_objects
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.docks import find_panel, show_panel
from tests.plugin.toy import on_map

ROWS, COLUMNS = 4, 6


def grid_labels(shift: int = 0) -> np.ndarray:
    """Squares of 12 pixels in a grid, 20 pixels apart; object i + 1 is patch i."""
    labels = np.zeros((20 * ROWS, 20 * COLUMNS), np.int32)
    for i in range(ROWS * COLUMNS):
        y, x = 20 * (i // COLUMNS) + 4, 20 * (i % COLUMNS) + 4 + shift
        labels[y : y + 12, x : x + 12] = i + 1
    return labels


def middle(index: int) -> tuple[float, float]:
    return 20 * (index // COLUMNS) + 9.5, 20 * (index % COLUMNS) + 9.5


def around(first: int, last: int) -> list[tuple[float, float]]:
    """Return a lasso around the block of objects from one to another."""
    (top, left), (bottom, right) = np.subtract(middle(first), 8), np.add(middle(last), 8)
    return [(top, left), (top, right), (bottom, right), (bottom, left), (top, left)]


def spot(index: int) -> tuple[float, float]:
    """Where the map has a patch."""
    return 10.0 * (index % ROWS), 10.0 * (index // ROWS)


def start(viewer, labels) -> MapLayer:
    """Show labels, and a map of the objects in them."""
    image = np.random.default_rng(0).integers(0, 255, labels.shape, np.uint8)
    viewer.add_image(image, name="field")
    viewer.add_labels(labels, name="nuclei")
    patches = from_objects(image, labels, name="field", labels_name="nuclei")
    return on_map(viewer, patches, [spot(index) for index in range(len(patches))])


def open_beside(viewer, qtbot):
    """Press the button in Explore; return what is beside the map once it is there."""
    explore = show_panel(viewer, "explore")
    qtbot.waitUntil(explore.beside_button.isVisible)
    qtbot.mouseClick(explore.beside_button, Qt.MouseButton.LeftButton)
    panel = find_panel(viewer, "image")
    qtbot.waitUntil(lambda: panel.beside is not None)
    qtbot.waitUntil(lambda: panel.beside.canvas.isVisible() or not panel.beside.twins.sources)
    qtbot.wait(20)
    return panel.beside


RED, BLUE = "#d01010", "#1010d0"


def squares(shift: int = 0, dtype: type = np.int32) -> np.ndarray:
    """Twelve squares, 20 pixels apart; their numbers are 10, 20, ... in rows of four."""
    labels = np.zeros((60, 80), dtype)
    for index in range(12):
        y, x = 20 * (index // 4) + 4, 20 * (index % 4) + 4 + shift
        labels[y : y + 12, x : x + 12] = 10 * (index + 1)
    return labels


def tick(checkbox) -> None:
    where = QPoint(8, checkbox.height() // 2)
    QTest.mouseClick(checkbox, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)
    QApplication.processEvents()


def rgb(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def assert_painted(layer: Labels, **colours: str) -> None:
    """See that objects, named like ``n10``, have these colours; "" for a breath of grey."""
    for name, colour in colours.items():
        red, green, blue, alpha = layer.get_color(int(name[1:]))
        if colour:
            np.testing.assert_allclose([red, green, blue, alpha], [*rgb(colour), 1], atol=1e-6)
        else:
            assert red == green == blue
            assert 0 < alpha < 0.5


def slide(path, shape=(640, 800), tissue=True):
    """Write a pyramid with tissue in its left half."""
    rng = np.random.default_rng(0)
    pixels = np.full((*shape, 3), 240, np.uint8)
    if tissue:
        half = rng.integers(0, 60, (shape[0], shape[1] // 2, 3)).astype(np.uint8)
        pixels[:, : shape[1] // 2] = half + np.array([150, 40, 120], np.uint8)
    with tifffile.TiffWriter(path) as tif:
        look = {"photometric": "rgb", "tile": (128, 128)}
        tif.write(pixels, subifds=1, resolution=(2e4, 2e4), resolutionunit=3, **look)
        tif.write(pixels[::2, ::2], subfiletype=1, **look)
    return path
