"""The kinds of sources, in people's words, and how a path tells which one it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_patchmap import formats
from napari_patchmap.patches import Kind
from napari_patchmap.patches.recognise import recognise
from napari_patchmap.plugin.qt.known_files import is_run


@dataclass(frozen=True)
class SourceKind:
    """One entry of the list of sources."""

    key: Kind
    name: str
    text: str  # what it is, below the list
    asks: tuple[str, ...] = ()  # parts of the form that matter for it
    wanted: str = ""  # what the path is a path of
    title: str = ""  # of the dialog in which it is chosen


SOURCES = {
    kind.key: kind
    for kind in (
        SourceKind(
            Kind.FOLDER,
            "Folder of images",
            f"One image file a patch ({formats.listed(Kind.FOLDER)}). Sub-folders, if any, are "
            "the labels.",
            ("path", "labels", "pattern", "objects file"),
            "folder",
            "Choose a folder of images",
        ),
        SourceKind(
            Kind.STACK,
            "Stack of images",
            f"One file with one patch a plane: {formats.listed(Kind.STACK)}.",
            ("path", "labels", "axes", "key", "objects file"),
            "file, or .zarr folder",
            "Choose a stack of images",
        ),
        SourceKind(
            Kind.POINTS,
            "Features without images",
            f"{formats.listed(Kind.POINTS)}: one row a point, of which no picture is shown.",
            ("path", "labels"),
            "file of features",
            "Choose a file of features",
        ),
        SourceKind(
            Kind.SLIDES,
            "Whole slide",
            f"An {formats.listed(Kind.SLIDES)}, or a folder of them, cut into tiles where "
            "tissue is, or around objects.",
            ("path", "tiles", "key", "objects file"),
            "slide, or folder of slides",
            "Choose a slide",
        ),
        SourceKind(
            Kind.OBJECTS,
            "Objects of a Labels layer",
            "Segmented cells that are open here: one patch is cut out around each of them.",
            ("objects", "crops"),
        ),
        SourceKind(
            Kind.LAYER,
            "Open image layer",
            "A stack that is already open here; every plane is a patch.",
            ("layer", "labels", "axes"),
        ),
        SourceKind(
            Kind.SAMPLE,
            "Sample blood cells",
            "2,000 real blood cells of 8 kinds that come with Patchmap.",
        ),
        SourceKind(
            Kind.RUN,
            "Saved run",
            "A folder that an earlier training wrote: its map and its patches.",
            ("path",),
            "run folder",
            "Choose a saved run",
        ),
    )
}

#: Endings of files that the dialog shows, by kind.
FILTERS = {
    Kind.STACK: f"Image stacks ({formats.globs(Kind.STACK)});;All files (*)",
    Kind.POINTS: f"Files of features ({formats.globs(Kind.POINTS)});;All files (*)",
    Kind.SLIDES: f"Slides ({formats.globs(Kind.SLIDES)});;All files (*)",
}


def kind_at(path: str | Path, now: Kind = Kind.FOLDER) -> Kind | None:
    """Tell what kind of source lies at a path, be it a saved run or patches.

    Parameters and answer as those of :func:`napari_patchmap.patches.recognise.recognise`.
    """
    given = Path(path).expanduser()
    try:
        return Kind.RUN if is_run(given) else recognise(given, now)
    except OSError:
        return None  # whoever opens it says what is wrong
