"""One training, or layout, in a viewer, from start to saved run; it outlives its panel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from qtpy.QtCore import QObject, Signal, Slot

from napari_patchmap.errors import RunError
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.worker import Task, sentence_of
from napari_patchmap.plugin.workspace import Workspace
from napari_patchmap.runs import Run, Unfinished, alone_in, new_run_folder
from napari_patchmap.runs.config import RunConfig
from napari_patchmap.training import fit
from napari_patchmap.training.progress import Progress
from napari_patchmap.training.relayout import lay_out_again

#: How often the map on the screen moves; the trainer makes it rarer if it is costly.
_SNAPSHOT_SECONDS = 1.5


@dataclass(frozen=True)
class Trained:
    """A run, and why it could not be saved ("" if it was)."""

    run: Run
    trouble: str = ""


class Training(QObject):
    """Makes a map in the background and gives the workspace what comes of it.

    Checkpoints go into the folder of the run, so that a training which was
    cancelled, or whose napari was ended by force, can be resumed. Only the
    workspace's own patches get the map: if others were loaded meanwhile, the run
    is saved but not shown.

    Parameters
    ----------
    workspace : Workspace
    patches : PatchSet
    folder : Path
        Of the run.
    make : callable
        Called in the background with the task and with what says whether to pause;
        returns the run.
    name : str
        What is being done.

    Signals
    -------
    progressed(list of Progress)
        Reports since the last time, in order.
    rested()
        A pause that was asked for has begun.
    finished(Trained)
        The run is over, whole or cancelled.
    failed(str)
        There is no run, and why, in one sentence.
    """

    progressed = Signal(list)
    rested = Signal()
    finished = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        patches: PatchSet,
        folder: Path,
        make: Callable[[Task, Callable[[], bool]], Run],
        name: str,
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self.patches, self.folder = patches, folder
        self._pause, self._resting = threading.Event(), False

        def work(task: Task) -> Trained:
            with alone_in(folder):
                run = make(task, self._should_pause)
                # Saved here, so that a window that is closing loses nothing either.
                return Trained(run, _save(run, folder))

        self._task = Task(work, name)
        self._task.reported.connect(self._on_reports)
        self._task.done.connect(self._on_done)
        self._task.failed.connect(self.failed)
        self._task.ended.connect(self._end)

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        patches: PatchSet,
        config: RunConfig,
        unfinished: Unfinished | None = None,
    ) -> Self:
        """Train patches, or go on with an interrupted training of them."""
        folder = new_run_folder(patches.name) if unfinished is None else unfinished.folder

        def make(task: Task, should_pause: Callable[[], bool]) -> Run:
            return fit(
                patches,
                config,
                folder=folder,
                resume=unfinished is not None,
                progress=task.report,
                should_stop=task.should_stop,
                should_pause=should_pause,
                should_leave=task.should_leave,
                snapshot_seconds=_SNAPSHOT_SECONDS,
            )

        return cls(workspace, patches, folder, make, "Training a map")

    @classmethod
    def layout(
        cls, workspace: Workspace, patches: PatchSet, run: Run, settings: dict[str, Any]
    ) -> Self:
        """Make another map of a run's features, by t-SNE with these settings."""

        def make(task: Task, _: Callable[[], bool]) -> Run:
            return lay_out_again(
                run,
                progress=task.report,
                should_stop=task.should_stop,
                snapshot_seconds=_SNAPSHOT_SECONDS,
                **settings,
            )

        return cls(workspace, patches, new_run_folder(patches.name), make, "Laying out a map")

    def start(self) -> None:
        """Start training."""
        _alive.add(self)
        self._workspace.set_training(True)
        self._task.start()

    def stop(self) -> None:
        """End soon and keep what was learned."""
        self._task.stop()

    def leave(self) -> None:
        """End at once: the checkpoint stays, but no map is made of what was learned."""
        self._task.leave()

    def set_paused(self, paused: bool) -> None:
        """Rest as soon as the step that is being made is over, or go on."""
        if paused:
            self._resting = False
            self._pause.set()
        else:
            self._pause.clear()

    @property
    def paused(self) -> bool:
        """Whether a pause was asked for."""
        return self._pause.is_set()

    @property
    def current(self) -> bool:
        """Whether the workspace still shows the patches of this training."""
        return self._workspace.patches is self.patches

    def _should_pause(self) -> bool:
        """Answer the trainer, in its thread, and tell when it has come to rest."""
        paused = self._pause.is_set()
        if paused and not self._resting:
            self._resting = True
            self.rested.emit()
        return paused

    @Slot(list)
    def _on_reports(self, reports: list[Progress]) -> None:
        maps = [r.embedding for r in reports if r.embedding is not None]
        if maps and self.current:
            self._workspace.set_embedding(maps[-1])
        self.progressed.emit(reports)

    @Slot(object)
    def _on_done(self, trained: Trained) -> None:
        if self.current:
            self._workspace.set_run(trained.run)
        self.finished.emit(trained)

    @Slot()
    def _end(self) -> None:
        _alive.discard(self)
        self._workspace.set_training(False)


def _save(run: Run, folder: Path) -> str:
    """Save a run in its folder; return why that was impossible, or ""."""
    try:
        run.save(folder)
    except (RunError, OSError) as error:
        return sentence_of(error)
    return ""


#: Trainings keep themselves alive here until they end, whatever becomes of their panel.
_alive: set[Training] = set()
