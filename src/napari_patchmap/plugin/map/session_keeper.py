"""Remembers how the window on a run was left, and brings it back when the run is opened."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QMainWindow

from napari_patchmap.errors import RunError
from napari_patchmap.explore.given_names import SUGGESTED
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.annotation_keeper import AnnotationKeeper
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.two_views import BESIDE, View
from napari_patchmap.plugin.map.framing import Framing
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.hidden_groups import HiddenGroups
from napari_patchmap.plugin.map.session_images import SessionImages
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.qt.dock_sizes import (
    dock_places,
    dock_sizes,
    float_docks,
    resize_docks,
    window_size,
)
from napari_patchmap.plugin.qt.docks import front_panels, open_panels, show_panels
from napari_patchmap.plugin.source.image_colours import ImageColours
from napari_patchmap.plugin.workspace import Compared
from napari_patchmap.plugin.written_soon import WrittenSoon
from napari_patchmap.runs import Run, read_map
from napari_patchmap.runs.other_features import known_of
from napari_patchmap.runs.session_file import SavedSession, save_session

#: Maps that were read, folders that could not be, and why, in a sentence.
_Maps = tuple[list[Compared], tuple[Path, ...], str]


class SessionKeeper(QObject, Quiet):
    """Writes how the window shows a run, where its annotations are written, and restores it.

    Only the window that may write the annotations of a run writes this. Where it cannot be
    written nothing is said: the annotations say so.
    """

    def __init__(
        self,
        viewer: Viewer,
        shown: ShownMap,
        framing: Framing,
        hidden: HiddenGroups,
        keeper: AnnotationKeeper,
        colours: ImageColours,
        images: SessionImages,
    ) -> None:
        super().__init__()
        self._viewer, self._shown, self._framing = weakref.ref(viewer), shown, framing
        self._hidden, self._keeper, self._hooks = hidden, keeper, GalleryHooks.of(viewer)
        self._colours, self._images = colours, images
        self._run: Run | None = None
        self._changed = self._closing = self._refused = False
        #: Maps that were beside this one and could not be read, or not yet.
        self._absent: tuple[Path, ...] = ()
        self._point_size: float | None = None
        self._front: tuple[str, ...] = ()
        self._sizes: dict[str, int] = {}
        self._floating: dict[str, tuple[int, int, int, int]] = {}
        self._asked = SavedSession()
        self._writer = WrittenSoon(self, "Session", self._order)
        self._writer.failed.connect(self._on_failed)
        self._reader = Newest(self, "Reading maps", self._on_read)
        workspace, camera = shown.workspace, camera_of(viewer)
        keeper.leaving.connect(self.finish)
        workspace.run_changed.connect(self._on_run)
        workspace.compared_changed.connect(self._on_compared)
        for signal in (
            shown.marked, shown.views.changed, shown.views.beside_moved, hidden.changed,
            self._hooks.sorting_changed, self._hooks.side_changed, colours.changed,
            images.changed,
            camera.events.center, camera.events.zoom, camera.events.angles,
        ):  # fmt: skip
            signal.connect(self._touch)
        images.opened.connect(self._on_images)
        canvas = canvas_widget(viewer)
        canvas.installEventFilter(self)  # it gives room to docks that are dragged
        window = canvas.window()
        window.installEventFilter(self)
        window.destroyed.connect(self._on_gone)
        if isinstance(window, QMainWindow):
            window.tabifiedDockWidgetActivated.connect(self._touch)
        self._on_run(workspace.run)

    # -- what there is ----------------------------------------------------------------

    def note(self) -> SavedSession:
        """Return how the window shows the run now."""
        shown, workspace, viewer = self._shown, self._shown.workspace, self._viewer()
        assert viewer is not None
        colouring, turn, numbers = shown.colouring, shown.turn.matrix, self._numbers
        self._front = front_panels(viewer) or self._front
        self._sizes = dock_sizes(viewer) or self._sizes
        self._floating = dock_places(viewer)
        cameras = shown.views.cameras
        if self._framing.untouched:
            cameras.pop("map", None)
        return SavedSession(
            colour_by=None if colouring is None else colouring.column,
            hidden=tuple(sorted(self._hidden.names)),
            turn=None if turn is None else tuple(map(tuple, turn.tolist())),
            point_size=self._point_size,
            selection=numbers[workspace.selection],
            current=-1 if workspace.current < 0 else int(numbers[workspace.current]),
            view=shown.views.now,
            cameras=cameras,
            compared=(*(one.saved.folder for one in workspace.compared), *self._absent),
            sorted_by=self._hooks.sorted_by,
            panels=open_panels(viewer),
            front=self._front,
            sizes=self._sizes,
            floating=self._floating,
            window=window_size(viewer),
            thumbnails=self._hooks.side,
            on_image=self._colours.on,
            images=self._images.open_now(numbers),
            stack=self._images.stack,
        )

    @property
    def _numbers(self) -> np.ndarray:
        """What the run calls each patch that is here."""
        return np.empty(0, np.intp) if self._run is None else self._run.numbers

    def _on_run(self, run: Run | None) -> None:
        self._run, self._absent, self._refused = run, (), False
        self._images.forget()

    def _on_compared(self, _: object) -> None:
        if not self.busy:
            self._absent = ()  # a person chose others
        self._touch()

    # -- writing ----------------------------------------------------------------------

    def _touch(self, _: object = None) -> None:
        points = self._shown.points
        if points is not None:  # napari takes layers away before it closes the window
            self._point_size = points.current_size
        if self._folder is not None and not self.busy:
            self._changed = True
            self._writer.soon()

    @property
    def _folder(self) -> Path | None:
        """Where the session is written; None where this window must not, or cannot."""
        run = self._run
        if run is None or self._refused or self._closing or self._shown.workspace.training:
            return None
        return run.folder if self._keeper.folder == run.folder else None

    def _order(self) -> tuple[None, Callable[[], None]] | None:
        folder = self._folder
        if folder is None or not self._changed or self._viewer() is None:
            return None
        self._changed, session = False, self.note()
        return None, lambda: save_session(folder, session)

    def _on_failed(self, _: object, __: str) -> None:
        self._refused = True

    def finish(self) -> None:
        """Write what is not written yet."""
        try:
            self._writer.now()
        except OSError:
            self._refused = True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Write the rest when the window closes, and nothing of how it goes to pieces."""
        kind, is_window = event.type(), isinstance(watched, QMainWindow)
        if kind == QEvent.Type.Resize:
            self._touch()
        elif kind == QEvent.Type.Close and is_window:
            viewer = self._viewer()
            if viewer is not None and dock_places(viewer) != self._floating:
                self._touch()  # of panels in windows of their own nothing is heard
            self.finish()
            self._closing = True
        elif kind == QEvent.Type.Show and is_window:
            self._closing = False
        return False

    def _on_gone(self) -> None:
        """Let other windows write this run."""
        self._closing = True
        self._keeper.leave()

    # -- bringing it back -----------------------------------------------------------------

    def restore(self, session: SavedSession | None) -> None:
        """Show the run that is open as a window on it was left; what does not fit is left out.

        None brings nothing back.
        """
        viewer = self._viewer()
        if session is None or viewer is None or self._run is None:
            return
        with self.quiet():
            self._restore_look(session)
            self._restore_patches(session)
            if session.sorted_by is not None:
                self._hooks.sort(*session.sorted_by)
            if session.panels:
                show_panels(viewer, session.panels, session.front)
                float_docks(viewer, session.floating)
            self._put_cameras(session)
        self._asked = session
        self._resize_docks()
        # A dock beside the canvas takes its place, and half the room, a moment later.
        QTimer.singleShot(0, lambda: QTimer.singleShot(0, self._resize_docks))
        self._images.open(session.images, session.stack, self._numbers)
        self._compare(session.compared)

    def _restore_look(self, session: SavedSession) -> None:
        shown, patches = self._shown, self._shown.workspace.patches
        if session.turn is not None:
            shown.turn_by(np.array(session.turn))
            if self._framing.untouched and shown.points is not None:
                self._framing.fit(shown.points.data)
        column, annotated = session.colour_by, shown.workspace.annotations.by_name
        measured = shown.workspace.measured
        known = () if patches is None else ("", *patches.table.columns, *annotated, *measured)
        if column is not None and column != SUGGESTED and column in known:
            if shown.colouring is None or shown.colouring.column != column:
                shown.colour_by(column)
            self._hidden.hide(session.hidden)
        size, points = session.point_size, shown.points
        if size is not None and points is not None and points.current_size != size:
            points.current_size = size
        if session.on_image is not None:
            self._colours.switch(session.on_image)
        if session.thumbnails is not None:
            self._hooks.set_side(session.thumbnails)

    def _restore_patches(self, session: SavedSession) -> None:
        workspace = self._shown.workspace
        numbers = pd.Index(self._numbers)
        rows = numbers.get_indexer(session.selection)
        workspace.select(np.sort(rows[rows >= 0]))
        workspace.set_current(int(numbers.get_indexer([session.current])[0]))

    def _put_cameras(self, session: SavedSession) -> None:
        views = self._shown.views
        both: tuple[View, ...] = ("map", "source")
        for view in both:
            if view in session.cameras and (view == "map" or views.sources):
                views.put_camera(view, session.cameras[view])
        views.beside_camera = session.cameras.get(BESIDE)
        if session.view == "source":
            QTimer.singleShot(0, self._show_source)  # once napari has drawn the map

    def _show_source(self) -> None:
        """Show the images, if there are any."""
        if self._viewer() is not None and self._shown.views.sources and not self._closing:
            self._shown.views.show("source")

    def _on_images(self) -> None:
        """Look at images that have been opened again as they were looked at."""
        with self.quiet():
            self._put_cameras(self._asked)
        QTimer.singleShot(0, self._resize_docks)

    def _resize_docks(self) -> None:
        viewer = self._viewer()
        if viewer is not None and not self._closing:
            with self.quiet():
                resize_docks(viewer, self._asked.sizes, self._asked.window)

    def _compare(self, folders: Sequence[Path]) -> None:
        """Read the maps that were beside this one, and set them there."""
        run, patches = self._run, self._shown.workspace.patches
        there = {one.saved.folder for one in self._shown.workspace.compared}
        if run is None or patches is None or set(folders) <= there:
            return
        self._absent = tuple(folders)
        self._reader.ask(lambda watch: (run, patches, _read_maps(folders, run, patches, watch)))

    def _on_read(self, found: tuple[Run, PatchSet, _Maps]) -> None:
        run, patches, (maps, absent, sentence) = found
        workspace = self._shown.workspace
        if workspace.run is not run or workspace.patches is not patches or workspace.training:
            return
        with self.quiet():
            workspace.set_compared(maps)
            self._put_cameras(self._asked)
        self._absent = absent
        if sentence:
            workspace.say(sentence)


def _read_maps(folders: Sequence[Path], run: Run, patches: PatchSet, watch: Watch) -> _Maps:
    known = known_of(patches, run, watch)
    maps: list[Compared] = []
    absent: list[Path] = []
    why = ""
    for folder in folders:
        watch.check()
        try:
            saved = read_map(folder)
            maps.append(Compared(saved, saved.read_for(known)))
        except RunError as error:
            absent.append(folder)
            why = why or str(error)
    if len(absent) > 1:
        why = f"{len(absent)} maps that were beside this one cannot be shown; the first: {why}"
    elif absent:
        why = f"A map that was beside this one cannot be shown: {why}"
    return maps, tuple(absent), why
