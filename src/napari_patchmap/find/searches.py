"""All searches; the tab "Find" and ``patchmap find`` go through this list."""

from __future__ import annotations

from napari_patchmap.find.mistakes import MISTAKES
from napari_patchmap.find.search import Search

#: In the order in which they are shown.
SEARCHES: tuple[Search, ...] = (MISTAKES,)

#: The same by their keys.
SEARCH_OF = {search.key: search for search in SEARCHES}
