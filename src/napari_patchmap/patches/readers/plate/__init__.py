"""Plates of OME-Zarr (0.4 and 0.5) as one set: start with :func:`open_plate.read`.

:mod:`plate_find` reads which wells and fields there are, and how large each is, from small
files alone; :mod:`plate_images` opens a field when a patch of it is wanted.
"""
