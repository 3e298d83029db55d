"""The only place that touches napari's private names; each has its reason.

napari offers no public way to its canvas, to what draws a layer, or to the order in which a
layer of points is painted and found. The canvas itself is needed; should another name go,
points are faded no longer, or moved in napari's own way, and the map stays.
"""

from __future__ import annotations

import contextlib
import dataclasses
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.components.viewer_model import ViewerModel
from napari.layers import Labels, Layer, Points
from napari.qt import QtViewer
from napari.utils.colormaps import DirectLabelColormap
from napari.viewer import Viewer
from pydantic import PrivateAttr
from qtpy.compat import isalive
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.in_view import box_of
from napari_patchmap.explore.number_codes import NumberCodes


def canvas_widget(viewer: ViewerModel) -> QWidget:
    """Return the Qt widget of the canvas: we paint above it and follow its size."""
    second = _second_canvases.get(id(viewer))
    shown_by: Any = viewer.window._qt_viewer if second is None else second()
    return shown_by.canvas.native


def draw_on(viewer: ViewerModel) -> None:
    """Let what is told to the graphics card next be meant for the canvas of a viewer.

    napari frees there what a layer took that is removed, and takes the canvas that was
    painted last for its own.
    """
    widget = canvas_widget(viewer)
    if isalive(widget) and widget.isValid():
        widget.makeCurrent()


class SecondCanvas(QtViewer):
    """A canvas beside that of a window, for a model of its own.

    Files that are dropped on it are opened in the window.
    """

    def __init__(self, model: ViewerModel, main: Viewer) -> None:
        super().__init__(model)
        self._main = weakref.ref(main)
        key = id(model)
        _second_canvases[key] = weakref.ref(self)
        weakref.finalize(model, _second_canvases.pop, key, None)

    def _qt_open(self, *args: Any, **settings: Any) -> None:
        main = self._main()
        if main is not None:
            main.window._qt_viewer._qt_open(*args, **settings)

    def close(self) -> bool:
        """Let go of what is drawn, and of the threads that read it."""
        self.viewer._layer_slicer.shutdown()
        return bool(super().close())


_second_canvases: dict[int, weakref.ref[SecondCanvas]] = {}


def twin_of(layer: Layer) -> Layer:
    """Return another layer of the same data for another canvas, which looks the same.

    napari keeps with a layer what one canvas shows of it, so two cannot share one.
    """
    data, state, kind = layer.as_layer_data_tuple()
    twin = Layer.create(data, dict(state), kind)
    twin._source = layer.source  # by which we know where it is from
    return twin


def welcome_text_top(viewer: Viewer) -> int | None:
    """Return how far down the canvas napari's words of welcome begin, None without any."""
    try:
        welcome = viewer.window._qt_viewer._welcome_widget
        first = welcome._version_label.mapTo(welcome, QPoint()).y()
        return int(first) if welcome.isVisible() else None
    except AttributeError:
        return None


def markers_of(viewer: Viewer, layer: Points) -> Any:
    """Return what draws the points of a layer, None where napari keeps it elsewhere."""
    try:
        return viewer.window._qt_viewer.canvas.layer_to_visual[layer].node.points_markers
    except (AttributeError, KeyError):
        return None


def was_drawn_on(layer: Layer) -> bool:
    """Whether a person has drawn on a layer and may want to undo that before all else."""
    return bool(getattr(layer, "_undo_history", None))


@contextlib.contextmanager
def told_once(layer: Points) -> Iterator[None]:
    """Change all of a layer's points, and have them drawn once instead of five times."""
    with (
        layer.events.blocker_all(),
        layer._face.events.blocker_all(),
        layer._border.events.blocker_all(),
    ):
        yield
    layer.refresh()


def move_in_place(viewer: Viewer, layer: HookedPoints, places: np.ndarray) -> bool:
    """Give the points of a layer other places; order, colours and sizes stay.

    napari's own assignment prepares colour, symbol and outline of every point
    again and tells all listeners row by row, which blocks the window for a moment
    that people feel while a map is moving. Here only places are copied.

    Parameters
    ----------
    viewer : Viewer
    layer : HookedPoints
        Its data is replaced by ``places``, which must not be changed afterwards.
    places : ndarray of float32, shape (n, 2)

    Returns
    -------
    bool
        False, and nothing is changed, where napari's inner parts are not as they are
        known, or the map is not flat and whole.
    """
    markers = markers_of(viewer, layer)
    try:
        drawn = markers._data
        known = (
            layer._data.shape == places.shape == (len(drawn), 2)
            and "a_position" in drawn.dtype.names
            and hasattr(markers._vbo, "set_data")
        )
    except (AttributeError, TypeError):
        return False
    if not (known and layer.visible and layer.shown.all() and viewer.dims.ndisplay == 2):
        return False
    layer._data = places
    drawn["a_position"][:, :2] = places[layer.order, ::-1]
    markers._vbo.set_data(drawn)
    markers.update()
    layer.refresh(thumbnail=False, data_displayed=False, highlight=False, extent=True)
    return True


class CodedColormap(DirectLabelColormap):
    """Colours of the objects of a Labels layer, made in a moment of however many there are.

    napari's own keeps a dictionary with a colour for each object. To make one of 300,000
    takes seconds, painting by it goes through all of them again, and without numba it
    refuses numbers beyond 65,536. Here a pixel is looked up in a table of small codes.
    """

    _codes: Any = PrivateAttr(None)
    _palette: Any = PrivateAttr(None)

    @classmethod
    def of(cls, codes: NumberCodes, palette: np.ndarray, layer: Labels) -> CodedColormap:
        """Make the colours of a layer.

        Parameters
        ----------
        codes : NumberCodes
            Row of the palette of each object; row 0 for numbers that it does not know.
        palette : ndarray of float32, shape (k, 4)
            RGBA, 0 to 1.
        layer : Labels
            Which of its objects is shown alone, if one is, stays so.
        """
        made = cls(
            color_dict={None: palette[0], 0: palette[int(codes.of(np.array(0)))]},
            selection=layer.selected_label,
            use_selection=layer.show_selected_label,
        )
        made._codes, made._palette = codes, palette
        return made

    def map(self, values: Any) -> np.ndarray:
        """Return the RGBA of numbers of objects, ``values.shape + (4,)``."""
        values = np.asarray(values)
        mapped = self._map_without_cache(values)
        if self.use_selection:
            mapped[values != self.selection] = 0
        return mapped

    @property
    def _num_unique_colors(self) -> int:
        return 0 if self._palette is None else len(self._palette)

    def _map_without_cache(self, values: np.ndarray) -> np.ndarray:
        mapped: np.ndarray = self._palette[self._codes.of(values)]
        return mapped

    def _data_to_texture(self, values: Any) -> Any:
        if values.dtype.itemsize <= 2:
            return super()._data_to_texture(values)  # as they are
        if self.use_selection:
            codes = np.asarray(values == self.selection)
        else:
            codes = self._codes.of(values)
        # The type that napari expects of so many colours.
        few = self._num_unique_colors + 2 <= np.iinfo(np.uint8).max
        codes = codes.astype(np.uint8 if few else np.uint16, copy=False)
        return codes if isinstance(values, np.ndarray) else codes[()]

    def _selection_as_minimum_dtype(self, dtype: np.dtype) -> int:
        return int(self._data_to_texture(dtype.type(self.selection)))

    def _values_mapping_to_minimum_values_set(self, apply_selection: bool = True) -> Any:
        if self.use_selection and apply_selection:
            return {}, {0: np.zeros(4), 1: self._map_without_cache(np.array(self.selection))}
        return {}, dict(enumerate(self._palette))


def paint_in_place(viewer: Viewer, layer: HookedPoints, colours: np.ndarray) -> bool:
    """Give the points of a layer other colours; places, order and sizes stay.

    napari's own assignment compares all colours with the old ones and prepares everything
    else of each point again, row by row.

    Parameters
    ----------
    viewer : Viewer
    layer : HookedPoints
    colours : ndarray of float32, shape (n, 4)
        RGBA, 0 to 1; must not be changed afterwards.

    Returns
    -------
    bool
        False, and nothing is changed, where napari's inner parts are not as they are known.
    """
    markers = markers_of(viewer, layer)
    try:
        drawn, rows = markers._data, layer._view_indices
        kept: dict[str, Any] = layer._face.__dict__
        known = (
            kept["colors"].shape == colours.shape
            and len(drawn) == len(rows) > 0
            and "a_bg_color" in drawn.dtype.names
            and hasattr(markers._vbo, "set_data")
        )
    except (AttributeError, KeyError, TypeError):
        return False
    if not known:
        return False
    kept["colors"] = colours
    drawn["a_bg_color"] = colours[rows]
    markers._vbo.set_data(drawn)
    markers.update()
    layer._update_thumbnail()
    return True


def replace_points(
    layer: HookedPoints,
    places: np.ndarray,
    size: float,
    face: np.ndarray,
    border: np.ndarray,
    border_width: np.ndarray,
) -> bool:
    """Give a layer other points, and have them drawn once.

    napari's own assignment lists all rows for its listeners, and cuts or extends one property
    after the other, each of which it checks.

    Parameters
    ----------
    layer : HookedPoints
        Without features.
    places : ndarray, shape (n, d)
    size : float
        Of all of them.
    face, border : ndarray of float32, shape (n, 4)
    border_width : ndarray of float, shape (n,)

    Returns
    -------
    bool
        False, and nothing is changed, where napari's inner parts are not as they are known.
    """
    count, look = len(places), {"_face": face, "_border": border}
    arrays = {
        "_data": places,
        "_size": np.full(count, size),
        "_border_width": border_width,
        "_symbol": np.full(count, layer.current_symbol, object),
        "_shown": np.ones(count, bool),
    }
    try:
        known = all(name in vars(layer) for name in arrays) and all(
            "colors" in vars(getattr(layer, name)) for name in look
        )
        resize = layer._feature_table.resize
    except (AttributeError, TypeError):
        return False
    if not known:
        return False
    layer.__dict__.update(arrays)
    for name, colours in look.items():
        getattr(layer, name).__dict__["colors"] = colours
    with layer.events.blocker_all():
        resize(count)
    layer.refresh()
    return True


class HookedPoints(Points):
    """Points that ask us where napari asks itself.

    Painting order, what the status bar finds, the small picture in the list, and the keys
    that paste, move or change the mode have no public way in napari: a layer of points
    is drawn in the order of its rows, and what people's keys do cannot be refused.

    Attributes
    ----------
    order : ndarray of intp, shape (n,)
        Which row is painted first, second and so on.
    find : callable or None
        Returns the row that is meant by a place (a place of the layer, or a ray's start
        in 3-D), -1 for none: what the status bar then names.
    """

    order: np.ndarray
    find: Callable[[np.ndarray], int] | None = None

    # -- what we are asked ----------------------------------------------------------------

    def reorder(self) -> None:
        """Make the order anew, of as many rows as there are now."""
        raise NotImplementedError

    def small_picture(self, height: int, width: int) -> np.ndarray:
        """Return the picture for the list of layers, ``(height, width, 4)``, 0 to 1."""
        raise NotImplementedError

    def refuse(self) -> None:
        """Say that points are not edited."""
        raise NotImplementedError

    def mode_is_asked(self, mode: str) -> None:
        """Hear that a person, or napari, wants another mode."""
        raise NotImplementedError

    @property
    def styled_by_hand(self) -> bool:
        """Whether napari's controls are used, not set to what was just selected."""
        return bool(self._update_properties)

    # -- where napari asks itself -----------------------------------------------------------

    @property
    def _type_string(self) -> str:
        return "points"  # by which napari saves, copies and lists it

    def _get_layer_slicing_state(self, data: Any, cache: bool) -> Any:
        state = super()._get_layer_slicing_state(data, cache)
        take = state._update_slice_response
        state._update_slice_response = lambda response: take(self._in_order(response))
        return state

    def _in_order(self, response: Any) -> Any:
        """Put the rows that napari draws into the order in which they are painted."""
        count = len(self.data)
        if len(self.order) != count:
            self.reorder()
        drawn = np.zeros(count, bool)
        drawn[response.indices] = True
        # In two dimensions napari draws the points that are hidden, too.
        drawn &= self.shown
        rows = self.order[drawn[self.order]]
        # What comes along with the rows is called "scale" before napari 0.9.
        name = "size" if hasattr(response, "size") else "scale"
        along = np.asarray(getattr(response, name))
        if along.ndim:
            whole = np.zeros(count, along.dtype)
            whole[response.indices] = along
            along = whole[rows]
        return dataclasses.replace(response, indices=rows, **{name: along})

    @property
    def _view_symbol(self) -> Any:
        """Tell of one point what form it has: all have the same, and napari reads each."""
        return self.symbol[self._view_indices[:1]]

    @property
    def _view_border_color(self) -> Any:
        """Tell of one point what its border looks like, where none has any."""
        rows = self._view_indices
        return self.border_color[rows if self.border_width.any() else rows[:1]]

    @property
    def _extent_data(self) -> np.ndarray:
        return box_of(self.data).astype(float) if len(self.data) else super()._extent_data

    def _get_value(self, position: Any) -> int | None:
        if self.find is None:
            value: int | None = super()._get_value(position)
            return value
        return self._found(position)

    def _get_value_3d(self, start_point: Any, end_point: Any, dims_displayed: Any) -> Any:
        if self.find is None or start_point is None:
            return super()._get_value_3d(start_point, end_point, dims_displayed)
        return self._found(start_point)

    def _found(self, place: Any) -> int | None:
        assert self.find is not None
        row = self.find(np.asarray(place, float))
        return row if row >= 0 else None

    def _update_thumbnail(self) -> None:
        self.thumbnail = self.small_picture(*self._thumbnail_shape[:2])

    def _paste_data(self) -> None:
        self.refuse()

    def _move(self, *_: Any, **__: Any) -> None:
        self.refuse()

    def _mode_setter_helper(self, mode: Any) -> Any:
        self.mode_is_asked(str(getattr(mode, "value", mode)).lower())
        return super()._mode_setter_helper(mode)
