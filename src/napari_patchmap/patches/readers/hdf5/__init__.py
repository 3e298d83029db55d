"""HDF5: plain arrays, and AnnData with an image of each cell; start with :mod:`hdf5_file`."""
