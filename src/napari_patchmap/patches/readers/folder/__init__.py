"""A folder in which each image file is a patch.

Start with :func:`image_folder.read`: it lists the files, and :mod:`folder_decoder` decodes
them on all cores into the cache. :mod:`decode` turns one file into pixels, after :mod:`headers`
has made sure that memory suffices. :mod:`folder_labels` says what the folders mean, and
:mod:`passed_over` what was left out.
"""
