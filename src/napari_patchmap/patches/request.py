"""What to open and how: one value for Python, command line, window, recent list and runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_patchmap.errors import PatchError
from napari_patchmap.kind import Kind
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.fit import FITS, Fit
from napari_patchmap.patches.labels.join import Labels
from napari_patchmap.patches.tile_config import TileConfig


@dataclass(frozen=True)
class OpenRequest:
    """Which patches to open, and how; :func:`napari_patchmap.patches.open_patches` does it.

    Parameters
    ----------
    path : path
        A folder of images (PNG, JPEG, TIFF, BMP, WebP, GIF, JPEG 2000; sub-folders are
        labels), a stack (one file of many images: TIFF, Zarr, .npy, .npz as MedMNIST lays
        it out or with ``images`` and ``labels``, and others of
        :data:`napari_patchmap.formats.FORMATS`), a slide (SVS, TIFF pyramid
        or OME-Zarr), a folder of slides, or an OME-Zarr plate.
    sizes : {"resize", "crop", "pad"}, optional
        How images of different sizes are brought to one; required if they differ.
    labels : path of a CSV file, or sequence of values, optional
        Matched by file name (also of the slide or stack that many patches come
        from), by a column ``index``, or by order.
    axes : str
        One letter an axis, such as ``"NCYX"`` or ``"TZYX"``: Y and X are the
        image, C the channels, every other letter numbers patches. ``"auto"``
        takes them from the metadata, or from the shape if there are none. In
        a folder, the axes of each TIFF file.
    key : str, optional
        Of a file of several arrays (.npz, HDF5, a Zarr group), the name of the one that
        holds the images; of several scenes (CZI, ND2, LIF), which one. When None it is found,
        and scenes are all taken.
    pattern : str, optional
        Takes columns from the names of the files in a folder of images: a template
        such as ``"{label}_{patient}_{}.png"``, or a regular expression with named
        groups.
    channels : sequence of str, optional
        The channels to keep, by name; all when None.
    label_column : str, optional
        The column that is the label: of ``labels``, of ``pattern``, or of the folders
        (``folder``, ``split``). When None it is found.
    tiles : TileConfig, optional
        How slides are cut into tiles; also says that ``path`` holds slides.
    objects : path, optional
        A label image, Cellpose's ``_seg.npy``, QuPath's GeoJSON, ImageJ's regions of interest,
        or a folder of these: patches are crops around its objects. Of
        a plate, the plate itself, or the labels of any of its fields.
    crops : CropConfig, optional
        How the crops around objects are made.
    columns : sequence of str
        What the table must have; it is refused otherwise, before images of a folder are
        decoded in vain.

    Raises
    ------
    PatchError
        If ``sizes`` is none of the three.

    Examples
    --------
    >>> from napari_patchmap.patches import OpenRequest
    >>> request = OpenRequest("movie.tif", axes="TZYX")
    >>> request.but(channels=["DAPI"]).to_dict()["axes"]
    'TZYX'
    """

    path: str | os.PathLike[str] = ""
    sizes: Fit | None = None
    labels: Labels | None = None
    axes: str = "auto"
    pattern: str | None = None
    channels: Sequence[str] | None = None
    label_column: str | None = None
    tiles: TileConfig | None = None
    objects: str | os.PathLike[str] | None = None
    crops: CropConfig | None = None
    columns: Sequence[str] = ()
    key: str | None = None

    def __post_init__(self) -> None:
        if self.sizes is not None and self.sizes not in FITS:
            raise PatchError(f"Sizes can be handled by {', '.join(FITS)}, not {self.sizes!r}.")

    @property
    def asked(self) -> Kind | None:
        """The kind as which the options demand that the path is read; None if it tells."""
        if self.objects is not None:
            return Kind.OBJECTS
        return None if self.tiles is None else Kind.SLIDES

    @property
    def labels_path(self) -> str | None:
        """Where the table of labels is; None without one, or if values were given."""
        return os.fspath(self.labels) if isinstance(self.labels, (str, os.PathLike)) else None

    def but(self, **changes: Any) -> OpenRequest:
        """Return the request with some parts changed."""
        return replace(self, **changes)

    def absolute(self) -> OpenRequest:
        """Return the request with whole paths; links keep the names that people gave them."""
        changes = {"path": _absolute(self.path)}
        if self.labels_path:
            changes["labels"] = _absolute(self.labels_path)
        if self.objects is not None:
            changes["objects"] = _absolute(self.objects)
        return self.but(**changes)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it; labels that are values are left out: no file has them."""
        values: dict[str, Any] = {
            "path": os.fspath(self.path),
            "sizes": self.sizes,
            "labels": self.labels_path,
            "axes": self.axes,
            "pattern": self.pattern,
            "channels": None if self.channels is None else list(self.channels),
            "tiles": None if self.tiles is None else self.tiles.to_dict(),
            "objects": None if self.objects is None else os.fspath(self.objects),
            "crops": None if self.crops is None else self.crops.to_dict(),
        }
        said = {"label_column": self.label_column, "key": self.key}
        return values | {name: value for name, value in said.items() if value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> OpenRequest:
        """Return what :meth:`to_dict` wrote, be other entries beside it or some missing.

        Raises
        ------
        PatchError, ConfigError
            If a value is not one that was written.
        """
        tiles, crops = values.get("tiles"), values.get("crops")
        return cls(
            path=_text(values, "path") or "",
            sizes=values.get("sizes"),
            labels=_text(values, "labels"),
            axes=_text(values, "axes") or "auto",
            pattern=_text(values, "pattern"),
            channels=values.get("channels"),
            label_column=_text(values, "label_column"),
            key=_text(values, "key"),
            tiles=TileConfig.from_dict(tiles) if tiles else None,
            objects=_text(values, "objects"),
            crops=CropConfig.from_dict(crops) if crops else None,
        )


def _absolute(path: str | os.PathLike[str]) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise PatchError(f"{name} of what is to be opened is {value!r}, which is no text.")
    return value or None
