"""What a person found among the patches, as one value that is kept with them."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.named_selections import NamedSelections


@dataclass(frozen=True)
class Findings:
    """What patches are called, and selections that have a name.

    Two are equal where their parts are the same values.

    Parameters
    ----------
    annotations : Annotations
    selections : NamedSelections
    """

    annotations: Annotations
    selections: NamedSelections = field(default_factory=NamedSelections)

    @property
    def empty(self) -> bool:
        """Whether there is nothing that would be worth keeping."""
        return self.annotations.empty and self.selections.empty
