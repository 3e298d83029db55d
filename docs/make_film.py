"""Film one session: from cells without names to a table with them, and back the next day.

    xvfb-run -a -s "-screen 0 1366x768x24" python docs/make_film.py [--minutes 2]

The bundled cells are laid out as one image with a Labels layer, as in a segmented smear;
nothing in it says what they are. Steps are real mouse and key events. Writes docs/session.png,
and each picture to ``--pictures`` if that is given.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import tifffile
from napari._qt.dialogs.qt_notification import NapariQtNotification
from PIL import Image
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "benchmarks")]

from annotating import Annotator, minutes  # noqa: E402
from newcomer import strip  # noqa: E402

from napari_patchmap.patches import bundled_cells  # noqa: E402
from napari_patchmap.plugin.entry.launch import show_run  # noqa: E402
from napari_patchmap.plugin.qt.docks import show_panel  # noqa: E402
from napari_patchmap.plugin.workspace import workspace_of  # noqa: E402
from napari_patchmap.runs import Run, reopen_patches  # noqa: E402
from tests.plugin.toy import Hand  # noqa: E402

#: Cells in a row of the smear.
_ROW = 50


class Mouse:
    """The part of pytest-qt's qtbot that a hand needs."""

    def __getattr__(self, name: str) -> object:
        return getattr(QTest, name)

    def wait(self, milliseconds: int) -> None:
        """Let the window work for a while."""
        QTest.qWait(milliseconds)


def smear(folder: Path) -> np.ndarray:
    """Write the bundled cells as one image and a label image; return what each cell is."""
    cells = bundled_cells()
    side, count = cells.images[0].shape[0], len(cells)
    rows = -(-count // _ROW)
    image = np.full((rows * side, _ROW * side, 3), 235, np.uint8)
    labels = np.zeros(image.shape[:2], np.uint16)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    disc = y**2 + x**2 < (0.46 * side) ** 2
    for i in range(count):
        top, left = side * (i // _ROW), side * (i % _ROW)
        image[top : top + side, left : left + side] = cells.images[i]
        labels[top : top + side, left : left + side][disc] = i + 1
    tifffile.imwrite(folder / "smear.tif", image, photometric="rgb")
    tifffile.imwrite(folder / "cells.tif", labels)
    return np.asarray(cells.labels, object)


class Director(Annotator):
    """Somebody who annotates, and keeps a picture of each step."""

    def __init__(self, pictures: Path) -> None:
        super().__init__(0, pictures)
        self.name = "session"

    def look(self, name: str) -> None:
        """Keep a picture, under words without the time: that differs from day to day."""
        if not name[0].isupper():  # of what is no step of the session
            return
        for note in self.window.findChildren(NapariQtNotification):
            note.close()  # as they do by themselves after a few seconds
        super().look(name)
        self.seen[-1] = (f"{len(self.seen)}  {name}", self.seen[-1][1])

    def zoom(self, hand: Hand, place: np.ndarray, notches: int) -> None:
        """Turn the wheel over a place of the map."""
        where = QPointF(hand.pixel(place))
        for _ in range(notches):
            wheel = QWheelEvent(
                where, QPointF(hand.canvas.mapToGlobal(where.toPoint())), QPoint(0, 0),
                QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(hand.canvas, wheel)
            QTest.qWait(30)


def lasso_of(places: np.ndarray, share: float = 0.6) -> list[tuple[float, float]]:
    """Return a line around the densest part of some places."""
    middle = np.median(places, axis=0)
    reach = np.quantile(np.linalg.norm(places - middle, axis=1), share)
    angle = np.linspace(0, 6.1, 40)
    around = (
        np.stack([np.sin(angle), np.cos(angle)], 1) * (1 + 0.1 * np.sin(3 * angle))[:, None]
    )
    return [tuple(one) for one in middle + reach * around]


def midmost(places: np.ndarray) -> np.ndarray:
    """Return the place, of some, that lies in the middle of them."""
    middle = np.median(places, axis=0)
    return places[np.linalg.norm(places - middle, axis=1).argmin()]


def session(folder: Path, pictures: Path, given: str) -> Director:
    """Do all of it, once."""
    truth = smear(folder)
    person = Director(pictures)
    viewer = person.viewer
    viewer.open(folder / "smear.tif", plugin="napari", rgb=True)
    viewer.open(folder / "cells.tif", plugin="napari", layer_type="labels")
    person.open_workspace()
    load = person.panel("load")
    person.wait(lambda: load.offer.proposal.kind == "objects", "offer")
    person.click(load.offer.button)
    person.wait(lambda: load.workspace.patches is not None, "patches")
    person.look("Load: the cells of a segmented smear; nothing says what they are")
    person.click(load.next)
    person.train(given)
    workspace = workspace_of(viewer)
    show_panel(viewer, "explore")
    hand = Hand(viewer, Mouse())
    table = workspace.patches.table
    truth = truth[table["label_id"].to_numpy() - 1]
    names, counts = np.unique(truth, return_counts=True)
    explore = person.panel("explore")
    explore.pictures.setChecked(True)
    QTest.qWait(1500)
    person.look("Train: alike cells lie together; pictures stand for the points")
    places = viewer.layers["map"].data  # as shown: a map is turned as the one before it
    person.zoom(hand, midmost(places[truth == "platelet"]), 11)
    QTest.qWait(1500)
    person.look("Zoom in, and more of them are pictures")
    explore.pictures.setChecked(False)
    person.click(explore.whole)
    panel = show_panel(viewer, "annotate")
    QTest.qWait(300)
    for name in names[np.argsort(-counts)]:
        path = lasso_of(places[truth == name], 0.3)
        last = name == names[np.argsort(-counts)][3]
        hand.drag(
            path,
            Qt.KeyboardModifier.ControlModifier,
            look=(lambda: person.look("Draw around cells, type a name, press Enter"))
            if last
            else None,
        )
        chosen = workspace.selection
        wrong = chosen[truth[chosen] != name]
        if len(wrong):  # a person looks at the gallery and takes away what does not belong
            workspace.select(wrong, "subtract")
        if len(workspace.selection) == 0:
            workspace.select(np.flatnonzero(truth == name)[:6])
        workspace.select(workspace.selection[:8])
        person.type(panel.name, str(name))
        person.press(panel.name, Qt.Key.Key_Return)
    workspace.clear_selection()
    QTest.qWait(500)
    person.click(panel.suggesting.rest)
    person.wait(lambda: workspace.suggestions is not None, "suggestions")
    QTest.qWait(800)
    person.look("Suggest the rest: what the others are, and how sure that is")
    for _ in range(2):
        person.click(panel.suggesting.next)
        person.wait(lambda: not panel.suggesting.working.running, "")
        QTest.qWait(200)
        person.answer(truth)
        person.click(panel.suggesting.rest)
        person.wait(lambda: not panel.suggesting.working.running, "")
    person.click(panel.suggesting.next)
    person.wait(lambda: not panel.suggesting.working.running, "")
    QTest.qWait(1200)
    person.look("Next 20: one key for each of those that teach most")
    person.answer(truth)
    person.click(panel.suggesting.rest)
    person.wait(lambda: not panel.suggesting.working.running, "")
    person.retype(panel.suggesting.sure, "0")
    panel.suggesting.accept_sure.click()
    workspace.clear_selection()
    show_panel(viewer, "explore")
    explore.beside_button.click()
    explore.on_image.paint.click()
    QTest.qWait(2500)
    workspace.select(np.flatnonzero(workspace.annotations.now.names == "platelet"))
    QTest.qWait(1500)
    person.look("Beside: the classes on the smear; select on one, see it on the other")
    panel = show_panel(viewer, "annotate")
    workspace.clear_selection()
    panel.exporting.export_to(folder / "cells.csv")
    person.wait(lambda: "Exported" in panel.exporting.said.text(), "table")
    person.look("Export: a table with the classes, for what comes next")
    return person


def next_day(person: Director, run: Path) -> None:
    """Open the run again, as `patchmap open` does."""
    person.viewer.close()
    QTest.qWait(500)
    saved = Run.load(run)
    person.viewer = show_run(saved, reopen_patches(saved), block=False)
    person.window = person.viewer.window._qt_window
    person.window.resize(1366, 768)
    QTest.qWait(3000)
    person.look("The next day: patchmap open RUN, and all of it is there")


def main() -> None:
    """Film it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--minutes", type=minutes, default="2", help="time that the training is given"
    )
    parser.add_argument("--pictures", type=Path, help="folder for the single pictures")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        pictures = given.pictures or Path(temporary) / "pictures"
        person = session(Path(temporary), pictures, given.minutes)
        next_day(person, workspace_of(person.viewer).run.folder)
        film = strip(person.seen, across=3).quantize(256, dither=Image.Dither.NONE)
        film.save(HERE / "session.png", optimize=True)
        person.viewer.close()


if __name__ == "__main__":
    main()
