"""A patch set in a few lines, for people."""

from __future__ import annotations

from napari_patchmap.few_names import and_more
from napari_patchmap.patches.axes import GREY
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.percent import rounded

#: How many labels, sizes or files a line names before it only counts them.
_LISTED = 8

_FIT_WORDS = {
    "resize": "resized",
    "crop": "scaled and centre-cropped",
    "pad": "scaled and padded with their border colour",
}


def describe(ps: PatchSet) -> list[str]:
    """Say what a patch set holds, one short line for each thing worth knowing.

    The first line counts patches, size, pixel type and channels; then come
    labels, other columns, images skipped and notes, as far as there are any.
    """
    lines = headline(ps)
    if ps.intensity is not None and not ps.intensity.is_identity:
        ranges = zip(ps.channel_names, ps.intensity.low, ps.intensity.high, strict=True)
        listed = [
            f"{name} {rounded(low, 4)} to {rounded(high, 4)}" for name, low, high in ranges
        ]
        lines.append(f"Intensities scaled over the whole set: {and_more(listed, _LISTED)}")
    lines.append(_labels(ps))
    columns = [str(c) for c in ps.table.columns if c not in (*BOX_COLUMNS, "label")]
    if columns:
        lines.append(f"Other columns: {and_more(columns, _LISTED)}")
    if ps.skipped:
        listed = [f"{one.source} {one.reason}" for one in ps.skipped]
        lines.append(f"{len(listed):,} skipped: {and_more(listed, 3, between=';')}")
    return lines + [note.rstrip(".") for note in ps.notes]


def headline(ps: PatchSet) -> list[str]:
    """Say how many patches of what size and kind; then how sizes are brought together."""
    count = f"{len(ps):,} patch{'es' if len(ps) > 1 else ''}"
    if not ps.pictured:
        return [
            f"{len(ps):,} point{'s'[: len(ps) > 1]} without pictures, of a file of features"
        ]
    if len(ps.missing) == len(ps):
        return [f"{count}, whose images are missing"]
    lines = [f"{count}, {_sizes(ps)}, {_kind(ps)}"]
    if len(ps.missing):
        lines.append(f"The images of {len(ps.missing):,} of them are missing")
    if ps.mixed_sizes and ps.fit is not None:
        height, width = ps.common_size
        lines.append(f"Other sizes are {_FIT_WORDS[ps.fit]} to {width} x {height} pixels")
    return lines


def _sizes(ps: PatchSet) -> str:
    counts = ps.size_counts()
    if len(counts) == 1:
        height, width = ps.common_size
        return f"{width} x {height} pixels"
    listed = list(counts.items())[:3]
    named = [f"{n:,} of {width} x {height}" for (height, width), n in listed]
    more = f" and {len(counts) - 3:,} others" if len(counts) > 3 else ""
    return f"{len(counts):,} sizes ({', '.join(named)}{more})"


def _kind(ps: PatchSet) -> str:
    bits = f"{8 * ps.dtype.itemsize}-bit"
    depth = f"{bits} floating point" if ps.dtype.kind == "f" else bits
    if ps.is_rgb:
        return f"{depth} RGB"
    if ps.channel_names == GREY:
        return f"{depth} grey"
    names = and_more(ps.channel_names, _LISTED)
    return f"{depth}, {ps.channels} channel{'s'[: ps.channels > 1]}: {names}"


def _labels(ps: PatchSet) -> str:
    counts = ps.label_counts()
    if counts.empty:
        return "No labels (none are needed)"
    missing = int(counts.get("", 0))
    counts = counts.drop("", errors="ignore")
    listed = [f"{label} {n:,}" for label, n in counts.items()]
    plural = "s" if len(counts) > 1 else ""
    without = f"; {missing:,} patches without a label" if missing else ""
    return f"{len(counts):,} label{plural}: {and_more(listed, _LISTED)}{without}"
