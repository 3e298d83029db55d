"""A folder of image files as patches, sub-folders as labels."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import GREY, RGB
from napari_patchmap.patches.decode import Decoded, decode
from napari_patchmap.patches.patchset import Skipped, box_table
from napari_patchmap.patches.source import Source, Watch

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")

#: Folders that systems put beside people's images.
_SYSTEM = {"__macosx", "@eadir", "$recycle.bin", "system volume information"}

#: Sub-folders with these names are splits when their own sub-folders are the labels.
_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}

#: Files a thread reads before it reports: large enough to hide the overhead of a task.
_CHUNK = 64

#: How many files are looked at to learn the usual shape.
_PROBES = 16


def read_folder(root: Path, axes: str, watch: Watch) -> Source:
    """Decode every image below ``root``, in natural order of their paths.

    Raises
    ------
    PatchError
        If there are no images, none can be read, or they cannot be one set.
    """
    names, skipped, others = find_images(root)
    if not names and skipped:
        raise PatchError(
            f"No image in {root} can be read ({skipped[0].source} {skipped[0].reason}); check "
            "its permissions."
        )
    if not names:
        raise PatchError(_explain_nothing(root, others))
    pile = _decode_all(root, names, axes, watch)
    skipped += [Skipped(names[i], why) for i, why in sorted(pile.reasons.items())]
    if len(pile.reasons) == len(names):
        raise PatchError(
            f"None of the {len(names):,} images in {root} can be read ({skipped[0].source} "
            f"{skipped[0].reason}); replace them by intact PNG, JPEG or TIFF files."
        )
    channel_names, notes = _agree(pile, names, root)
    images = _gather(pile, len(channel_names))
    kept = [name for i, name in enumerate(names) if i not in pile.reasons]
    sizes = np.array([image.shape[:2] for image in images])
    table = box_table(kept, np.zeros(len(kept), np.int64), sizes)
    for column, values in _folder_columns(kept).items():
        table[column] = values
    return Source(images, table, channel_names, kept, notes, skipped)


# -- which files -----------------------------------------------------------


def natural_key(path: str) -> tuple[object, ...]:
    """Sort key that puts ``cell 2`` before ``cell 10``; equal for no two paths."""
    parts = (re.split(r"([0-9]+)", part.casefold()) for part in path.split("/"))
    return (
        [[int(p) if i % 2 else p for i, p in enumerate(part)] for part in parts],
        path,
    )


def find_images(root: Path) -> tuple[list[str], list[Skipped], list[str]]:
    """List the image files below ``root`` by their path in it, ``/`` between the parts.

    Hidden files, those of the system and run folders of Patchmap are ignored;
    links are followed, each folder once.

    Returns
    -------
    images : list of str, in natural order
    skipped : list of Skipped
        Sub-folders that cannot be looked into.
    others : list of str
        A few of the files that are no images.

    Raises
    ------
    PatchError
        If ``root`` itself cannot be looked into.
    """
    images: list[str] = []
    skipped: list[Skipped] = []
    others: list[str] = []
    seen: set[str] = set()
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(root / folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(root / folder) as entries:
                found = [(entry.name, entry.is_dir()) for entry in entries]
        except OSError as error:
            reason = error.strerror or str(error)
            if not folder:
                raise PatchError(
                    f"The folder {root} cannot be opened ({reason}); check its permissions."
                ) from None
            skipped.append(Skipped(folder, f"cannot be opened ({reason})"))
            continue
        if folder and {"config.json", "embedding.csv"} <= {name for name, _ in found}:
            continue  # a run saved among its own images; map.png is no patch
        for name, is_dir in found:
            path = f"{folder}/{name}" if folder else name
            if name.startswith(".") or name.casefold() in _SYSTEM:
                continue
            if is_dir:
                waiting.append(path)
            elif name.lower().endswith(SUFFIXES):
                images.append(path)
            else:
                others.append(path)
    return sorted(images, key=natural_key), skipped, sorted(others, key=natural_key)


def _folder_columns(names: list[str]) -> dict[str, list[str | None]]:
    """Take the labels from the first level of folders that tells images apart."""
    parts = [name.split("/")[:-1] for name in names]
    # An archive often unpacks to one folder that holds the folders of the classes.
    while all(len(p) > 1 for p in parts) and len({p[0] for p in parts}) == 1:
        parts = [p[1:] for p in parts]
    if not any(parts):
        return {}
    if all(len(p) > 1 and p[0].lower() in _SPLITS for p in parts):
        return {"label": [p[1] for p in parts], "split": [p[0] for p in parts]}
    return {"label": [p[0] if p else None for p in parts]}


def _explain_nothing(root: Path, others: list[str]) -> str:
    if not others:
        return f"The folder {root} is empty; choose one that holds PNG, JPEG or TIFF images."
    return (
        f"The folder {root} holds no PNG, JPEG or TIFF images, only {len(others):,} other "
        f"files such as {others[0]}; choose another folder."
    )


# -- decoding --------------------------------------------------------------


@dataclass
class _Pile:
    """Decoded images: those of the usual shape in one array, the others beside it."""

    usual: np.ndarray
    odd: dict[int, np.ndarray]
    reasons: dict[int, str]
    kinds: dict[int, tuple[str, ...]]
    notes: Counter[str]


def _decode_all(root: Path, names: list[str], axes: str, watch: Watch) -> _Pile:
    paths = [os.path.join(root, name) for name in names]
    pile = _Pile(_room(paths, axes), {}, {}, {}, Counter())

    def read(part: range) -> list[Decoded | str]:
        results: list[Decoded | str] = []
        for i in part:
            result = _try_decode(paths[i], axes)
            if isinstance(result, Decoded) and _fits(result.pixels, pile.usual):
                pile.usual[i] = result.pixels
                result = Decoded(pile.usual[i], result.channel_names, result.notes)
            results.append(result)
        return results

    done = 0
    with ThreadPoolExecutor(_threads()) as pool:
        waiting: list[tuple[range, Future[list[Decoded | str]]]] = [
            (part, pool.submit(read, part)) for part in _parts(len(paths))
        ]
        try:
            for part, future in waiting:
                for i, result in zip(part, future.result(), strict=True):
                    if isinstance(result, str):
                        pile.reasons[i] = result
                        continue
                    pile.kinds[i] = result.channel_names
                    pile.notes.update(result.notes)
                    if not _fits(result.pixels, pile.usual):
                        pile.odd[i] = result.pixels
                done = part.stop
                watch.step(done, len(paths))
        finally:
            pool.shutdown(cancel_futures=True)
    return pile


def _try_decode(path: str, axes: str) -> Decoded | str:
    """Decode one file, or say in a few words why that cannot be done."""
    try:
        return decode(path, axes)
    except PatchError as error:
        return str(error)
    except OSError as error:
        return f"cannot be opened ({error.strerror or error})"
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything on a damaged file
        return f"is damaged ({str(error).strip() or type(error).__name__})"


def _room(paths: list[str], axes: str) -> np.ndarray:
    """Make one array for all images of the usual shape; pages are used as they are filled."""
    spread = np.unique(np.linspace(0, len(paths) - 1, _PROBES).astype(int))
    shapes = Counter(
        (probe.pixels.shape, probe.pixels.dtype.newbyteorder("="))
        for i in spread
        if isinstance(probe := _try_decode(paths[i], axes), Decoded)
    )
    if not shapes:
        return np.empty((len(paths), 0, 0, 1), np.uint8)
    (shape, dtype), _ = shapes.most_common(1)[0]
    return np.empty((len(paths), *shape), dtype)


def _fits(pixels: np.ndarray, usual: np.ndarray) -> bool:
    return pixels.shape == usual.shape[1:] and pixels.dtype == usual.dtype


def _parts(count: int) -> Iterator[range]:
    return (range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK))


def _threads() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# -- one kind of image -----------------------------------------------------


def _agree(pile: _Pile, names: list[str], root: Path) -> tuple[tuple[str, ...], list[str]]:
    """Find the channels that all images can have, or say why there are none.

    Grey images among colour ones are repeated to red, green and blue; anything
    else cannot be mixed without guessing.

    Raises
    ------
    PatchError
    """
    notes = [f"{count:,} images: {note}" for note, count in pile.notes.items()]
    types: dict[str, list[int]] = {}
    for i in pile.kinds:
        pixels = pile.odd.get(i, pile.usual)
        types.setdefault(str(pixels.dtype.newbyteorder("=")), []).append(i)
    if len(types) > 1:
        raise PatchError(
            f"The images in {root} have different pixel types ({_listed(types, names)}); "
            "convert them to one type or move them to folders of their own."
        )
    kinds: dict[str, list[int]] = {}
    for i, kind in pile.kinds.items():
        kinds.setdefault(" + ".join(kind), []).append(i)
    if len(kinds) == 1:
        return next(iter(pile.kinds.values())), notes
    if set(pile.kinds.values()) == {GREY, RGB}:
        count = len(kinds["grey"])
        notes.append(f"{count:,} grey images among colour ones were repeated to RGB.")
        return RGB, notes
    raise PatchError(
        f"The images in {root} have different channels ({_listed(kinds, names)}); move them to "
        "folders of their own."
    )


def _listed(groups: dict[str, list[int]], names: list[str]) -> str:
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))[:3]
    return ", ".join(
        f"{len(rows):,} of {kind} such as {names[rows[0]]}" for kind, rows in ordered
    )


def _gather(pile: _Pile, channels: int) -> np.ndarray | list[np.ndarray]:
    """Put the images together in order: one array if their sizes agree, else a list."""
    good = sorted(pile.kinds)
    usual = pile.usual
    if usual.shape[-1] != channels:  # grey is the usual kind, but some are in colour
        usual = np.repeat(usual, channels, axis=-1)
    odd = {i: np.broadcast_to(p, (*p.shape[:2], channels)) for i, p in pile.odd.items()}
    if any(p.shape != usual.shape[1:] for p in odd.values()):
        return [odd[i] if i in odd else usual[i] for i in good]
    # Close the gaps of the images left out, in place: the array may be large.
    for row, i in enumerate(good):
        if i in odd:
            usual[row] = odd[i]
        elif i != row:
            usual[row] = usual[i]
    return usual[: len(good)]
