"""One training, or layout, in a viewer, from start to saved run; it outlives its panel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from qtpy.QtCore import QObject, Signal, Slot

from napari_patchmap.errors import PatchmapError, RunError, TrainingStopped
from napari_patchmap.explore.pixel_map import pixel_map
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.networks.out_of_memory import free_cached_memory
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.worker import Task, sentence_of
from napari_patchmap.plugin.workspace import Workspace
from napari_patchmap.runs import Run, Unfinished, alone_in, new_run_folder
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.training import fit, save_run
from napari_patchmap.training.plan import Plan
from napari_patchmap.training.progress import Progress
from napari_patchmap.training.relayout import lay_out_again

#: What is shown before anything was learned, or laid out where nothing is learned.
OF_PIXELS = "Map of pixels, until the network has learned"
_FIRST_LOOK = "First look at the pixels, until the map is laid out"

#: How often the map on the screen moves; the trainer makes it rarer if it is costly.
_SNAPSHOT_SECONDS = 1.5


@dataclass(frozen=True)
class Trained:
    """A run, and what of it could not be saved and why ("" if all was)."""

    run: Run
    trouble: str = ""


class Training(QObject):
    """Makes a map in the background and gives the workspace what comes of it.

    Checkpoints go into the folder of the run, so that a training which was
    cancelled, or whose napari was ended by force, can be resumed. Only the
    workspace's own patches get the map: if others were loaded meanwhile, the run
    is saved but not shown.

    ``make`` is called in the background and returns the run; ``first_look`` is what a map
    of pixels is called that is shown until then, "" for none.

    Signals
    -------
    pixels_mapped(ndarray)
        A map of pixels, to look at until the network has learned.
    progressed(list of Progress)
        Reports since the last time, in order.
    planned(str)
        What will be done, measured a moment ago; some lines.
    rested()
        A pause that was asked for has begun.
    finished(Trained)
        The run is over, whole or cancelled.
    failed(str)
        There is no run, and why, in one sentence.
    """

    pixels_mapped = Signal(object)
    progressed = Signal(list)
    planned = Signal(str)
    rested = Signal()
    finished = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        patches: PatchSet,
        folder: Path,
        make: Callable[[Task, Training], Run],
        name: str,
        *,
        first_look: str = "",
    ) -> None:
        super().__init__()
        self._workspace, self._first_look = workspace, first_look
        self.patches, self.folder = patches, folder
        self._pause, self._resting = threading.Event(), False

        def work(task: Task) -> Trained:
            with alone_in(folder):
                if first_look:
                    self._map_pixels(task)
                run = make(task, self)
                # Saved here, so that a window that is closing loses nothing either.
                return Trained(run, _save(run, folder))

        self._task = Task(work, name)
        self.pixels_mapped.connect(self._on_pixels)
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
        plan: Plan | None = None,
    ) -> Self:
        """Train patches, by a plan if it is made, or resume a training of them."""
        folder = new_run_folder(patches.name) if unfinished is None else unfinished.folder

        def make(task: Task, training: Training) -> Run:
            return fit(
                patches,
                config,
                folder=folder,
                resume=unfinished is not None,
                progress=task.report,
                should_stop=task.should_stop,
                should_pause=training._should_pause,
                should_leave=task.should_leave,
                plan=plan,
                planned=lambda plan: training.planned.emit("\n".join(plan.lines())),
                snapshot_seconds=_SNAPSHOT_SECONDS,
            )

        first = OF_PIXELS if METHODS[config.train.method].trains else _FIRST_LOOK
        if workspace.embedding is not None:
            first = ""  # the map that stands is left to stand
        return cls(workspace, patches, folder, make, "Training a map", first_look=first)

    @classmethod
    def layout(
        cls, workspace: Workspace, patches: PatchSet, run: Run, settings: dict[str, Any]
    ) -> Self:
        """Make another map of a run's features, by t-SNE with these settings."""

        def make(task: Task, _: Training) -> Run:
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
    def stopped(self) -> bool:
        """Whether there is no run because the person did not wait for one."""
        return isinstance(self._task.error, TrainingStopped)

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

    def _map_pixels(self, task: Task) -> None:
        """Make a map of pixels, in the other thread; one that cannot be made is left out."""
        try:
            places = pixel_map(self.patches, watch=task.watch)
        except (PatchmapError, OSError, MemoryError):
            return  # the training says what is wrong with the patches
        if places is not None:
            self.pixels_mapped.emit(places)

    @Slot(object)
    def _on_pixels(self, places: np.ndarray) -> None:
        if self.current and self._workspace.embedding is None:
            self._workspace.set_embedding(places, provisional=self._first_look)

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
        free_cached_memory()  # here, not in the thread that trained: see there


def _save(run: Run, folder: Path) -> str:
    """Save a run in its folder; return what was impossible and why, or ""."""
    try:
        save_run(run, folder)
    except (RunError, OSError) as error:
        return f"{sentence_of(error)} The run is kept here until you do."
    return " ".join(run.missed)


#: Trainings keep themselves alive here until they end, whatever becomes of their panel.
_alive: set[Training] = set()
