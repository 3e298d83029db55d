"""Which files hold the objects of whole slides: label images, outlines, tables of centres."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_patchmap import formats
from napari_patchmap.errors import PatchError, PatchmapError
from napari_patchmap.foreign import decoding
from napari_patchmap.kind import Kind
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.names import composed
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.microscope.makers import (
    file_and_scene,
    is_microscope,
    scene_path,
)
from napari_patchmap.patches.readers.objects.centre_tables import CENTRE_TABLES
from napari_patchmap.patches.readers.objects.drawn_objects import Outline
from napari_patchmap.patches.readers.objects.folders import MASK_ENDINGS, without
from napari_patchmap.patches.readers.objects.object_files import (
    OUTLINE_FILES,
    is_outline_file,
    read_outlines,
)
from napari_patchmap.patches.readers.objects.slide_labels import (
    LABEL_FILES,
    SlideLabels,
    is_label_file,
)
from napari_patchmap.patches.readers.plate.labelled_fields import has_fields
from napari_patchmap.patches.readers.slides.dicom_slide import is_dicom_slide
from napari_patchmap.patches.readers.slides.find_slides import find_slides, holds_slides
from napari_patchmap.patches.readers.slides.levels import is_slide
from napari_patchmap.patches.readers.slides.microscope_slide import is_microscope_slide
from napari_patchmap.patches.readers.slides.tiles import is_one_slide, open_slide
from napari_patchmap.patches.readers.slides.zarr_slide import holds_levels
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr

#: An image of more pixels is read part by part with its label image, if it can be; smaller
#: ones as ordinary images, which are seen at full resolution.
_LARGE = 2**26


def on_slides(path: Path, objects: Path, config: CropConfig) -> bool:
    """Whether objects are to be cut out of whole slides, not out of images in memory.

    A table of centres always is: it has no outlines that a label image could be made of.
    """
    if objects.name.lower().endswith(CENTRE_TABLES):
        return True
    if path.is_dir() and not is_one_slide(path):
        if not objects.is_dir() or is_zarr(objects) or not holds_slides(path):
            return False
        if any(not is_label_file(file) for file in _object_files(path, objects)):
            return True
        pairs = list(pair_slides(path, objects)[0].items())
        return any(on_slides(path / name, file, config) for name, file in pairs[:1])
    chosen = config.mpp is not None or config.level is not None
    if is_outline_file(objects) and objects.is_file():
        return _has_levels(path) or (chosen and _called_a_slide(path))
    return is_label_file(objects) and _beside_labels(path, objects, chosen)


def _has_levels(path: Path) -> bool:
    """Whether an image is a slide by itself, with smaller copies."""
    if is_zarr(path):
        return holds_levels(path)
    if is_microscope(path.parent):  # a scene
        return is_microscope_slide(path)
    return is_slide(path) or is_dicom_slide(path)


def _called_a_slide(path: Path) -> bool:
    """Whether a file may be a slide, by its name; a scene is called as its file is."""
    file, _ = file_and_scene(path) or (path, "")
    return file.name.lower().endswith(formats.endings(Kind.SLIDES))


def _beside_labels(path: Path, labels: Path, chosen: bool) -> bool:
    """Whether an image is to be read as a slide with a label image.

    ``chosen`` says that the resolution of the crops is.
    """
    levels = _has_levels(path)
    if not levels and not _called_a_slide(path):
        return False
    try:
        slide = open_slide(path)
    except PatchmapError:
        return False  # a stack, say; who reads it knows what is wrong
    shape = slide.shape
    slide.close()
    if shape[0] * shape[1] > _LARGE or (levels and (chosen or is_dicom_slide(path))):
        return True
    try:
        return levels and SlideLabels(labels, path, shape).scale > 1
    except PatchmapError:
        return False


def slides_of(origin: Mapping[str, Any]) -> bool:
    """Whether the objects of a patch set, of which this is the origin, are those of slides."""
    path, objects = Path(str(origin.get("path"))), Path(str(origin.get("objects")))
    config = CropConfig.from_dict(origin.get("crops") or {})
    if not path.exists() or has_fields(path, objects):
        return False
    return on_slides(scene_path(path, origin.get("key")), objects, config)


def slide_shapes(
    origin: Mapping[str, Any],
) -> Callable[[str], Sequence[Outline] | SlideLabels]:
    """Return what reads again which pixels belong to the objects of a slide.

    Of outlines, the n-th is that of ``label_id`` n + 1.

    Raises
    ------
    PatchError
        If that is in no file any more; also when it is read.
    """
    path = scene_path(Path(str(origin["path"])), origin.get("key"))
    objects = Path(str(origin["objects"]))
    if not objects.exists():
        raise PatchError(f"There is no file or folder {objects}.")
    one = is_one_slide(path)
    files = {path.name: objects} if one else pair_slides(path, objects)[0]

    def of_slide(source: str) -> Sequence[Outline] | SlideLabels:
        file = files.get(source)
        if file is not None and is_label_file(file):
            at = path if one else path / source
            slide = open_slide(at)
            slide.close()
            return SlideLabels(file, at, slide.shape)
        outlines: Sequence[Outline] = ()
        if file is not None and is_outline_file(file):
            with decoding(file, "cannot be read", "save it again"):
                outlines = read_outlines(file)[0]
        if not outlines or outlines[0].is_point:
            raise PatchError(f"There are no outlines of the objects of {source} in {objects}.")
        return outlines

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
    named = {
        _stem(file.relative_to(objects).as_posix()): file
        for file in _object_files(root, objects)
    }
    masks = {without(stem, MASK_ENDINGS): file for stem, file in named.items()}
    of = masks | named
    files = {name: of[_stem(name)] for name in names if _stem(name) in of}
    why = f"has no file of objects of its name in {objects.name}"
    return files, [Skipped(name, why) for name in names if name not in files]


def _object_files(root: Path, folder: Path) -> list[Path]:
    """List what may hold objects in a folder; in that of the slides, images are slides."""
    images = not folder.samefile(root)
    found: list[Path] = []
    for at, inner, names in os.walk(folder):
        stores = [name for name in inner if is_zarr(Path(at) / name)]
        inner[:] = [name for name in inner if name not in stores]
        for file in (Path(at) / name for name in [*stores, *names]):
            outlines = is_outline_file(file) or file.name.lower().endswith(CENTRE_TABLES)
            if outlines or (images and is_label_file(file)):
                found.append(file)
    return sorted(found)


def _stem(name: str) -> str:
    """Return what the names of a slide and of its objects have in common."""
    stem = composed(name).casefold()
    of_objects = (*OUTLINE_FILES, *CENTRE_TABLES, *LABEL_FILES, ".zarr")
    for endings in (of_objects, formats.endings(Kind.SLIDES), (".ome",)):
        ending = next((end for end in endings if stem.endswith(end)), "")
        stem = stem.removesuffix(ending)
    return stem
