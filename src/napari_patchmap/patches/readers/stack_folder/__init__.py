"""A folder of stacks (TIFF, Zarr, .npy, ...) as one set; start with :mod:`folder_of_stacks`."""
