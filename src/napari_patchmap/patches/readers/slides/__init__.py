"""Whole slides, cut into tiles where there is tissue.

Start with :func:`open_slides.read`. A slide (:mod:`slide`) is read level by level
(:mod:`levels`, :mod:`pages`); which tiles are cut (:mod:`tiles`, :mod:`tile_grid`,
:mod:`foreground`) is known before any of their pixels is read.
"""
