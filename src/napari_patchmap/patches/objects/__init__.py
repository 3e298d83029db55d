"""Segmented objects: a crop around each object of a label image.

Start with :func:`crops.from_objects` (arrays) and :func:`reader.open_objects` (files).
:mod:`find` finds the objects, :mod:`crop_layout` says where each crop lies, and
:mod:`crop_images` cuts them out of planes (:mod:`frames`, :mod:`zarr_field`).
"""
