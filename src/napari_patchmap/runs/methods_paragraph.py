"""What a paper has to say of how a map was made, with what it has to cite."""

from __future__ import annotations

from typing import Any

from napari_patchmap.layout.tsne import LAST
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.percent import rounded
from napari_patchmap.quality import defined_in
from napari_patchmap.runs.evening import FEWEST, Evening
from napari_patchmap.runs.run import Run

#: What every map rests on, and what a t-SNE does.
_OURS = "napari-patchmap"
_TSNE = (
    "Poličar P. G., Stražar M., Zupan B. openTSNE: a modular Python library for t-SNE "
    "dimensionality reduction and embedding. Journal of Statistical Software 109(3), 2024."
)
_EVENED = (
    "Celik S., Hütter J.-C., Melo Carlos S. et al. Building, benchmarking, and exploring "
    "perturbative maps of transcriptional and morphological data. PLOS Computational Biology "
    "20(10), 2024."
)
_ADAPTERS = (
    "Hu E. J., Shen Y., Wallis P. et al. LoRA: Low-rank adaptation of large language models. "
    "International Conference on Learning Representations, 2022."
)
_NAPARI = "napari contributors. napari: a multi-dimensional image viewer for Python."


def methods_paragraph(run: Run, versions: dict[str, str]) -> str:
    """Return some sentences for the methods section of a paper."""
    method = METHODS[run.config.train.method]
    height, width = run.network.spec.size
    ours = f"{_OURS} {versions[_OURS]}" if _OURS in versions else _OURS
    first = (
        f"{len(run):,} image patches of {width} x {height} pixels were arranged in a map of "
        f"{run.embedding.shape[1]} dimensions with {ours} ({method.title})."
    )
    parts = [first]
    if method.trains:
        parts.append(_trained(run))
    if run.evened is not None:
        parts.append(_evened(run.evened))
    if run.layout == "tsne":
        parts.append(_laid_out(run))
    if not run.complete:
        parts.append("The training was stopped before its end.")
    return " ".join(filter(None, [*parts, _measured(run.metrics)]))


def _trained(run: Run) -> str:
    info = run.info
    epochs = " + ".join(rounded(one) for one in info.get("epochs", []))
    named = dict.fromkeys(stage.get("optimiser", "") for stage in info.get("stages", []))
    optimisers = ", then ".join(filter(None, named))
    return (
        f"{_network(run)} on the patches themselves, without labels"
        f"{f' for {epochs} epochs' if epochs else ''}, in batches of "
        f"{info.get('batch_size', 0)}, on {info.get('device', 'a computer')}; its random views "
        f"were made with the augmentations {run.config.augment.called}. "
        + (f"The optimiser was {optimisers}. " if optimisers else "")
        + f"The random seed was {run.config.train.seed}."
    )


def _network(run: Run) -> str:
    """Say which network was trained, and which steps of one that came trained were kept."""
    spec = run.network.spec
    if spec.trained is None:
        return f"A network ({spec.backbone.replace(':', ' ')}) was trained"
    steps = run.info.get("learned_on", [])
    kept = ", then ".join(one["stage"] for one in steps if one["kept"])
    what = f"learned further ({kept})" if kept else "stayed as it was after trials to learn"
    return f"A network that came trained ({spec.trained.name}) {what}"


def _laid_out(run: Run) -> str:
    used = run.config.train.tsne()
    last = f", and a last exaggeration of {used.last_exaggeration:g} over {LAST} iterations"
    start = "principal components" if used.start == "pca" else f"a {used.start} layout"
    return (
        f"{_whitened(run)} laid out by t-SNE (openTSNE; perplexity {used.perplexity:g}, "
        f"{used.metric} distance, exaggeration {used.exaggeration:g} after the early phase, "
        f"beginning with {start}{last if used.last_exaggeration else ''})."
    )


def _whitened(run: Run) -> str:
    power = run.network.spec.whitening
    if not power:
        return "Features were"
    return (
        "Features were turned to their principal components, each of which was divided by its "
        f"standard deviation to the power of {power:g}, and"
    )


def _evened(evening: Evening) -> str:
    alone = evening.unknown + sum(evening.small.values())
    rest = f"; {alone:,} patches of no batch of {FEWEST} by all patches" if alone else ""
    return (
        f"To even out {evening.column} ({len(evening.names)} batches), the features were "
        f"projected on {len(evening.axes)} principal components "
        f"({100 * evening.variance:g} % of their variance), each of which was centred and "
        f"scaled to unit variance in each batch (PCA-CenterScale{rest})."
    )


def citations(run: Run) -> list[str]:
    """Return what is to be cited for a map."""
    method = METHODS[run.config.train.method]
    steps = run.info.get("learned_on", [])
    adapted = any(one["kept"] and "adapters" in one["stage"] for one in steps)
    adapters = [_ADAPTERS] if adapted else []
    evened = [_EVENED] if run.evened is not None else []
    laid_out = [_TSNE] if run.layout == "tsne" else []
    return [*method.references, *adapters, *evened, *laid_out, _NAPARI]


def _measured(metrics: dict[str, Any]) -> str:
    """Say which figures judged the map, and that labels were used for nothing else."""
    figures = [
        f"{figure.name} {figure.text(metrics, 'exact')} ({figure.basis_of(metrics)})"
        for figure in defined_in(metrics)
        if figure.headline
    ]
    if not figures:
        return ""
    labels = " Labels were used for these figures alone." if metrics.get("labelled") else ""
    return f"On the patches that the map was made of: {'; '.join(figures)}.{labels}"
