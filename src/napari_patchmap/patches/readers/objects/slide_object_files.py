"""Which files hold the objects of whole slides: outlines, or tables of centres."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_patchmap import formats
from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import decoding
from napari_patchmap.kind import Kind
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.names import composed
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.objects.centre_tables import CENTRE_TABLES
from napari_patchmap.patches.readers.objects.drawn_objects import Outline
from napari_patchmap.patches.readers.objects.object_files import OUTLINE_FILES, read_outlines
from napari_patchmap.patches.readers.plate.read_plate import is_plate
from napari_patchmap.patches.readers.slides.dicom_slide import is_dicom_slide
from napari_patchmap.patches.readers.slides.find_slides import find_slides, holds_slides
from napari_patchmap.patches.readers.slides.levels import is_slide
from napari_patchmap.patches.readers.slides.tiles import is_one_slide
from napari_patchmap.patches.readers.slides.zarr_slide import holds_levels
from napari_patchmap.patches.readers.zarr.zarr_find import is_zarr

_ENDINGS = (*OUTLINE_FILES, *CENTRE_TABLES)


def on_slides(path: Path, objects: Path, config: CropConfig) -> bool:
    """Whether objects are to be cut out of whole slides, not out of images in memory.

    A table of centres always is: it has no outlines that a label image could be made of.
    """
    if objects.name.lower().endswith(CENTRE_TABLES):
        return True
    if path.is_dir() and objects.is_dir() and not is_one_slide(path):
        return holds_slides(path) and bool(_object_files(objects))
    if not objects.name.lower().endswith(OUTLINE_FILES) or not objects.is_file():
        return False
    if is_zarr(path):
        return holds_levels(path)
    if is_slide(path) or is_dicom_slide(path):
        return True
    chosen = config.mpp is not None or config.level is not None
    return chosen and path.name.lower().endswith(formats.endings(Kind.SLIDES))


def slides_of(origin: Mapping[str, Any]) -> bool:
    """Whether the objects of a patch set, of which this is the origin, are those of slides."""
    path, objects = Path(str(origin.get("path"))), Path(str(origin.get("objects")))
    config = CropConfig.from_dict(origin.get("crops") or {})
    return path.exists() and not is_plate(path) and on_slides(path, objects, config)


def slide_outlines(origin: Mapping[str, Any]) -> Callable[[str], Sequence[Outline]]:
    """Return what reads the outlines of a slide again: the n-th is that of ``label_id`` n + 1.

    Raises
    ------
    PatchError
        If they are in no file of outlines any more; also when they are read.
    """
    path, objects = Path(str(origin["path"])), Path(str(origin["objects"]))
    if not objects.exists():
        raise PatchError(f"There is no file or folder {objects}.")
    files = {path.name: objects} if is_one_slide(path) else pair_slides(path, objects)[0]

    def of_slide(source: str) -> Sequence[Outline]:
        file = files.get(source)
        if file is None or file.name.lower().endswith(CENTRE_TABLES):
            raise PatchError(f"There are no outlines of the objects of {source} in {objects}.")
        with decoding(file, "cannot be read", "save it again"):
            return read_outlines(file)[0]

    return of_slide


def pair_slides(root: Path, objects: Path) -> tuple[dict[str, Path], list[Skipped]]:
    """Return the file of objects of each slide in a folder, and the slides without one.

    Raises
    ------
    PatchError
        If there are no slides.
    """
    names = find_slides(root)
    if not names:
        raise PatchError(
            f"The folder {root} holds no slides, out of which patches could be cut where "
            f"{objects} says; choose a slide, or a folder of them."
        )
    if not objects.is_dir():
        return dict.fromkeys(names, objects), []
    of = {_stem(file.relative_to(objects).as_posix()): file for file in _object_files(objects)}
    files = {name: of[_stem(name)] for name in names if _stem(name) in of}
    why = f"has no file of objects of its name in {objects.name}"
    return files, [Skipped(name, why) for name in names if name not in files]


def _object_files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.name.lower().endswith(_ENDINGS))


def _stem(name: str) -> str:
    """Return what the names of a slide and of its objects have in common."""
    stem = composed(name).casefold()
    for endings in (_ENDINGS, formats.endings(Kind.SLIDES), (".ome",)):
        ending = next((end for end in endings if stem.endswith(end)), "")
        stem = stem.removesuffix(ending)
    return stem
