"""Zarr stores opened so that no code is run: in a folder or a zip file, decoders by list."""
