"""The command line: what people type, what they get, and one line for what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_patchmap.cli import main
from napari_patchmap.cli.arguments import make_parser
from tests.conftest import make_cells
from tests.patches.slides.drawn import tissue, write_pyramid

QUICK = ["--epochs", "2", "1", "1", "--batch-size", "32", "--device", "cpu", "--seed", "1"]


@pytest.fixture
def stack(tmp_path):
    cells = make_cells()
    path = tmp_path / "cells.npz"
    names = np.array(["spot", "ring", "bar"])
    np.savez(path, images=cells.stack(), labels=np.arange(60) % 3, class_names=names)
    return path


def test_every_command_of_the_help_has_its_module():
    (commands,) = (one for one in make_parser()._actions if one.choices and one.dest != "help")
    assert {"embed", "transform", "demo"} <= set(commands.choices)
    for name, parser in commands.choices.items():
        name = parser.get_default("command") or name
        module = import_module(f"napari_patchmap.cli.{name}_command")
        assert callable(module.command)


def test_embed_evaluate_and_transform(stack, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["embed", str(stack), "--out", str(run), "--augment", "natural", *QUICK]) == 0
    said = capsys.readouterr().out
    assert "60 patches" in said
    assert "15-NN accuracy in 2-D" in said
    assert str(run / "map.png") in said

    assert main(["evaluate", str(run), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["n"] == 60
    assert set(report["silhouette"]["per_class"]) == {"spot", "ring", "bar"}
    assert main(["evaluate", str(run)]) == 0
    assert "Silhouette" in capsys.readouterr().out

    placed = tmp_path / "placed.csv"
    assert main(["transform", str(run), str(stack), "--out", str(placed)]) == 0
    assert "unlike" not in capsys.readouterr().err
    new, old = pd.read_csv(placed), pd.read_csv(run / "embedding.csv")
    assert np.allclose(new[["axis-0", "axis-1"]], old[["axis-0", "axis-1"]], atol=1e-4)
    assert list(new["label"]) == list(old["label"])
    assert (new["unlikeness"] < 1).all()

    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 40, 3), np.uint8)
    np.save(tmp_path / "noise.npy", noise)
    assert main(["transform", str(run), str(tmp_path / "noise.npy"), "--out", str(placed)]) == 0
    said = capsys.readouterr().err
    assert "are 40 x 40 px, those of the map 16 x 16" in said
    assert (pd.read_csv(placed)["unlikeness"] > 1).all()


def test_what_was_learned_is_laid_out_again_by_tsne(stack, tmp_path, capsys):
    run, other = tmp_path / "run", tmp_path / "other"
    assert main(["embed", str(stack), "--out", str(run), *QUICK]) == 0
    again = ["tsne", str(run), "--out", str(other)]
    assert main([*again, "--perplexity", "8", "--dimensions", "3"]) == 0
    old, new = pd.read_csv(run / "embedding.csv"), pd.read_csv(other / "embedding.csv")
    assert [c for c in new if c.startswith("axis")] == ["axis-0", "axis-1", "axis-2"]
    assert list(new["label"]) == list(old["label"])
    np.testing.assert_array_equal(
        np.load(run / "features.npy"), np.load(other / "features.npy")
    )
    placed = tmp_path / "placed.csv"
    assert main(["transform", str(other), str(stack), "--out", str(placed)]) == 0
    assert "axis-2" in pd.read_csv(placed)
    capsys.readouterr()
    assert "already holds a run" in fails(capsys, *again)
    # A setting of the run is taken over, and taken back when it is given empty.
    for value, wanted in (("2", 2.0), ("", None)):
        made = tmp_path / f"last{value}"
        source = str(other if value else tmp_path / "last2")
        flat = ["--dimensions", "2", "--last-exaggeration", value]
        assert main(["tsne", source, "--out", str(made), *flat]) == 0
        kept = json.loads((made / "config.json").read_text())["config"]["train"]
        assert kept["last_exaggeration"] == wanted
    capsys.readouterr()
    assert "Perplexity must be a number" in fails(
        capsys, *again[:3], str(tmp_path / "no"), "--perplexity", ""
    )
    assert "Epochs must be a number; it was ''" in fails(
        capsys, "embed", stack, "--out", tmp_path / "no", "--epochs", ""
    )
    again[3] = tmp_path / "flat"
    assert "2 or 3 dimensions, not of 5" in fails(capsys, *again, "--dimensions", "5")
    assert not again[3].exists()


def test_changes_can_be_left_out(stack, tmp_path):
    out = tmp_path / "run"
    args = ["--jitter", "heavy", "--without", "crop", "grey", *QUICK]
    assert main(["embed", str(stack), "--out", str(out), *args]) == 0
    augment = json.loads((out / "config.json").read_text())["config"]["augment"]
    assert (augment["crop"], augment["grey"], augment["jitter"]) == (False, False, True)
    assert (augment["brightness"], augment["hue"]) == (0.8, 0.4)


@pytest.mark.parametrize("method", ["simclr", "pixels"])
def test_other_methods_from_the_command_line(stack, tmp_path, capsys, method):
    out = tmp_path / "run"
    quick = ["--epochs", "1", "--batch-size", "20"] if method == "simclr" else []
    args = ["embed", str(stack), "--out", str(out), "--method", method, "--device", "cpu"]
    assert main([*args, "--perplexity", "10", *quick]) == 0
    assert "15-NN accuracy in 2-D" in capsys.readouterr().out
    config = json.loads((out / "config.json").read_text())
    assert (config["layout"], config["config"]["train"]["perplexity"]) == ("tsne", 10.0)
    placed = tmp_path / "placed.csv"
    assert main(["transform", str(out), str(stack), "--out", str(placed)]) == 0
    assert len(pd.read_csv(placed)) == 60


def test_objects_of_fields_of_view_are_embedded_with_their_numbers(tmp_path, capsys):
    rng = np.random.default_rng(0)
    numbers = {}
    for name in ("first field", "second field"):
        labels = np.zeros((96, 96), np.int32)
        chosen = 1 + rng.permutation(200)[:16]
        for i, number in enumerate(chosen.tolist()):
            y, x = 24 * (i // 4) + 4, 24 * (i % 4) + 4
            labels[y : y + 12 + i % 4, x : x + 14] = number
        image = (labels > 0) * 150 + rng.integers(0, 60, labels.shape)
        for kind, pixels in (("images", image.astype(np.uint8)), ("masks", labels)):
            (tmp_path / kind).mkdir(exist_ok=True)
            tifffile.imwrite(tmp_path / kind / f"{name}.tif", pixels)
        numbers[f"{name}.tif"] = sorted(chosen.tolist())
    (tmp_path / "stages.csv").write_text("image,stage\nfirst field,early\nsecond field,late\n")
    run = tmp_path / "run"
    options = [
        "--objects",
        tmp_path / "masks",
        "--crop-size",
        20,
        "--labels",
        tmp_path / "stages.csv",
    ]
    args = ["embed", tmp_path / "images", *options, "--out", run, *QUICK]
    assert main([str(arg) for arg in args]) == 0
    assert "32 patches, 20 x 20 pixels" in capsys.readouterr().out
    table = pd.read_csv(run / "embedding.csv")
    found = table.groupby("source")["label_id"].apply(sorted).to_dict()
    assert found == numbers
    assert table.groupby("source")["label"].unique().map(list).to_dict() == {
        "first field.tif": ["early"], "second field.tif": ["late"],
    }  # fmt: skip
    # The map takes one image and its labels as well.
    one = [tmp_path / "images/first field.tif", "--objects", tmp_path / "masks/first field.tif"]
    placed = tmp_path / "placed.csv"
    args = ["transform", run, *one, "--crop-size", 20, "--out", placed]
    assert main([str(arg) for arg in args]) == 0
    assert sorted(pd.read_csv(placed)["label_id"]) == numbers["first field.tif"]


def test_cells_of_a_slide_are_embedded_around_their_outlines(tmp_path, capsys):
    slide = write_pyramid(tmp_path / "a.tif", tissue(512, 640), levels=2)
    cells = [
        {
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, y], [x + 20, y], [x, y + 20]]],
            },
            "properties": {"classification": {"name": "even" if x % 40 else "odd"}},
        }
        for x in range(100, 220, 20)
        for y in range(100, 220, 20)
    ]
    (tmp_path / "a.geojson").write_text(json.dumps(cells))
    run = tmp_path / "run"
    told = [slide, "--objects", tmp_path / "a.geojson"]
    args = ["embed", *told, "--crop-size", 16, "--crop-level", 1, "--out", run, *QUICK]
    assert main([str(arg) for arg in args]) == 0
    said = capsys.readouterr().out
    assert "36 patches, 16 x 16 pixels" in said
    assert "2 labels: even 18, odd 18" in said
    table = pd.read_csv(run / "embedding.csv")
    assert table[["height", "width"]].to_numpy().tolist() == [[32, 32]] * 36
    args = ["embed", *told, "--mpp", 0.5, "--out", tmp_path / "other", *QUICK]
    assert main([str(arg) for arg in args]) == 2
    assert "either as tiles or around objects" in capsys.readouterr().err


def test_a_table_of_slides_labels_their_tiles(tmp_path, capsys):
    for i, name in enumerate(("a", "b")):
        write_pyramid(tmp_path / f"slides/{name}.tif", tissue(512, 640, seed=i), levels=2)
    (tmp_path / "cases.csv").write_text("slide,diagnosis\nb,tumour\na,benign\n")
    run = tmp_path / "run"
    args = ["embed", tmp_path / "slides", "--labels", tmp_path / "cases.csv", "--tile-size", 64,
            "--foreground", "none", "--tiles-per-slide", 12, "--out", run, *QUICK]  # fmt: skip
    assert main([str(arg) for arg in args]) == 0
    assert "2 labels: benign 12, tumour 12" in capsys.readouterr().out
    table = pd.read_csv(run / "embedding.csv")
    assert list(zip(table["slide"], table["label"], strict=True)) == [
        *[("a", "benign")] * 12, *[("b", "tumour")] * 12,
    ]  # fmt: skip


def test_same_command_same_map(stack, tmp_path):
    for name in ("a", "b"):
        assert main(["embed", str(stack), "--out", str(tmp_path / name), *QUICK]) == 0
    assert (tmp_path / "a/embedding.csv").read_bytes() == (
        tmp_path / "b/embedding.csv"
    ).read_bytes()


def test_demo_without_a_display_prints_figures_and_the_run(tmp_path):
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    out = tmp_path / "demo"
    result = subprocess.run(
        [sys.executable, "-m", "napari_patchmap.cli", "demo", "--minutes", "0.1", "--out", out],
        capture_output=True, text=True, env=env, timeout=900,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "15-NN accuracy in 2-D" in result.stdout
    assert str(out / "map.png") in result.stdout
    assert "No display here" in result.stdout
    assert "left" in result.stderr  # progress with time left
    assert (out / "map.png").exists()


def test_interrupt_keeps_the_map(stack, tmp_path):
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_patchmap.cli", "embed", str(stack), "--out", str(out),
         "--minutes", "30", "--device", "cpu"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "stage 1" in line:
            break
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out_text, _ = process.communicate(timeout=900)
    assert process.returncode == 0
    assert "kept" in out_text
    assert json.loads((out / "config.json").read_text())["complete"] is False
    assert len(pd.read_csv(out / "embedding.csv")) == 60


def test_interrupt_ends_the_loading_in_one_line(stack, tmp_path):
    rows = "".join(f"nowhere/{i}.png,{i % 3}\n" for i in range(1_500_000))
    (tmp_path / "labels.csv").write_text("file,label\n" + rows)
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_patchmap.cli", "embed", str(stack), "--out",
         str(tmp_path / "run"), "--labels", str(tmp_path / "labels.csv")],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "reading" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(timeout=600) == 2
    assert "Loading was cancelled" in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


def fails(capsys, *args: object) -> str:
    """Run a command that must fail; return its one line."""
    try:
        code = main([str(a) for a in args])
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    assert code == 2
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert "Traceback" not in captured.err
    return lines[0]


def test_bad_input_is_one_line(stack, tmp_path, capsys):
    out = tmp_path / "run"
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/readme.txt").write_text("no images")
    np.savez(tmp_path / "objects.npz", images=np.array([{"a": 1}], dtype=object))
    one = make_cells(1)
    np.save(tmp_path / "one.npy", one.stack())
    np.save(tmp_path / "same.npy", np.repeat(one.stack(), 30, axis=0))
    (tmp_path / "wrong.csv").write_text("file,label\nx.png,a\n")
    cases = {
        ("embed", tmp_path / "nowhere", "--out", out): "nowhere",
        ("embed", tmp_path / "empty", "--out", out): "empty",
        ("embed", tmp_path / "notes", "--out", out): "notes",
        ("embed", tmp_path / "objects.npz", "--out", out): "Python objects",
        ("embed", tmp_path / "one.npy", "--out", out): "at least 10 patches",
        ("embed", tmp_path / "same.npy", "--out", out): "identical",
        ("embed", stack, "--out", out, "--labels", tmp_path / "wrong.csv"): "wrong.csv",
        ("embed", stack, "--out", out, "--minutes", "-3"): "at least 0.1 min",
        ("embed", stack, "--out", out, "--batch-size", "many"): "must be a number",
        ("embed", stack, "--out", out, "--method", "magic"): "tsimcne",
        ("embed", stack, "--out", tmp_path / "wrong.csv"): "is a file",
        ("embed", stack, "--out", tmp_path / "notes"): "not empty",
        ("embed", stack): "--out",
        ("embed", stack, "--out", out, "--balance-by", "nope"): "has no column nope",
        (
            "embed",
            stack,
            "--out",
            out,
            "--balance-by",
            "/nowhere:group",
        ): "no saved run /nowhere",
        ("evaluate", tmp_path / "empty"): "not a saved run",
        ("transform", tmp_path / "empty", stack, "--out", "x.csv"): "not a saved run",
    }
    for args, said in cases.items():
        assert said in fails(capsys, *args), args
    assert not out.exists()


def test_a_run_is_not_overwritten_and_nothing_is_trained(stack, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["embed", str(stack), "--out", str(out), *QUICK]) == 0
    before = (out / "embedding.csv").stat().st_mtime_ns
    capsys.readouterr()
    assert "already holds a run" in fails(capsys, "embed", stack, "--out", out, "--minutes", 5)
    assert "nothing to resume" in fails(capsys, "embed", stack, "--out", out, "--resume")
    assert (out / "embedding.csv").stat().st_mtime_ns == before


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit):
        main(["embed", "--help"])
    text = capsys.readouterr().out
    for option in ("--minutes", "--epochs", "--batch-size", "--backbone", "--device", "--seed"):
        assert option in text
