"""How a method learns with a network that came trained: step by step, from its end on.

A new head first, while the network rests, so that its features are not spoilt by what a head
with random weights asks for (Kumar et al., "Fine-tuning can distort pretrained features and
underperform out-of-distribution", 2022); then its last blocks, or low-rank adapters of all of
them, which of transformers that were trained on tissue or radiographs came out as well as or
better than all weights (Lee et al., "Benchmarking pathology foundation models", 2024; Lian et
al., "Less could be better", 2024); then all of it, each block at a lower rate than the one
after it (Clark et al., "ELECTRA", 2020; Bao et al., "BEiT", 2022).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from napari_patchmap.errors import ConfigError
from napari_patchmap.methods.coarse import WHOLE
from napari_patchmap.methods.method import Method
from napari_patchmap.methods.objectives import CachedViewsObjective, ViewsObjective
from napari_patchmap.methods.recipe import Recipe
from napari_patchmap.methods.stage import MovingWeights, Stage
from napari_patchmap.networks.trained.network_names import is_place

#: How far a trained network learns; "auto" undoes what does not help.
LearnOn = Literal["auto", "none", "head", "adapters", "blocks", "all"]

#: Share of the time, and of the epochs, of each step by how many there are.
SHARES = {1: (1.0,), 2: (0.25, 0.75), 3: (0.15, 0.35, 0.5)}

#: Rates of AdamW: of the head alone, and for 256 patches in a step of adapters (which want
#: higher ones: Biderman et al., "LoRA learns less and forgets less", 2024) and of what is
#: learned with the network, which its blocks divide by the factors between them.
_HEAD_RATE, _ADAPTER_RATE, _RATE, _DECAY = 1e-3, 1e-3, 5e-4, 0.01

#: Of so many times as few epochs as a network needs that knows nothing.
SOONER = 10.0

#: One in so many blocks is a last one.
_LAST = 3


def how_far(how: LearnOn | None, method: Method, backbone: str | None) -> LearnOn | None:
    """Return how far a backbone goes on learning by some settings; None if it does not.

    Raises
    ------
    ConfigError
        If nothing can be learned so.
    """
    if not method.trains:
        if how in (None, "none"):
            return None
        raise ConfigError(
            f"The method {method.name} learns nothing; choose simclr, tsimcne or dino to let a "
            "trained network learn further."
        )
    if how == "none":
        raise ConfigError(
            "A network that is to learn nothing is laid out by the method pretrained; choose "
            "that, or how far the network learns on."
        )
    if how is not None and backbone is None:
        raise ConfigError(
            "Learn on goes on with a network that came trained; name it as the backbone "
            "(patchmap networks lists some)."
        )
    return how or ("auto" if backbone is not None and is_place(backbone) else None)


def learned_on(
    recipe: Recipe,
    how: LearnOn,
    blocks: int,
    last: int | None,
    decay: float,
    batch_size: int,
    most: int = len(SHARES),
    rank: int = 0,
) -> Recipe:
    """Return a recipe whose first stage, which learns features, is taken step by step.

    In later stages the network rests: the features are those that were judged.

    Parameters
    ----------
    recipe : Recipe
        Of a network that begins with random weights.
    how : {"auto", "head", "adapters", "blocks", "all"}
    blocks : int
        Of the network.
    last : int or None
        How many of them are the last ones; None for a third.
    decay : float
        Rate of a block as a share of that of the next one.
    batch_size : int
        Patches in a step.
    most : int
        So many steps are made at most, the first ones.
    rank : int
        Of the network's low-rank adapters, which learn in place of its last blocks; 0 for none.
    """
    first, *later = recipe.stages
    last = min(blocks, last or max(1, round(blocks / _LAST)))
    steps = tuple(_steps(first, how, blocks, last, decay, batch_size, most, rank))
    rest = tuple(
        replace(stage, trains="projector") if stage.trains == "all" else stage
        for stage in later
    )
    return replace(recipe, stages=(*steps, *rest), average_symmetries=False)


def _steps(
    first: Stage,
    how: LearnOn,
    blocks: int,
    last: int,
    decay: float,
    batch_size: int,
    most: int,
    rank: int,
) -> Iterator[Stage]:
    names: dict[MovingWeights, str] = {
        "head": "learning the head",
        "adapters": f"learning adapters of rank {rank}",
        "blocks": f"learning the last {last} of {blocks} blocks",
        "all": "learning all of the network",
    }
    del names["blocks" if rank else "adapters"]
    if last == blocks:  # which is all of it, but for what comes before
        names.pop("blocks", None)
    wanted = list(names)
    if how in names:
        wanted = wanted[: wanted.index(how) + 1]
    elif how == "blocks":
        wanted = ["head", "all"]
    wanted = wanted[:most]
    for trains, share in zip(wanted, SHARES[len(wanted)], strict=True):
        step = replace(
            first,
            name=names[trains],
            epochs=share * first.epochs,
            share=share * first.share,
            lr=(_ADAPTER_RATE if trains == "adapters" else _RATE) * batch_size / 256,
            trains=trains,
            optimiser="adamw",
            weight_decay=_DECAY,
            # Adapters begin as nothing, so none has to be held back.
            layer_decay=1.0 if trains == "adapters" else decay,
            last_blocks=last if trains == "blocks" else None,
            judged="decides" if how == "auto" else "told",
            coarse=WHOLE,  # it was trained with views of its size
        )
        if trains == "head":
            step = replace(step, lr=_HEAD_RATE, objective=_cached(first))
        yield step


def _cached(first: Stage) -> CachedViewsObjective:
    """Compare views as the method does; as SimCLR does where it compares none."""
    known = first.objective
    if type(known) is ViewsObjective:
        return CachedViewsObjective(known.similarity, known.temperature)
    return CachedViewsObjective("cosine")
