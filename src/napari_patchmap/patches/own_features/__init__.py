"""Features of people's own: a row of numbers a patch, from whatever program made them.

Start with :func:`joined_features.with_features`. :mod:`feature_table` is what a file holds,
:mod:`feature_files` reads it, :mod:`feature_columns` tells numbers from names,
:mod:`feature_join` finds the row of each patch.
"""
