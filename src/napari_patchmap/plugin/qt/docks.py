"""The dock widgets of a viewer: what they are called and how to show one.

Widgets never import each other; who needs another one asks for it here by key. A panel that
lies behind others is only made when somebody sees it, or asks for it here.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise

from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QPushButton, QWidget

from napari_patchmap.plugin.actions import ACTIONS
from napari_patchmap.plugin.of_viewer import real_viewer
from napari_patchmap.plugin.qt.unseen_panel import UnseenPanel


@dataclass(frozen=True)
class Panel:
    """One dock widget: its name in the menu, on its tab, and its class.

    One on the left lies beside the canvas, and is opened where somebody wants it.
    """

    name: str
    tab: str
    module: str
    widget: str
    area: str = "right"

    @property
    def at_first(self) -> bool:
        """Whether it is part of the workspace as that is opened."""
        return self.area != "left"

    @property
    def dock_name(self) -> str:
        """Name under which napari's menu knows the dock, so that its tick fits."""
        return f"{self.name} (Patchmap)"

    @property
    def kind(self) -> tuple[str, str]:
        """Module and name of the widget's class, which need not be imported for it."""
        return self.module, self.widget

    def load(self) -> type[QWidget]:
        """Import the widget's class."""
        kind: type[QWidget] = getattr(import_module(self.module), self.widget)
        return kind


_PANELS = "napari_patchmap.plugin.panels"

#: In the order of work.
PANELS = {
    "load": Panel("Load patches", "Load", f"{_PANELS}.load.load_patches", "LoadPatches"),
    "augment": Panel(
        "Augmentations", "Augment", f"{_PANELS}.augment.augmentations", "Augmentations"
    ),
    "train": Panel("Train map", "Train", f"{_PANELS}.train.train_map", "TrainMap"),
    "explore": Panel("Explore", "Explore", f"{_PANELS}.explore.explore", "Explore"),
    "annotate": Panel("Annotate", "Annotate", f"{_PANELS}.annotate.annotate", "Annotate"),
    "find": Panel("Find", "Find", f"{_PANELS}.find.find", "Find"),
    "quality": Panel("Quality", "Quality", f"{_PANELS}.quality.quality", "Quality"),
    "compare": Panel("Compare maps", "Compare", f"{_PANELS}.compare.compare", "CompareMaps"),
    "gallery": Panel(
        "Patches", "Patches", f"{_PANELS}.explore.gallery", "Gallery", area="bottom"
    ),
    "image": Panel(
        "Image", "Image", f"{_PANELS}.image.image_beside", "ImageBeside", area="left"
    ),
}


def way_to(key: str) -> str:
    """Return what leads to a panel, for tooltips: its name and its key."""
    keys = ACTIONS["tab"].keys
    return f"{PANELS[key].name} (key: {keys[list(PANELS).index(key)]})"


def dock_of(widget: QWidget) -> QDockWidget | None:
    """Return the dock that holds a widget, if it is docked."""
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent


def find_panel(viewer: Viewer, key: str) -> QWidget | None:
    """Return a viewer's panel if it is open, whoever opened it; it is made by now."""
    dock = open_docks(viewer).get(key)
    widget = None if dock is None else dock.widget()
    return widget.panel() if isinstance(widget, UnseenPanel) else widget


def show_panel(viewer: Viewer, key: str) -> QWidget:
    """Bring a panel to the front, opening it where it is missing."""
    viewer = real_viewer(viewer)
    widget = find_panel(viewer, key)
    if widget is None:
        widget = PANELS[key].load()(viewer)
        _add(viewer, key, widget)
    dock = dock_of(widget)
    assert dock is not None
    dock.show()
    dock.raise_()
    return widget


def open_panel(viewer: Viewer, key: str) -> QDockWidget:
    """Open a panel where it is missing, to be made when it is seen; return its dock."""
    panel, viewer = PANELS[key], real_viewer(viewer)
    dock = open_docks(viewer).get(key)
    if dock is None:
        dock = _add(viewer, key, UnseenPanel(panel.kind, lambda: panel.load()(viewer)))
    return dock


def open_panels(viewer: Viewer) -> tuple[str, ...]:
    """Name the panels that are open, in front or behind others."""
    return tuple(key for key, dock in open_docks(viewer).items() if not dock.isHidden())


def front_panels(viewer: Viewer) -> tuple[str, ...]:
    """Name the panels that are to be seen."""
    docks = open_docks(viewer).items()
    return tuple(key for key, dock in docks if not dock.visibleRegion().isEmpty())


def show_panels(viewer: Viewer, keys: Sequence[str], front: Sequence[str]) -> None:
    """Open these panels and put the others away; ``front`` are brought before others."""
    keys = [key for key in PANELS if key in keys]
    for key in keys:
        open_panel(viewer, key)
    for key, dock in open_docks(viewer).items():
        dock.setHidden(key not in keys)
    for key in keys:
        if key in front:
            show_panel(viewer, key)


def open_docks(viewer: Viewer) -> dict[str, QDockWidget]:
    """Return the docks of panels in the order of work; nothing is imported or made for it."""
    docks: dict[str, QDockWidget] = {}
    for widget in real_viewer(viewer).window.dock_widgets.values():
        key = _key_of(widget)
        dock = None if key is None else dock_of(widget)
        if key is not None and dock is not None:
            docks.setdefault(key, dock)
    return {key: docks[key] for key in PANELS if key in docks}


def lead(button: QPushButton, viewer: Viewer, key: Callable[[], str]) -> None:
    """Let a button show a panel; it keeps neither the viewer nor its own panel alive."""
    ref = weakref.ref(real_viewer(viewer))

    def show() -> None:
        viewer = ref()
        if viewer is not None:
            show_panel(viewer, key())

    button.clicked.connect(show)


def settle(viewer: Viewer, widget: QWidget) -> None:
    """Take a panel that napari's menu opened among the tabs of the others."""
    key, dock = _key_of(widget), dock_of(widget)
    if key is not None and dock is not None:
        _place(viewer, key, dock)


def close_panel(viewer: Viewer, key: str) -> None:
    """Take a panel away, as the cross of its dock does."""
    dock = open_docks(viewer).get(key)
    if dock is not None:
        real_viewer(viewer).window.remove_dock_widget(dock)


def _key_of(widget: object) -> str | None:
    """Return which panel a widget is, or is to become, None if it is none of ours."""
    kind = type(widget).__module__, type(widget).__name__
    kind = widget.kind if isinstance(widget, UnseenPanel) else kind
    return next((key for key, panel in PANELS.items() if panel.kind == kind), None)


def _add(viewer: Viewer, key: str, widget: QWidget) -> QDockWidget:
    """Dock a panel where it belongs."""
    panel = PANELS[key]
    dock: QDockWidget = viewer.window.add_dock_widget(
        widget, name=panel.dock_name, area=panel.area
    )
    _place(viewer, key, dock)
    return dock


def _place(viewer: Viewer, key: str, dock: QDockWidget) -> None:
    """Put a dock that napari has just added where it belongs."""
    dock.setWindowTitle(PANELS[key].tab)
    # napari only takes a panel out of a dock that is closed; it would go on listening.
    dock.destroyed.connect(dock.widget().deleteLater)
    if PANELS[key].area == "left":
        _lie_beside_canvas(dock)
    else:
        _join_tabs(viewer, key, dock)


def _lie_beside_canvas(dock: QDockWidget) -> None:
    """Give a dock half of the canvas, from top to bottom; the line between can be dragged."""
    window = dock.parent()
    if isinstance(window, QMainWindow) and not dock.isFloating():
        left, across = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.Orientation.Horizontal
        window.addDockWidget(left, dock, across)
        window.layout().activate()  # so that what is left of the canvas is known
        room = window.centralWidget().width() + dock.width()
        window.resizeDocks([dock], [room // 2], across)


def _join_tabs(viewer: Viewer, key: str, dock: QDockWidget) -> None:
    """Put a panel among the tabs of the others, in the order of work, if they are docked.

    Qt puts what is tabbed behind all others, but leaves those among them where they are:
    those that come later are taken out and tabbed once more.
    """
    docks = _docks_on_the_right(viewer)
    others = [other for k, other in docks.items() if k != key]
    window = dock.parent()
    if dock not in docks.values():
        return  # a second panel of a kind stays where it was put
    if not others or set(others) & set(window.tabifiedDockWidgets(dock)):
        return
    dock.show()  # the tabs of those that are hidden are not kept in order
    window.tabifyDockWidget(others[-1], dock)
    together = {dock, *window.tabifiedDockWidgets(dock)}
    order = [one for one in docks.values() if one in together]
    for before, after in pairwise(order[order.index(dock) :]):
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, after)
        window.tabifyDockWidget(before, after)
    dock.raise_()


def _docks_on_the_right(viewer: Viewer) -> dict[str, QDockWidget]:
    """Return the docks of the open panels on the right, in the order of work."""
    return {
        key: dock
        for key, dock in open_docks(viewer).items()
        if PANELS[key].area == dock.area == "right" and not dock.isFloating()
    }
