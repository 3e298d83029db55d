"""Where patches come from: the fields of "Load patches"."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QFrame, QVBoxLayout, QWidget

from napari_patchmap.patches import Kind, OpenRequest
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.fit import Fit
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.panels.load.name_pattern import NamePattern
from napari_patchmap.plugin.panels.load.opening import Request
from napari_patchmap.plugin.panels.load.path_field import PathField
from napari_patchmap.plugin.panels.load.recent import RecentButton
from napari_patchmap.plugin.panels.load.slide_preview import SlidePreview
from napari_patchmap.plugin.panels.load.sources import FILTERS, SOURCES, kind_at
from napari_patchmap.plugin.panels.open_layers import open_layer, open_layers
from napari_patchmap.plugin.qt.basics import choice, column, label, row, set_look
from napari_patchmap.plugin.qt.form import ConfigForm, Fold
from napari_patchmap.plugin.qt.known_files import run_folder

#: Readings of a stack's axes that a person may need to tell us.
AXES = ("auto", "NYX", "NYXC", "NCYX", "CNYX", "YXN", "YXCN")

#: How long typing has to pause before the path is looked at, in milliseconds.
_PAUSE = 300


class SourceForm(QFrame):
    """Asks what to load, showing only what matters for it; makes a :class:`Request`.

    Its frame lights up under a dragged file.

    Signals
    -------
    changed()
        Something else is asked for.
    layers_listed()
        Layers came, went, or have another name.
    recognised(str)
        What a path is was found out; "" if it is nothing that holds patches.
    refused(str)
        Why what was typed cannot be taken, "" once it can.
    """

    changed = Signal()
    layers_listed = Signal()
    recognised = Signal(str)
    refused = Signal(str)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._touched = False
        self.kind = choice("Where the patches come from. Default: a folder of images.")
        for source in SOURCES.values():
            self.kind.addItem(source.name, source.key)
        self.recent = RecentButton()
        self.explanation = label("", "hint", wrap=True)
        self.path = PathField()
        self.layer = choice("The Image layer whose planes are the patches.")
        self.objects = choice("The Labels layer in which every object has a number.")
        self.image = choice("The Image layer that the objects are cut out of.")
        self.labels = PathField("table (optional)")
        self.labels.folder = False
        self.labels.title = "Choose a table of labels"
        self.labels.filters = "Tables (*.csv *.tsv *.txt);;All files (*)"
        tip = (
            "<qt>A CSV table with one row for each image: its file name and its label; further "
            "columns can colour the map. Default: none.</qt>"
        )
        self.labels.edit.setToolTip(tip)
        self.pattern = NamePattern()
        self.axes = choice(
            "<qt>What the axes of the stack are: N patches, C channels, Y and X the image. "
            "Default: auto, from the metadata or guessed from the shape.</qt>"
        )
        self.axes.setEditable(True)
        self.axes.addItems(AXES)
        self.tiles = ConfigForm(TileConfig())
        self.preview = SlidePreview(viewer)
        self.crops = ConfigForm(CropConfig())
        self._lay_out()

        self._pause = QTimer(self, singleShot=True, interval=_PAUSE, timeout=self._recognise)
        self._looking = False
        self._recogniser = Newest(self, "Looking at the path", self._on_recognised)
        self._recogniser.failed.connect(lambda _: self._on_recognised((None, self.path.path)))
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.kind.activated.connect(self._on_touched)  # by a person only
        self.path.changed.connect(self._on_path)
        self.recent.chosen.connect(self.fill)
        for form in (self.tiles, self.crops):
            form.refused.connect(self._on_refused)
            form.changed.connect(self._on_change)
        for signal in (
            self.layer.currentTextChanged,
            self.objects.currentTextChanged,
            self.image.currentTextChanged,
            self.labels.changed,
            self.pattern.changed,
            self.axes.currentTextChanged,
        ):
            signal.connect(self._on_change)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.connect(self._list_layers)
        self._list_layers()
        self._on_kind()

    def _lay_out(self) -> None:
        self.more = Fold("")
        texts = {"Table": self.labels, "File names": self.pattern, "Axes": self.axes}
        self._more_rows = _named_rows(self.more.body, texts)
        self._more_rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._of_objects = QWidget()
        _named_rows(self._of_objects, {"Labels": self.objects, "Image": self.image})
        self.setProperty("role", "drop")
        fields = QWidget()
        column(
            fields,
            row(self.kind, self.recent),
            self.explanation,
            self.path,
            self.layer,
            self._of_objects,
            self.preview,
            self.tiles,
            self.crops,
            self.more,
        )
        rows = QVBoxLayout(self)
        rows.setContentsMargins(10, 8, 10, 8)
        rows.addWidget(fields)
        rows.addWidget(label("or drop a folder or file here", "hint"))

    def mark(self, over: bool) -> None:
        """Show whether a file is held over the panel."""
        set_look(self, "over", "true" if over else "false")

    @property
    def source(self) -> Kind:
        """The kind of source that is chosen."""
        return Kind(self.kind.currentData())  # Qt keeps it as a plain text

    # -- what is asked for ---------------------------------------------------------

    def request(self, sizes: Fit | None = None) -> Request:
        """Return what the fields ask for; what does not matter for the source is left out."""
        kind = self.source
        fields: dict[str, Any] = {
            "path": self.path.path,
            "labels": self.labels.path or None,
            "axes": self.axes.currentText().strip() or "auto",
            "pattern": self.pattern.pattern or None,
            "tiles": self.tiles.config,
            "crops": self.crops.config,
        }
        asked = {key: value for key, value in fields.items() if key in SOURCES[kind].asks}
        request = Request(kind, OpenRequest(sizes=sizes, **asked))
        if kind is Kind.RUN:
            return replace(request, layers=open_layers(self._viewer))
        if kind is Kind.LAYER:
            return replace(request, image=open_layer(self._chosen(self.layer)))
        if kind is Kind.OBJECTS:
            layers = self._chosen(self.image), self._chosen(self.objects)
            image, objects = (open_layer(layer) for layer in layers)
            if image is not None and objects is not None:
                files = (str(layers[0].source.path or ""), str(layers[1].source.path or ""))
                return replace(request, image=image, objects=objects, files=files)
        return request

    def missing(self) -> str:
        """Say what has to be opened in the viewer first, "" if nothing has."""
        kind = self.source
        if kind is Kind.LAYER and self._chosen(self.layer) is None:
            return "No stack of images is open; open one, or choose another source."
        if kind is Kind.OBJECTS and self._chosen(self.objects) is None:
            return "No Labels layer is open; open or paint one, or choose another source."
        if kind is Kind.OBJECTS and self._chosen(self.image) is None:
            return "No image is open that the objects could be cut out of; open it first."
        return ""

    @property
    def trouble(self) -> str:
        """Why the settings that are shown cannot be taken, "" if they can."""
        asks = SOURCES[self.source].asks
        forms: dict[str, ConfigForm[Any]] = {"tiles": self.tiles, "crops": self.crops}
        said = (form.trouble for key, form in forms.items() if key in asks)
        return next((sentence for sentence in said if sentence), "")

    def commit(self) -> bool:
        """Take what was typed and not yet confirmed; return whether all can be taken."""
        for form in (self.tiles, self.crops):
            form.commit()
        return not self.trouble

    def _on_refused(self, _: str) -> None:
        self.refused.emit(self.trouble)

    @property
    def filled(self) -> bool:
        """Whether the fields name something that could be loaded."""
        kind = self.source
        if "path" in SOURCES[kind].asks:
            return bool(self.path.path)
        return not self.missing()

    @property
    def untouched(self) -> bool:
        """Whether nobody has chosen a source or typed a path yet."""
        return not self._touched and not self.path.path

    def _on_touched(self, _: int) -> None:
        self._touched = True
        self.changed.emit()

    def choose(self, kind: Kind | str, path: str | Path = "", objects: str = "") -> None:
        """Fill in a source of a known kind; of objects, both layers by their names."""
        kind = Kind(kind)
        self._pause.stop()
        self._recogniser.forget()
        self._looking = False
        self.kind.setCurrentIndex(self.kind.findData(kind))
        if kind is Kind.LAYER:
            self.layer.setCurrentText(str(path))
        elif kind is Kind.OBJECTS and objects:
            self.image.setCurrentText(str(path))
            self.objects.setCurrentText(objects)
        elif "path" in SOURCES[kind].asks:
            self.path.set_path(path)
            self._pause.stop()
            self._show_slide()

    def fill(self, request: Request) -> None:
        """Fill in everything as it was when a source was loaded."""
        what = request.what
        self.labels.set_path(what.labels_path or "")
        self.pattern.set_pattern(what.pattern or "")
        self.axes.setCurrentText(what.axes)
        self.tiles.set_config(what.tiles or TileConfig())
        self.crops.set_config(what.crops or CropConfig())
        self.choose(request.kind, Path(what.path) if what.path else "")
        self.more.open(bool(what.labels or what.pattern or what.axes != "auto"))
        self.changed.emit()

    def take_dropped(self, path: Path) -> bool:
        """Fill in a path that was dropped; return whether it may be a source of patches.

        What kind of source it is is found out in the background; ``recognised`` tells.
        """
        if path.suffix.lower() in (".csv", ".tsv"):
            self.labels.set_path(path)
            self.more.open(True)
            return False
        self.path.set_path(run_folder(path))
        self._pause.stop()
        self._recognise()
        return True

    def ask_axes(self) -> None:
        """Show the axes field and go there."""
        self.more.open(True)
        self.axes.setFocus()

    # -- what the path is ------------------------------------------------------------

    @property
    def recognising(self) -> bool:
        """Whether it is still being found out what the path is."""
        return self._looking or self._pause.isActive()

    def recognise_now(self) -> None:
        """Do not wait for more to be typed."""
        if self._pause.isActive():
            self._pause.stop()
            self._recognise()

    def _on_path(self, _: Any = None) -> None:
        self._pause.start()
        self.changed.emit()

    def _recognise(self) -> None:
        path, now = self.path.path, self.source
        # Not a stray word: it would be looked for in whatever folder napari was started.
        known = os.path.isabs(os.path.expanduser(path)) or os.sep in path
        self._looking = True
        self._recogniser.ask(lambda task: (kind_at(path, now) if known else None, path))

    def _on_recognised(self, found: tuple[Kind | None, str] | None) -> None:
        if found is None or found[1] != self.path.path:
            return
        self._looking = False
        if found[0] is not None:
            self.kind.setCurrentIndex(self.kind.findData(found[0]))
        self._show_slide()
        self.recognised.emit(found[0] or "")

    def _show_slide(self) -> None:
        kind = self.source
        path = self.path.path if "path" in SOURCES[kind].asks else ""
        self.preview.set_source(path if kind is Kind.SLIDES else "", self.tiles.config)
        self.pattern.set_folder(path if kind is Kind.FOLDER else "")

    # -- what is shown -------------------------------------------------------------

    def _on_change(self, _: Any = None) -> None:
        if self.source is Kind.SLIDES:
            self.preview.set_config(self.tiles.config)
        self.changed.emit()

    def _on_kind(self, _: Any = None) -> None:
        source = SOURCES[self.source]
        asks = source.asks
        self.explanation.setText(source.text)
        self.path.setVisible("path" in asks)
        self.layer.setVisible("layer" in asks)
        self._of_objects.setVisible("objects" in asks)
        self.preview.setVisible("tiles" in asks)
        self.tiles.setVisible("tiles" in asks)
        self.crops.setVisible("crops" in asks)
        self.more.setVisible("labels" in asks)
        self._more_rows.setRowVisible(self.pattern, "pattern" in asks)
        self._more_rows.setRowVisible(self.axes, "axes" in asks)
        self.more.rename("Labels and axes" if "axes" in asks else "Labels")
        self.path.folder = source.key in (Kind.FOLDER, Kind.RUN)
        self.path.filters = FILTERS.get(source.key, "All files (*)")
        self.path.title = source.title
        self.path.edit.setPlaceholderText(source.wanted)
        self._show_slide()
        self.refused.emit(self.trouble)  # what is not shown does not matter
        self.changed.emit()

    def _list_layers(self, event: Any = None) -> None:
        images = [ly for ly in self._viewer.layers if _is_image(ly)]
        labels = [ly for ly in self._viewer.layers if isinstance(ly, Labels)]
        stacks = [ly for ly in images if ly.ndim > 2]
        _list(self.layer, stacks, "no stack is open")
        _list(self.objects, labels, "no Labels layer is open")
        _list(self.image, images, "no image is open")
        self.layers_listed.emit()

    def _chosen(self, listed: QComboBox) -> Any:
        name = listed.currentData()
        return next((layer for layer in self._viewer.layers if layer.name == name), None)


def _named_rows(parent: QWidget, fields: dict[str, QWidget]) -> QFormLayout:
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    for name, field in fields.items():
        form.addRow(name, field)
    return form


def _is_image(layer: Layer) -> bool:
    return isinstance(layer, Image) and not layer.metadata.get(OVERLAY)


def _list(box: QComboBox, layers: list[Layer], nothing: str) -> None:
    chosen = box.currentData()
    box.blockSignals(True)
    box.clear()
    for layer in layers:
        box.addItem(layer.name, layer.name)
    if not layers:
        box.addItem(nothing, None)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.blockSignals(False)
