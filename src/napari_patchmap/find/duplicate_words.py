"""In what way two patches show the same, in words."""

from __future__ import annotations

import numpy as np

from napari_patchmap.find.described import Described
from napari_patchmap.percent import percent

#: From what on a difference is worth a word: degrees, pixels, shares.
_DEGREES, _PIXELS, _SHARE = 1.5, 0.7, 0.03

SAME = "same pixels"
UNDECIDED = "not decided: no image to compare"


def differences(
    of: Described, pairs: np.ndarray, same: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Say of each pair how alike it is, and how the second is made from the first.

    Parameters
    ----------
    of : Described
    pairs : ndarray of int, shape (m, 2)
    same : ndarray of bool, shape (m,)
        Whether they have the same pixels.

    Returns
    -------
    scores : ndarray of float32, shape (m,)
        0 to 1, which is for the same pixels only.
    reasons : ndarray of str, shape (m,)
    """
    scores = np.ones(len(pairs), np.float32)
    reasons = np.full(len(pairs), SAME, object)
    other = np.flatnonzero(~same)
    found = of.aligned(pairs[other, 0], pairs[other, 1])
    scores[other] = found.score.clip(0, 0.9999)
    grey = of.pictures.grey
    for k, row in enumerate(other.tolist()):
        words = _turn(float(found.angle[k]), bool(found.mirrored[k]))
        shift = float(found.shift[k]) * of.pictures.scale
        if shift >= _PIXELS:
            words.append(f"shifted by {shift:.0f} px" if shift >= 1 else "shifted by 1 px")
        words += _light(*(grey[one].astype(float) for one in pairs[row]))
        reasons[row] = ", ".join(words) or "nearly the same pixels"
    return scores, reasons


def _turn(angle: float, mirrored: bool) -> list[str]:
    whole = round(angle / 90) * 90
    angle = whole if abs(angle - whole) < _DEGREES else round(angle)
    angle = abs(angle)
    words = ["mirrored"] if mirrored else []
    return [*words, f"turned by {angle} degrees"] if angle else words


def _light(first: np.ndarray, second: np.ndarray) -> list[str]:
    """Say how brightness and contrast (of the brightness) differ."""
    brighter = (second.mean() + 1) / (first.mean() + 1) - 1
    stronger = (second.std() + 1) / (first.std() + 1) / (1 + brighter) - 1
    words = []
    if abs(brighter) >= _SHARE:
        words.append(f"{percent(abs(brighter))} {'brighter' if brighter > 0 else 'darker'}")
    if abs(stronger) >= 3 * _SHARE:
        words.append(f"{percent(abs(stronger))} {'more' if stronger > 0 else 'less'} contrast")
    return words
