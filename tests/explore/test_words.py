"""What is said of patches."""

from __future__ import annotations

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.explore.words import breakdown, caption, details


def make_table() -> pd.DataFrame:
    """Three patches, one without a label, one with a name that looks like HTML."""
    return pd.DataFrame(
        {"source": ["a/b/one.png", "two.png", "<i>.png"], "label": ["x", None, "<b>"]}
    )


def test_caption_is_label_and_file_name_without_folders():
    assert caption(make_table(), 0) == ["x", "one.png · 0"]
    assert caption(make_table(), 1) == ["two.png · 1"]


def test_details_leave_out_what_is_missing_and_escape_the_rest():
    assert "label" not in details(make_table(), 1)
    assert "<i>" not in details(make_table(), 2)


def test_breakdown_counts_most_frequent_first_and_the_rest_together():
    table = pd.DataFrame({"label": list("aaabbcdefgh")})
    text = breakdown(colour_by(table, "label"), np.arange(10))
    assert text.index("a&nbsp;3") < text.index("b&nbsp;2")
    assert text.endswith("f&nbsp;1&nbsp; 1 more")
    assert breakdown(colour_by(table, "label"), np.empty(0, int)) == ""
