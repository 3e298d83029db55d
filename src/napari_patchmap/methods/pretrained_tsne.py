"""t-SNE of what a network sees in the patches that was trained by others.

Any network of timm, one of Hugging Face that timm can make, or one in a folder. By default a
baseline of Nwabufo et al., "Self-supervised Visualisation of Medical Image
Datasets": the features of an ImageNet-trained ResNet (shorter side to 256 px, centre of
224 x 224 px, ImageNet's mean and deviation), laid out by openTSNE with its defaults.
"""

from __future__ import annotations

from napari_patchmap.methods.method import Method
from napari_patchmap.networks.fixed import PRETRAINED
from napari_patchmap.networks.trained.network_names import check_names

#: What Nwabufo et al. look at patches with.
_USUAL = "resnet18"


def _check(backbone: str | None, weights: str | None) -> None:
    if backbone is not None:
        check_names(backbone)


METHOD = Method(
    name="pretrained",
    title="t-SNE of pretrained features",
    help="nothing is learned, t-SNE lays out what a trained network sees",
    check=_check,
    implied=lambda chosen: PRETRAINED + (chosen or _USUAL),
)
