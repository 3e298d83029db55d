"""Many patches in one array: in memory, or in a TIFF, NPY, NPZ or Zarr file.

Start with :func:`arrays.from_array`, then with the readers :mod:`stack` (TIFF and NPY),
:mod:`npz` and :mod:`zarr_store`. The other modules are the images that these hand out,
which are read when they are wanted, and what the formats say of axes and channels.
"""
