"""How much room decoded patches take on this computer, and a way to free it."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from napari_patchmap.patches.cache.cache_folder import cache_folder, cache_size, clear_cache
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.preferences import PREFERENCES
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe


class CacheLine(QWidget):
    """One quiet line; clearing is asked once, and done in the background."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0
        self.text = label("", "hint", wrap=True)
        self.clear = button("Clear", "link", "Remove all decoded patches from this computer.")
        self.yes = button("Remove", "", "Remove them; images are decoded again when needed.")
        self.no = button("Keep", "", "Leave them where they are.")
        rows = row(self.text, self.clear, self.yes, self.no)
        rows.setStretch(0, 1)
        self.trouble = label("", "error", wrap=True)
        column(self, self.trouble, rows)
        self._newest = Newest(self, "Measuring the cache", self._on_measured)
        self.clear.clicked.connect(self._ask)
        self.no.clicked.connect(lambda: self.refresh())
        self.yes.clicked.connect(self._clear)
        subscribe(self, PREFERENCES.changed, self.refresh)
        self.hide()
        self.refresh()

    @property
    def busy(self) -> bool:
        """Whether the cache is being measured or cleared."""
        return self._newest.busy

    def refresh(self, *_: Any) -> None:
        """Measure again, in the folder where the cache is now."""
        self.text.setToolTip(
            f"<qt>{cache_folder()}<br>Images are decoded once and kept here, so that they open "
            "at once the next time. Place and size are among napari's Preferences.</qt>"
        )
        self.trouble.setText(PREFERENCES.trouble)
        self.trouble.setVisible(bool(PREFERENCES.trouble))
        self._newest.ask(lambda watch: (*cache_size(watch), None))

    def _ask(self) -> None:
        self._say(f"Remove {size_text(self._bytes)}? They are decoded again when needed.", True)

    def _clear(self) -> None:
        self._say("Removing…", None)
        self._newest.ask(_cleared)

    def _on_measured(self, found: tuple[int, int, int | None]) -> None:
        self._bytes, sets, freed = found
        if freed is not None:
            self._say(f"{size_text(freed)} freed.", None)
            return
        sets_text = f"{sets:,} set{'s'[: sets != 1]}"
        self._say(
            f"Decoded patches kept on this computer: {size_text(self._bytes)} in {sets_text}",
            False,
        )
        self.text.setVisible(sets > 0)
        self.clear.setVisible(sets > 0)
        self.setVisible(sets > 0 or bool(PREFERENCES.trouble))

    def _say(self, text: str, asking: bool | None) -> None:
        """Show a text with the buttons that go with it, none while it is only told."""
        self.text.setText(text)
        self.clear.setVisible(asking is False)
        self.yes.setVisible(bool(asking))
        self.no.setVisible(bool(asking))


def size_text(size: int) -> str:
    """Say a number of bytes."""
    value, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    digits = 1 if unit != "bytes" and value < 10 else 0
    return f"{value:,.{digits}f} {unit}"


def _cleared(_: Watch) -> tuple[int, int, int]:
    freed = clear_cache()
    return (*cache_size(), freed)
