"""All searches; the tab "Find" and ``patchmap find`` go through this list."""

from __future__ import annotations

from napari_patchmap.find.duplicates import DUPLICATES
from napari_patchmap.find.groups import GROUPS
from napari_patchmap.find.mistakes import MISTAKES
from napari_patchmap.find.odd import ODD
from napari_patchmap.find.representative import SAMPLES
from napari_patchmap.find.search import Search

#: In the order in which they are shown.
SEARCHES: tuple[Search, ...] = (GROUPS, DUPLICATES, ODD, MISTAKES, SAMPLES)

#: The same by their keys.
SEARCH_OF = {search.key: search for search in SEARCHES}
