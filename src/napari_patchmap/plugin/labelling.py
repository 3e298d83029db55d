"""Which column is the label of the patches of a viewer; another one at any time, map or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from psygnal import Signal

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.labels.choice import GIVEN, with_label
from napari_patchmap.plugin.of_viewer import OnePerViewer
from napari_patchmap.plugin.workspace import Workspace, workspace_of

if TYPE_CHECKING:
    from napari.viewer import Viewer

_TRAINING = "A map is being trained; cancel it or wait before choosing another label."


class Labelling(OnePerViewer):
    """Makes another column the label: of the patches, of their run, and in the run's folder.

    Map, selection and annotations stay. Who shows labels, or what was found out with them,
    listens.

    Signals
    -------
    changed()
        The patches have another label, and the figures of the one before are gone.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @classmethod
    def made_for(cls, viewer: Viewer) -> Self:
        """Make the one of a viewer."""
        return cls(workspace_of(viewer))

    def viewer_gone(self) -> None:
        """Tell nobody any more."""
        self.changed.disconnect()

    def choose(self, column: str) -> None:
        """Make another column the label.

        Parameters
        ----------
        column : str
            See :func:`napari_patchmap.patches.labels.choice.choose_label`.

        Raises
        ------
        PatchError
            If there is no such column, it makes no label, or a map is being trained; nothing
            is changed then.
        """
        workspace = self._workspace
        patches, run = workspace.patches, workspace.run
        if patches is None:
            return
        if workspace.training:
            raise PatchError(_TRAINING)
        before = patches.label_from or GIVEN
        if before in workspace.annotations.by_name:
            raise PatchError(
                f"An annotation is called {before}, as the label would be once it is a column "
                "like others; give the annotation another name first."
            )
        labelled = with_label(patches, column)
        trouble = "" if run is None else run.use_label(column, before)
        # The same patches in the same order: nothing that is shown of them has to go.
        workspace.patches = labelled
        workspace.measured_changed.emit()
        self.changed.emit()
        if trouble:
            workspace.say(trouble)
