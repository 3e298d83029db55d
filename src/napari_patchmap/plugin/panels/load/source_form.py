"""Where patches come from: the fields of "Load patches"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QFrame, QLineEdit, QVBoxLayout, QWidget

from napari_patchmap.patches import Kind, OpenRequest
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.fit import Fit
from napari_patchmap.patches.readers.objects.centre_tables import CENTRE_TABLES
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.plugin.panels.load.layer_fields import LayerFields
from napari_patchmap.plugin.panels.load.name_pattern import NamePattern
from napari_patchmap.plugin.panels.load.opening import Request
from napari_patchmap.plugin.panels.load.path_field import PathField, RecognisedPath
from napari_patchmap.plugin.panels.load.plate_cut import PlateCut
from napari_patchmap.plugin.panels.load.recent import RecentButton
from napari_patchmap.plugin.panels.load.slide_preview import SlidePreview
from napari_patchmap.plugin.panels.load.sources import FILTERS, SOURCES
from napari_patchmap.plugin.qt.basics import choice, column, label, row, set_look
from napari_patchmap.plugin.qt.fold import Fold
from napari_patchmap.plugin.qt.form import ConfigForm
from napari_patchmap.plugin.qt.known_files import run_folder

#: Readings of a stack's axes that a person may need to tell us.
AXES = ("auto", "NYX", "NYXC", "NCYX", "CNYX", "YXN", "YXCN")


class SourceForm(QFrame):
    """Asks what to load, showing only what matters for it; makes a :class:`Request`.

    Its frame lights up under a dragged file.

    Signals
    -------
    changed()
        Something else is asked for.
    recognised(str)
        What a path is was found out; "" if it is nothing that holds patches.
    refused(str)
        Why what was typed cannot be taken, "" once it can.
    """

    changed = Signal()
    recognised = Signal(str)
    refused = Signal(str)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._touched = False
        self.kind = choice("Where the patches come from. Default: a folder of images.")
        for source in SOURCES.values():
            self.kind.addItem(source.name, source.key)
        self.recent = RecentButton()
        self.explanation = label("", "hint", wrap=True)
        self.path = RecognisedPath(lambda: self.source)
        self.layers = LayerFields(viewer)
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
        self.objects_file = PathField("labels (optional)")
        self.objects_file.title = "Choose the labels of the images"
        self.objects_file.edit.setToolTip(
            "<qt>Where the cells are: a label image, Cellpose's _seg.npy, QuPath's GeoJSON or "
            "ImageJ's ROI zip; for a folder of images a folder of these, may be the same. Of "
            "whole slides a label image of their size or a smaller one, GeoJSON, or a table of "
            "centres such as QuPath's measurements. One patch is cut out around each object. "
            "Default: none.</qt>"
        )
        self.axes = choice(
            "<qt>What the axes of the stack are: N patches, C channels, Y and X the image. "
            "Default: auto, from the metadata or guessed from the shape.</qt>"
        )
        self.axes.setEditable(True)
        self.axes.addItems(AXES)
        self.key = QLineEdit()
        self.key.setPlaceholderText("found out")
        self.key.setToolTip(
            "<qt>Of a file of several arrays (.npz, HDF5, Zarr), the name of the one that "
            "holds the images. Of a microscope's file (CZI, ND2, LIF), the name of one scene, "
            "position or series. Default: found out, and all scenes.</qt>"
        )
        self.tiles = ConfigForm(TileConfig())
        self.preview = SlidePreview(viewer)
        self.crops = ConfigForm(CropConfig())
        self.cut = PlateCut()
        self._lay_out()

        self.kind.currentIndexChanged.connect(self._on_kind)
        self.kind.activated.connect(self._on_touched)  # by a person only
        self.path.changed.connect(self._on_change)
        self.path.recognised.connect(self._on_recognised)
        self.recent.chosen.connect(self.fill)
        self.objects_file.changed.connect(lambda _: self._show_slide())
        for form in (self.tiles, self.crops):
            form.refused.connect(self._on_refused)
            form.changed.connect(self._on_change)
        for signal in (
            self.layers.changed,
            self.cut.changed,
            self.labels.changed,
            self.objects_file.changed,
            self.pattern.changed,
            self.axes.currentTextChanged,
            self.key.textChanged,
        ):
            signal.connect(self._on_change)
        self._on_kind()

    def _lay_out(self) -> None:
        self.more = Fold("")
        self._more_rows = QFormLayout(self.more.body)
        self._more_rows.setContentsMargins(0, 0, 0, 0)
        self._more_rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._more_rows.addRow("Table", self.labels)
        self._more_rows.addRow("File names", self.pattern)
        self._more_rows.addRow("Objects", self.objects_file)
        self._more_rows.addRow("Axes", self.axes)
        self._more_rows.addRow("Array", self.key)
        self.setProperty("role", "drop")
        fields = QWidget()
        column(
            fields,
            row(self.kind, self.recent),
            self.explanation,
            self.path,
            self.layers,
            self.cut,
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
            "key": self.key.text().strip() or None,
            "pattern": self.pattern.pattern or None,
            "tiles": self.tiles.config,
            "crops": self.crops.config,
        }
        asked = {key: value for key, value in fields.items() if key in SOURCES[kind].asks}
        if self._cuts_objects:
            asked |= {"objects": self.objects_file.path, "crops": self.crops.config}
            asked.pop("tiles", None)
        if kind is Kind.STACK and self.cut.objects is not None:
            asked |= {"objects": self.cut.objects, "crops": self.crops.config}
        return Request(kind, OpenRequest(sizes=sizes, **asked), **self.layers.asked(kind))

    @property
    def _cuts_objects(self) -> bool:
        """Whether a file of objects is given for a source that may have one."""
        return "objects file" in SOURCES[self.source].asks and bool(self.objects_file.path)

    def missing(self) -> str:
        """Say what has to be opened in the viewer first, "" if nothing has."""
        return self.layers.missing(self.source)

    @property
    def trouble(self) -> str:
        """Why the settings that are shown cannot be taken, "" if they can."""
        objects = self._cuts_objects or self.cut.objects
        asks = ["crops"] if objects else SOURCES[self.source].asks
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
        self.kind.setCurrentIndex(self.kind.findData(Kind(kind)))  # PyQt6 tells it from text
        if "path" in SOURCES[kind].asks:
            self.path.set_path(path)
            self._show_slide()
        elif kind is Kind.LAYER or objects:
            self.layers.choose(str(path), objects)
        self.path.settle()

    def fill(self, request: Request) -> None:
        """Fill in everything as it was when a source was loaded."""
        what = request.what
        self.labels.set_path(what.labels_path or "")
        self.pattern.set_pattern(what.pattern or "")
        self.axes.setCurrentText(what.axes)
        self.key.setText(what.key or "")
        self.objects_file.set_path(str(what.objects or ""))
        self.tiles.set_config(what.tiles or TileConfig())
        self.crops.set_config(what.crops or CropConfig())
        self.choose(request.kind, Path(what.path) if what.path else "")
        plate, objects = self._plate(), str(what.objects or "")
        self.cut.set_path(plate, objects or "nothing")
        if plate:
            self.objects_file.set_path("")
        written = what.labels or what.pattern or what.key or what.axes != "auto"
        self.more.open(bool(written or (objects and not plate)))
        self.changed.emit()

    def take_dropped(self, path: Path) -> bool:
        """Fill in a path that was dropped; return whether it may be a source of patches.

        What kind of source it is is found out in the background; ``recognised`` tells.
        """
        ending, slides = path.suffix.lower(), self.source is Kind.SLIDES
        objects = ending == ".geojson" and "objects file" in SOURCES[self.source].asks
        if objects or (slides and ending in CENTRE_TABLES):
            self.objects_file.set_path(path)
            self.more.open(True)
            return False
        if ending in (".csv", ".tsv"):
            self.labels.set_path(path)
            self.more.open(True)
            return False
        self.path.look_at(run_folder(path))
        return True

    def choose_objects(self) -> bool:
        """Ask for the file, or folder, of objects in a dialog; return whether there is one."""
        self.more.open(True)
        self.objects_file.folder = Path(self.path.path).is_dir()
        self.objects_file.browse.click()
        return bool(self.objects_file.path)

    def ask_axes(self) -> None:
        """Show the axes field and go there."""
        self.more.open(True)
        self.axes.setFocus()

    # -- what is shown -------------------------------------------------------------

    def _on_recognised(self, kind: str) -> None:
        if kind:
            self.kind.setCurrentIndex(self.kind.findData(kind))
        self._show_slide()
        self.recognised.emit(kind)

    def _show_slide(self) -> None:
        kind = self.source
        path = self.path.path if "path" in SOURCES[kind].asks else ""
        tiled = kind is Kind.SLIDES and not self._cuts_objects
        self.preview.set_source(path if tiled else "", self.tiles.config)
        self.pattern.set_folder(path if kind is Kind.FOLDER else "")
        self.cut.set_path(self._plate())

    def _plate(self) -> str:
        """Return the path where it may be that of a plate."""
        return self.path.path if self.source is Kind.STACK else ""

    def _on_change(self, _: Any = None) -> None:
        if self.source is Kind.SLIDES:
            self.preview.set_config(self.tiles.config)
        self._show_cutting()
        self.changed.emit()

    def _show_cutting(self) -> None:
        """Show how patches are cut out: as tiles, or around objects."""
        objects = self._cuts_objects or self.cut.objects is not None
        asks = SOURCES[self.source].asks
        self.crops.setVisible("crops" in asks or objects)
        for part in (self.preview, self.tiles):
            part.setVisible("tiles" in asks and not objects)

    def _on_kind(self, _: Any = None) -> None:
        source = SOURCES[self.source]
        asks = source.asks
        self.explanation.setText(source.text)
        self.path.setVisible("path" in asks)
        self.layers.show_for(self.source)
        self._show_cutting()
        self.more.setVisible("labels" in asks or "objects file" in asks)
        self._more_rows.setRowVisible(self.labels, "labels" in asks)
        self._more_rows.setRowVisible(self.pattern, "pattern" in asks)
        self._more_rows.setRowVisible(self.objects_file, "objects file" in asks)
        self.objects_file.folder = source.key is Kind.FOLDER
        self._more_rows.setRowVisible(self.axes, "axes" in asks)
        self._more_rows.setRowVisible(self.key, "key" in asks)
        parts = {"labels": "labels", "objects file": "objects", "axes": "axes"}
        *first, last = [word for ask, word in parts.items() if ask in asks] or ["labels"]
        self.more.rename((f"{', '.join(first)} and {last}" if first else last).capitalize())
        self.path.folder = source.key in (Kind.FOLDER, Kind.RUN)
        self.path.filters = FILTERS.get(source.key, "All files (*)")
        self.path.title = source.title
        self.path.edit.setPlaceholderText(source.wanted)
        self._show_slide()
        self.refused.emit(self.trouble)  # what is not shown does not matter
        self.changed.emit()
