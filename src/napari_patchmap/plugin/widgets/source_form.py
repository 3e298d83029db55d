"""Where patches come from: the fields of "Load patches"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.plugin.form import Fold
from napari_patchmap.plugin.opening import Request, is_run_folder
from napari_patchmap.plugin.widgets.panel import label
from napari_patchmap.plugin.widgets.parts import PathField

#: Key, name in the list, and what it is, for the tooltip and the line below.
SOURCES = (
    (
        "folder",
        "Folder of images",
        "One image file a patch (PNG, JPEG, TIFF). Sub-folders, if any, are the labels.",
    ),
    (
        "file",
        "Image file",
        "A stack with one patch a plane: TIFF, NumPy .npy or .npz (MedMNIST files too).",
    ),
    ("layer", "Open image layer", "A stack that is already open here; every plane is a patch."),
    (
        "bundled",
        "Sample blood cells",
        "2,000 real blood cells of 8 kinds that come with Patchmap.",
    ),
    ("run", "Saved run", "A folder that an earlier training wrote: its map and its patches."),
)

_FILES = "Image stacks (*.tif *.tiff *.npy *.npz *.zarr *.png *.jpg);;All files (*)"

#: Readings of a stack's axes that a person may need to tell us.
AXES = ("auto", "NYX", "NYXC", "NCYX", "CNYX", "YXN", "YXCN")


class SourceForm(QWidget):
    """Asks what to load; makes a :class:`Request`.

    Signals
    -------
    changed()
        The person changed something.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.kind = _combo("Where the patches come from. Default: a folder of images.")
        for key, name, _ in SOURCES:
            self.kind.addItem(name, key)
        self.explanation = label("", "hint", wrap=True)
        self.path = PathField()
        self.layer = _combo("The Image layer whose planes are the patches.")
        self.labels = PathField("labels.csv (optional)")
        self.labels.folder = False
        self.labels.title = "Choose a table of labels"
        self.labels.filters = "Tables (*.csv *.tsv *.txt);;All files (*)"
        tip = (
            "<qt>A CSV table with one row for each image: its file name and its label; further "
            "columns can colour the map. Default: none.</qt>"
        )
        self.labels.edit.setToolTip(tip)
        self.axes = _combo(
            "<qt>What the axes of the stack are: N patches, C channels, Y and X the image. "
            "Default: auto, guessed from the shape.</qt>"
        )
        self.axes.setEditable(True)
        self.axes.addItems(AXES)

        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addWidget(self.kind)
        rows.addWidget(self.explanation)
        rows.addWidget(self.path)
        rows.addWidget(self.layer)
        self.more = Fold("Labels and axes")
        self._more_rows = QFormLayout(self.more.body)
        self._more_rows.setContentsMargins(0, 0, 0, 0)
        self._more_rows.addRow("Labels", self.labels)
        self._more_rows.addRow("Axes", self.axes)
        rows.addWidget(self.more)

        self.kind.currentIndexChanged.connect(self._on_kind)
        for signal in (self.path.changed, self.layer.currentTextChanged, self.labels.changed):
            signal.connect(self._on_change)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.connect(self._list_layers)
        self._list_layers()
        self._on_kind()

    # -- what is asked for ---------------------------------------------------------

    def request(self, sizes: str | None = None) -> Request:
        """Return what the fields ask for."""
        kind = self.kind.currentData()
        request = Request(kind, self.path.path, self.labels.path, sizes, self._axes())
        layer = self._layer()
        if kind != "layer" or layer is None:
            return request.but(path="") if kind == "layer" else request
        pixels = layer.data[0] if layer.multiscale else layer.data
        return request.but(path=layer.name, array=pixels, rgb=bool(layer.rgb))

    def choose(self, kind: str, path: str | Path = "") -> None:
        """Fill in a source."""
        self.kind.setCurrentIndex(self.kind.findData(kind))
        if kind == "layer":
            self.layer.setCurrentText(str(path))
        elif kind != "bundled":
            self.path.set_path(path)

    def take_dropped(self, path: Path) -> bool:
        """Fill in a path that was dropped; return whether it is a source of patches."""
        if path.suffix.lower() in (".csv", ".tsv"):
            self.labels.set_path(path)
            self.more.open(True)
            return False
        if path.name == "config.json":
            path = path.parent
        kind = "folder" if path.is_dir() and path.suffix != ".zarr" else "file"
        self.choose("run" if is_run_folder(path) else kind, path)
        return True

    def ask_axes(self) -> None:
        """Show the axes field and go there."""
        self.more.open(True)
        self.axes.setFocus()

    def _axes(self) -> str:
        return self.axes.currentText().strip() or "auto"

    def _layer(self) -> Image | None:
        names = (layer.name for layer in self._viewer.layers)
        name = self.layer.currentData()
        return self._viewer.layers[name] if name in names else None

    # -- what is shown -------------------------------------------------------------

    def _on_change(self, _: Any = None) -> None:
        self.changed.emit()

    def _on_kind(self, _: Any = None) -> None:
        kind = self.kind.currentData()
        self.explanation.setText(next(text for key, _, text in SOURCES if key == kind))
        self.path.setVisible(kind in ("folder", "file", "run"))
        self.layer.setVisible(kind == "layer")
        self.more.setVisible(kind in ("folder", "file", "layer"))
        self._more_rows.setRowVisible(self.axes, kind in ("file", "layer"))
        self.more.rename("Labels and axes" if kind != "folder" else "Labels")
        self.path.folder = kind != "file"
        self.path.filters = _FILES
        self.path.title = {"run": "Choose a saved run", "file": "Choose an image stack"}.get(
            kind, "Choose a folder of images"
        )
        self.path.edit.setPlaceholderText(
            {"folder": "folder", "file": "file", "run": "run folder"}.get(kind, "")
        )
        self.changed.emit()

    def _list_layers(self, event: Any = None) -> None:
        chosen = self.layer.currentData()
        self.layer.blockSignals(True)
        self.layer.clear()
        for layer in self._viewer.layers:
            if isinstance(layer, Image) and layer.ndim > 2:
                self.layer.addItem(layer.name, layer.name)
        if self.layer.count() == 0:
            self.layer.addItem("no stack is open", None)
        self.layer.setCurrentIndex(max(0, self.layer.findData(chosen)))
        self.layer.blockSignals(False)
        self.changed.emit()


def _combo(tip: str) -> QComboBox:
    made = QComboBox()
    made.setToolTip(tip)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(8)
    return made
