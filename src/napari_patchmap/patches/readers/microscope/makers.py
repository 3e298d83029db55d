"""Which makers' files are read, and where in one of them a scene lies."""

from __future__ import annotations

from pathlib import Path

from napari_patchmap import formats
from napari_patchmap.errors import PatchmapError, UnclearArrayError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.readers.microscope.czi_file import CziFile
from napari_patchmap.patches.readers.microscope.lif_file import LifFile
from napari_patchmap.patches.readers.microscope.microscope_file import MicroscopeFile
from napari_patchmap.patches.readers.microscope.nd2_file import Nd2File

_MAKERS: dict[str, type[MicroscopeFile]] = {
    ".czi": CziFile, ".nd2": Nd2File, ".lif": LifFile,
}  # fmt: skip


def is_microscope(path: Path) -> bool:
    """Whether a path is a file of one of the makers, by its name."""
    return path.name.lower().endswith(tuple(formats.MICROSCOPES)) and path.is_file()


def open_microscope(path: Path) -> MicroscopeFile:
    """Open a file of any maker.

    Raises
    ------
    PatchError
        If it is damaged, or holds no images.
    MissingPackageError
        Without the maker's reader.
    """
    ending = path.suffix.lower()
    wrong = f"is not a {formats.MICROSCOPES[ending]} file that can be read"
    with decoding(path, wrong, "copy or export it again"):
        file = _MAKERS[ending](path)
        if not file.scenes:
            why = "".join(f" ({one.source} {one.reason})" for one in file.left_out[:1])
            raise UnusableError(f"holds no image that can be read{why}")
        return file


def file_and_scene(path: Path) -> tuple[Path, str] | None:
    """Split a path of a scene, its name behind that of its file; None of another path."""
    if is_microscope(path):
        return path, ""
    return (path.parent, path.name) if is_microscope(path.parent) else None


def scene_path(path: Path, key: object) -> Path:
    """Return the path of the scene ``key`` of a microscope's file; without one, ``path``."""
    return path / str(key) if key and is_microscope(path) else path


def number_of(file: MicroscopeFile, name: str) -> int:
    """Return which scene has a name; without one, the only one there is.

    Raises
    ------
    UnclearArrayError
        If none has, or there are several.
    """
    names = [scene.name for scene in file.scenes]
    if name in names:
        return names.index(name)
    if not name and len(names) == 1:
        return 0
    few = names[:4]
    listed = ", ".join(few) + (", ..." if len(names) > len(few) else "")
    wrong = f"has no image {name!r}" if name else f"holds {len(names)} images"
    raise UnclearArrayError(f"{file.path} {wrong}; choose one of {listed} (--key).", few)


def several_scenes(path: Path) -> list[str]:
    """Name the scenes of a file if they are several; [] where it is one, or cannot be read."""
    try:
        names = [scene.name for scene in open_microscope(path).scenes]
    except PatchmapError:  # who reads it says what is wrong
        return []
    return names if len(names) > 1 else []
