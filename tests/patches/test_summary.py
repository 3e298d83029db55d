"""What people read and see of a patch set before anything is trained."""

import numpy as np

from napari_patchmap.patches import describe, from_array, open_patches


def test_lines_say_what_matters(write, folder, grey):
    for i in range(4):
        write(f"{'ab'[i % 2]}/{i}.png", grey(20, 30, 3))
    (folder / "a/5.png").write_text("text")
    ps = open_patches(folder)
    assert describe(ps) == [
        "4 patches, 30 x 20 pixels, 8-bit RGB",
        "2 labels: a 2, b 2",
        "1 skipped: a/5.png is not a PNG, JPEG, TIFF, BMP, WebP, GIF or JPEG 2000 image",
    ]


def test_lines_of_mixed_sizes_and_16_bit_channels(write, folder, grey):
    for i in range(3):
        write(f"{i}.png", grey(20, 30 + (i == 2)))
    lines = describe(open_patches(folder, sizes="pad"))
    assert lines[0] == "3 patches, 2 sizes (2 of 30 x 20, 1 of 31 x 20), 8-bit grey"
    assert (
        lines[1]
        == "Other sizes are scaled and padded with their border colour to 30 x 20 pixels"
    )
    ps = from_array(
        np.arange(2 * 2 * 64, dtype=np.uint16).reshape(2, 2, 8, 8),
        name="s",
        channel_names=["DAPI", "GFP"],
    )
    lines = describe(ps)
    assert lines[0] == "2 patches, 8 x 8 pixels, 16-bit, 2 channels: DAPI, GFP"
    assert lines[1].startswith(
        "Intensities scaled over the whole set: DAPI 0.127 to 190.9, GFP"
    )
    assert lines[2] == "No labels (none are needed)"
