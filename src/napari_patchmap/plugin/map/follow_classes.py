"""Colouring the map by what people annotate, as soon as they do."""

from __future__ import annotations

from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.given_names import SUGGESTED
from napari_patchmap.plugin.map.shown_map import ShownMap


class FollowClasses:
    """Gives points the colours of the annotation that is worked on, and of suggestions.

    Attributes
    ----------
    on : bool
        Whether it does; people switch it off in the tab Annotate.
    """

    def __init__(self, owner: ShownMap) -> None:
        self._owner, self._workspace, self.on = owner, owner.workspace, True
        self._workspace.annotations_changed.connect(self._on_annotations)
        self._workspace.suggestions_changed.connect(self._on_suggestions)

    def switch(self, on: bool) -> None:
        """Colour by the annotation from now on, or by the labels again."""
        self.on = on
        annotation, patches = self._workspace.annotations.now, self._workspace.patches
        if on and annotation.classes:
            self._owner.colour_by(annotation.name)
        elif patches is not None:
            self._owner.colour_at_first(patches)

    def _on_annotations(self, annotations: Annotations) -> None:
        shown, annotation = self._owner.colouring, annotations.now
        other = shown is not None and shown.column != annotation.name
        if self.on and annotation.classes and other and not self._owner.busy:
            self._owner.colour_by(annotation.name)

    def _on_suggestions(self, found: object) -> None:
        if found is not None and self.on:
            self._owner.colour_by(SUGGESTED)
