"""A film of the map while it learned: looks are kept with the run, and shown in order."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_patchmap.cli import main
from napari_patchmap.errors import MissingPackageError, RunError
from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.drawing import film
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.film import FilmConfig, write_film
from napari_patchmap.runs.drawing.film_moves import moves_of
from napari_patchmap.runs.drawing.paper import check_figure_file
from napari_patchmap.runs.looks import LOOKS, MOST_LOOKS, Looks
from napari_patchmap.training import fit
from tests.conftest import make_cells


def turned(places: np.ndarray, degrees: float) -> np.ndarray:
    turn = np.deg2rad(degrees)
    return places @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def two_islands() -> np.ndarray:
    """Place 40 patches above and 40 below, the lower ones wider."""
    rng = np.random.default_rng(0)
    above = rng.normal((-5, 0), 0.3, (40, 2))
    return np.concatenate([above, rng.normal((5, 0), (0.3, 2.0), (40, 2))])


def given(looks: Looks | None, rows: np.ndarray | None = None) -> Drawable:
    places, labels = two_islands(), np.repeat(["above", "below"], 40)
    rows = np.arange(80) if rows is None else rows
    colouring = colour_by(pd.DataFrame({"label": labels[rows]}), "label")
    return Drawable(places[rows], colouring, rows, lambda: None, lambda: None, lambda: looks)


def some_looks(count: int = 5) -> Looks:
    """Look at islands that part, and turn and mirror as networks please."""
    looks = Looks()
    for step in range(count):
        places = two_islands() * (0.2 + step / count, 1) * (1, (-1) ** step)
        looks.note(turned(places, 70 * step) * 10.0**step + 300, 1, step / 2, 10.0 * step)
    return looks


def frames(path) -> list[np.ndarray]:
    with Image.open(path) as picture:
        found = []
        for number in range(picture.n_frames):
            picture.seek(number)
            found.append(np.asarray(picture.convert("RGB")).astype(int))
    return found


def test_looks_stay_few_and_evenly_apart():
    looks = Looks()
    for number in range(500):
        looks.note(np.random.default_rng(number).normal(size=(30, 2)), 1, number, number)
    times = [seconds for *_, seconds in looks.known]
    assert MOST_LOOKS / 2 <= len(looks) <= MOST_LOOKS
    assert len(set(np.diff(times))) == 1
    assert times[0] == 0


def test_looks_of_an_interrupted_run_go_on_as_if_it_had_not_been():
    whole, first, second = Looks(), Looks(), Looks()
    for number in range(200):
        places = np.random.default_rng(number).normal(size=(30, 2))
        whole.note(places, 1, number, number)
        (first if number < 130 else second).note(places, 1, number, number)
        if number == 129:
            second.restore(first.state())
    assert second.known == whole.known
    assert all((a == b).all() for a, b in zip(second.places, whole.places, strict=True))


def test_a_look_is_turned_like_the_map_as_it_became():
    moves = moves_of(given(some_looks()))
    assert len(moves.places) == 6
    assert moves.said[0].startswith("0:00   stage 1 of 1   epoch 0.0")
    for places in moves.places[1:]:  # at first they lie together
        assert places[:40, 0].mean() < places[40:, 0].mean()
        assert places[:40, 1].std() < places[40:, 1].std()
        assert np.abs(places).max() < 10


def test_a_film_ends_with_the_map_as_it_is_in_the_colours_of_its_labels(tmp_path):
    some = given(some_looks())
    config = FilmConfig(width=60, dpi=100, seconds=2, fps=10, names="none")
    path = write_film(some, config, check_figure_file(tmp_path / "m.gif", (".gif",)), Watch())
    shown = frames(path)
    assert shown[-1].shape[1] == 60 / 25.4 * 100 // 2 * 2
    with Image.open(path) as picture:
        assert picture.n_frames == 20
        assert picture.info["loop"] == 0
    colours = some.colouring.palette[:, :3] * 255
    at = [np.argwhere(abs(shown[-1] - colour).sum(axis=2) < 40) for colour in colours]
    names = list(some.colouring.names)
    above, below = at[names.index("above")], at[names.index("below")]
    assert len(above) > 20
    assert above[:, 0].max() < below[:, 0].min()
    assert shown[-1][0, 0].tolist() == [255, 255, 255]
    assert (shown[0] != shown[-1]).any()
    again = write_film(some, config, tmp_path / "again.gif", Watch())
    assert again.read_bytes() == path.read_bytes()


def test_a_film_of_some_patches_leaves_the_others_out():
    moves = moves_of(given(some_looks(), rows=np.arange(40, 80)))
    assert {len(places) for places in moves.places} == {40}
    assert moves.chosen.tolist() == list(range(40))


def test_a_film_can_be_stopped(tmp_path):
    watch = Watch(should_stop=lambda: True)
    with pytest.raises(LoadCancelled):
        write_film(given(some_looks()), FilmConfig(width=30, dpi=50), tmp_path / "m.gif", watch)
    assert list(tmp_path.iterdir()) == []


def test_a_film_in_mp4_is_made_or_what_it_needs_is_named(tmp_path):
    path = tmp_path / "m.mp4"
    config = FilmConfig(width=40, dpi=60, seconds=1)
    if find_spec("imageio_ffmpeg") is None:
        with pytest.raises(MissingPackageError, match="pip install imageio_ffmpeg"):
            write_film(given(some_looks()), config, path, Watch())
        assert not path.exists()
    else:
        write_film(given(some_looks()), config, path, Watch())
        assert path.read_bytes()[4:8] == b"ftyp"


def test_a_run_keeps_its_looks_and_a_film_is_made_of_them(tmp_path, capsys):
    run = fit(make_cells(60), RunConfig(TrainConfig(method="pixels")), snapshot_seconds=0)
    folder = run.save(tmp_path / "run")
    looks = Run.load(folder).looks
    assert 1 < len(looks) <= MOST_LOOKS
    options = ["--out", str(tmp_path / "m.gif"), "--width", "30", "--dpi", "50"]
    assert main(["figure", "film", str(folder), *options, "--seconds", "1"]) == 0
    assert len(frames(tmp_path / "m.gif")) >= 12
    copied = Run.load(folder).save(tmp_path / "copy")
    assert len(Run.load(copied).looks) == len(looks)
    (folder / LOOKS).write_bytes(b"no")
    assert any("films alone" in note for note in Run.load(folder).notes)
    assert main(["figure", "film", str(folder), *options]) == 2
    (folder / LOOKS).unlink()
    assert main(["figure", "film", str(folder), *options]) == 2
    error = capsys.readouterr().err
    assert "is damaged" in error
    assert "holds no looks at the map while it learned" in error


def test_what_a_film_cannot_be_called_is_said(tmp_path):
    with pytest.raises(RunError, match=r"name it with one of \.gif, \.mp4"):
        check_figure_file(tmp_path / "map.png", film.FILM_ENDINGS)
