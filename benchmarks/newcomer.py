"""A stopwatch of three newcomers' tasks: clicks and seconds from napari to a map.

Every step is a real mouse click, on menus, buttons and, for one's own folder, a path that
is typed. The window has the size of a 13-inch laptop's screen.

    xvfb-run -a -s "-screen 0 1366x768x24" python benchmarks/newcomer.py \\
        [--pictures FOLDER] [--busy 1]

With pictures there is a film strip of each task; ``--busy`` takes so many cores meanwhile.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import napari
import numpy as np
from PIL import Image, ImageDraw
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMenu, QWidget

sys.path.insert(0, str(Path(__file__).parent))
from under_load import busy

LEFT = Qt.MouseButton.LeftButton


class Newcomer:
    """Somebody who clicks, and looks at the clock."""

    def __init__(self, name: str, pictures: Path | None) -> None:
        self.name, self.pictures = name, pictures
        self.viewer = napari.Viewer(title=name)
        self.window = self.viewer.window._qt_window
        self.window.resize(1366, 768)
        self.window.show()
        QTest.qWait(300)
        self.clicks = self.keys = 0
        self.began = time.monotonic()
        self.said: list[str] = []
        self.seen: list[tuple[str, Path]] = []

    def click(self, widget: QWidget, place: object = None) -> None:
        """Click a widget that can be seen."""
        seen = not widget.visibleRegion().isEmpty()
        assert seen, f"what is clicked must be seen: {widget.objectName() or widget}"
        where = widget.rect().center() if place is None else place
        QTest.mouseClick(widget, LEFT, Qt.KeyboardModifier.NoModifier, where)
        self.clicks += 1
        QApplication.processEvents()

    def menu(self, *names: str) -> None:
        """Click through a menu."""
        bar = self.window.menuBar()
        for action in bar.actions():
            if action.text().replace("&", "") == names[0]:
                self.click(bar, bar.actionGeometry(action).center())
                opened = action.menu()
        for name in names[1:]:
            assert isinstance(opened, QMenu)
            self.wait(opened.isVisible, "")
            texts = {a.text().replace("&", ""): a for a in opened.actions()}
            action = next(a for text, a in texts.items() if text.startswith(name))
            inner = action.menu()
            self.click(opened, opened.actionGeometry(action).center())
            opened = inner

    def type(self, widget: QWidget, text: str) -> None:
        """Type into a field."""
        self.click(widget)
        QTest.keyClicks(widget, text)
        self.keys += len(text)

    def wait(self, ready: Callable[[], bool], what: str, seconds: float = 300) -> None:
        """Wait for something to be seen, and note when it was."""
        until = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < until, f"{what} did not come"
            QTest.qWait(20)
        if what:
            self.said.append(f"{what} after {time.monotonic() - self.began:.1f} s")

    def look(self, name: str) -> None:
        """Keep a picture of the window."""
        if self.pictures is not None:
            QTest.qWait(300)
            self.pictures.mkdir(parents=True, exist_ok=True)
            path = self.pictures / f"{self.name} {name}.png".replace(" ", "-")
            self.window.grab().save(str(path))
            self.seen.append((f"{time.monotonic() - self.began:.0f} s: {name}", path))

    def panel(self, key: str) -> QWidget:
        """Return a panel, once it is there."""
        from napari_patchmap.plugin.qt.docks import find_panel

        found = find_panel(self.viewer, key)
        assert found is not None
        return found

    def open_workspace(self) -> None:
        """Plugins > Patchmap > Workspace."""
        self.menu("Plugins", "Patchmap", "Workspace")
        began = time.monotonic()
        self.look("starting")
        self.wait(self.is_open, "workspace")
        self.said.append(f"the window stood still {time.monotonic() - began:.1f} s at most")
        self.look("opened")

    def is_open(self) -> bool:
        """Whether the workspace stands."""
        if "napari_patchmap.plugin.qt.docks" not in sys.modules:
            return False
        from napari_patchmap.plugin.qt.docks import PANELS, open_docks

        last = [key for key, panel in PANELS.items() if panel.at_first][-1]
        return last in open_docks(self.viewer)

    def train(self) -> None:
        """Start the training and wait for the first maps."""
        train = self.panel("train")
        self.wait(lambda: train.button.isEnabled() and train.button.isVisible(), "Start")
        self.look("train")
        self.click(train.button)
        workspace = train.workspace
        self.wait(lambda: workspace.embedding is not None, "map of pixels")
        self.look("pixels")
        self.wait(lambda: not workspace.provisional, "first learned map")
        self.look("learning")
        train.cancel()
        self.wait(lambda: not workspace.training, "saved map")
        self.look("map")

    def close(self) -> None:
        """Say what it took."""
        print(f"{self.name}: {self.clicks} clicks, {self.keys} keys; {'; '.join(self.said)}")
        if self.pictures is not None:
            strip(self.seen).save(self.pictures / f"{self.name}.png".replace(" ", "-"))
        self.viewer.close()
        QTest.qWait(100)


def strip(seen: Sequence[tuple[str, Path]], across: int = 2) -> Image.Image:
    """Join pictures of a window to a film strip, each under its words."""
    width, height, room = 683, 384, 26
    rows = -(-len(seen) // across)
    film = Image.new("RGB", (across * width, rows * (height + room)), "white")
    for number, (words, path) in enumerate(seen):
        left, top = width * (number % across), (height + room) * (number // across)
        with Image.open(path) as picture:
            film.paste(picture.convert("RGB").resize((width, height)), (left, top + room))
        ImageDraw.Draw(film).text((left + 8, top + 5), words, "black", font_size=15)
    return film


def sample_to_map(pictures: Path | None) -> None:
    """File > Open Sample, then Start."""
    person = Newcomer("sample to map", pictures)
    person.menu("File", "Open Sample", "Blood cells")
    person.wait(person.is_open, "workspace")
    person.look("workspace")
    person.train()
    person.close()


def folder_to_map(pictures: Path | None) -> None:
    """Workspace, a folder's path, Load, Train, Start."""
    with tempfile.TemporaryDirectory() as folder:
        random = np.random.default_rng(0)
        for i in range(200):
            kind = Path(folder) / ("round", "flat")[i % 2]
            kind.mkdir(exist_ok=True)
            pixels = random.integers(0, 255, (24, 24, 3), dtype=np.uint8)
            pixels[6:18, 6 : 18 - 6 * (i % 2)] = 230
            Image.fromarray(pixels).save(kind / f"{i}.png")
        person = Newcomer("own folder to map", pictures)
        person.open_workspace()
        load = person.panel("load")
        person.type(load.source.path.edit, folder)
        person.click(load.button)
        person.wait(lambda: load.workspace.patches is not None, "patches")
        person.look("loaded")
        person.click(load.next)
        person.train()
        person.close()


def labels_to_map(pictures: Path | None) -> None:
    """Workspace beside an open image and its Labels layer."""
    random = np.random.default_rng(0)
    labels = np.zeros((400, 400), np.uint16)
    for i in range(16):
        for j in range(16):
            labels[4 + 24 * i : 18 + 24 * i, 4 + 24 * j : 12 + 24 * j + 6 * (i % 2)] = (
                1 + 16 * i + j
            )
    image = (60 * (labels > 0) + random.integers(0, 90, labels.shape)).astype(np.uint8)
    person = Newcomer("labels to map", pictures)
    person.viewer.add_image(image, name="tissue")
    person.viewer.add_labels(labels, name="cells")
    person.open_workspace()
    load = person.panel("load")
    person.wait(lambda: load.offer.proposal.kind == "objects", "offer")
    person.look("offer")
    person.click(load.offer.button)
    person.wait(lambda: load.workspace.patches is not None, "patches")
    person.look("loaded")
    person.click(load.next)
    person.train()
    person.close()


def main() -> None:
    """Do the three tasks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, help="folder for pictures of each step")
    parser.add_argument("--busy", type=int, default=0, help="cores that others take")
    tasks = {"sample": sample_to_map, "folder": folder_to_map, "labels": labels_to_map}
    parser.add_argument("--tasks", nargs="*", choices=list(tasks), default=list(tasks))
    given = parser.parse_args()
    if given.pictures is not None and given.pictures.exists() and not given.pictures.is_dir():
        parser.error(f"{given.pictures} is a file; choose a folder for the pictures")
    with busy(given.busy):
        for name in given.tasks:
            tasks[name](given.pictures)


if __name__ == "__main__":
    main()
