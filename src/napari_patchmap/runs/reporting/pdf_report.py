"""A report as a PDF: pages of paper, whose text can be searched and copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatchmethod
from io import BytesIO

from fpdf import FPDF, FontFace
from PIL import Image

from napari_patchmap.quality.figure import percent_cell
from napari_patchmap.runs.reporting.blocks import (
    Aside,
    Block,
    ColumnHead,
    Drawn,
    Entry,
    Grid,
    Heading,
    Listed,
    Matrix,
    Report,
    Words,
)
from napari_patchmap.runs.reporting.pdf_fonts import Letters

#: Margins, room that is left for what follows a heading, and around text in a cell, in mm.
_MARGIN, _BELOW, _PAD = 16.0, 40.0, 1.2

#: Sizes of letters in points: text; of tables the first with which they fit.
_TEXT, _SIZES = 9.0, (8.0, 7.0, 6.0, 5.0, 4.0)

#: Height of a line, in letter sizes; a point in mm.
_LINE, _POINT = 1.4, 25.4 / 72

#: Grey of text, of what is read when wanted, and of lines; the colour of a whole share.
_INK, _HINT, _RULE, _WHOLE = 34, 105, 215, (60, 110, 200)

#: Width in mm from which a word is broken, or a name shortened.
_WORD = 45.0

#: Share of a page's height that a picture has at most: two stand below the title.
_DRAWN = 0.42

#: Letters of a cell at most, since a row stands on one page.
_MOST = 500


def as_pdf(report: Report) -> bytes:
    """Write a report as a PDF of A4 pages.

    What no font of this computer has is a box, and the first page says so.
    """
    pages = _Pages(report)
    if missing := pages.letters.missing:
        codes = ", ".join(f"U+{ord(letter):04X}" for letter in sorted(missing)[:8])
        said = (
            f"Letters that no font of this computer has ({codes}"
            f"{', …' if len(missing) > 8 else ''}) stand as □ here; install a font that has "
            "them, such as Noto Sans CJK, or save the report as HTML."
        )
        pages = _Pages(replace(report, blocks=[Words(said, "warning"), *report.blocks]))
    return bytes(pages.output())


class _Pages(FPDF):
    """The pages of a report, written from above to below."""

    def __init__(self, report: Report) -> None:
        super().__init__(format="A4")
        self.letters = Letters(self)
        self._name = report.name
        self.set_margin(_MARGIN)
        self.set_auto_page_break(True, _MARGIN)
        self.set_title(self.letters.written(report.name))
        self.set_lang("en")
        self.set_draw_color(_RULE)
        self.add_page()
        self._put_text(report.name, 16, bold=True)
        self._put_text(report.subtitle, _TEXT, _HINT)
        for block in report.blocks:
            self.put(block)

    def footer(self) -> None:
        """Say on each page of what it is, and which."""
        self.set_y(-0.7 * _MARGIN)
        self._write_with(7, _HINT)
        self.cell(self.epw / 2, 4, self.letters.written(self._name, 70))
        self.cell(self.epw / 2, 4, f"{self.page_no()} / {{nb}}", align="R")

    @singledispatchmethod
    def put(self, block: Block) -> None:
        """Write a block below the others."""
        raise NotImplementedError(block)

    @put.register
    def _put_heading(self, block: Heading) -> None:
        self._keep(_BELOW)
        self.ln(4)
        self.start_section(self.letters.written(block.text))
        self._put_text(block.text, 12, bold=True)

    @put.register
    def _put_words(self, block: Words) -> None:
        grey = _HINT if block.tone == "hint" else _INK
        self._put_text(block.text, _TEXT, grey, bold=block.tone == "warning")

    @put.register
    def _put_list(self, block: Listed) -> None:
        for line in block.lines:
            self._write_with(_TEXT)
            self._keep(2 * _TEXT * _POINT * _LINE)
            self.cell(4, _TEXT * _POINT * _LINE, "•")
            self._put_text(line, _TEXT, left=4)

    @put.register
    def _put_picture(self, block: Drawn) -> None:
        caption = self.letters.written(block.caption)
        wide, high = (picture := Image.open(BytesIO(block.png))).size
        width = min(self.epw, _DRAWN * self.eph * wide / high)
        self._keep(width * high / wide + 8)
        self.image(picture, self.l_margin, w=width, alt_text=caption)
        self._put_text(block.caption, _TEXT, _HINT)

    @put.register
    def _put_grid(self, block: Grid) -> None:
        heads = block.heads or [ColumnHead("", strong=True), ColumnHead("")]
        size, widths = self._widths(heads, block.rows)
        self._write_with(size)
        with self.table(
            col_widths=widths,
            width=min(sum(widths), self.epw),
            align="LEFT",
            text_align=["RIGHT" if head.number else "LEFT" for head in heads],
            v_align="TOP",
            line_height=size * _POINT * 1.3,
            padding=_PAD,
            borders_layout="HORIZONTAL_LINES",
            first_row_as_headings=bool(block.heads),
            headings_style=FontFace(emphasis="BOLD"),
        ) as table:
            if block.heads:
                table.row([self._cell(head.text) for head in heads])
            for entries in block.rows:
                row = table.row()
                for head, entry in zip(heads, entries, strict=True):
                    style = FontFace(emphasis="BOLD" if head.strong else None)
                    row.cell(self._cell(_whole(entry, head)), style=style)
        self.ln(2)

    @put.register
    def _put_matrix(self, block: Matrix) -> None:
        count = len(block.names)
        size = 7.0 if count <= 20 else 6.0
        self._write_with(size)
        each = min(9.0, 0.75 * self.epw / count)
        high = size * _POINT * 1.3 + 1.6
        names = [f"{k} {name}" for k, name in enumerate(block.names, 1)]
        left = max(self.get_string_width(self._cell(name)) for name in names) + 2 * _PAD
        left = min(left, _WORD, self.epw - count * each)
        self._keep((count + 1) * high + 4)
        self.cell(left, high)
        for k in range(count):
            self.cell(each, high, f"{k + 1}", align="C")
        self.ln(high)
        for name, shares in zip(names, block.shares, strict=True):
            self.cell(left, high, self._shortened(name, left - 2 * _PAD))
            for share in shares:
                deep = 0.8 * float(share) ** 0.5
                self.set_fill_color(*(round(255 + (one - 255) * deep) for one in _WHOLE))
                self.cell(each, high, percent_cell(share), align="C", fill=True)
            self.ln(high)
        self.set_fill_color(255)
        self.ln(3)

    @put.register
    def _put_aside(self, block: Aside) -> None:
        self._keep(_BELOW)
        self.ln(3)
        self._put_text(block.title, _TEXT, bold=True)
        for one in block.blocks:
            self.put(one)

    # -- letters and room --------------------------------------------------------------

    def _write_with(self, size: float, grey: int = _INK, *, bold: bool = False) -> None:
        self.set_font(self.letters.name, "B" if bold else "", size)
        self.set_text_color(grey)

    def _put_text(
        self, text: str, size: float, grey: int = _INK, *, bold: bool = False, left: float = 0
    ) -> None:
        self._write_with(size, grey, bold=bold)
        self.set_x(self.l_margin + left)
        self.multi_cell(
            0, size * _POINT * _LINE, self.letters.written(text),
            align="L", new_x="LMARGIN", new_y="NEXT",
        )  # fmt: skip
        self.ln(1)

    def _keep(self, height: float) -> None:
        """Begin another page where there is less room than this."""
        if self.will_page_break(height):
            self.add_page()

    def _cell(self, text: str) -> str:
        return "\n".join(self.letters.written(line, _MOST) for line in text.split("\n"))

    def _shortened(self, text: str, width: float) -> str:
        text = self._cell(text)
        if self.get_string_width(text) <= width:
            return text
        while text and self.get_string_width(f"{text}…") > width:
            text = text[:-1]
        return f"{text}…"

    def _widths(
        self, heads: Sequence[ColumnHead], rows: Sequence[Sequence[Entry]]
    ) -> tuple[float, list[float]]:
        """Return the size of letters of a table, and the widths of its columns in mm.

        Numbers stand on one line each; words share the room that is left.
        """
        columns = [
            [head.text, *(_whole(row[at], head) for row in rows)]
            for at, head in enumerate(heads)
        ]
        for size in _SIZES:
            self._write_with(size, bold=True)
            wanted = [2 * _PAD + 1 + self._widest(column) for column in columns]
            room = self.epw
            if sum(wanted) <= room:
                break
            words = [at for at, head in enumerate(heads) if not head.number]
            room -= sum(wide for at, wide in enumerate(wanted) if at not in words)
            longest = [self._widest(" ".join(columns[at]).split()) for at in words]
            least = [2 * _PAD + 1 + min(wide, _WORD) for wide in longest]
            shared = _shared_out(room, [wanted[at] for at in words], least)
            for at, wide in zip(words, shared, strict=True):
                wanted[at] = wide
            if sum(least) <= room:
                break
        scale = min(1.0, self.epw / sum(wanted))
        return size, [wide * scale for wide in wanted]

    def _widest(self, texts: Sequence[str]) -> float:
        lines = (line for text in texts for line in self._cell(text).split("\n"))
        return max(self.get_string_width(line) for line in lines)


def _shared_out(room: float, wanted: Sequence[float], least: Sequence[float]) -> list[float]:
    """Share the width of a page among columns of words, of which long ones get more.

    None gets more than it wants, nor, while there is room, less than its longest word.
    """
    given: dict[int, float] = {}
    while len(given) < len(wanted):
        left = room - sum(given.values())
        others = [at for at in range(len(wanted)) if at not in given]
        whole = sum(wanted[at] ** 0.5 for at in others)
        shares = {at: max(0.0, left) * wanted[at] ** 0.5 / whole for at in others}
        settled = {at: least[at] for at in others if shares[at] < least[at]}
        settled = settled or {at: wanted[at] for at in others if shares[at] > wanted[at]}
        given |= settled or shares
    return [given[at] for at in range(len(wanted))]


def _whole(entry: Entry, head: ColumnHead) -> str:
    """Return what stands in a cell, below it its note where it is a number."""
    if not entry.note:
        return entry.text
    return f"{entry.text}{chr(10) if head.number else ' '}{entry.note}"
