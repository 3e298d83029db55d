"""Networks and optimisers by their options on the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_patchmap.cli import main
from napari_patchmap.runs import Run
from tests.conftest import make_cells

SHORT = ["--epochs", "0.2", "0.1", "0.1", "--device", "cpu"]


@pytest.fixture
def stack(tmp_path):
    path = tmp_path / "cells.npy"
    np.save(path, make_cells(30).stack())
    return str(path)


def test_embed_with_another_network_and_optimiser(stack, tmp_path, capsys):
    out = tmp_path / "run"
    chosen = ["--backbone", "resnet34", "--optimiser", "lars", "--weight-decay", "0.0001"]
    assert main(["embed", stack, "--out", str(out), *chosen, *SHORT]) == 0
    assert "network resnet34, optimiser lars at a rate of" in capsys.readouterr().out
    saved = json.loads((out / "config.json").read_text())
    assert saved["config"]["train"]["optimiser"] == "lars"
    assert saved["training"]["stages"][0]["weight_decay"] == 1e-4
    run = Run.load(out)
    assert run.features.shape == (30, 512)
    assert sum(p.numel() for p in run.network.backbone.parameters()) == 21_284_672


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--backbone", "resnet19"], "closest names are resnet18"),
        (["--backbone", "test_convnext"], "cannot take patches of 16 x 16 px"),
        (["--optimiser", "adam"], "sgd"),
        (["--learning-rate", "-1"], "must be at least"),
    ],
)
def test_what_does_not_exist_or_fit_is_one_line(stack, tmp_path, capsys, options, said):
    code = 0
    try:
        code = main(["embed", stack, "--out", str(tmp_path / "run"), *options, *SHORT])
    except SystemExit as end:
        code = end.code
    assert code == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert said in error[-1]
    assert "Traceback" not in "".join(error)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("--method pretrained --backbone /nowhere/net", "There is no network in /nowhere/net"),
        ("--backbone /nowhere/net.pth", "There is no network in /nowhere/net.pth"),
        ("--backbone resnet18 --weights /nowhere/a.pth", "There is no file /nowhere/a.pth"),
        ("--method pretrained --backbone resnet18+/nowhere/net", "There is no network in"),
    ],
)
@pytest.mark.parametrize("command", ["embed", "benchmark"])
def test_a_network_is_looked_for_before_images_are_read(
    stack, tmp_path, capsys, command, chosen, said
):
    options = chosen.split()
    if command == "benchmark" and "--method" in options:
        options[0] = "--methods"
    assert main([command, stack, "--out", str(tmp_path / "run"), *options]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""  # images are told of once they are read
