"""A report as one HTML page: everything is in it, and nothing is loaded from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from functools import singledispatch
from html import escape

from napari_patchmap.patches.names import printable
from napari_patchmap.quality.figure import percent_cell
from napari_patchmap.runs.reporting.blocks import (
    Aside,
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

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 60em; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.2em; margin-top: 2em; }
img { max-width: 100%; } .hint { color: #666; } .warning { font-weight: 600; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3em .6em;
  text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; }
td.n, th.n { text-align: right; white-space: nowrap; } td.strong { font-weight: 600; }
table.matrix { width: auto; } table.matrix td, table.matrix th { border: 0; text-align: center;
  min-width: 2.2em; } table.matrix th:first-child { text-align: left; }
details { margin: 1em 0; } @media print { details > * { display: block; } h2 { break-after:
  avoid; } tr { break-inside: avoid; } }
"""


def as_html(report: Report) -> bytes:
    """Write a report as a page, in UTF-8."""
    blocks = "\n".join(_html(block) for block in report.blocks)
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(report.name)}: {_text(report.subtitle)}</title>"
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{_text(report.name)}</h1>\n"
        f'<p class="hint">{_text(report.subtitle)}</p>\n{blocks}\n</body></html>\n'
    )
    return page.encode()


def _text(text: str) -> str:
    return escape(printable(text))


@singledispatch
def _html(block: object) -> str:
    raise NotImplementedError(block)


@_html.register
def _heading(block: Heading) -> str:
    return f"<h2>{_text(block.text)}</h2>"


@_html.register
def _words(block: Words) -> str:
    return f'<p class="{block.tone}">{_text(block.text)}</p>'


@_html.register
def _listed(block: Listed) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in block.lines)}</ul>"


@_html.register
def _drawn(block: Drawn) -> str:
    data, caption = b64encode(block.png).decode(), _text(block.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f'<figcaption class="hint">{caption}</figcaption></figure>'
    )


@_html.register
def _grid(block: Grid) -> str:
    heads = block.heads or [ColumnHead(""), ColumnHead("")]
    row = "".join(f"<th{_kind(head)}>{_text(head.text)}" for head in block.heads)
    rows = [f"<tr>{row}</tr>"] if block.heads else []
    for entries in block.rows:
        cells = (
            f"<td{_kind(head)}>{_entry(entry)}</td>"
            for head, entry in zip(heads, entries, strict=True)
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _kind(head: ColumnHead) -> str:
    kinds = [name for name, is_so in (("n", head.number), ("strong", head.strong)) if is_so]
    return f' class="{" ".join(kinds)}"' if kinds else ""


def _entry(entry: Entry) -> str:
    note = f' <span class="hint">{_text(entry.note)}</span>' if entry.note else ""
    return f"{_text(entry.text)}{note}"


@_html.register
def _matrix(block: Matrix) -> str:
    rows = ["<tr><th>" + "".join(f"<th>{k + 1}" for k in range(len(block.names))) + "</tr>"]
    for place, (name, shares) in enumerate(zip(block.names, block.shares, strict=True), 1):
        cells = "".join(
            f'<td style="background: rgba(60, 110, 200, {share**0.5 * 0.8:.2f})">'
            f"{percent_cell(share)}</td>"
            for share in shares
        )
        rows.append(f"<tr><th>{place} {_text(name)}</th>{cells}</tr>")
    return f'<table class="matrix">{"".join(rows)}</table>'


@_html.register
def _aside(block: Aside) -> str:
    inner = "".join(_html(one) for one in block.blocks)
    return f"<details><summary>{_text(block.title)}</summary>{inner}</details>"
