"""NPZ files: MedMNIST's train, val and test arrays, or plain images and labels."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.arrays import plain_source
from napari_patchmap.patches.labels import as_text
from napari_patchmap.patches.patchset import BOX_COLUMNS
from napari_patchmap.patches.source import Source

_SPLITS = ("train", "val", "test")


def read_npz(path: Path, axes: str) -> Source:
    """Read the images and every column of an .npz file.

    Images are ``images``, or ``train_images``, ``val_images`` and ``test_images``
    joined with a column ``split``, or the only array with three axes or more;
    ``labels`` are text, or whole numbers that ``class_names`` may name. Every
    other array with one value a patch becomes a column.

    Raises
    ------
    PatchError
        If the file is damaged or would run code, or its arrays do not fit.
    """
    arrays = _load(path)
    splits = [s for s in _SPLITS if f"{s}_images" in arrays]
    names = arrays.pop("class_names", None)
    if splits:
        counts = [len(arrays[f"{s}_images"]) for s in splits]
        columns = _joined(arrays, splits, counts, path)
        columns["split"] = np.repeat(splits, counts)
        images = columns.pop("images")
    else:
        key = _images_key(arrays, path)
        images = arrays.pop(key)
        columns = arrays
    source = plain_source(images, path.name, axes)
    del images
    _add_columns(source, columns, names, path)
    return source


def _load(path: Path) -> dict[str, np.ndarray]:
    arrays = {}
    key = ""
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise PatchError(f"{path} is a single NumPy array; rename it to end in .npy.")
            for key in file.files:
                arrays[key] = file[key]
    except OSError as error:
        raise PatchError(
            f"{path} cannot be opened ({error.strerror or error}); check its permissions."
        ) from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if key and "object" in str(error).lower():
            raise PatchError(
                f"{path} holds Python objects in {key!r}, which are not loaded because they "
                "can run code; save it again as plain numbers or text, for example with "
                f"{key}=numpy.array({key}, dtype=str)."
            ) from None
        raise PatchError(
            f"{path} is not a complete .npz file ({error}); copy or save it again."
        ) from None
    return arrays


def _joined(
    arrays: dict[str, np.ndarray], splits: list[str], counts: list[int], path: Path
) -> dict[str, np.ndarray]:
    """Join ``train_images``, ``val_images``, ... to ``images``; so with every other name.

    Raises
    ------
    PatchError
        If an array does not match its images.
    """
    columns = {}
    for stem in {
        key.removeprefix(f"{splits[0]}_") for key in arrays if key.startswith(splits[0])
    }:
        keys = [f"{split}_{stem}" for split in splits]
        if not all(key in arrays for key in keys):
            missing = next(key for key in keys if key not in arrays)
            raise PatchError(f"{path} has {keys[0]!r} but no {missing!r}; add it.")
        for key, split, count in zip(keys, splits, counts, strict=True):
            if len(arrays[key]) != count:
                raise PatchError(
                    f"{path} has {len(arrays[key]):,} {key} for {count:,} {split}_images; they "
                    "must be as many."
                )
        try:
            columns[stem] = np.concatenate([arrays.pop(key) for key in keys])
        except ValueError:
            raise PatchError(
                f"The arrays {', '.join(keys)} of {path} have different shapes; save images of "
                "one size."
            ) from None
    return columns


def _images_key(arrays: dict[str, np.ndarray], path: Path) -> str:
    if "images" in arrays:
        return "images"
    stacks = [key for key, array in arrays.items() if array.ndim >= 3]
    if len(stacks) == 1:
        return stacks[0]
    listed = ", ".join(f"{key} {array.shape}" for key, array in list(arrays.items())[:4])
    raise PatchError(
        f"{path} does not say which array holds the images (it has {listed or 'nothing'}); "
        "call it 'images'."
    )


def _add_columns(
    source: Source, columns: dict[str, np.ndarray], class_names: np.ndarray | None, path: Path
) -> None:
    """Add labels and columns to the table; what is not one value a patch is noted."""
    count = len(source.table)
    unused = []
    for key in sorted(columns):
        values = columns[key]
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if key in ("labels", "label") and values.ndim <= 1 and values.shape != (count,):
            raise PatchError(
                f"{path} has {values.size:,} labels for {count:,} images; they must be as many."
            )
        if key in ("labels", "label") and values.ndim == 1:
            source.table["label"] = _named(values, class_names, path)
        elif key == "labels" and values.ndim == 2 and len(values) == count:
            for k in range(values.shape[1]):
                source.table[f"label {k}"] = values[:, k]
            source.notes.append(f"Each patch has {values.shape[1]} labels; each is a column.")
        elif values.shape == (count,):
            free = f"{key} (npz)" if key in (*BOX_COLUMNS, "label") else key
            source.table[free] = values.astype(str) if values.dtype.kind in "SU" else values
        else:
            unused.append(key)
    if unused:
        source.notes.append(f"Not one value a patch, so not used: {', '.join(unused)}.")
    if "files" in source.table:
        source.names = source.table["files"].astype(str).tolist()


def _named(labels: np.ndarray, class_names: np.ndarray | None, path: Path) -> np.ndarray:
    if class_names is None or labels.dtype.kind not in "iu":
        return as_text(labels)
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise PatchError(
            f"{path} has labels from {labels.min()} to {labels.max()} but {len(class_names)} "
            "class_names; give one name a class."
        )
    return as_text(class_names[labels])
