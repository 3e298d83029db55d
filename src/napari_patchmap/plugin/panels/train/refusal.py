"""Why nothing can be started by the settings that are shown, beside what would start it."""

from __future__ import annotations

from napari_patchmap.plugin.qt.basics import button, row
from napari_patchmap.plugin.qt.docks import way_to
from napari_patchmap.plugin.qt.texts import Message


class Refusal(Message):
    """The sentence of a setting that was refused; it stays until the setting is mended."""

    def __init__(self) -> None:
        super().__init__()
        self.augment = button("Go to Augmentations →", "link", way_to("augment"))
        self.check = button("Check again", "link", "Look again, say for a file.")
        self.below.addLayout(row(self.augment, self.check, 1))
        self.show_refusal("")

    def show_refusal(
        self, sentence: str, *, elsewhere: bool = False, again: bool = False
    ) -> None:
        """Show a sentence and what can be done about it; "" hides it."""
        self.augment.setVisible(elsewhere)
        self.check.setVisible(again)
        self.say(sentence, "error")
