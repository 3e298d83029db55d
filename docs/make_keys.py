"""Write docs/keys.md from the list of actions.

python docs/make_keys.py
"""

from __future__ import annotations

from pathlib import Path

from napari_patchmap.plugin.actions import GESTURES, GROUPS, Action, Where

_HEAD = """# Keys and mouse

The window shows this list with `?`, `F1`, or the small ? on the canvas. Keys act on the canvas
and in all tabs of Patchmap, but never while you type in a field. Where napari has the same key
for a layer of yours, such as L on Labels, napari's comes first.
"""

_WHERE = {
    Where.CANVAS: "canvas and tabs",
    Where.MAP: "map and tabs",
    Where.GALLERY: "pictures of the gallery",
    Where.WINDOW: "whole window",
}


def _on(action: Action) -> str:
    return ", ".join(part for part in (_WHERE[action.where], action.instead) if part)


def text() -> str:
    """Return the whole page."""
    parts = [_HEAD]
    for title, actions in GROUPS.items():
        rows = [f"| `{a.shown}` | {a.does} | {_on(a)} |" for a in actions]
        parts.append(
            "\n".join([f"## {title}\n", "| key | does | on |", "|---|---|---|", *rows])
        )
    rows = [f"| {gesture} | {does} |" for gesture, does in GESTURES.items()]
    parts.append("\n".join(["## Mouse\n", "| mouse | does |", "|---|---|", *rows]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("keys.md").write_text(text(), "utf-8")
