"""A figure of the map from the window: what is shown there, in the size that is asked for."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QEvent, QPointF, Qt, QTimer
from qtpy.QtGui import QImage, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QLineEdit

from napari_patchmap.explore.palette import categorical_colours
from napari_patchmap.plugin.qt.docks import show_panel
from tests.plugin.toy import click, toy_map

ONE_WINDOW = True


@pytest.fixture
def panel(viewer, shown_map):
    """The Explore panel beside the toy map."""
    return show_panel(viewer, "explore")


def open_dialog(qtbot, panel):
    click(panel.figure)
    qtbot.waitUntil(lambda: panel.figure.dialog is not None and panel.figure.dialog.isVisible())
    return panel.figure.dialog


def enter(qtbot, field, text):
    """Type into a field, as a person does."""
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Tab)


def save(qtbot, dialog, path):
    """Save under a name, as the file dialog gives it; return what the dialog says then."""
    dialog.save_to(path)
    qtbot.waitUntil(lambda: not dialog.writing.running and dialog.said.text() != "")
    return dialog.said.text()


def answer_with(path):
    """Type a name into the file dialog that is about to open; given up after some time."""
    tries = []

    def answer():
        asked = QApplication.activeModalWidget()
        tries.append(asked)
        if isinstance(asked, QFileDialog) and asked.isVisible():
            # Not selectFile: once the field has the focus, Qt leaves its text as it is.
            asked.findChild(QLineEdit, "fileNameEdit").setText(str(path))
            asked.accept()
        elif len(tries) < 200:
            QTimer.singleShot(50, answer)

    QTimer.singleShot(50, answer)


def test_a_name_is_asked_for(qtbot, panel, tmp_path):
    dialog = open_dialog(qtbot, panel)
    answer_with(tmp_path / "asked.pdf")
    click(dialog.save)
    qtbot.waitUntil(lambda: dialog.said.text() == f"Saved to {tmp_path / 'asked.pdf'}.")
    assert (tmp_path / "asked.pdf").read_bytes().startswith(b"%PDF")


def test_the_map_is_saved_in_the_size_and_with_the_words_that_are_typed(qtbot, panel, tmp_path):
    dialog = open_dialog(qtbot, panel)
    enter(qtbot, dialog.form.field("width"), "100")
    enter(qtbot, dialog.form.field("title"), "Toy cells")
    said = save(qtbot, dialog, tmp_path / "map.svg")
    assert said == f"Saved to {tmp_path / 'map.svg'}."
    drawn = (tmp_path / "map.svg").read_text("utf-8")
    width = float(re.search(r'width="([\d.]+)pt"', drawn).group(1))
    assert width == pytest.approx(100 / 25.4 * 72, abs=0.1)
    for words in ("Toy cells", "round", "spiky", "empty"):
        assert f">{words}" in drawn
    assert drawn.count("<use") >= 120  # each point by itself: to be moved by hand
    dialog.close()
    assert open_dialog(qtbot, panel).form.config.title == "Toy cells"  # kept


def test_what_is_hidden_is_left_out(qtbot, panel, shown_map, tmp_path):
    dialog = open_dialog(qtbot, panel)
    save(qtbot, dialog, tmp_path / "all.svg")
    shown_map.points.shown = np.arange(120) >= 60  # round is hidden
    save(qtbot, dialog, tmp_path / "some.svg")
    both = [(tmp_path / name).read_text("utf-8") for name in ("all.svg", "some.svg")]
    assert [">round" in drawn for drawn in both] == [True, False]
    assert [">spiky" in drawn for drawn in both] == [True, True]
    colour = "#{:02x}{:02x}{:02x}".format(
        *np.round(categorical_colours(3)[0][:3] * 255).astype(int)
    )
    assert [colour in drawn.lower() for drawn in both] == [True, False]
    shown_map.points.shown = False
    assert save(qtbot, dialog, tmp_path / "none.svg") == (
        "All points are hidden; show some of them first."
    )
    assert not (tmp_path / "none.svg").exists()


def test_it_has_the_colours_that_the_map_has_now(qtbot, panel, shown_map, tmp_path):
    shown_map.colour_by("area")
    dialog = open_dialog(qtbot, panel)
    save(qtbot, dialog, tmp_path / "area.svg")
    drawn = (tmp_path / "area.svg").read_text("utf-8")
    assert ">area" in drawn
    assert ">round" not in drawn


def test_a_dark_png_and_a_name_without_ending(qtbot, panel, tmp_path):
    dialog = open_dialog(qtbot, panel)
    look = dialog.form.field("look")
    look.setFocus()
    qtbot.keyClick(look, Qt.Key.Key_End)
    assert save(qtbot, dialog, tmp_path / "dark") == f"Saved to {tmp_path / 'dark.png'}."
    with Image.open(tmp_path / "dark.png") as picture:
        assert picture.convert("RGB").getpixel((1, 1)) == (0, 0, 0)


def test_what_cannot_be_saved_is_said_in_one_sentence(qtbot, panel, tmp_path):
    dialog = open_dialog(qtbot, panel)
    said = save(qtbot, dialog, tmp_path / "map.gif")
    assert "map.gif has no ending of a figure" in said
    assert list(tmp_path.iterdir()) == []
    assert dialog.save.isEnabled()
    previewed(qtbot, dialog)
    before = painted(dialog)
    qtbot.keyClick(dialog.form.field("look"), Qt.Key.Key_Down)  # dark
    qtbot.waitUntil(lambda: (painted(dialog) != before).any())
    assert dialog.said.text() == said  # a preview that comes later hides it not


def test_a_map_in_3d_is_drawn_as_it_is_turned(qtbot, panel, workspace, viewer, tmp_path):
    deep = np.c_[np.zeros(120), toy_map()].astype(np.float32)
    deep[60:, 0] = 500.0  # far behind, where only a turn shows it
    workspace.set_embedding(deep)
    QApplication.processEvents()
    dialog = open_dialog(qtbot, panel)
    drawn = []
    for number, angles in enumerate(((0, 0, 90), (0, 80, 90))):
        viewer.camera.angles = angles
        save(qtbot, dialog, tmp_path / f"{number}.svg")
        drawn.append((tmp_path / f"{number}.svg").read_text("utf-8"))
    heights = [float(re.search(r'height="([\d.]+)pt"', one).group(1)) for one in drawn]
    assert heights[0] != pytest.approx(heights[1], rel=0.05)


def choose(qtbot, dialog, title):
    """Choose a figure by keys, as a person does."""
    dialog.kind.setFocus()
    qtbot.keyClick(dialog.kind, Qt.Key.Key_Home)
    for _ in range(dialog.kind.findText(title)):
        qtbot.keyClick(dialog.kind, Qt.Key.Key_Down)
    assert dialog.kind.currentText() == title


def painted(dialog) -> np.ndarray:
    """Return what the preview paints, as grey levels."""
    image = dialog.preview.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    # A copy: the image goes, and its memory with it.
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1).copy()


def previewed(qtbot, dialog):
    """Wait until the preview shows a page, on white."""
    qtbot.waitUntil(lambda: (painted(dialog) > 250).mean() > 0.1)


def test_figures_with_patches_are_shown_before_they_are_saved(qtbot, panel, tmp_path):
    dialog = open_dialog(qtbot, panel)
    previewed(qtbot, dialog)
    for title in ("Montage", "Tips", "Classes"):
        choose(qtbot, dialog, title)
        enter(qtbot, dialog.form.field("width"), "90")
        previewed(qtbot, dialog)
        path = tmp_path / f"{title}.png"
        assert save(qtbot, dialog, path) == f"Saved to {path}."
        with Image.open(path) as picture:
            assert picture.width == pytest.approx(90 / 25.4 * 300, abs=1)


def test_what_there_is_no_figure_of_is_said(qtbot, panel, tmp_path):
    dialog = open_dialog(qtbot, panel)
    for title, words in (
        ("Film", "holds no looks at the map while it learned"),
        ("What the network looks at", "There is no network yet"),
    ):
        choose(qtbot, dialog, title)
        qtbot.waitUntil(lambda w=words: w in dialog.said.text())
    choose(qtbot, dialog, "Film")
    assert "name it with one of .gif, .mp4" in save(qtbot, dialog, tmp_path / "map.png")
    choose(qtbot, dialog, "Map")
    qtbot.waitUntil(lambda: dialog.said.text() == "")


def drag(widget, start, end):
    """Drag the mouse over a widget."""
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(widget, button, none, start.toPoint())
    move = QMouseEvent(
        QEvent.Type.MouseMove, end, QPointF(widget.mapToGlobal(end.toPoint())), button, button,
        none,
    )  # fmt: skip
    QApplication.sendEvent(widget, move)
    QTest.mouseRelease(widget, button, none, end.toPoint())


def test_a_tip_is_dragged_to_where_it_should_be_and_back(qtbot, panel, workspace, tmp_path):
    workspace.select(np.array([5, 65]))
    dialog = open_dialog(qtbot, panel)
    choose(qtbot, dialog, "Tips")
    click(dialog.point)
    assert dialog.form.config.at == (5.0, 65.0)
    qtbot.waitUntil(lambda: len(dialog.preview.parts) == 2)
    save(qtbot, dialog, tmp_path / "before.svg")
    first = dialog.preview.parts[0].copy()
    start = dialog.preview.place_of(0)
    target = QPointF(dialog.preview.width() / 2, dialog.preview.height() / 2)
    drag(dialog.preview, start, target)
    qtbot.waitUntil(lambda: (dialog.preview.place_of(0) - target).manhattanLength() < 8)
    save(qtbot, dialog, tmp_path / "moved.svg")
    moved = (tmp_path / "moved.svg").read_text("utf-8")
    assert moved != (tmp_path / "before.svg").read_text("utf-8")
    click(dialog.back)
    qtbot.waitUntil(lambda: np.allclose(dialog.preview.parts[0], first))
    save(qtbot, dialog, tmp_path / "back.svg")
    assert (tmp_path / "back.svg").read_bytes() == (tmp_path / "before.svg").read_bytes()
    assert not dialog.back.isVisible()
