"""What papers have published of maps, table by table, to be set beside ours."""

from __future__ import annotations

from dataclasses import dataclass

from napari_patchmap.quality.figure import QualityFigure
from napari_patchmap.quality.knn import KNN
from napari_patchmap.quality.silhouette import SILHOUETTE


@dataclass(frozen=True)
class Published:
    """A table of a paper.

    Parameters
    ----------
    title : str
        With its source.
    figures : tuple of QualityFigure
        What it shows.
    sets : tuple of str
        Sets of images there, a column each.
    rows : tuple of str
        What stands in each row, a part for each set, separated by semicolons.
    """

    title: str
    figures: tuple[QualityFigure, ...]
    sets: tuple[str, ...]
    rows: tuple[str, ...]

    def column(self, number: int) -> list[str]:
        """Return what stands in the column of a set."""
        return [row.split(";")[number].strip() for row in self.rows]


_SOURCE = (
    "Nwabufo, Böhm, Berens and Kobak, Self-supervised visualisation of medical image datasets, "
    "2024"
)
_SETS = ("Leukemia", "BloodMNIST", "DermaMNIST", "PathMNIST", "PCam16")

#: t-SimCNE, then SimCLR and t-SNE, each with the default augmentations, with turns by right
#: angles, by any angle; t-SNE of pixels, and of ImageNet's features of two networks.
ACCURACIES = Published(
    f"Table 2 of {_SOURCE}: 15-NN accuracy in 2-D in percent, three runs (PCam16: one).",
    (KNN,),
    _SETS,
    (
        "86.3 ± 0.7; 90.4 ± 0.3; 77.3 ± 0.6; 97.2 ± 0.2; 92.6",
        "94.4 ± 0.1; 93.0 ± 0.3; 77.5 ± 0.3; 98.0 ± 0.0; 93.1",
        "95.1 ± 0.2; 92.9 ± 0.1; 80.1 ± 0.7; 97.3 ± 0.0; 90.8",
        "95.0 ± 0.1; 94.0 ± 0.1; 81.9 ± 0.1; 98.1 ± 0.0; 96.3",
        "95.9 ± 0.1; 95.8 ± 0.1; 80.8 ± 0.6; 98.4 ± 0.0; 96.4",
        "95.6 ± 0.1; 95.4 ± 0.1; 82.2 ± 0.2; 97.9 ± 0.1; 94.9",
        "69.0; 73.2; 78.0; 56.9; 76.9",
        "82.0; 78.1; 81.9; 87.2; 86.7",
        "72.9; 72.9; 81.0; 88.8; 86.4",
    ),
)
SILHOUETTES = Published(
    f"Table 3 of {_SOURCE}: silhouette in 2-D, three runs (PCam16: one).",
    (SILHOUETTE,),
    _SETS,
    (
        "0.13 ± 0.00; 0.40 ± 0.00; 0.13 ± 0.01; 0.45 ± 0.02; 0.04",
        "0.33 ± 0.01; 0.44 ± 0.03; 0.11 ± 0.00; 0.48 ± 0.06; 0.05",
        "0.52 ± 0.02; 0.50 ± 0.01; 0.13 ± 0.06; 0.41 ± 0.03; 0.05",
        "0.21 ± 0.01; 0.37 ± 0.00; 0.14 ± 0.00; 0.23 ± 0.01; 0.16",
        "0.23 ± 0.01; 0.35 ± 0.02; 0.14 ± 0.01; 0.25 ± 0.01; 0.13",
        "0.21 ± 0.00; 0.37 ± 0.02; 0.16 ± 0.00; 0.26 ± 0.00; 0.06",
        "-0.09; 0.07; 0.08; -0.05; 0.02",
        "-0.11; 0.13; 0.14; 0.17; 0.04",
        "-0.15; 0.03; 0.14; 0.19; 0.05",
    ),
)

#: t-SimCNE with turns by any angle; without crops, without colour jitter, without grayscaling.
ABLATIONS = Published(
    f"Table 4 of {_SOURCE}: t-SimCNE without single augmentations, 15-NN accuracy in 2-D in "
    "percent and silhouette, three runs.",
    (KNN, SILHOUETTE),
    ("Leukemia", "BloodMNIST", "PathMNIST"),
    (
        "95.1 ± 0.2, 0.52 ± 0.02; 92.9 ± 0.1, 0.50 ± 0.01; 97.3 ± 0.0, 0.41 ± 0.03",
        "79.7 ± 0.6, 0.14 ± 0.00; 76.0 ± 1.1, 0.20 ± 0.01; 59.8 ± 1.1, -0.02 ± 0.03",
        "82.0 ± 0.2, -0.01 ± 0.01; 90.0 ± 0.1, 0.45 ± 0.02; 94.3 ± 0.3, 0.24 ± 0.02",
        "95.6 ± 0.4, 0.52 ± 0.02; 92.1 ± 0.3, 0.44 ± 0.01; 98.5 ± 0.0, 0.39 ± 0.05",
    ),
)
