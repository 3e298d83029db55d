"""Objects of whole slides: crops are read from the pyramid, around outlines or centres."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_patchmap.errors import ConfigError, PatchError
from napari_patchmap.patches import CropConfig, open_patches
from napari_patchmap.patches.readers.objects import json_features
from napari_patchmap.patches.readers.objects.label_images import label_images
from napari_patchmap.patches.readers.objects.slide_object_files import (
    slide_shapes,
    slides_of,
)
from napari_patchmap.patches.readers.slides import stored_blocks
from napari_patchmap.patches.watch import Watch
from tests.patches.objects.test_outlines import feature, square
from tests.patches.slides.drawn import tissue, write_aperio, write_pyramid

#: Corner (x, y) and side of the objects in pixels of the slide.
CELLS = [(700, 500, 20), (40, 60, 24), (300, 200, 16), (64, 80, 16)]


def geojson(path: Path, cells=CELLS, **properties: object) -> Path:
    known = [
        feature([square(*cell)], "cell", measurements={"number": float(i)}, **properties)
        for i, cell in enumerate(cells)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": known}))
    return path


def table(path: Path, cells=CELLS, mpp: float | None = 0.5, images: list[str] | None = None):
    """Write the measurements that QuPath exports; in pixels without ``mpp``."""
    unit = "px" if mpp is None else "µm"
    lines = [f"Image\tObject ID\tClassification\tCentroid X {unit}\tCentroid Y {unit}\tArea"]
    for i, (x, y, side) in enumerate(cells):
        image, kind = images[i] if images else "a.svs", "Tumor" if i % 2 else "Stroma"
        x, y = ((at + side / 2) * (mpp or 1) for at in (x, y))
        lines.append(f"{image}\tid-{i}\t{kind}\t{x}\t{y}\t{side**2}")
    path.write_text("\n".join(lines))
    return path


def test_crops_are_the_pixels_of_the_slide_around_each_outline(tmp_path):
    image = tissue()
    slide = write_pyramid(tmp_path / "a.tif", image)
    objects = geojson(tmp_path / "a.geojson", classification={"name": "Tumor"})
    patches = open_patches(slide, objects=objects)
    # What lies together is read together; the numbers are those of the file.
    assert sorted(patches.table["label_id"]) == [1, 2, 3, 4]
    assert patches.common_size == (32, 32)  # of the largest, with 4 pixels around
    for row in patches.table.itertuples():
        x, y, side = CELLS[row.label_id - 1]
        assert (row.x + 16, row.y + 16) == (x + side // 2, y + side // 2)
        assert (row.area, row.centroid_x, row.centroid_y) == (
            side**2,
            x + side / 2 - 0.5,
            y + side / 2 - 0.5,
        )
        assert row.number == row.label_id - 1
        crop = image[row.y : row.y + 32, row.x : row.x + 32]
        np.testing.assert_array_equal(patches.images[row.Index], crop)
    assert patches.labels.tolist() == ["Tumor"] * 4
    assert patches.channel_names == ("red", "green", "blue")


def test_another_resolution_is_read_from_its_own_level(tmp_path):
    image = tissue()
    slide = write_pyramid(
        tmp_path / "a.ome.tif", image, resolution=(20000, 20000), resolutionunit="CENTIMETER"
    )
    with tifffile.TiffFile(slide) as tif:
        half = tif.series[0].levels[1].asarray()
    objects = geojson(tmp_path / "a.geojson")
    by_level = open_patches(slide, objects=objects, crops=CropConfig(level=1, size=16))
    by_mpp = open_patches(slide, objects=objects, crops=CropConfig(mpp=1.0, size=16))
    assert by_level.mpp == by_mpp.mpp == 1.0
    for patches in (by_level, by_mpp):
        assert patches.table[["height", "width"]].to_numpy().tolist() == [[32, 32]] * 4
        for row in patches.table.itertuples():
            y, x = row.y // 2, row.x // 2
            crop = half[y : y + 16, x : x + 16]
            np.testing.assert_array_equal(patches.images[row.Index], crop)
            cell = CELLS[row.label_id - 1]
            assert row.area == cell[2] ** 2  # in pixels of the slide, whatever the crops have
            assert abs(row.x + 16 - cell[0] - cell[2] / 2) <= 1
    # The size is chosen in pixels of the crops: 24 pixels of the slide are 12.
    assert open_patches(slide, objects=objects, crops=CropConfig(level=1)).common_size == (
        20,
        20,
    )
    with pytest.raises(PatchError, match=r"a\.ome\.tif has 3 levels, 0 to 2, and none of"):
        open_patches(slide, objects=objects, crops=CropConfig(level=3))
    with pytest.raises(ConfigError, match="either in micrometres per pixel or as a level"):
        CropConfig(level=1, mpp=1.0)


def test_what_is_not_the_object_can_be_hidden(tmp_path):
    image = tissue()
    slide = write_pyramid(tmp_path / "a.tif", image)
    # Two that lie side by side, in a third, large one around them.
    cells = [(60, 60, 12), (72, 60, 12), (20, 20, 200)]
    objects = geojson(tmp_path / "a.geojson", cells)
    crops = CropConfig(size=24, mask_neighbours=True)
    patches = open_patches(slide, objects=objects, crops=crops)
    row = patches.table.index[patches.table["label_id"] == 1][0]
    y, x = patches.table.loc[row, ["y", "x"]].tolist()
    crop, whole = patches.images[row], image[y : y + 24, x : x + 24]
    own = np.zeros((24, 24), bool)
    own[60 - y : 72 - y, 60 - x : 72 - x] = True
    np.testing.assert_array_equal(crop[own], whole[own])
    assert len(np.unique(crop[~own], axis=0)) == 1  # the others, all around
    crops = CropConfig(size=24, mask_background=True)
    patches = open_patches(
        slide, objects=geojson(tmp_path / "b.geojson", cells[:2]), crops=crops
    )
    row = patches.table.index[patches.table["label_id"] == 2][0]
    y, x = patches.table.loc[row, ["y", "x"]].tolist()
    crop, whole = patches.images[row], image[y : y + 24, x : x + 24]
    own = np.zeros((24, 24), bool)
    own[60 - y : 72 - y, 72 - x : 84 - x] = True
    np.testing.assert_array_equal(crop[own], whole[own])
    # The colour of what is neither this object nor the other.
    own[60 - y : 72 - y, max(0, 60 - x) : 72 - x] = True
    other = np.rint(np.median(whole[~own], axis=0))
    np.testing.assert_array_equal(crop[0, 0], other)


def test_centres_of_qupaths_table_in_micrometres_and_pixels(tmp_path):
    slide = write_aperio(tmp_path / "a.svs", tissue())  # 0.5 µm per pixel
    um = open_patches(slide, objects=table(tmp_path / "um.tsv"))
    px = open_patches(slide, objects=table(tmp_path / "px.csv", mpp=None))
    assert um.common_size == px.common_size == (64, 64)
    assert any("does not say how large" in note for note in um.notes)
    for patches in (um, px):
        for row in patches.table.itertuples():
            x, y, side = CELLS[row.label_id - 1]
            assert (row.x + 32, row.y + 32) == (x + side // 2, y + side // 2)
        assert patches.table["Area"].sum() == sum(side**2 for _, _, side in CELLS)
        assert patches.label_from == "Classification"
        assert patches.labels.tolist() == [
            "Tumor" if one % 2 == 0 else "Stroma" for one in patches.table["label_id"]
        ]
    np.testing.assert_array_equal(um.images[0], px.images[0])
    sized = open_patches(slide, objects=tmp_path / "um.tsv", crops=CropConfig(size=32))
    assert sized.common_size == (32, 32)
    assert not any("does not say how large" in note for note in sized.notes)


def point(geometry: object, kind: str = "detection", name: str = "Tumor") -> dict:
    many = isinstance(geometry[0], tuple)
    return {
        "type": "Feature",
        "id": "7a1b",
        "geometry": {"type": "MultiPoint" if many else "Point", "coordinates": geometry},
        "properties": {"objectType": kind, "classification": {"name": name}},
    }


def test_points_of_qupath_are_centres(tmp_path):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    middles = [(x + side / 2, y + side / 2) for x, y, side in CELLS]
    features = [
        point(middles[0]),
        point(middles[1:], name="Stroma"),
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": middles}},
        feature([square(0, 0, 500)], "annotation"),
    ]
    (tmp_path / "a.geojson").write_text(json.dumps(features))
    points = open_patches(slide, objects=tmp_path / "a.geojson")
    centres = open_patches(slide, objects=table(tmp_path / "px.csv", mpp=None))
    places = ["label_id", "y", "x", "height", "width", "centroid_y", "centroid_x"]
    assert points.table[places].equals(centres.table[places])
    np.testing.assert_array_equal(points.stack(), centres.stack())
    assert "area" not in points.table
    kinds = dict(zip(points.table["label_id"], points.labels, strict=True))
    assert kinds == {1: "Tumor", 2: "Stroma", 3: "Stroma", 4: "Stroma"}
    said = " ".join(points.notes)
    assert "1 lines of a.geojson were left out" in said
    assert "1 annotations of a.geojson were left out" in said
    with pytest.raises(PatchError, match="There are no outlines"):
        slide_shapes(points.origin)("a.svs")
    with pytest.raises(PatchError, match=r"a\.geojson says where the middles of objects are"):
        open_patches(
            slide, objects=tmp_path / "a.geojson", crops=CropConfig(mask_neighbours=True)
        )


def test_of_outlines_and_points_the_outlines_are_taken(tmp_path):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    features = [feature([square(*cell)], "cell") for cell in CELLS] + [point([5.0, 5.0])]
    (tmp_path / "a.geojson").write_text(json.dumps(features))
    patches = open_patches(slide, objects=tmp_path / "a.geojson")
    assert sorted(patches.table["label_id"]) == [1, 2, 3, 4]
    assert any("1 points of a.geojson were left out, because" in n for n in patches.notes)


def test_points_on_an_ordinary_image_say_what_to_choose(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", tissue(), photometric="rgb")
    features = [point([float(x), float(y)]) for x, y, _ in CELLS]
    (tmp_path / "a.geojson").write_text(json.dumps(features))
    with pytest.raises(PatchError, match=r"a\.geojson holds points, .* choose level 0"):
        open_patches(tmp_path / "a.tif", objects=tmp_path / "a.geojson")
    crops = CropConfig(level=0, size=16)
    patches = open_patches(tmp_path / "a.tif", objects=tmp_path / "a.geojson", crops=crops)
    assert len(patches) == len(CELLS)


def test_a_table_of_centres_in_parquet_is_read_as_its_csv(tmp_path):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    csv = table(tmp_path / "a.tsv", images=["a.svs", "a.svs", "b.svs", "a.svs"])
    rows = pd.read_csv(csv, sep="\t")
    rows["Classification"] = rows["Classification"].astype("category")
    rows["Probability"] = np.array([0.1, np.nan, 0.3, 0.25], np.float32)
    rows["Cells"] = pd.array([3, None, 5, 70_000_000_001], "Int64")
    rows["parts"] = [[1, 2]] * 4
    rows.to_csv(csv, sep="\t", columns=[c for c in rows if c != "parts"], index=False)
    rows.set_axis([0, 1, 2, 3]).to_parquet(tmp_path / "a.parquet")  # with its row numbers
    wanted = open_patches(slide, objects=csv)
    found = open_patches(slide, objects=tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(found.table, wanted.table, check_dtype=False)
    assert found.labels.tolist() == wanted.labels.tolist()
    assert any("parts of a.parquet holds no single values" in note for note in found.notes)
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-20])
    with pytest.raises(PatchError, match=r"a\.parquet is not a complete Parquet table"):
        open_patches(slide, objects=tmp_path / "a.parquet")


def test_a_folder_of_slides_with_a_file_each_or_one_table(tmp_path):
    (tmp_path / "slides").mkdir()
    (tmp_path / "cells").mkdir()
    for seed, name in enumerate("abc"):
        write_aperio(tmp_path / "slides" / f"{name}.svs", tissue(seed=seed))
    geojson(tmp_path / "cells" / "a.svs.geojson")
    geojson(tmp_path / "cells" / "b.geojson", CELLS[:2])
    patches = open_patches(tmp_path / "slides", objects=tmp_path / "cells")
    assert patches.table["source"].value_counts().to_dict() == {"a.svs": 4, "b.svs": 2}
    assert [(one.source, one.reason) for one in patches.skipped] == [
        ("c.svs", "has no file of objects of its name in cells")
    ]
    names = ["c.svs", "a.svs", "a.svs", "c.svs"]
    one = table(tmp_path / "all.tsv", images=names)
    patches = open_patches(tmp_path / "slides", objects=one, crops=CropConfig(size=32))
    by_number = patches.table.sort_values("label_id")
    assert by_number["source"].tolist() == names
    assert by_number["Object ID"].tolist() == ["id-0", "id-1", "id-2", "id-3"]
    assert [one.source for one in patches.skipped] == ["b.svs"]


def test_only_what_lies_around_objects_is_decoded(tmp_path, monkeypatch):
    image = tissue(2048, 2048)
    slide = write_pyramid(tmp_path / "a.tif", image)
    objects = geojson(tmp_path / "a.geojson", [(40, 40, 20), (200, 60, 20)])
    decoded = []
    read = stored_blocks.Blocks.read

    def counted(self, y, x, out):
        decoded.append(out.shape[:2])
        read(self, y, x, out)

    monkeypatch.setattr(stored_blocks.Blocks, "read", counted)
    patches = open_patches(slide, objects=objects)
    assert patches.common_size == (28, 28)
    assert set(decoded) <= {(28, 28)}


def test_outlines_of_a_set_are_found_again(tmp_path):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    objects = geojson(tmp_path / "a.geojson")
    patches = open_patches(slide, objects=objects)
    assert slides_of(patches.origin)
    outlines = slide_shapes(patches.origin)("a.svs")
    for number, cell in enumerate(CELLS):
        np.testing.assert_array_equal(outlines[number].rings[0], square(*cell))
    with pytest.raises(PatchError, match="in no label image"):
        label_images(patches.origin, Watch())
    centres = open_patches(slide, objects=table(tmp_path / "a.tsv"))
    with pytest.raises(PatchError, match="There are no outlines"):
        slide_shapes(centres.origin)("a.svs")


def test_a_file_of_features_is_read_part_by_part(tmp_path, monkeypatch):
    """Whatever lies around the features, and wherever the parts end."""
    cells = [
        feature([square(*cell)], "cell", name=f"{i} [,]{{}}") for i, cell in enumerate(CELLS)
    ]
    known = {
        "type": "FeatureCollection",
        "crs": {"a": [1, {"b": "]"}]},
        "features": cells,
        "n": 5,
    }
    for text in (json.dumps(known), json.dumps(known, indent=2), json.dumps(cells)):
        (tmp_path / "a.geojson").write_text(f"\ufeff {text} \n", "utf-8")
        for part in (1, 7, 2**20):
            monkeypatch.setattr(json_features, "_PART", part)
            found = json_features.json_features(tmp_path / "a.geojson", "")
            assert [one["properties"]["name"] for one in found] == [
                one["properties"]["name"] for one in cells
            ]
        (tmp_path / "a.geojson").write_text(text.rstrip("]} \n")[:-9], "utf-8")
        with pytest.raises(PatchError, match="is not a GeoJSON file"):
            list(json_features.json_features(tmp_path / "a.geojson", ""))
    (tmp_path / "a.geojson").write_text(json.dumps(cells[0]))
    assert len(list(json_features.json_features(tmp_path / "a.geojson", ""))) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("outside", r"3 of the 4 objects of .*x\.geojson lie outside of the slide \(800 x 600"),
        ("mpp", r"x\.tsv says in micrometres .*plain\.tif does not say how many a pixel"),
        ("other", r"x\.tsv is of other slides \(Image: b\.svs\) than a\.svs; choose"),
        ("places", r"x\.tsv has no columns that say where objects lie"),
        ("words", r"The column 'Centroid X px' of .*x\.tsv holds more than numbers"),
        ("hide", r"x\.tsv says where the middles of objects are .* nothing beside them"),
        ("coarse", r"a\.svs has 0\.5 µm per pixel, coarser than the 0\.25 µm wanted"),
        ("one", r"x\.geojson holds one single object"),
    ],
)
def test_what_does_not_fit_says_so(tmp_path, name, said):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    crops, objects = CropConfig(), tmp_path / "x.tsv"
    if name == "outside":
        objects = geojson(
            tmp_path / "x.geojson", [(x + 800, y, s) for x, y, s in CELLS[:3]] + CELLS[3:]
        )
    elif name == "mpp":
        slide = write_pyramid(tmp_path / "plain.tif", tissue())
        table(objects, images=["plain.tif"] * 4)
    elif name == "other":
        table(objects, images=["b.svs"] * 4)
    elif name == "places":
        objects.write_text("Image\tArea\na.svs\t12\n")
    elif name == "words":
        table(objects, mpp=None)
        objects.write_text(objects.read_text("utf-8").replace("710.0", "many"), "utf-8")
    elif name == "hide":
        table(objects)
        crops = CropConfig(mask_background=True)
    elif name == "coarse":
        table(objects)
        crops = CropConfig(mpp=0.25)
    else:
        objects = geojson(tmp_path / "x.geojson", CELLS[:1])
    with pytest.raises(PatchError, match=said):
        open_patches(slide, objects=objects, crops=crops)


def test_some_objects_outside_are_left_out_and_said(tmp_path):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    objects = geojson(tmp_path / "x.geojson", [*CELLS, (900, 20, 20)])
    patches = open_patches(slide, objects=objects)
    assert sorted(patches.table["label_id"]) == [1, 2, 3, 4]
    assert any(note.startswith("1 objects of x.geojson lie outside") for note in patches.notes)


def test_a_resolution_is_no_choice_for_an_ordinary_image(tmp_path, grey):
    tifffile.imwrite(tmp_path / "a.tif", grey(60, 80))
    labels = np.zeros((60, 80), np.uint8)
    labels[10:20, 10:20], labels[30:40, 30:40] = 1, 2
    tifffile.imwrite(tmp_path / "a_mask.tif", labels)
    with pytest.raises(
        PatchError, match="is no slide, of which crops could be read at another"
    ):
        open_patches(
            tmp_path / "a.tif", objects=tmp_path / "a_mask.tif", crops=CropConfig(mpp=1.0)
        )


def test_a_large_plain_image_is_read_as_a_slide_where_a_resolution_is_chosen(tmp_path):
    image = tissue()
    tifffile.imwrite(tmp_path / "a.tif", image, tile=(128, 128), photometric="rgb")
    objects = geojson(tmp_path / "a.geojson")
    patches = open_patches(tmp_path / "a.tif", objects=objects, crops=CropConfig(level=0))
    row = patches.table.iloc[0]
    np.testing.assert_array_equal(
        patches.images[0], image[row.y : row.y + 32, row.x : row.x + 32]
    )
