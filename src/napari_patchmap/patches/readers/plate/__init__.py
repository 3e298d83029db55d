"""Plates of OME-Zarr (0.4 and 0.5) as one set: start with :func:`open_plate.read`.

:mod:`read_plate` reads which wells and fields there are, and how large each is, from small
files alone (:mod:`well_files`); of one plate, zipped or not, or of a folder of them.
:mod:`plate_images` opens a field when a patch of it is wanted, :mod:`field_labels` finds the
labels of fields.
"""
