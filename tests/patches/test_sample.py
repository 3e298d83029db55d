"""The cells that come with the package."""

from napari_patchmap.patches import bundled_cells
from napari_patchmap.patches import sample as sample_module


def test_bundled_cells():
    ps = bundled_cells()
    assert len(ps) == 2000
    assert ps.common_size == (28, 28)
    assert ps.is_rgb
    counts = ps.label_counts()
    assert len(counts) == 8
    assert counts.index[0] == "neutrophil"
    assert "immature granulocyte" in counts
    assert ps.table["files"].is_unique
    assert (ps.table["files"].str.split("/").str[0] == ps.labels).sum() == 2000 - 339
    assert {"SNE", "BNE"} <= set(ps.table["fine"])
    # A dark nucleus before a bright ground: the cells are unfolded from the sheet rightly.
    assert ps.stack()[:, 10:18, 10:18].mean() < ps.border_colour((28, 28)).mean() - 40


def test_licence_and_size():
    folder = sample_module.resources.files("napari_patchmap.patches") / "data"
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "Acevedo" in text
    assert sum(len((folder / name).read_bytes()) for name in ("pbc.jls", "pbc.csv")) < 1_500_000
