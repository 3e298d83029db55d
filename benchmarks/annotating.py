"""A stopwatch: from a folder of images without class names to all of them annotated.

    xvfb-run -a -s "-screen 0 1366x768x24" python benchmarks/annotating.py FOLDER \\
        [--minutes 5] [--run RUN] [--goal 90] [--pictures FOLDER]

FOLDER has one sub-folder a class. Its images are linked into one folder, mixed and numbered,
so that nothing says what they are. A person opens napari, loads and trains, presses "Next 20",
says what each is (a key each; a name when a class is new), "Suggest the rest", and so on, until
all that is annotated or suggested agrees with the true classes often enough. Every click and
key is a real event; each look at a patch is counted with ``--seconds-a-look``. With ``--run``
that person begins with a copy of a run of the same images that was trained before.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from newcomer import Newcomer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.errors import ConfigError
from napari_patchmap.runs import TrainConfig

#: Batches of 20 that a person has the patience for.
_MOST = 40


def minutes(text: str) -> str:
    """Check a time that is typed into the form of a training."""
    try:
        TrainConfig(minutes=float(text))
    except (ValueError, ConfigError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def mixed(folder: Path, into: Path, seed: int) -> dict[str, str]:
    """Link the images of all classes into one folder; return the class of each name."""
    images = sorted(path for path in folder.rglob("*") if path.is_file())
    random = np.random.default_rng(seed)
    truth = {}
    for number, at in enumerate(random.permutation(len(images))):
        name = f"cell {number:06}{images[at].suffix}"
        (into / name).symlink_to(images[at].resolve())
        truth[name] = images[at].parent.name
    return truth


class Annotator(Newcomer):
    """Somebody who knows what each patch is, looks at it for a while, and says so."""

    def __init__(self, seconds_a_look: float, pictures: Path | None) -> None:
        super().__init__("annotating", pictures)
        self.looks, self.waited, self._look = 0, 0.0, seconds_a_look
        self.window.activateWindow()

    def press(self, widget: Any, key: Any) -> None:
        """Press one key."""
        QTest.keyClick(widget, key)
        self.keys += 1

    def retype(self, field: Any, text: str) -> None:
        """Double-click the number in a field, and type another."""
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        self.press(field, Qt.Key.Key_Return)
        self.clicks, self.keys = self.clicks + 2, self.keys + len(text)

    def patience(self, ready: Any, what: str, seconds: float = 3600) -> None:
        """Wait, and count how long the program let one wait."""
        began = time.monotonic()
        self.wait(ready, "", seconds)
        self.waited += time.monotonic() - began
        self.said.append(f"{what} took {time.monotonic() - began:.1f} s")

    def train(self, minutes: str) -> None:
        """Type how long it may take, press Start and wait for the end."""
        train = self.panel("train")
        self.retype(train.form.field("minutes"), minutes)
        self.patience(train.button.isEnabled, "plan")
        self.click(train.button)
        workspace = train.workspace
        self.patience(lambda: workspace.run is not None and not workspace.training, "training")
        self.look("trained")

    def answer(self, truth: np.ndarray) -> int:
        """Say what each of the patches is that are asked now; return how many were."""
        panel, gallery = self.panel("annotate"), self.panel("gallery")
        workspace = panel.workspace
        asked = gallery.grid.patches.indices.copy()
        for patch in asked:
            assert workspace.current == patch, "another patch is asked than the next one"
            self.looks += 1
            annotation, name = workspace.annotations.now, str(truth[patch])
            at = annotation.at(name)
            if at < 0:
                self.type(panel.name, name)
                self.press(panel.name, Qt.Key.Key_Return)
            else:
                key = annotation.classes[at].key
                assert key, "this protocol has at most nine classes"
                self.press(QApplication.focusWidget(), key)
        return len(asked)


def agreement(workspace: Any, truth: np.ndarray) -> float:
    """Return which share of all patches is annotated, or suggested, as what it is."""
    names, found = workspace.annotations.now.names, workspace.suggestions
    suggested = np.append(np.array(found.classes, object), "")[found.codes]
    return float((np.where(names != "", names, suggested) == truth).mean())


def annotate(person: Annotator, truth: np.ndarray, goal: float) -> None:
    """Go round after round, until enough agrees; then accept all that is suggested."""
    panel = person.panel("annotate")
    from napari_patchmap.plugin.qt.docks import show_panel

    show_panel(person.viewer, "annotate")
    person.clicks += 1  # on the tab
    workspace, suggesting = panel.workspace, panel.suggesting
    print("| annotated | agreement | said by the panel | suggesting took |")
    print("|---|---|---|---|")
    for turn in range(_MOST):
        person.click(suggesting.next)
        person.patience(
            lambda: not suggesting.working.running and suggesting.next.isEnabled(), ""
        )
        person.answer(truth)
        if turn == 0:
            person.look("first twenty")
        if len(panel.workspace.annotations.now.classes) < 2:
            continue
        began = time.monotonic()
        person.click(suggesting.rest)
        person.patience(lambda: not suggesting.working.running, "")
        seconds = time.monotonic() - began
        reached = agreement(workspace, truth)
        said = workspace.suggestions
        done = int((workspace.annotations.now.codes >= 0).sum())
        print(
            f"| {done} | {reached:.1%} | {said.score:.0%} ({said.low:.0%} to {said.high:.0%}) "
            f"| {seconds:.1f} s |",
            flush=True,
        )
        if reached >= goal:
            break
    person.look("suggested")
    person.retype(suggesting.sure, "0")
    person.click(suggesting.accept_sure)
    assert (workspace.annotations.now.codes >= 0).all()
    person.look("annotated")


def main() -> None:
    """Load, train, annotate, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="images in one sub-folder a class")
    parser.add_argument(
        "--minutes", type=minutes, default="5", help="time that the training is given"
    )
    parser.add_argument("--run", type=Path, help="a run of the mixed images")
    parser.add_argument("--mixed", type=Path, help="folder to keep the mixed images in")
    parser.add_argument("--goal", type=float, default=90, help="agreement in percent")
    parser.add_argument("--seconds-a-look", type=float, default=1.5)
    parser.add_argument("--pictures", type=Path, help="folder for pictures of each step")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if not given.folder.is_dir():
        parser.error(f"{given.folder} is no folder; choose one with a sub-folder a class")
    if given.run is not None and not (given.run / "config.json").is_file():
        parser.error(f"{given.run} is not a saved run: it holds no config.json")
    kept = given.mixed
    if kept is not None and kept.exists() and not (
        kept.is_dir() and all(one.is_symlink() for one in kept.iterdir())
    ):  # fmt: skip
        parser.error(f"{kept} holds other files; choose a new folder for the mixed images")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.mixed or Path(temporary) / "cells"
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        named = mixed(given.folder, folder, given.seed)
        run = given.run
        if run is not None:  # what was annotated in it before would be there, and stay there
            names = shutil.ignore_patterns("annotations.*", "selections.*", "session.*")
            run = shutil.copytree(run, Path(temporary) / "run", ignore=names)
        person = Annotator(given.seconds_a_look, given.pictures)
        person.open_workspace()
        load = person.panel("load")
        person.type(load.source.path.edit, str(run or folder))
        person.click(load.button)
        person.patience(
            lambda: (
                load.workspace.patches is not None
                and (given.run is None or load.workspace.run is not None)
            ),
            "loading",
        )
        table = load.workspace.patches.table
        truth = np.array([named[name] for name in table["source"]], object)
        if given.run is None:
            person.click(load.next)
            person.train(given.minutes)
        annotate(person, truth, given.goal / 100)
        looks = person.looks * given.seconds_a_look
        print(
            f"{person.clicks} clicks, {person.keys} keys, {person.looks} looks of "
            f"{given.seconds_a_look} s; {(person.waited + looks) / 60:.1f} minutes, "
            f"{person.waited / 60:.1f} of them waiting"
        )
        person.close()


if __name__ == "__main__":
    main()
