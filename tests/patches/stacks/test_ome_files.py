"""OME-TIFFs of several files and of several images: each plane is a patch once."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches

OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def write_ome(folder, arrays, places, names, told_by=None):
    """Write images ``(time, channel, y, x)`` as OME says: each file has the whole description.

    ``places[i][t, c]`` is which of the files ``names`` the plane of image i lies in, -1 for
    none; ``told_by`` the one file that has the description.
    """
    planes = [[] for _ in names]
    images = []
    for number, (array, place) in enumerate(zip(arrays, places, strict=True)):
        times, channels, height, width = array.shape
        blocks = []
        for t, c in np.ndindex(times, channels):
            at = int(place[t, c])
            if at < 0:
                continue
            blocks.append(
                f'<TiffData IFD="{len(planes[at])}" FirstC="{c}" FirstT="{t}" FirstZ="0" '
                f'PlaneCount="1"><UUID FileName="{names[at]}">urn:uuid:{at}</UUID></TiffData>'
            )
            planes[at].append(array[t, c])
        said = "".join(
            f'<Channel ID="Channel:{number}:{i}" Name="{name}" SamplesPerPixel="1"/>'
            for i, name in enumerate(("DAPI", "CD3"))
        )
        images.append(
            f'<Image ID="Image:{number}" Name="Pos{number}"><Pixels ID="Pixels:{number}" '
            f'DimensionOrder="XYTCZ" Type="uint8" SizeX="{width}" SizeY="{height}" '
            f'SizeC="{channels}" SizeT="{times}" SizeZ="1">{said}{"".join(blocks)}</Pixels>'
            "</Image>"
        )
    whole = {None: names}.get(told_by, [told_by])
    for at, name in enumerate([*names, *(one for one in whole if one not in names)]):
        text = f'<OME xmlns="{OME}" UUID="urn:uuid:{at}">{"".join(images)}</OME>'
        if name not in names:
            (folder / name).write_text(text)
            continue
        if name not in whole:
            text = f'<OME xmlns="{OME}"><BinaryOnly MetadataFile="{told_by}" UUID="u"/></OME>'
        with tifffile.TiffWriter(folder / name) as file:
            for i, plane in enumerate(planes[at]):
                file.write(
                    plane, description=text if i == 0 else None, metadata=None,
                    photometric="minisblack", contiguous=False,
                )  # fmt: skip


@pytest.mark.parametrize("times", [6, 1])
def test_an_ome_tiff_of_several_files_is_read_once(tmp_path, grey, times):
    """One channel a file."""
    pixels = grey(times * 2, 16, 18).reshape(times, 2, 16, 18)
    place = np.broadcast_to([0, 1], (times, 2))
    names = ["0.ome.tif", "1.ome.tif"]
    write_ome(tmp_path, [pixels], [place], names)
    known = tifffile.imread(tmp_path / names[0])  # channels first, as the description says
    np.testing.assert_array_equal(known, pixels.swapaxes(0, 1) if times > 1 else pixels[0])
    opened = [tmp_path, *(tmp_path / name for name in names)] if times > 1 else [tmp_path]
    for path in opened:
        patches = open_patches(path)
        np.testing.assert_array_equal(patches.stack(), pixels.transpose(0, 2, 3, 1))
        assert patches.channel_names == ("DAPI", "CD3")
        parts = any("1 files, such as 1.ome.tif, are parts" in one for one in patches.notes)
        assert parts == (path == tmp_path)


def test_positions_in_files_of_their_own_are_images_of_one_set(tmp_path, grey):
    """As Micro-Manager writes them: each file describes all positions."""
    pixels = grey(24, 16, 18).reshape(2, 6, 2, 16, 18)
    names = ["s_Pos0.ome.tif", "s_Pos1.ome.tif"]
    write_ome(tmp_path, pixels, [np.zeros((6, 2)), np.ones((6, 2))], names)
    for path in (tmp_path, *(tmp_path / name for name in names)):
        patches = open_patches(path)
        np.testing.assert_array_equal(
            patches.stack(), pixels.reshape(12, 2, 16, 18).transpose(0, 2, 3, 1)
        )
        assert patches.channel_names == ("DAPI", "CD3")
        assert patches.table["image"].tolist() == ["Pos0"] * 6 + ["Pos1"] * 6
    (tmp_path / names[1]).unlink()
    with pytest.raises(
        PatchError, match=r"needs the file s_Pos1\.ome\.tif, which is not beside"
    ):
        open_patches(tmp_path / names[0])


def test_images_of_one_file_whose_channels_differ_are_no_set(tmp_path, grey):
    path = tmp_path / "a.ome.tif"
    for names, fits in ((("DAPI", "CD3"), True), (("CD3", "DAPI"), False)):
        with tifffile.TiffWriter(path) as file:
            for said in (("DAPI", "CD3"), names):
                file.write(
                    grey(12, 16, 18).reshape(6, 2, 16, 18), photometric="minisblack",
                    metadata={"axes": "TCYX", "Channel": {"Name": list(said)}},
                )  # fmt: skip
        if fits:
            assert open_patches(path).table["image"].value_counts().tolist() == [6, 6]
            continue
        with pytest.raises(PatchError, match=r"different names \(DAPI, CD3; CD3, DAPI\)"):
            open_patches(path)


def test_a_plane_that_is_missing_is_left_out_of_its_own_image(tmp_path, grey):
    pixels = grey(24, 16, 18).reshape(2, 6, 2, 16, 18)
    place = np.zeros((6, 2))
    place[1] = -1
    write_ome(tmp_path, pixels, [np.zeros((6, 2)), place], ["a.ome.tif"])
    patches = open_patches(tmp_path / "a.ome.tif")
    wanted = np.delete(pixels.reshape(12, 2, 16, 18), 7, axis=0)
    np.testing.assert_array_equal(patches.stack(), wanted.transpose(0, 2, 3, 1))
    assert patches.table["image"].tolist() == ["Pos0"] * 6 + ["Pos1"] * 5
    assert [one.source for one in patches.skipped] == ["a.ome.tif [7]"]


@pytest.mark.parametrize("told_by", ["0.ome.tif", "all.companion.ome"])
def test_one_file_may_describe_the_others(tmp_path, grey, told_by):
    pixels = grey(12, 16, 18).reshape(6, 2, 16, 18)
    names = ["0.ome.tif", "1.ome.tif"]
    write_ome(tmp_path, [pixels], [np.broadcast_to([0, 1], (6, 2))], names, told_by)
    for path in (tmp_path, *(tmp_path / name for name in names)):
        patches = open_patches(path)
        np.testing.assert_array_equal(patches.stack(), pixels.transpose(0, 2, 3, 1))
        assert patches.channel_names == ("DAPI", "CD3")
    (tmp_path / told_by).unlink()
    with pytest.raises(PatchError, match=f"is described by the file {told_by}, which is not"):
        open_patches(tmp_path / "1.ome.tif")
