"""Each method says of itself what all others must know, and nobody asks for its name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import napari_patchmap
from napari_patchmap.augment import AugmentConfig
from napari_patchmap.errors import ConfigError, TrainingError
from napari_patchmap.methods import catalog
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.recipe import kind_of
from napari_patchmap.networks.fine_tuned import FINE_TUNED
from napari_patchmap.networks.heads import HEADS
from napari_patchmap.runs import TrainConfig
from napari_patchmap.training.learners import learner_of

ROOT = Path(napari_patchmap.__file__).parent
each = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@each
@pytest.mark.parametrize("kind", ["compact", "quick", "paper"])
def test_a_method_can_be_trained_by_what_it_says(method, kind):
    assert method.usual_batch(kind) >= 2
    assert method.head in HEADS
    assert method.help
    assert (method.recipe is not None) == method.trains
    for preset in ("quick", "standard", "paper"):
        epochs = method.preset_epochs(preset, kind, 1000)
        recipe = method.make_recipe(kind, epochs, 64)
        assert tuple(stage.name for stage in recipe.stages) == method.stages
        assert [stage.epochs for stage in recipe.stages] == list(epochs)
        for stage in recipe.stages:
            assert learner_of(stage).objective is type(stage.objective)
            assert stage.to_dict()["name"] == stage.name
    settings, note = method.published(AugmentConfig(), kind)
    assert bool(settings) == bool(note)
    with pytest.raises(TrainingError, match="epochs"):
        method.make_recipe(kind, (1.0,) * 4, 64)


def test_no_method_of_a_file_is_forgotten_in_the_list():
    files = (ROOT / "methods").glob("*.py")
    having = {path.stem for path in files if "\nMETHOD = " in path.read_text("utf-8")}
    listed = {m.__name__.split(".")[-1] for m in vars(catalog).values() if hasattr(m, "METHOD")}
    assert having == listed


@each
def test_a_method_stands_in_its_own_file_and_in_the_help(method):
    (module,) = [m for m in vars(catalog).values() if getattr(m, "METHOD", None) is method]
    assert Path(module.__file__).parent == ROOT / "methods"
    (setting,) = [s for s in TrainConfig.settings() if s.name == "method"]
    assert setting.titles[method.name] == method.title
    assert f"{method.name}: {method.help}" in setting.help


@each
def test_settings_that_mean_nothing_to_a_method_are_left_out_of_a_grid(method):
    given = {"epochs": (3.0, 2.0, 1.0), "backbone": "resnet18", "minutes": 5.0, "seed": 2,
             "learn_on": "all"}  # fmt: skip
    known = method.known(given)
    unused = {*method.unused} & {*given}
    unused |= set() if method.trains else {"epochs", "minutes", "learn_on"}
    assert set(given) - set(known) == unused
    assert known["seed"] == 2
    assert TrainConfig(method=method.name, **known)
    if method.trains:
        assert len(known["epochs"]) == len(method.stages)


def test_only_methods_compare_their_names():
    found = []
    for path in ROOT.rglob("*.py"):
        if path.parent.name == "methods":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            values = node.comparators if isinstance(node, ast.Compare) else []
            sides = [*values, node.left] if values else []
            known = {v.value for v in sides if isinstance(v, ast.Constant)} & set(METHODS)
            about = "method" in " ".join(ast.unparse(side) for side in sides)
            found += [f"{path.name}:{node.lineno}"] if known and about else []
    assert found == []


def test_unknown_methods_and_what_a_method_does_not_have_are_refused():
    with pytest.raises(ConfigError, match="Method must be one of tsimcne, simclr"):
        TrainConfig(method="nothing")
    with pytest.raises(ConfigError, match="pixels has no backbone"):
        TrainConfig(method="pixels", backbone="resnet18")
    with pytest.raises(ConfigError, match="pixels has no network"):
        TrainConfig(method="pixels", weights="published")


def test_resnets_learn_within_minutes_unless_the_papers_schedule_is_asked_for():
    assert kind_of("resnet18-small-kernel", "quick") == "quick"
    assert kind_of("resnet18-small-kernel", "paper") == "paper"
    assert kind_of("resnet18-small-kernel", "standard") == "paper"
    assert kind_of("compact", "paper") == "compact"
    # What was trained before, or is no ResNet, is not moved by steps that were never tried.
    assert kind_of(FINE_TUNED + "resnet18", "quick") == "paper"
    assert kind_of("vit_small_patch16_224", "quick") == "paper"
    for name, optimiser in (("simclr", "muon"), ("tsimcne", "muon"), ("dino", "adamw")):
        method = METHODS[name]
        recipe = method.make_recipe("quick", (1.0,) * len(method.stages), 1024)
        assert recipe.stages[0].optimiser == optimiser
        assert recipe.average_symmetries == (name != "dino")
        assert method.usual_batch("quick") == method.usual_batch("paper")
