"""A map of what counts, laid over a picture: to be read in colour and in grey."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_patchmap.patches.fit import resize

#: How much light edges of the picture below take and give, and how fine edges are: a share
#: of the picture's side.
_RELIEF, _FINE = 0.38, 0.05


def heat_over(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Lay a map over a picture.

    Its colours (inferno) grow lighter the more a place counts. Of the picture the edges are
    seen in them, and not how light it is: a dark nucleus that counts is light. Weights are
    shown beside the largest of the picture, from zero, so that a map on which all places
    count alike is all light.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3)
    weights : ndarray of float, shape (h, w)
        Not negative, of the whole picture.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    from matplotlib import colormaps

    size = picture.shape[0], picture.shape[1]
    largest = float(weights.max(initial=0.0))
    share = np.asarray(weights, np.float32) / largest if largest > 0 else weights * 0.0
    share = np.clip(resize(share[None, ..., None].astype(np.float32), size)[0, ..., 0], 0, 1)
    grey = picture.astype(np.float32) @ np.array((0.299, 0.587, 0.114), np.float32)
    edges = grey - gaussian_filter(grey, _FINE * max(size))
    relief = np.clip(edges / max(2.5 * float(edges.std()), 1.0), -1, 1)
    colours = np.asarray(colormaps["inferno"](0.12 + 0.8 * share))[..., :3]
    shown = np.clip(colours * (1 + _RELIEF * relief[..., None]), 0, 1)
    return np.asarray((255 * shown).round(), np.uint8)
