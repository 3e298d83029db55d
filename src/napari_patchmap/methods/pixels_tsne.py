"""t-SNE of pixels, without any training.

A baseline of Nwabufo et al., "Self-supervised Visualisation of Medical Image
Datasets": raw pixels in [0, 1] (of large patches the first 100 principal components),
laid out by openTSNE with its defaults.
"""

from __future__ import annotations

from napari_patchmap.errors import ConfigError
from napari_patchmap.methods.method import Method
from napari_patchmap.networks.fixed import PIXELS


def _check(backbone: str | None, weights: str | None) -> None:
    if weights is not None:
        raise ConfigError("The method pixels has no network; leave the weights out.")
    if backbone is not None:
        raise ConfigError("The method pixels has no backbone; leave it out.")


METHOD = Method(
    name="pixels",
    title="t-SNE of pixels",
    help="nothing is learned, t-SNE lays the pixels out",
    check=_check,
    implied=lambda chosen: PIXELS,
    unused=("epochs", "minutes", "backbone", "learn_on"),
    refines=False,
)
