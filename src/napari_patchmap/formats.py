"""What patches can be read from: the one list of formats. Loads nothing, for napari asks early.

Recognition, help, dialogs, what napari offers us and the words about files that are passed
over all go through :data:`FORMATS`; docs/CONTRIBUTING.md says how to add one.
"""

from __future__ import annotations

from dataclasses import dataclass

from napari_patchmap.kind import Kind

#: Image files of which each can be a patch, in any case.
IMAGES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".jif", ".tif", ".tiff", ".bmp", ".dib", ".webp",
    ".gif", ".jp2", ".j2k", ".jpx", ".jpf", ".j2c",
)  # fmt: skip

#: Image files that no slide has: a folder that holds one is not a folder of slides.
NEVER_SLIDES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif")

#: Slides whose name says so without a doubt.
SURE_SLIDES = (".svs", ".ndpi", ".qptiff")

#: HDF5 files, those of AnnData and scPortrait among them.
HDF5 = (".h5", ".hdf5", ".h5ad", ".h5sc")

#: Files of microscope makers, and what they are.
MICROSCOPES = {".czi": "Zeiss CZI", ".nd2": "Nikon ND2", ".lif": "Leica LIF"}

#: Files of microscopes and scanners that are not read, and what they are.
CLOSED = {
    ".oir": "Olympus OIR", ".vsi": "Olympus VSI", ".mrxs": "3DHISTECH MRXS",
    ".ims": "Imaris IMS",
}  # fmt: skip

#: Zarr stores that are one file.
ZIPPED_ZARR = (".zarr.zip", ".ozx")


@dataclass(frozen=True)
class Format:
    """Files or folders of one kind, and which module reads them.

    Parameters
    ----------
    reader : str
        Module in ``patches/readers`` that reads it; what it defines is said there.
    kind : Kind
        What it opens as.
    name : str
        What one is, in a sentence: "a NumPy array".
    listed : str
        What it is called in a list of formats: ".npy".
    endings : tuple of str
        Of its names, in small letters.
    offered : tuple of str
        Those that napari offers us when they are dropped on it: what its own reader would make
        nothing sensible of. ``napari.yaml`` has to say the same.
    """

    reader: str
    kind: Kind
    name: str
    listed: str = ""
    endings: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()


#: Of several that recognise a path, the first reads it.
FORMATS = (
    Format(
        "slides.open_slides", Kind.SLIDES, "a slide", "SVS, TIFF pyramid, CZI or OME-Zarr",
        (".svs", ".tif", ".tiff", ".btf", ".tf8", ".ndpi", ".qptiff", ".dcm", ".dicom",
         *ZIPPED_ZARR, *MICROSCOPES),
        SURE_SLIDES,
    ),
    Format(
        "tiff.tiff_stack", Kind.STACK, "a TIFF", "TIFF, OME-TIFF",
        (".tif", ".tiff", ".btf", ".tf8"),
    ),
    Format("plate.open_plate", Kind.STACK, "a plate", "OME-Zarr plate", ZIPPED_ZARR),
    Format(
        "zarr.zarr_store", Kind.STACK, "a Zarr store", "Zarr", (".zarr", *ZIPPED_ZARR)
    ),
    Format(
        "dicom.dicom_stack", Kind.STACK, "a DICOM image", "DICOM", (".dcm", ".dicom"),
        (".dcm", ".dicom"),
    ),
    Format(
        "microscope.microscope_stack", Kind.STACK, "a microscope's file", "CZI, ND2, LIF",
        (*MICROSCOPES,), (*MICROSCOPES,),
    ),
    Format(
        "hdf5.hdf5_file", Kind.STACK, "an HDF5 file", "HDF5 (.h5, scPortrait's .h5sc, .h5ad)",
        HDF5, HDF5,
    ),
    Format(
        "points", Kind.POINTS, "a file of features",
        "AnnData (.h5ad, .zarr), CSV, Parquet or .npy of features",
        (".h5ad", ".h5sc", ".csv", ".tsv", ".parquet", ".pq", ".npy", *ZIPPED_ZARR),
    ),
    Format("npy", Kind.STACK, "a NumPy array", ".npy", (".npy",)),
    Format(
        "npz.npz_file", Kind.STACK, "a NumPy archive", ".npz (MedMNIST files too)",
        (".npz",), (".npz",),
    ),
    Format(
        "stack_folder.folder_of_stacks", Kind.STACK, "a folder of stacks",
        "a folder of such files",
    ),
    Format(
        "folder.image_folder", Kind.FOLDER, "a folder of images",
        "PNG, JPEG, TIFF, BMP, WebP, GIF or JPEG 2000",
    ),
    Format("objects.open_objects", Kind.OBJECTS, "objects of label images"),
)  # fmt: skip

#: What napari asks us about when it is dropped.
OFFERED = tuple(ending for one in FORMATS for ending in one.offered)


def endings(kind: Kind) -> tuple[str, ...]:
    """Return the endings of all formats that open as one kind."""
    found = (ending for one in FORMATS if one.kind is kind for ending in one.endings)
    return tuple(dict.fromkeys(found))


def globs(kind: Kind) -> str:
    """Say the endings of a kind as a file dialog wants them, such as ``*.tif *.npy``."""
    return " ".join(f"*{ending}" for ending in endings(kind))


def listed(kind: Kind) -> str:
    """List the formats of a kind in words, such as "TIFF, .npy or .npz"."""
    *others, last = [one.listed for one in FORMATS if one.kind is kind]
    return f"{', '.join(others)} or {last}" if others else last
