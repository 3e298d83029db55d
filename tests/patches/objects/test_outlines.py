"""Objects as outlines: what QuPath and ImageJ write, filled as their pixels lie."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
import roifile
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.objects.drawn_objects import Outline, fill
from napari_patchmap.patches.readers.objects.label_images import label_images
from napari_patchmap.patches.watch import Watch


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def feature(rings: list, kind: str = "detection", **properties: object) -> dict:
    geometry = {"type": "Polygon", "coordinates": rings}
    properties = {"objectType": kind, **properties}
    return {"type": "Feature", "id": "7a1b", "geometry": geometry, "properties": properties}


def test_filled_as_every_pixel_is_asked_by_itself():
    """Against matplotlib's answer for the middle of each pixel, holes as differences."""
    from matplotlib.path import Path

    rng = np.random.default_rng(5)
    for _ in range(20):
        angles = np.sort(rng.random(12)) * 2 * np.pi
        radius = rng.uniform(4, 30, 12)
        ring = 20 + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
        hole = np.array(square(17.3, 18.1, 3.9))
        rows, columns, inside = fill(Outline([ring, hole]), (37, 41))
        middles = np.stack(np.meshgrid(np.arange(41) + 0.5, np.arange(37) + 0.5), -1)
        flat = middles.reshape(-1, 2)
        expected = Path(ring).contains_points(flat) ^ Path(hole).contains_points(flat)
        whole = np.zeros((37, 41), bool)
        whole[rows, columns] = inside
        np.testing.assert_array_equal(whole, expected.reshape(37, 41))


def test_qupath_cells_with_classes_and_measurements(tmp_path, grey):
    image = grey(60, 80)
    tifffile.imwrite(tmp_path / "a.tif", image)
    cells = [
        feature(
            [square(5, 5, 10), square(8, 8, 3)], "cell", name="one",
            classification={"name": "Tumor", "color": [200, 0, 0]},
            measurements={"Nucleus: Area": 91.0, "area": 3},
        ),
        feature([square(30, 20, 8)], "cell", measurements=[{"name": "area", "value": 64}]),
        feature([square(0, 0, 79)], "annotation", classification={"name": "Region"}),
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [3, 3]}},
    ]  # fmt: skip
    known = {"type": "FeatureCollection", "features": cells}
    (tmp_path / "a.geojson").write_text(json.dumps(known))
    patches = open_patches(tmp_path / "a.tif", objects=tmp_path / "a.geojson")
    assert patches.labels.tolist() == ["Tumor", ""]
    assert patches.label_from == "classification"
    table = patches.table
    assert table["area"].tolist() == [91, 64]  # pixels; without those of the hole
    np.testing.assert_array_equal(table["Nucleus: Area"], [91, np.nan])
    assert table["area (file)"].tolist() == [3, 64]
    assert table["centroid_x"].tolist()[1] == 33.5
    labels = label_images(patches.origin, Watch())("a.tif", 0)
    assert (labels[20:28, 30:38] == 2).all()
    assert labels[[9, 5, 15], [9, 5, 15]].tolist() == [0, 1, 0]
    assert any("1 annotations of a.geojson were left out" in note for note in patches.notes)
    assert any("1 points of a.geojson were left out" in note for note in patches.notes)
    # The same of a folder, in which QuPath names the file after the image.
    (tmp_path / "a.geojson").rename(tmp_path / "a.tif.geojson")
    tifffile.imwrite(tmp_path / "b.tif", image)
    (tmp_path / "b.geojson").write_text(json.dumps([feature([square(9, 9, 6)], "annotation")]))
    both = open_patches(tmp_path, objects=tmp_path)
    assert both.table["source"].tolist() == ["a.tif", "a.tif", "b.tif"]
    assert both.table["label_id"].tolist() == [1, 2, 1]
    assert both.labels.tolist() == ["Tumor", "", ""]


def test_qupath_objects_within_others_with_metadata(tmp_path, grey):
    """As QuPath 0.5 writes a hierarchy, and QuPath 0.2 kinds of objects."""
    tifffile.imwrite(tmp_path / "a.tif", grey(60, 80))
    inside = [
        feature([square(5, 5, 6)], "cell", metadata={"patient": "P1"}, measurements={"A": 1}),
        feature([square(20, 5, 6)], "cell", metadata={"patient": "P2"}),
    ]
    inside[0]["nucleusGeometry"] = {"type": "Polygon", "coordinates": [square(7, 7, 2)]}
    inside[1]["geometry"]["plane"] = {"c": -1, "z": 0, "t": 0}
    region = feature([square(0, 0, 50)], "annotation", childObjects=inside)
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [region]}))
    patches = open_patches(tmp_path / "a.tif", objects=path)
    assert patches.table["patient"].tolist() == ["P1", "P2"]
    assert patches.table["area"].tolist() == [36, 36]
    inside[1]["geometry"]["plane"]["z"] = 2
    path.write_text(json.dumps([region]))
    with pytest.raises(PatchError, match=r"a\.geojson has objects on several planes"):
        open_patches(tmp_path / "a.tif", objects=path)
    old = [feature([square(x, 5, 6)], "") | {"id": "PathCellObject"} for x in (5, 20)]
    old.append(feature([square(0, 0, 50)], "") | {"id": "PathAnnotationObject"})
    path.write_text(json.dumps(old))
    patches = open_patches(tmp_path / "a.tif", objects=path)
    assert patches.table["area"].tolist() == [36, 36]
    assert "object" not in patches.table


def test_annotations_are_the_objects_where_there_is_nothing_else(tmp_path, grey):
    tifffile.imwrite(tmp_path / "a.tif", grey(60, 80))
    drawn = [
        feature([square(2, 2, 40)], "annotation", classification="Outer"),
        feature([square(10, 10, 8)], "annotation", classification="Inner"),
    ]
    (tmp_path / "a.geojson").write_text(json.dumps(drawn))
    patches = open_patches(tmp_path / "a.tif", objects=tmp_path / "a.geojson")
    # The small one is not hidden by the large one around it, whatever their order.
    assert patches.labels.tolist() == ["Outer", "Inner"]
    assert patches.table["area"].tolist() == [1600 - 64, 64]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not a GeoJSON file"),
        ("[1, 2]", "holds no object that encloses anything"),
        (json.dumps([feature([[[1, 2], [3, 4]]])]), "holds a polygon without points"),
        (json.dumps([feature([square(500, 500, 9)])]), "covers a pixel of the image .80 x 60."),
    ],
)
def test_what_is_no_geojson_of_the_image(tmp_path, grey, text, said):
    tifffile.imwrite(tmp_path / "a.tif", grey(60, 80))
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(PatchError, match=rf"a\.geojson {said}"):
        open_patches(tmp_path / "a.tif", objects=tmp_path / "a.geojson")


def test_regions_of_imagej(tmp_path, grey):
    tifffile.imwrite(tmp_path / "a.tif", grey(60, 80))
    roi, kinds = roifile.ImagejRoi, roifile.ROI_TYPE
    triangle = np.array([[40, 10], [60, 10], [40, 30]])
    rois = [
        roi.frompoints(triangle, name="tri"),
        roi(
            roitype=kinds.RECT,
            top=5,
            left=6,
            bottom=15,
            right=18,
            name="box",
            group=3,
        ),
        roi(roitype=kinds.OVAL, top=30, left=10, bottom=50, right=30, name="oval"),
        roi(roitype=kinds.LINE, x1=1, y1=1, x2=9, y2=9, name="line"),
    ]
    roifile.roiwrite(tmp_path / "RoiSet.zip", rois)
    patches = open_patches(tmp_path / "a.tif", objects=tmp_path / "RoiSet.zip")
    assert patches.table["name"].tolist() == ["tri", "box", "oval"]
    area = patches.table["area"].tolist()
    assert area[1] == 10 * 12
    assert area[0] == 190 or area[0] == 210  # the half of 20 x 20, without or with the diagonal
    assert abs(area[2] - np.pi * 100) < 10
    np.testing.assert_array_equal(patches.table["group"], [np.nan, 3, np.nan])
    roifile.roiwrite(tmp_path / "a.roi", rois[1])
    with pytest.raises(PatchError, match="holds one single object"):
        open_patches(tmp_path / "a.tif", objects=tmp_path / "a.roi")


def test_what_is_no_region_of_imagej(tmp_path, grey):
    tifffile.imwrite(tmp_path / "a.tif", grey(60, 80))
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 and no more")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("a.txt", "text")
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as file:
        file.writestr("one.roi", b"Iout" + bytes(20))
    for name, said in (
        ("cut.zip", "is not a complete zip file"),
        ("other.zip", "without a region of interest"),
        ("bad.zip", "holds one, which is no region"),
    ):
        with pytest.raises(PatchError, match=rf"{name} .*{said}"):
            open_patches(tmp_path / "a.tif", objects=tmp_path / name)


def test_labels_as_numbers_with_a_point_and_with_a_palette(tmp_path, grey):
    image, labels = grey(60, 80), np.zeros((60, 80), np.uint8)
    labels[4:12, 5:13], labels[30:44, 20:33] = 1, 7
    colours = np.random.default_rng(0).integers(0, 65535, (3, 256), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", image)
    (tmp_path / "masks").mkdir()
    mask = tmp_path / "masks" / "a.tif"
    for write in (
        lambda: tifffile.imwrite(mask, labels.astype(np.float32)),
        lambda: tifffile.imwrite(mask, labels, photometric="palette", colormap=colours),
    ):
        write()
        (tmp_path / "images").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / "images" / "a.tif", image)
        for path, objects in ((tmp_path / "a.tif", mask), (tmp_path / "images", mask.parent)):
            patches = open_patches(path, objects=objects)
            assert patches.table["label_id"].tolist() == [1, 7]
            assert patches.table["area"].tolist() == [64, 182]
    tifffile.imwrite(mask, labels + np.float32(0.5))
    with pytest.raises(PatchError, match="holds numbers with a decimal point"):
        open_patches(tmp_path / "a.tif", objects=mask)
    with pytest.raises(PatchError, match="numbers with a decimal point"):
        open_patches(tmp_path / "images", objects=mask.parent)
