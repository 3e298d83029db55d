"""An image from elsewhere, and the features of another run, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Picture

from napari_patchmap.errors import PatchError, RunError
from napari_patchmap.explore.similar import like_features, more_like
from napari_patchmap.runs import RunConfig, TrainConfig, read_map
from napari_patchmap.runs.other_features import known_of, more_like_by
from napari_patchmap.runs.outside import place_image
from napari_patchmap.training import fit
from tests.conftest import make_cells


@pytest.fixture(scope="module")
def run():
    """A map of the pixels of sixty cells, laid out by t-SNE."""
    return fit(make_cells(), RunConfig(TrainConfig(method="pixels", device="cpu")))


def write(path, pixels):
    Picture.fromarray(pixels).save(path)
    return path


def test_an_image_that_is_a_patch_is_found_at_no_distance(run, tmp_path):
    path = write(tmp_path / "seen.png", make_cells().stack()[7])
    patch, placed = place_image(run, path)
    assert patch.name == "seen.png"
    found = like_features(run.features, placed.features, 5)
    assert found.indices[0] == 7
    assert found.distances[0] == pytest.approx(0, abs=1e-4)
    assert (make_cells().labels[found.indices] == make_cells().labels[7]).all()
    assert placed.embedding.shape == (1, 2)
    assert 7 not in like_features(run.features, placed.features, 5, without=[7]).indices


def test_an_image_of_another_size_is_brought_to_that_of_the_map(run, tmp_path):
    large = np.kron(make_cells().stack()[8], np.ones((3, 3, 1), np.uint8))
    _, placed = place_image(run, write(tmp_path / "large.tif", large))
    assert like_features(run.features, placed.features, 1).indices[0] == 8


def test_what_is_no_such_image_is_named(run, tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    for name in ("text.png", "none.png", "."):
        with pytest.raises(PatchError) as caught:
            place_image(run, tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
    with pytest.raises(PatchError, match="is a folder; choose one of the images in it"):
        place_image(run, tmp_path)
    grey = write(tmp_path / "grey.png", make_cells().stack()[7, ..., 0])
    with pytest.raises(RunError, match=r"grey\.png has 1 channel.*trained on 3"):
        place_image(run, grey)


def test_another_run_is_asked_in_whatever_order_it_has_the_patches(run, tmp_path):
    order = np.random.default_rng(0).permutation(60)
    other = run.picked(order)
    other.rows = None
    saved, known = read_map(other.save(tmp_path / "other")), known_of(make_cells(), run)
    for without in (None, np.array([0, 3, 6])):
        found = more_like_by(saved, known, np.array([9, 12]), 6, without=without)
        wanted = more_like(run.features, np.array([9, 12]), 6, without=without)
        np.testing.assert_array_equal(found.indices, wanted.indices)
        np.testing.assert_allclose(found.distances, wanted.distances, rtol=1e-5)


def test_a_run_without_features_is_named(run, tmp_path):
    saved, known = read_map(run.save(tmp_path / "run")), known_of(make_cells(), run)
    path = tmp_path / "run" / "features.npy"
    path.write_bytes(b"nonsense")
    with pytest.raises(RunError, match=r"features\.npy cannot be read"):
        more_like_by(saved, known, np.array([0]), 5)
    np.save(path, run.features[:5])
    with pytest.raises(RunError, match="not of these patches"):
        more_like_by(saved, known, np.array([0]), 5)
    path.unlink()
    with pytest.raises(RunError, match=r"has no features\.npy"):
        more_like_by(saved, known, np.array([0]), 5)
