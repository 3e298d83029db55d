"""TIFF files of every kind.

Start with :func:`tiff_stack.read` (a file of many patches) or :func:`tiff_planes.read_tiff`
(the planes of any). The others are the images that these hand out, and what files say of
themselves.
"""
