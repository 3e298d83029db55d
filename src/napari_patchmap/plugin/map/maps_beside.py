"""Other maps of the same patches beside the map, under titles that say which is which."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_patchmap.plugin.map.layer_edits import LayerEdits
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.workspace import Compared
from napari_patchmap.runs import caption_of
from napari_patchmap.runs.comparison import labels_apart


class MapsBeside:
    """Puts maps that are compared beside the map, and makes them look like it.

    Parameters
    ----------
    shown : ShownMap
    edits : LayerEdits
    seen : callable
        Is told when a person shows or hides one of them.
    """

    def __init__(self, shown: ShownMap, edits: LayerEdits, seen: Callable[..., object]) -> None:
        self._shown, self._edits, self._seen = shown, edits, seen

    def put(self, maps: Sequence[Compared]) -> None:
        """Show these maps, and no others, beside the map."""
        shown, run = self._shown, self._shown.workspace.run
        if shown.points is None:
            return
        title = shown.points.name if run is None else caption_of(
            run.config, run.layout, run.metrics, complete=run.complete, evened=run.evened_by
        )  # fmt: skip
        labels = ["" if run is None else run.label_from, *(m.saved.label_from for m in maps)]
        own, *others = labels_apart(labels)
        beside = [
            (_with(one.saved.caption, said), one.embedding)
            for one, said in zip(maps, others, strict=True)
        ]
        with shown.quiet():
            shown.board.put_beside(_with(title, own), beside)
        for layer in shown.board.layers.values():
            layer.visible = shown.views.now == "map"
            layer.events.visible.connect(self._seen)
        self._edits.mirror()
        shown.paint()
        shown.mark_current()


def _with(caption: str, said: str) -> str:
    """Add to the line of the figures of a caption, not to its title."""
    between = ", " if "\n" in caption else "\n"
    return f"{caption}{between}{said}" if said else caption
