"""Taking patches elsewhere: what other programs find in the files."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image, ImageDraw

from napari_patchmap.cli import main
from napari_patchmap.errors import MissingPackageError, PatchmapError, RunError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.export import export
from napari_patchmap.runs.export.outlines import outline
from napari_patchmap.training import fit
from tests.conftest import make_cells

CONFIG = RunConfig(TrainConfig(device="cpu", method="pixels"))

#: Names of classes that are no names of folders as they are.
NAMES = ["blast/ä", "con", ""]


def make_labels(holes: bool = True) -> np.ndarray:
    """Draw 36 squares, with a hole in each but the first."""
    labels = np.zeros((140, 200), np.int32)
    for k in range(36):
        y, x = 5 + 22 * (k // 6), 5 + 32 * (k % 6)
        labels[y : y + 12, x : x + 8 + k // 6] = k + 1
        if holes and k:
            labels[y + 4 : y + 6, x + 3 : x + 5] = 0
    return labels


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run of a folder of images, and one of the objects of a label image."""
    home = tmp_path_factory.mktemp("export")
    cells = make_cells()
    for i in range(len(cells)):
        folder = home / "cells" / ("spot", "ring", "bar")[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(cells[i]).save(folder / f"cell {i}.png")
    fit(open_patches(home / "cells"), CONFIG).save(home / "run")
    labels = make_labels()
    image = np.random.default_rng(0).integers(0, 4_000, labels.shape, np.uint16)
    tifffile.imwrite(home / "field.tif", image + np.uint16(90) * labels.astype(np.uint16))
    tifffile.imwrite(home / "labels.tif", labels)
    fit(open_patches(home / "field.tif", objects=home / "labels.tif"), CONFIG).save(
        home / "objects"
    )
    return home


def annotated(count: int) -> tuple[pd.DataFrame, dict[str, dict[str, str]]]:
    names = np.array([NAMES[i % 3] for i in range(count)], object)
    return pd.DataFrame({"mine": names}), {"mine": {"blast/ä": "#ff0080", "con": "#00ff00"}}


def test_the_table_holds_all_columns_and_what_was_handed_over(home, tmp_path):
    columns, colours = annotated(60)
    done = export(home / "run", tmp_path / "a.csv", columns=columns, colours=colours)
    table = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    assert done.count == 60
    assert [*table.columns[:3]] == ["index", "axis-0", "axis-1"]
    assert table["mine"].tolist() == columns["mine"].tolist()
    assert set(table["label"]) == {"spot", "ring", "bar"}


def test_annotations_of_the_run_are_exported_by_their_index(home, tmp_path):
    run = Run.load(home / "run")
    run.save(tmp_path / "run")
    (tmp_path / "run" / "annotations.csv").write_text("index,mine\n3,blast\n7,other\n")
    classes = [{"name": "blast", "colour": "#112233", "key": "1"}]
    (tmp_path / "run" / "annotations.json").write_text(
        json.dumps({"active": "mine", "columns": [{"name": "mine", "classes": classes}]})
    )
    done = export(tmp_path / "run", tmp_path / "a.csv", only=["blast"])
    table = pd.read_csv(tmp_path / "a.csv")
    assert done.count == 1
    assert table[["index", "mine"]].to_numpy().tolist() == [[3, "blast"]]


def test_selections_with_names_are_columns_of_yes_and_no(home, tmp_path):
    Run.load(home / "run").save(tmp_path / "run")
    (tmp_path / "run" / "selections.json").write_text('{"selections": {"odd": "3,7-8"}}')
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "a.csv")]) == 0
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["index"][table["odd"]].tolist() == [3, 7, 8]
    export(home / "run", tmp_path / "b.csv", selections={"label": np.array([2])})
    table = pd.read_csv(tmp_path / "b.csv")
    assert table["index"][table["label (selection)"]].tolist() == [2]
    (tmp_path / "run" / "selections.json").write_text("nonsense")
    assert "cannot be read" in export(tmp_path / "run", tmp_path / "c.csv").notes[-1]


def test_parquet_keeps_mixed_and_odd_columns(home, tmp_path):
    pytest.importorskip("pyarrow")
    columns = pd.DataFrame({"odd": [1, "a", None] * 20, "": ["x"] * 60, "n/m": range(60)})
    export(home / "run", tmp_path / "a.parquet", columns=columns, class_column="label")
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert table["odd"].iloc[:2].tolist() == ["1", "a"]
    assert table["odd"].isna().sum() == 20
    assert table["n/m"].tolist() == [*range(60)]
    assert len(table.columns) == len(pd.read_csv(home / "run" / "embedding.csv").columns) + 3


def test_a_missing_package_is_named(home, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match="pip install pyarrow"):
        export(home / "run", tmp_path / "a.parquet")
    assert not [*tmp_path.iterdir()]


def test_h5ad_holds_features_table_map_and_colours(home, tmp_path):
    anndata = pytest.importorskip("anndata")
    columns, colours = annotated(36)
    columns["n/m " + "x" * 10_000] = [1, "a", None] * 12
    columns["missing"] = [1.0, np.nan, 3.0] * 12
    export(home / "objects", tmp_path / "a.h5ad", columns=columns, colours=colours)
    adata, run = anndata.read_h5ad(tmp_path / "a.h5ad"), Run.load(home / "objects")
    np.testing.assert_array_equal(adata.X, run.features)
    np.testing.assert_array_equal(adata.obsm["X_pixels"][:, 0], run.embedding[:, 1])
    np.testing.assert_array_equal(adata.obsm["X_pixels"][:, 1], -run.embedding[:, 0])
    first = run.table.iloc[0]
    centre = [first["x"] + first["width"] / 2, first["y"] + first["height"] / 2]
    assert adata.obsm["spatial"][0].tolist() == centre
    assert [*adata.obs["mine"].cat.categories] == ["blast/ä", "con"]
    assert [*adata.uns["mine_colors"]] == ["#ff0080", "#00ff00"]
    assert adata.obs["mine"].isna().sum() == 12
    assert np.isnan(adata.obs["missing"].iloc[1])
    assert adata.uns["patchmap"]["config"]["train"]["method"] == "pixels"
    assert adata.obs_names[5] == "5"


def test_h5ad_of_a_run_without_features_has_the_rest(home, tmp_path):
    anndata = pytest.importorskip("anndata")
    Run.load(home / "run").save(tmp_path / "run")
    (tmp_path / "run" / "features.npy").unlink()
    done = export(tmp_path / "run", tmp_path / "a.h5ad")
    adata = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert adata.shape == (60, 0)
    assert "spatial" not in adata.obsm
    assert "holds no features" in done.notes[-1]


def test_an_h5ad_that_is_open_elsewhere_is_not_replaced(home, tmp_path):
    pytest.importorskip("anndata")
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5ad"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    code = "import h5py, sys; file = h5py.File(sys.argv[1]); print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], **pipes) as other:
        other.stdout.readline()
        with pytest.raises(RunError, match="is open in another program"):
            export(home / "run", path)
        other.communicate(b"\n")
    with h5py.File(path) as file:
        assert [*file] == ["x"]


def test_geojson_has_outlines_classes_and_colours(home, tmp_path):
    columns, colours = annotated(36)
    path = tmp_path / "a.geojson"
    done = export(home / "objects", path, columns=columns, colours=colours)
    found = json.loads(path.read_text("utf-8"))
    assert done.notes == ()
    assert found["type"] == "FeatureCollection"
    first, second, third = found["features"][:3]
    assert first["properties"]["objectType"] == "detection"
    assert first["properties"]["classification"] == {"name": "blast/ä", "color": [255, 0, 128]}
    assert second["properties"]["classification"]["name"] == "con"
    assert "classification" not in third["properties"]
    assert first["properties"]["measurements"]["area"] == 96
    painted = Image.new("I", (200, 140))
    draw, labels = ImageDraw.Draw(painted), make_labels()
    for k, feature in enumerate(found["features"], 1):
        outer, *holes = feature["geometry"]["coordinates"]
        assert len(holes) == (k > 1)
        for ring, value in ((outer, k), *((hole, 0) for hole in holes)):
            assert ring[0] == ring[-1]
            x, y = np.array(ring).T
            box = [x.min(), y.min(), x.max() - 1, y.max() - 1]
            draw.rectangle([int(v) for v in box], fill=value)
    np.testing.assert_array_equal(np.asarray(painted), labels)


def test_geojson_has_boxes_where_labels_are_gone(home, tmp_path):
    run = Run.load(home / "objects")
    run.origin["objects"] = str(tmp_path / "gone.tif")
    done = export(run, tmp_path / "a.geojson", rows=np.array([7]))
    feature = json.loads((tmp_path / "a.geojson").read_text())["features"][0]
    box = run.table.iloc[7]
    assert "gone.tif" in done.notes[-1]
    corner = [max(0, int(box["x"])), max(0, int(box["y"]))]
    assert feature["geometry"]["coordinates"][0][0] == corner


def test_each_image_has_a_geojson_of_its_own(home, tmp_path):
    run = Run.load(home / "objects")
    run.table["source"] = ["a/x.tif", "b/x.tif"] * 18
    done = export(run, tmp_path / "t.geojson", class_column="")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "t a_x.tif.geojson",
        "t b_x.tif.geojson",
    ]
    assert "a file of its own" in done.notes[0]
    with pytest.raises(RunError, match="is there already"):
        export(run, tmp_path / "t.geojson")


def test_whole_images_have_no_place_for_geojson(home, tmp_path):
    with pytest.raises(RunError, match="have no place in an image"):
        export(home / "run", tmp_path / "a.geojson")
    assert not [*tmp_path.iterdir()]


def test_a_folder_by_class_opens_with_these_labels_and_pixels(home, tmp_path):
    columns, _ = annotated(36)
    export(home / "objects", tmp_path / "out", columns=columns)
    table = pd.read_csv(tmp_path / "out" / "patches.csv", keep_default_na=False)
    there = {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert there == {"blast_ä", "_con", "no class"}
    source = open_patches(home / "field.tif", objects=home / "labels.tif")
    for row in (0, 1, 35):
        pixels = tifffile.imread(tmp_path / "out" / table["file"][row])
        np.testing.assert_array_equal(pixels, source[int(table["index"][row])][..., 0])
    again = open_patches(tmp_path / "out")
    assert len(again) == 36
    assert again.dtype == np.uint16
    with pytest.raises(RunError, match="is not empty"):
        export(home / "objects", tmp_path / "out")


@pytest.mark.parametrize("ending", ["tif", "npy"])
def test_a_stack_holds_the_chosen_patches_beside_their_table(home, tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    export(home / "run", path, rows=np.array([5, 2]))
    stack = tifffile.imread(path) if ending == "tif" else np.load(path)
    patches = open_patches(home / "cells")
    index = pd.read_csv(tmp_path / "a.csv")["index"].tolist()
    assert index == [5, 2]
    np.testing.assert_array_equal(stack, np.stack([patches[5], patches[2]]))


def test_a_contact_sheet_has_frames_in_the_colours_of_classes(home, tmp_path):
    columns, colours = annotated(60)
    export(home / "run", tmp_path / "a.png", columns=columns, colours=colours, only=["con"])
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    assert (sheet == (0, 255, 0)).all(axis=2).any()


def test_what_needs_no_pixels_is_exported_without_images(home, tmp_path):
    run = Run.load(home / "run")
    run.origin["path"], run.known = str(tmp_path / "gone"), None
    folder = run.save(tmp_path / "run")
    assert export(folder, tmp_path / "a.csv").count == 60
    with pytest.raises(PatchmapError, match="gone"):
        export(folder, tmp_path / "out")
    assert export(folder, tmp_path / "out", images=home / "cells").count == 60


def test_what_cannot_be_is_said_and_nothing_is_written(home, tmp_path):
    for sentence, path, options in (
        (r"ends in \.xyz.*\.h5ad", "a.xyz", {}),
        ("no column size", "a.csv", {"class_column": "size"}),
        ("no class blast; there are bar, ring, spot", "a.csv", {"only": ["blast"]}),
        (
            "have 3 rows, but the map has 60",
            "a.csv",
            {"columns": pd.DataFrame({"a": [1, 2, 3]})},
        ),
        ("two columns label", "a.csv", {"columns": pd.DataFrame({"label": [""] * 60})}),
        ("no folder", "no/where/a.csv", {}),
    ):
        with pytest.raises(RunError, match=sentence):
            export(home / "run", tmp_path / path, **options)
    with pytest.raises(RunError, match="belongs to the run"):
        export(home / "run", home / "run" / "embedding.csv")
    with pytest.raises(LoadCancelled):
        export(home / "run", tmp_path / "out", watch=Watch(None, lambda: True))
    assert not [*tmp_path.iterdir()]


def test_the_command_exports_the_rows_of_a_table(home, tmp_path, capsys):
    (tmp_path / "rows.csv").write_text("index,why\n4,a\n9,b\n")
    out = tmp_path / "a.csv"
    command = ["export", str(home / "run"), "--out", str(out)]
    assert main([*command, "--rows", str(tmp_path / "rows.csv")]) == 0
    assert pd.read_csv(out)["index"].tolist() == [4, 9]
    (tmp_path / "rows.csv").write_text("4\n9\n11\n")
    assert main([*command, "--rows", str(tmp_path / "rows.csv")]) == 0
    assert pd.read_csv(out)["index"].tolist() == [4, 9, 11]
    (tmp_path / "rows.csv").write_text("cells\n")
    assert main([*command, "--rows", str(tmp_path / "rows.csv")]) == 2
    assert "does not say which patches" in capsys.readouterr().err


def test_an_outline_fills_to_the_same_pixels_whatever_the_shape():
    rng = np.random.default_rng(3)
    for share in (0.2, 0.5, 0.8):
        mask = rng.random((12, 15)) < share
        shape = outline(mask, 100, 50)
        polygons = shape["coordinates"]
        polygons = [polygons] if shape["type"] == "Polygon" else polygons
        filled = np.zeros_like(mask)
        y, x = np.mgrid[:12, :15]
        for rings in polygons:
            for ring in rings:
                assert len({tuple(corner) for corner in ring}) == len(ring) - 1
                corners = np.array(ring) - (50, 100)
                crossed = np.zeros_like(mask)
                for (x0, y0), (x1, y1) in pairwise(corners):
                    if x0 == x1:
                        crossed ^= (x < x0) & (y >= min(y0, y1)) & (y < max(y0, y1))
                filled ^= crossed
        np.testing.assert_array_equal(filled, mask)
