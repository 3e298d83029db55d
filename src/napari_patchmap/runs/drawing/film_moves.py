"""Where patches were at each look at a map that learned, brought together for a film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_patchmap.errors import RunError
from napari_patchmap.explore.side_by_side import turned_like
from napari_patchmap.runs.drawing.drawable import Drawable

#: Share of the patches of a look that may lie outside of the picture.
_OUTSIDE = 0.002


@dataclass(frozen=True, eq=False)
class Moves:
    """Where patches were at each look, and at last; all turned like the one after them.

    Parameters
    ----------
    places : list of ndarray of float32, shape (m, 2)
    said : list of str
        Of each, where in the learning it was taken.
    chosen : ndarray of int, shape (m,)
        Which of the patches that are drawn they are.
    """

    places: list[np.ndarray]
    said: list[str]
    chosen: np.ndarray


def moves_of(given: Drawable) -> Moves:
    """Bring the looks at a map together, each turned as much like the next as can be.

    Raises
    ------
    RunError
        If the run has none.
    """
    looks = given.open_looks()
    if looks is not None:
        looks = looks.part(given.rows)
    if looks is None or not len(looks) or not len(looks.rows):
        raise RunError(
            "This run holds no looks at the map while it learned, so there is no film of it: "
            "it was made without training, or by an older version; train it again for one."
        )
    now = np.asarray(given.embedding[looks.rows][:, -2:], np.float32)
    places, stages = [now], max(int(stage) for stage, *_ in looks.known)
    for look in reversed(looks.places):
        places.append(turned_like(look.astype(np.float32), places[-1]))
    low, high = now.min(axis=0), now.max(axis=0)
    shown = [*(_filling(look, low, high) for look in places[:0:-1]), now]
    return Moves(shown, [*(_said(stages, *known) for known in looks.known), ""], looks.rows)


def _filling(look: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Bring a look to where most of it just fits into the room of the last map."""
    ends = np.quantile(look, (_OUTSIDE, 1 - _OUTSIDE), axis=0)
    sides = np.maximum(ends[1] - ends[0], 1e-9)
    scale = float((np.maximum(high - low, 1e-9) / sides).min())
    return np.asarray((look - ends.mean(axis=0)) * scale + (low + high) / 2, np.float32)


def _said(stages: int, stage: float, epoch: float, seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
    if not stage:
        return f"{clock}   laying out"
    return f"{clock}   stage {stage:.0f} of {stages}   epoch {epoch:.1f}"
