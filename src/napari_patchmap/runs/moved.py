"""Where images lie that were moved: from one answer of a person, and from earlier answers.

Whether it is they is told afterwards, by what their pixels are.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_data_path

from napari_patchmap.errors import RunError
from napari_patchmap.formats import IMAGES
from napari_patchmap.patches.threads import attended
from napari_patchmap.patches.watch import Watch
from napari_patchmap.writing import write_json

#: How many moves are remembered.
_MOST = 50

#: Where a person points, so many images are read in search of those of a run, or so many times
#: as many as the run has.
_IMAGES, _TIMES = 10_000, 3

#: Folders that are looked into between two reports.
_PART = 100


class _Move(NamedTuple):
    """A folder, or a file, by the parts of its path before, and where it is."""

    before: list[str]
    now: str


def parts_of(path: str) -> list[str]:
    """Take a path apart, be it of this system or another one."""
    return [part for part in re.split(r"[\\/]+", path) if part]


def meant_by(answer: str, before: str, sources: Collection[str]) -> list[str]:
    """Return where what lay at a path may lie now, the likeliest first.

    Parameters
    ----------
    answer : str
        What a person points at: the folder or file itself, a folder above it or in it, or
        one of the images in it, by any name.
    before : str
        Where it was.
    sources : collection of str
        Names of its images, as they are called within it.

    Raises
    ------
    RunError
        If nothing is where the person points: around it, anything could be.
    """
    if not os.path.exists(os.path.expanduser(answer)):
        raise RunError(f"There is no file or folder {answer}; say where the images are now.")
    answer, parts = os.path.abspath(os.path.expanduser(answer)), parts_of(before)
    name = parts[-1] if parts else ""
    if os.path.isdir(answer):
        # Whatever of the old path lies in this folder, or in a folder of the same name.
        tails = [os.path.join(answer, *parts[-k:]) for k in range(len(parts), 0, -1)]
        found = [*(tail for tail in tails if os.path.exists(tail)), answer]
    else:
        found = [_without(answer, sources), answer, os.path.dirname(answer)]
        found.sort(key=lambda one: os.path.basename(one) != name)  # the file itself
    found += [str(one) for one in Path(answer).parents if name and one.name == name]
    return list(dict.fromkeys(one for one in found if one))


def _without(image: str, sources: Collection[str]) -> str:
    """Return the folder in which an image has one of these names, "" if in none."""
    parts = parts_of(image)
    longest = ""
    for source in sources:
        names = parts_of(source)
        if names and parts[-len(names) :] == names and len(source) > len(longest):
            longest = source
    if not longest:
        return ""
    return str(Path(image).parents[len(parts_of(longest)) - 1])


def check_extent(place: str, count: int, watch: Watch) -> None:
    """Refuse to read all images of a folder that may be one far above those that are meant.

    Parameters
    ----------
    place : str
        Where images are looked for.
    count : int
        How many they are.
    watch : Watch

    Raises
    ------
    RunError
        If it holds many times as many.
    LoadCancelled
    """
    most = max(_IMAGES, _TIMES * count)
    if attended(lambda watch: _more_images(place, most, watch), watch):
        raise RunError(
            f"{place} holds more than {most:,} images, too many to look for {count:,} among "
            "them; choose the folder that they are in, or one of them."
        )


def _more_images(folder: str, most: int, watch: Watch) -> bool:
    """Whether there are more images below a folder; nothing lies below a file."""
    images = 0
    for at, (_, inner, names) in enumerate(os.walk(folder)):
        if at % _PART == 0:
            watch.step(images, 0)
        inner[:] = [one for one in inner if not one.startswith(".")]
        images += sum(name.lower().endswith(IMAGES) for name in names)
        if images > most:
            return True
    return False


# -- remembered on this computer ------------------------------------------------------


def moved_file() -> Path:
    """Return where moves are kept; the file need not exist yet."""
    return user_data_path("napari-patchmap", appauthor=False) / "moved.json"


def note_move(before: str, now: str) -> None:
    """Remember that a folder was moved, so that nobody is asked for what moved along."""
    old, new = parts_of(before), parts_of(now)
    if old == new or not old:
        return
    while len(old) > 1 and len(new) > 1 and old[-1] == new[-1]:  # the same within it
        old, new, now = old[:-1], new[:-1], os.path.dirname(now.rstrip("\\/"))
    others = [move for move in _moves() if move.before != old]
    kept = [{"from": one.before, "to": one.now} for one in [_Move(old, now), *others][:_MOST]]
    # It is a help and no more: a full or read-only disk must not be in the way.
    with contextlib.suppress(OSError):
        moved_file().parent.mkdir(parents=True, exist_ok=True)
        write_json(moved_file(), {"version": 1, "moved": kept})


def moved_to(before: str) -> list[str]:
    """Return where what lay at a path lies, if it was moved along with something."""
    parts, found = parts_of(before), []
    for move in _moves():
        old = move.before
        if parts[: len(old)] == old:
            now = os.path.join(move.now, *parts[len(old) :])
            if os.path.exists(now):
                found.append(now)
    return list(dict.fromkeys(found))


def _moves() -> list[_Move]:
    try:
        listed = json.loads(moved_file().read_text("utf-8"))["moved"]
        return [
            _Move([str(part) for part in one["from"]], str(one["to"]))
            for one in listed
            if one["from"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
