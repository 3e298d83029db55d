"""Label images whose values are the classes of the objects on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.explore.number_codes import NumberCodes
from napari_patchmap.patches.watch import Watch


def object_class_image(
    labels: Any, frames: np.ndarray, numbers: np.ndarray, values: np.ndarray, watch: Watch
) -> np.ndarray:
    """Replace the number of each object by the value of its class.

    Parameters
    ----------
    labels : array-like of int, shape (height, width) or (time, height, width)
        Read plane by plane.
    frames, numbers, values : ndarray of int, shape (n,)
        Plane, number on it, and class of each object; of objects that are not among them
        the class is 0.
    watch : Watch

    Returns
    -------
    ndarray of uint8, or of uint16 for more than 255 classes, the shape of ``labels``

    Raises
    ------
    LoadCancelled
        If the caller wants to stop.
    """
    dtype = np.min_scalar_type(int(values.max()) if len(values) else 0)
    out = np.zeros(labels.shape, dtype)
    if len(labels.shape) == 2:
        here = frames == 0
        out[:] = NumberCodes(numbers[here], values[here]).of(np.asarray(labels))
        return out
    order = np.argsort(frames, kind="stable")
    ends = np.searchsorted(frames[order], np.arange(len(out) + 1))
    for frame in range(len(out)):
        watch.step(frame, len(out))
        here = order[ends[frame] : ends[frame + 1]]
        if values[here].any():
            plane = np.asarray(labels[frame])
            out[frame] = NumberCodes(numbers[here], values[here]).of(plane)
    return out
