"""The letters of a PDF: fonts that go into the file, and what is in none of them."""

from __future__ import annotations

from fpdf import FPDF
from fpdf.fonts import TTFFont

from napari_patchmap.patches.names import printable
from napari_patchmap.runs.drawing.paper import fonts

#: Stands for a letter that no font here has.
_BOX = "□"


class Letters:
    """The fonts of a PDF: the first, upright and bold, and others where its letters end.

    They are those in which the pictures are drawn. A font is read once text needs it:
    that of all Chinese letters takes seconds.
    """

    def __init__(self, pdf: FPDF) -> None:
        from matplotlib.font_manager import fontManager

        self._pdf = pdf
        self._files: dict[tuple[str, bool], tuple[str, int]] = {}
        for one in fontManager.ttflist:
            if one.style == "normal" and one.weight in (400, 700, "normal", "bold"):
                bold = one.weight in (700, "bold")
                place = (one.fname, getattr(one, "index", 0))
                self._files.setdefault((one.name, bold), place)
        self.name, *self._others = fonts()
        self._add(self.name)
        self._read: list[str] = []
        self._known = self._letters_of(self.name)
        #: What no font here has.
        self.missing: set[str] = set()

    def _add(self, name: str) -> bool:
        """Put a font into the PDF; return whether it could be read."""
        if (name, False) not in self._files:
            return False
        for bold, style in ((False, ""), (True, "B")):
            if (name, bold) in self._files:
                file, number = self._files[name, bold]
                try:
                    self._pdf.add_font(name, style, file, collection_font_number=number)
                except Exception:  # noqa: BLE001 - fonts of a computer may be of any kind
                    return style == "B"
        return True

    def _letters_of(self, name: str) -> set[int]:
        font = self._pdf.fonts[name.lower()]
        assert isinstance(font, TTFFont)
        return set(font.cmap)

    def written(self, text: str, most: int | None = None) -> str:
        """Return text as it can be written: a box for each letter that no font has."""
        text = printable(text)
        text = text if most is None or len(text) <= most else f"{text[: most - 1]}…"
        while self._others and any(ord(letter) not in self._known for letter in text):
            self._read_another()
        unknown = {letter for letter in text if ord(letter) not in self._known}
        self.missing |= unknown
        return "".join(_BOX if letter in unknown else letter for letter in text)

    def _read_another(self) -> None:
        name = self._others.pop(0)
        if self._add(name):
            self._read.append(name)
            self._known |= self._letters_of(name)
            self._pdf.set_fallback_fonts(self._read, exact_match=False)
