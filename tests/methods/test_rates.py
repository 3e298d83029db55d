"""Another optimiser comes with its published rate and decay, where everything is trained."""

from __future__ import annotations

import pytest

from napari_patchmap.methods.rates import USUAL_DECAY, usual_rate, with_optimiser
from napari_patchmap.methods.recipe import RecipeRequest
from napari_patchmap.methods.tsimcne import hurried_recipe, paper_recipe


def asked(batch_size: int) -> RecipeRequest:
    return RecipeRequest("paper", (10.0, 5.0, 5.0), batch_size)


@pytest.mark.parametrize(
    ("optimiser", "rate"), [("sgd", 0.06), ("lars", 0.6), ("lamb", 0.005), ("adamw", 1e-3)]
)
def test_published_rates_at_512_patches(optimiser, rate):
    assert usual_rate(optimiser, 512) == pytest.approx(rate)


def test_lamb_grows_with_the_root_of_the_batch():
    # Ciga et al.: 4 / (2^((3 - (log2 b - 9) / 2)) * 100)
    assert usual_rate("lamb", 2048) == pytest.approx(4 / (2 ** (3 - (11 - 9) / 2) * 100))


@pytest.mark.parametrize("make", [paper_recipe, hurried_recipe])
def test_nothing_chosen_changes_nothing(make):
    stages = make(asked(256)).stages
    assert with_optimiser(stages) == stages


def test_the_papers_own_optimiser_changes_nothing():
    stages = paper_recipe(asked(1024)).stages
    assert with_optimiser(stages, "sgd") == stages


@pytest.mark.parametrize("make", [paper_recipe, hurried_recipe])
def test_only_stages_that_train_everything_follow(make):
    before = make(asked(512)).stages
    after = with_optimiser(before, "lars")
    assert after[1] == before[1]
    assert [s.optimiser for s in after if s.trains == "all"] == ["lars", "lars"]
    assert [s.weight_decay for s in after if s.trains == "all"] == [USUAL_DECAY["lars"]] * 2
    assert after[0].lr == pytest.approx(0.6)
    assert after[2].lr / after[0].lr == pytest.approx(before[2].lr / before[0].lr)


def test_rate_and_decay_can_be_given_alone():
    before = paper_recipe(asked(512)).stages
    first, second, third = with_optimiser(before, rate=0.5, decay=0.0)
    assert (first.lr, first.weight_decay, first.optimiser) == (0.5, 0.0, "sgd")
    assert second == before[1]
    assert third.lr == pytest.approx(0.0005)
