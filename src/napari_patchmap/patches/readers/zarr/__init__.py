"""Zarr and OME-Zarr: start with :func:`zarr_store.read`."""
