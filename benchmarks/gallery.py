"""How long the gallery takes with many patches: our own work and that of Qt.

    xvfb-run -a -s "-screen 0 1600x1000x24" \\
        python benchmarks/gallery.py [--patches 17092 300000 1000000]

Patches of 8 x 8 pixels in memory, with no map; each row is the best of several, in
milliseconds. "list of Qt" is what QListView takes to lay out as many equal cells, which is
what each other size of the pictures would cost with it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable

import numpy as np


def best(act: Callable[[], object], times: int = 3) -> float:
    """Return the shortest of several times, in milliseconds."""
    from qtpy.QtWidgets import QApplication

    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        QApplication.processEvents()
        taken.append(1000 * (time.perf_counter() - began))
    return min(taken)


def list_of_qt(count: int) -> float:
    """Return the milliseconds that Qt's own list takes to lay out so many cells."""
    from qtpy.QtCore import QAbstractListModel, QModelIndex, QSize
    from qtpy.QtWidgets import QListView

    class Model(QAbstractListModel):
        def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
            return 0 if parent.isValid() else count

        def data(self, index: QModelIndex, role: int = 0) -> None:
            return None

    view, model, sizes = QListView(), Model(), [60, 90, 70]
    view.setModel(model)
    view.setFlow(QListView.Flow.LeftToRight)
    view.setWrapping(True)
    view.setUniformItemSizes(True)
    view.resize(900, 250)
    view.show()

    def lay_out() -> None:
        side = sizes.pop()
        view.setGridSize(QSize(side, side))
        view.visualRect(model.index(count - 1, 0))

    return best(lay_out)


def measure(count: int) -> dict[str, float]:
    """Measure with so many patches."""
    import napari
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    from napari_patchmap.patches.box_table import box_table
    from napari_patchmap.patches.patchset import PatchSet
    from napari_patchmap.plugin.panels.explore.gallery import Gallery
    from napari_patchmap.plugin.workspace import workspace_of

    rng = np.random.default_rng(0)
    table = box_table("cells.npy", np.arange(count), np.full((count, 2), 8))
    table["label"] = rng.choice(["lymphocyte", "monocyte", "neutrophil"], count)
    table["area"] = rng.normal(50, 9, count)
    table["name"] = [f"cell {i}.png" for i in rng.permutation(count)]
    images = rng.integers(0, 255, (count, 8, 8, 1), np.uint8)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1366, 768)
    workspace = workspace_of(viewer)
    gallery = Gallery(viewer)
    viewer.window.add_dock_widget(gallery, area="bottom")
    workspace.set_patches(PatchSet(images, table, ("grey",), name="cells"))
    QTest.qWait(200)
    grid, orders = gallery.grid, gallery.orders
    bar, sides = grid.verticalScrollBar(), [56, 80, 40]
    hooks = orders.hooks

    def sort(name: str) -> Callable[[], None]:
        def act() -> None:
            orders.box.setCurrentIndex(orders.box.findText(name))
            orders.box.activated.emit(orders.box.currentIndex())

        return act

    def toggle() -> None:
        QTest.keyClick(grid, Qt.Key.Key_Space)

    found = {"list of Qt": list_of_qt(count)}
    for name in ("label", "area", "name"):
        found[f"sort by {name}"] = best(sort(name))
    confidence = rng.random(count)
    found["sort by values offered"] = best(
        lambda: hooks.offer("Confidence", confidence.copy(), choose=True)
    )
    found["scroll a line"] = best(lambda: bar.setValue(bar.value() + bar.singleStep()), 9)
    found["jump to the middle"] = best(lambda: bar.setValue(bar.maximum() // 2), 1)
    found["other size"] = best(lambda: grid.set_side(sides.pop()))
    found["arrow key"] = best(lambda: QTest.keyClick(grid, Qt.Key.Key_Right), 9)
    found["toggle one"] = best(toggle)
    found["select all"] = best(
        lambda: QTest.keyClick(grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier), 1
    )
    found["toggle one of all"] = best(toggle)
    viewer.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, nargs="+", default=[17_092, 300_000, 1_000_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_DATA_HOME"] = home
        rows = [measure(count) for count in options.patches]
    print("| ms | " + " | ".join(f"{count:,}" for count in options.patches) + " |")
    print("|---" * (len(rows) + 1) + "|")
    for name in rows[0]:
        print(f"| {name} | " + " | ".join(f"{row[name]:.1f}" for row in rows) + " |")


if __name__ == "__main__":
    main()
