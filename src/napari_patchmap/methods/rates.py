"""Usual learning rates and weight decays, for those who choose another optimiser."""

from __future__ import annotations

from dataclasses import replace

from napari_patchmap.methods.stage import Optimiser, Stage

#: Weight decay that goes with an optimiser in the publications of :func:`usual_rate`.
USUAL_DECAY: dict[Optimiser, float] = {
    "sgd": 5e-4,
    "adamw": 0.04,
    "lars": 1e-6,
    "lamb": 1e-6,
    "muon": 0.01,
}


def usual_rate(optimiser: Optimiser, batch_size: int) -> float:
    """Return the published learning rate for so many patches in a step.

    SGD: Böhm et al., "Unsupervised visualization of image datasets using
    contrastive learning", 2023. AdamW: Caron et al., "Emerging properties in
    self-supervised vision transformers", 2021. LARS: Chen et al., "A simple
    framework for contrastive learning of visual representations", 2020. LAMB:
    Ciga et al., "Self supervised contrastive learning for digital
    histopathology", 2022. Muon: ours, for minutes on a CPU.
    """
    share = batch_size / 256
    return {
        "sgd": 0.03 * share,
        "adamw": 5e-4 * share,
        "lars": 0.3 * share,
        "lamb": 0.005 * (batch_size / 512) ** 0.5,
        "muon": 0.02 * share**0.5,
    }[optimiser]


def with_optimiser(
    stages: tuple[Stage, ...],
    optimiser: Optimiser | None = None,
    rate: float | None = None,
    decay: float | None = None,
) -> tuple[Stage, ...]:
    """Return stages of which those that train the network follow the user.

    An optimiser comes with its usual rate and decay unless those are given; without one
    each stage keeps its own. The rate is the highest of the first of these stages, to which
    those of the others keep their ratio.
    """
    whole = [s for s in stages if s.moves_backbone] or [s for s in stages if s.learns_features]
    if not whole:
        return stages
    if optimiser is not None:
        rate = usual_rate(optimiser, whole[0].batch_size) if rate is None else rate
        decay = USUAL_DECAY[optimiser] if decay is None else decay
    scale = 1.0 if rate is None else rate / whole[0].lr
    return tuple(
        stage
        if stage not in whole
        else replace(
            stage,
            optimiser=optimiser or stage.optimiser,
            lr=stage.lr * scale,
            weight_decay=stage.weight_decay if decay is None else decay,
        )
        for stage in stages
    )
