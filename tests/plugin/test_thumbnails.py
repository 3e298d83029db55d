"""Pictures of patches on a slow disk: nothing waits for them, and they come."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.explore import Explore
from napari_patchmap.plugin.panels.explore.gallery import Gallery
from tests.plugin.toy import toy_map, toy_patches, words_on_card

ONE_WINDOW = True


class SlowImages(Images):
    """Images of a disk that does not answer while its gate is closed."""

    def __init__(self, count: int, bright: slice, damaged: set[int]) -> None:
        self.dtype, self.channels = np.dtype(np.uint8), 1
        self.sizes = np.full((count, 2), 12, np.int64)
        self.image = np.zeros((12, 12, 1), np.uint8)
        self.image[:, bright] = 255
        self.damaged = damaged
        self.gate = threading.Event()
        self.gate.set()
        self.read: list[int] = []
        self.threads: set[int] = set()

    def __getitem__(self, index):
        if not self.gate.is_set():
            assert threading.current_thread() is not threading.main_thread()
        self.read.append(index)
        assert self.gate.wait(60)
        if index in self.damaged:
            raise PatchError(f"{index}.tif cannot be read; copy it again.")
        return self.image


LEFT, RIGHT = slice(0, 6), slice(6, 12)


@pytest.fixture
def slow():
    """Make a patch set whose disk does not answer; in the end all of them do."""
    made = []

    def make(bright=LEFT, damaged=()) -> PatchSet:
        images = SlowImages(120, bright, set())
        patches = PatchSet(images, toy_patches().table, ("grey",), name="slow")
        _ = patches.eyes  # as loading does
        images.read.clear()
        images.damaged |= set(damaged)
        images.gate.clear()
        made.append(images)
        return patches

    yield make
    for images in made:
        images.gate.set()


@pytest.fixture
def gallery(viewer):
    gallery = Gallery(viewer)
    viewer.window.add_dock_widget(gallery, name="Patches", area="bottom")
    QApplication.processEvents()
    return gallery


def show(workspace, patches) -> None:
    """Load patches and select them all, so that row i of the gallery is patch i."""
    workspace.set_patches(patches)
    workspace.select(np.arange(len(patches)))


def halves(gallery, row) -> tuple[int, int]:
    """How bright the two halves of a picture of the gallery are."""
    rect = gallery.grid.visualRect(gallery.grid.model().index(row, 0))
    seen, middle, side = gallery.grid.viewport().grab().toImage(), rect.center(), 14
    y = rect.top() + gallery.grid.painter.side // 2
    return tuple(seen.pixelColor(middle.x() + away, y).lightness() for away in (-side, side))


def shows(gallery, row, bright) -> bool:
    left, right = halves(gallery, row)
    return left > right + 100 if bright is LEFT else right > left + 100


def in_view(gallery) -> list[int]:
    """Return the rows of the gallery that are on the screen."""
    grid = gallery.grid
    seen = grid.viewport().rect()
    rows = range(grid.model().rowCount())
    return [r for r in rows if seen.intersects(grid.visualRect(grid.model().index(r, 0)))]


def test_the_gallery_is_painted_at_once_and_its_pictures_come(gallery, workspace, slow, qtbot):
    patches = slow()
    show(workspace, patches)
    QApplication.processEvents()
    left, right = halves(gallery, 0)
    assert left == right  # something quiet
    qtbot.waitUntil(lambda: patches.images.read == [0])
    patches.images.gate.set()
    qtbot.waitUntil(lambda: all(shows(gallery, row, LEFT) for row in in_view(gallery)))
    assert patches.images.read == in_view(gallery)  # in their order, each once


def test_what_is_in_view_is_read_first_and_what_scrolled_away_is_not(
    gallery, workspace, slow, qtbot
):
    gallery.thumbnail_size.setValue(120)
    patches = slow()
    show(workspace, patches)
    qtbot.waitUntil(lambda: patches.images.read == [0])
    first = in_view(gallery)
    grid = gallery.grid
    grid.scrollTo(grid.model().index(63, 0), grid.ScrollHint.PositionAtTop)
    QApplication.processEvents()
    last = in_view(gallery)
    assert min(len(first), len(last)) > 1
    assert not set(first) & set(last)
    qtbot.wait(50)
    patches.images.gate.set()
    qtbot.waitUntil(lambda: len(patches.images.read) > len(last))
    qtbot.waitUntil(lambda: shows(gallery, last[0], LEFT))
    assert patches.images.read == [0, *last]


def test_the_map_close_up_does_not_wait(viewer, workspace, slow, qtbot):
    owner, patches = MapLayer.of(viewer), slow()
    workspace.set_patches(patches)
    workspace.set_embedding(toy_map())
    QApplication.processEvents()
    overlay = owner.mouse.overlay
    assert len(overlay.pictures) == 120

    def left_and_right():
        image = overlay.pictures[0].pixmap.toImage()
        y, wide = image.height() // 2, image.width()
        return [image.pixelColor(x, y).lightness() for x in (wide // 4, 3 * wide // 4)]

    assert len(set(left_and_right())) == 1
    qtbot.waitUntil(lambda: len(patches.images.read) == 1)
    camera_of(viewer).zoom *= 1.2
    QApplication.processEvents()
    patches.images.gate.set()
    qtbot.waitUntil(lambda: np.ptp(left_and_right()) > 100)
    # In another size, what is there stands for what is to come.
    patches.images.gate.clear()
    camera_of(viewer).zoom *= 1.4
    assert np.ptp(left_and_right()) > 100


def test_the_card_says_what_it_knows_and_shows_the_picture_later(
    viewer, workspace, slow, hand, qtbot
):
    patches = slow(damaged=[65])
    workspace.set_patches(patches)
    workspace.set_embedding(toy_map())
    MapLayer.of(viewer).points.visible = True
    overlay = MapLayer.of(viewer).mouse.overlay
    hand.hover(toy_map()[65])
    assert words_on_card(overlay)[0] == "spiky"
    waiting = overlay.grab().toImage()
    patches.images.gate.set()
    qtbot.waitUntil(lambda: words_on_card(overlay)[-1] == "image cannot be read")
    assert overlay.grab().toImage() != waiting
    # The mouse leaves: what arrives later brings no card back.
    hand.hover((1000.0, 1000.0))
    assert words_on_card(overlay) == []


class Painted(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget) -> None:
        super().__init__(widget)
        self.times = 0
        widget.installEventFilter(self)

    def eventFilter(self, _, event):
        self.times += event.type() == QEvent.Type.Paint
        return False


def test_the_picture_of_a_card_paints_no_gallery(viewer, gallery, workspace, slow, hand, qtbot):
    patches, owner = slow(), MapLayer.of(viewer)
    owner.close_up.set_from_afar(False)
    patches.images.gate.set()
    workspace.set_patches(patches)
    workspace.set_embedding(toy_map())
    workspace.select(np.arange(20))
    qtbot.waitUntil(lambda: shows(gallery, in_view(gallery)[-1], LEFT))
    overlay, arrived = owner.mouse.overlay, []
    owner.thumbnails.arrived.connect(arrived.append)
    patches.images.gate.clear()
    hand.hover(toy_map()[119])
    waiting, grid = overlay.grab().toImage(), Painted(gallery.grid.viewport())
    patches.images.gate.set()
    qtbot.waitUntil(lambda: overlay.grab().toImage() != waiting)
    QApplication.processEvents()
    assert arrived == [{119}]
    assert grid.times == 0


@pytest.mark.parametrize("last", ["the card", "the gallery"])
def test_the_picture_of_a_card_costs_the_gallery_none(
    viewer, gallery, workspace, slow, hand, qtbot, last
):
    """Nor the other way round: who asks last takes nothing from who asked before."""
    patches, owner = slow(), MapLayer.of(viewer)
    owner.close_up.set_from_afar(False)
    workspace.set_patches(patches)
    workspace.set_embedding(toy_map())
    workspace.select(np.arange(20))
    qtbot.waitUntil(lambda: len(patches.images.read) == 1)
    rows, painted = in_view(gallery), gallery.grid.viewport()
    assert len(rows) > 2
    painted.setUpdatesEnabled(last == "the gallery")
    for place in (100, 119):  # wherever the mouse was before, it moves
        hand.hover(toy_map()[place])
        qtbot.wait(50)
    painted.update()
    qtbot.wait(50)
    painted.setUpdatesEnabled(False)
    # Nobody is told of a picture, so nobody asks again for one that was forgotten.
    with owner.thumbnails.arrived.blocked():
        patches.images.gate.set()
        # The map asks for all, in another size.
        qtbot.waitUntil(
            lambda: all(patches.images.read.count(one) == 2 for one in (*rows, 119))
        )
    painted.setUpdatesEnabled(True)
    qtbot.waitUntil(lambda: all(shows(gallery, row, LEFT) for row in rows))


def test_a_patch_that_cannot_be_read_says_so(gallery, workspace, slow, qtbot):
    patches = slow(damaged=[1])
    show(workspace, patches)
    patches.images.gate.set()
    qtbot.waitUntil(lambda: shows(gallery, 2, LEFT))
    model = gallery.grid.model()
    assert "1.tif cannot be read" in model.data(model.index(1, 0), Qt.ItemDataRole.ToolTipRole)
    assert "cannot be read" not in model.data(model.index(2, 0), Qt.ItemDataRole.ToolTipRole)
    left, right = halves(gallery, 1)
    assert abs(left - right) < 100
    assert patches.images.read.count(1) == 1


def test_a_disk_that_answers_again_shows_its_pictures(
    gallery, workspace, slow, qtbot, monkeypatch
):
    monkeypatch.setattr("napari_patchmap.plugin.qt.thumbnails._AGAIN", 0.0)
    patches = slow(damaged=[1])
    show(workspace, patches)
    model = gallery.grid.model()

    def said() -> str:
        return model.data(model.index(1, 0), Qt.ItemDataRole.ToolTipRole)

    patches.images.gate.set()
    qtbot.waitUntil(lambda: "cannot be read" in said())
    patches.images.damaged.clear()
    gallery.grid.viewport().update()
    qtbot.waitUntil(lambda: shows(gallery, 1, LEFT))
    assert "cannot be read" not in said()


def test_other_patches_never_show_pictures_of_the_old_ones(gallery, workspace, slow, qtbot):
    old, new = slow(LEFT), slow(RIGHT)
    show(workspace, old)
    qtbot.waitUntil(lambda: old.images.read == [0])
    show(workspace, new)
    qtbot.waitUntil(lambda: new.images.read == [0])  # it does not wait for the old disk
    old.images.gate.set()
    qtbot.wait(200)
    left, right = halves(gallery, 0)
    assert left == right
    assert old.images.read == [0]
    new.images.gate.set()
    qtbot.waitUntil(lambda: all(shows(gallery, row, RIGHT) for row in in_view(gallery)))
    assert old.images.read == [0]


@pytest.mark.usefixtures("make_napari_viewer")
def test_a_closed_window_reads_no_more(viewer, gallery, workspace, slow, qtbot, tasks):
    patches = slow()
    show(workspace, patches)
    qtbot.waitUntil(lambda: patches.images.read == [0])
    viewer.close()
    QApplication.processEvents()
    patches.images.gate.set()
    qtbot.waitUntil(lambda: not any(task.running for task in tasks))
    assert patches.images.read == [0]


def test_a_contact_sheet_is_read_beside_the_window_and_can_be_cancelled(
    gallery, workspace, slow, qtbot, tasks
):
    heard: list[str] = []
    workspace.status_changed.connect(heard.append)
    patches, clipboard = slow(), QApplication.clipboard()
    clipboard.clear()
    show(workspace, patches)
    copy = gallery.save.menu().actions()[2]
    copy.trigger()
    assert gallery.save.reading.isVisible()
    assert not gallery.save.isEnabled()  # one at a time
    qtbot.mouseClick(gallery.save.reading.button, Qt.MouseButton.LeftButton)
    assert not gallery.save.reading.isVisible()
    assert not gallery.save.reading.button.isVisible()
    assert gallery.save.isEnabled()
    patches.images.gate.set()
    qtbot.waitUntil(lambda: not any(task.running for task in tasks))
    assert clipboard.image().isNull()
    assert heard == []
    seen: list[str] = []
    gallery.save.reading.valueChanged.connect(
        lambda _: seen.append(gallery.save.reading.format())
    )
    copy.trigger()
    qtbot.waitUntil(lambda: not clipboard.image().isNull())
    assert heard == ["The contact sheet is on the clipboard."]
    assert not gallery.save.reading.isVisible()
    assert all(text.endswith(" of 120") for text in seen)


def test_a_contact_sheet_of_a_damaged_image_says_so(
    gallery, workspace, slow, qtbot, tmp_path, tasks
):
    heard: list[str] = []
    workspace.status_changed.connect(heard.append)
    patches = slow(damaged=[5])
    show(workspace, patches)
    gallery.save.save_sheet(tmp_path / "sheet.png")
    patches.images.gate.set()
    qtbot.waitUntil(lambda: heard != [])
    assert heard == ["5.tif cannot be read; copy it again."]
    assert list(tmp_path.iterdir()) == []


def test_a_stack_is_read_beside_the_window_and_can_be_cancelled(
    viewer, workspace, slow, qtbot, tasks
):
    panel, patches = Explore(viewer), slow()
    viewer.window.add_dock_widget(panel, name="Explore", area="right")
    workspace.set_patches(patches)
    workspace.set_embedding(toy_map())
    QApplication.processEvents()
    qtbot.mouseClick(panel.stack, Qt.MouseButton.LeftButton)
    assert panel.reading.isVisible()
    assert not panel.stack.isVisible()
    qtbot.mouseClick(panel.reading.button, Qt.MouseButton.LeftButton)
    assert not panel.reading.isVisible()
    assert panel.stack.isVisible()
    patches.images.gate.set()
    qtbot.waitUntil(lambda: not any(task.running for task in tasks))
    assert MapLayer.of(viewer).link.layer is None
    qtbot.mouseClick(panel.stack, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: MapLayer.of(viewer).link.layer is not None)
    assert MapLayer.of(viewer).link.layer.data.shape == (120, 12, 12)
    assert not panel.stack.isVisible()
    assert not panel.reading.isVisible()


def test_what_lies_in_memory_is_there_at_once(gallery, workspace, tasks):
    show(workspace, toy_patches())
    pixels = gallery.grid.viewport().grab().toImage()
    colours = {pixels.pixelColor(x, 30).lightness() for x in range(10, 60)}
    assert len(colours) > 10
    assert tasks == []
