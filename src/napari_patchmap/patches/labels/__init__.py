"""Labels and other columns of people's own: from tables, and from the names of files.

Start with :func:`join.join_labels`, which joins a table to patches by the names of
their files (:mod:`matching`, :mod:`spelling`) or by their order (:mod:`row_order`);
:mod:`table_file` reads the table, :mod:`patterns` the names.
"""
