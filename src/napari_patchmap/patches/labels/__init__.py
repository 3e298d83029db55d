"""Labels and other columns of people's own: from tables, and from the names of files.

Start with :func:`join.join_labels`, which joins a table to patches by the names of
their files (:mod:`matching`, :mod:`spelling`), by the numbers of objects
(:mod:`object_rows`, with :mod:`meanings` and :mod:`object_places`) or by their order
(:mod:`row_order`). :mod:`table_file` and :mod:`layout` read the table, :mod:`values`
its cells, :mod:`patterns` the names; :mod:`choice` makes another column the label.
"""
