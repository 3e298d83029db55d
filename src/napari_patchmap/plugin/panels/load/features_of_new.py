"""Features of new images that are to be placed on a map of features of people's own."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_patchmap.methods.method import NEW_SETTINGS
from napari_patchmap.methods.train_config import TrainConfig
from napari_patchmap.patches import Kind
from napari_patchmap.plugin.qt.basics import column, label
from napari_patchmap.plugin.qt.form import ConfigForm
from napari_patchmap.runs import Run


class FeaturesOfNew(QWidget):
    """Asks for their file where the map of a run needs it; hidden otherwise.

    Attributes
    ----------
    form : ConfigForm
        The settings that a training has for this, too.
    """

    def __init__(self) -> None:
        super().__init__()
        others = [one.name for one in TrainConfig.settings() if one.name not in NEW_SETTINGS]
        self.form = ConfigForm(TrainConfig(method="features"), skip=tuple(others))
        self._run: Run | None = None
        column(
            self,
            label(
                "The map was made of features, so images that are placed on it need theirs.",
                "hint",
                wrap=True,
            ),
            self.form,
        )

    def show_for(self, run: Run | None, kind: Kind) -> None:
        """Ask if images of a kind need them on the map of a run; of another map anew."""
        if run is not self._run:
            self._run = run
            self.form.set_config(TrainConfig(method="features"))
        # Points are their features themselves.
        needed = run is not None and not run.sees_images and kind is not Kind.POINTS
        self.setVisible(needed)

    def take(self) -> tuple[str | None, str | None]:
        """Return the file and which of it are features, None where nothing is said of it."""
        if self.isHidden():
            return None, None
        self.form.commit()
        return self.form.config.features, self.form.config.feature_columns
