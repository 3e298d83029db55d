"""t-SNE of features of people's own, without a network: a file has a row for each patch.

Such as embeddings of a foundation model that ran elsewhere, or measurements of CellProfiler
or scPortrait. Laid out by openTSNE as those of the method pretrained are.
"""

from __future__ import annotations

from napari_patchmap.errors import ConfigError
from napari_patchmap.methods.method import Method
from napari_patchmap.networks.fixed import OWN


def _check(backbone: str | None, weights: str | None) -> None:
    for value, what in ((weights, "weights"), (backbone, "backbone")):
        if value is not None:
            raise ConfigError(f"The method features has no network; leave the {what} out.")


METHOD = Method(
    name="features",
    title="t-SNE of your own features",
    help="nothing is learned, t-SNE lays out the features of a file of your own",
    check=_check,
    implied=lambda chosen: OWN,
    unused=("epochs", "minutes", "backbone", "learn_on"),
    sees_images=False,
    refines=False,
)
