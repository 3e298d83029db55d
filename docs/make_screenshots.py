"""Take the README's screenshots of a real window.

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py RUN [OTHER ...]

RUN is a run folder whose images can still be opened, OTHER are runs of the same
patches. Writes docs/workspace.png, docs/lasso.png, docs/augmentations.png, docs/annotate.png
and, with others, docs/compare.png. What is annotated for the picture goes to a copy of RUN.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

sys.path.insert(0, str(Path(__file__).parent.parent))

from napari_patchmap.plugin.entry.launch import show_run
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run, reopen_patches
from tests.plugin.toy import Hand

HERE = Path(__file__).parent


class Mouse:
    """The part of pytest-qt's qtbot that a hand needs."""

    def __getattr__(self, name: str) -> object:
        return getattr(QTest, name)

    def wait(self, milliseconds: int) -> None:
        """Let the window work for a while."""
        QTest.qWait(milliseconds)


def main() -> None:
    """Open a run, draw a lasso, look at the panels."""
    copied = Path(tempfile.mkdtemp()) / "run"
    shutil.copytree(
        sys.argv[1], copied, ignore=shutil.ignore_patterns("annotations.*", "selections.*")
    )
    run = Run.load(copied)
    viewer = show_run(run, reopen_patches(run), block=False)
    viewer.window.resize(1600, 1000)
    show_panel(viewer, "explore")
    QTest.qWait(1500)
    workspace, hand = workspace_of(viewer), Hand(viewer, Mouse())

    def save(name: str) -> None:
        viewer.screenshot(HERE / name, canvas_only=False, flash=False)

    labels = run.labels
    assert labels is not None
    names, counts = np.unique(labels, return_counts=True)
    wanted = "erythroblast" if "erythroblast" in names else names[counts.argmax()]
    centre = np.median(run.embedding[labels == wanted], axis=0)
    angle = np.linspace(0, 6.1, 60)
    around = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    path = centre + around * (1 + 0.15 * np.sin(3 * angle))[:, None] * 0.09 * np.ptp(
        run.embedding
    )
    hand.drag(
        [tuple(point) for point in path],
        Qt.KeyboardModifier.ShiftModifier,
        look=lambda: save("lasso.png"),
    )
    QTest.qWait(800)
    chosen = workspace.selection
    hand.hover(run.embedding[int(chosen[len(chosen) // 2])])
    QTest.qWait(500)
    save("workspace.png")
    workspace.set_current(int(chosen[0]))
    show_panel(viewer, "augment")
    QTest.qWait(2500)
    save("augmentations.png")
    panel = show_panel(viewer, "annotate")
    for name in names:
        workspace.select(np.flatnonzero(labels == name)[:12])
        panel.name.setFocus()
        QTest.keyClicks(panel.name, name)
        QTest.keyClick(panel.name, Qt.Key.Key_Return)
    workspace.clear_selection()
    panel.suggesting.rest.click()
    while workspace.suggestions is None:
        QTest.qWait(100)
    panel.suggesting.doubtful.click()
    QTest.qWait(2500)
    save("annotate.png")
    if sys.argv[2:]:
        hand.hover(np.zeros(2))
        workspace.clear_selection()
        panel = show_panel(viewer, "compare")
        for folder in sys.argv[2:]:
            panel.add_run(folder)
            QTest.qWait(2500)
        save("compare.png")
    viewer.close()


if __name__ == "__main__":
    main()
