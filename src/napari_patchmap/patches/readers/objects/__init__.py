"""Segmented objects: a crop around each object of a label image.

Start with :func:`crops.from_objects` (arrays) and :func:`open_objects.read` (files).
:mod:`find_objects` finds the objects, :mod:`crop_layout` says where each crop lies, and
:mod:`crop_images` cuts them out of planes (:mod:`frames`, :mod:`stored_field`).
"""
