"""Whether a network sees patches at the resolution that it was trained at."""

from __future__ import annotations

from dataclasses import replace

from napari_patchmap.networks.trained.trained_record import TrainedRecord

#: Resolutions that differ by no more than this factor are not spoken of.
_NEAR = 1.25


def with_resolution(
    record: TrainedRecord, trained: float, patches: float | None, size: tuple[int, int]
) -> TrainedRecord:
    """Return a record that says where resolutions differ, and what to do.

    Parameters
    ----------
    record : TrainedRecord
    trained : float
        Micrometres per pixel of the images that the network was trained on, 0 if unknown.
    patches : float or None
        Of the patches as they are, if it is known.
    size : (height, width)
        Of the patches as they are, in pixels.
    """
    if not trained:
        return record
    usual = f"{record.name} was trained on images of {trained:.3g} µm per pixel"
    if patches is None:
        return _telling(record, f"{usual}; how many the patches have is not known")
    seen = patches * min(size) / min(record.scaled)
    if max(seen / trained, trained / seen) <= _NEAR:
        return record
    scaled = abs(seen / patches - 1) > 0.01
    brought = f" ({patches:.3g} before they are scaled)" if scaled else ""
    remedy = f"cut them at {trained:.3g} µm per pixel (--mpp {trained:.3g})"
    side = _side(record, seen / trained)
    if side:
        remedy += f", or let the network see them at {side} px (--input-side {side})"
    return _telling(record, f"{usual}, and sees these at {seen:.3g}{brought}: {remedy}")


def _side(record: TrainedRecord, factor: float) -> int:
    """Return at which side a transformer sees patches as it was trained, 0 if at none."""
    if not any(record.tokens):
        return 0
    step = record.size[0] // record.tokens[0]
    side = step * round(min(record.size) * factor / step)
    return side if 4 * step <= side <= 1024 else 0


def _telling(record: TrainedRecord, sentence: str) -> TrainedRecord:
    return replace(record, told=(*record.told, sentence))
