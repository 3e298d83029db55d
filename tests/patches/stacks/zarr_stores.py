"""Zarr stores as programs of the field write them."""

import zarr


def fill(path, pixels, chunks, fmt=3, **options):
    """Write an array with the chunks given."""
    made = zarr.create_array(
        path, shape=pixels.shape, dtype=pixels.dtype, chunks=chunks, zarr_format=fmt, **options
    )
    made[...] = pixels
    return made


def write_ome(path, pixels, axes, *, fmt=3, names=None, chunks=None):
    """Write an OME-Zarr image (0.5 in format 3, 0.4 in format 2) with one smaller level."""
    group = zarr.create_group(path, zarr_format=fmt)
    kinds = {"t": "time", "c": "channel"}
    known = [{"name": a, "type": kinds.get(a, "space")} for a in axes]
    scales = [{"axes": known, "datasets": [{"path": "0"}, {"path": "1"}], "version": "0.4"}]
    said = {"multiscales": scales}
    if names:
        said["omero"] = {"channels": [{"label": name} for name in names]}
    group.attrs.update({"ome": {"version": "0.5", **said}} if fmt == 3 else said)
    for level, part in enumerate((pixels, pixels[..., ::2, ::2])):
        array = group.create_array(
            str(level), shape=part.shape, dtype=part.dtype, chunks=chunks or part.shape
        )
        array[...] = part
