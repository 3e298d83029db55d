"""What a person can do by keys: the one list that keys, tooltips and help are made from.

A key is written here and nowhere else. Canvas and panels bind what stands here, buttons end
their tooltips with it, the card that ? opens and docs/keys.md list it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Where(Enum):
    """Where a key holds."""

    #: In our panels, and on the canvas whatever lies there.
    CANVAS = "canvas"
    #: In our panels, and on the canvas while the map is the active layer.
    MAP = "map"
    #: On the pictures of the gallery.
    GALLERY = "gallery"
    #: In the whole window.
    WINDOW = "window"


@dataclass(frozen=True)
class Action:
    """Something that a person can do.

    Parameters
    ----------
    name : str
        What the code calls it.
    keys : tuple of str
        As Qt writes them; the first is the one that people are told. Several keys of one
        ``span`` do the same with different things.
    does : str
        One line of help.
    where : Where
    panel : str
        Key of the panel that does it; it is opened where it is missing.
    needs : str
        What is said when it cannot be done, "" for nothing.
    span : str
        How the keys are written where there are many, such as "1 to 9".
    instead : str
        What napari has one of the keys for on a layer of points, and what becomes of it on
        the map.
    in_front : bool
        Whether the key only brings its panel to the front where another one is, so that
        nothing large is begun unseen.
    repeats : bool
        Whether it is done again and again while the key is held.
    """

    name: str
    keys: tuple[str, ...]
    does: str
    where: Where = Where.CANVAS
    panel: str = ""
    needs: str = ""
    span: str = ""
    instead: str = ""
    in_front: bool = False
    repeats: bool = False

    @property
    def shown(self) -> str:
        """The key as people read it."""
        return self.span or self.keys[0]


_PATCHES = "Select patches first, or point at one."
_MODES = "there, napari's modes of editing points rest"

#: What there is to do, in groups, in the order of the help.
GROUPS: dict[str, tuple[Action, ...]] = {
    "Go to": (
        Action(
            "tab", (*(f"Ctrl+{n}" for n in range(1, 10)), "Shift+B"),
            "Tabs; 9: patches, B: image", span="Ctrl+1 to 9, Shift+B",
        ),
        Action("view", ("M",), "The map, or the image", needs="Train a map first."),
        Action(
            "beside", ("B",), "Both, side by side", panel="explore",
            needs="Train a map first.",
        ),
        Action("help", ("?", "F1"), "This help", Where.WINDOW),
    ),
    "Select": (
        Action("lasso", ("L",), "Lasso: draw around patches"),
        Action("take_away", ("T",), "Take away what is drawn around"),
        Action(
            "select_all", ("Ctrl+A", "A", "Shift+A"), "All that is shown", Where.MAP,
            instead="as napari selects points",
        ),
        Action("select_none", ("Esc",), "Nothing; give up a line half drawn"),
        Action("invert", ("Ctrl+I",), "What is not selected", needs="Load patches first."),
        Action("undo", ("Ctrl+Z",), "Undo a selection or an annotation", repeats=True),
        Action("redo", ("Ctrl+Shift+Z",), "Do it again", repeats=True),
        Action(
            "hide", ("H",), "Hide what is selected",
            needs="Select what is to be hidden first, such as a class in the legend.",
        ),
        Action("unhide", ("Shift+H",), "Show what was hidden", needs="Nothing is hidden."),
    ),
    "Look": (
        Action("zoom", ("F",), "Zoom to what is selected", needs="Select patches first."),
        Action("whole", ("W",), "The whole map", needs="Train a map first."),
        Action("pictures", ("I",), "Pictures for points"),
        Action(
            "on_image", ("Shift+M",), "Map colours on the image", panel="explore",
            needs="Open the image or the Labels layer that the patches come from.",
        ),
        Action(
            "next", ("N",), "Next patch of the gallery", panel="gallery",
            needs="Load patches first.", repeats=True,
        ),
        Action(
            "previous", ("Shift+N",), "The one before", panel="gallery",
            needs="Load patches first.", repeats=True,
        ),
        Action(
            "colour", ("K",), "Colour by the next column", panel="explore",
            needs="Load patches first.",
        ),
        Action(
            "alike", ("R",), "More like this", panel="annotate",
            needs="More like this needs a trained map, and a patch selected or looked at.",
        ),
    ),
    "Annotate": (
        Action(
            "give", tuple("123456789"), "Give that class to what is selected", Where.MAP,
            span="1 to 9", instead=_MODES,
        ),
        Action("take_class", ("0",), "Take its class away", Where.MAP),
        Action(
            "name", ("Shift+C",), "Name a new class", panel="annotate",
            needs="Load patches first.",
        ),
        Action(
            "rest", ("Shift+U",), "Select what has no class", panel="annotate",
            needs="Load patches first.",
        ),
        Action(
            "suggest", ("G",), "Guess: suggest the rest", panel="annotate",
            needs="Suggesting needs a trained map, and two classes of three patches each.",
        ),
        Action(
            "useful", ("U",), "The 20 most useful to do next", panel="annotate",
            needs="This needs a trained map.",
        ),
        Action(
            "doubtful", ("Shift+G",), "The most doubtful suggestions", panel="annotate",
            needs="Suggest the rest first.",
        ),
        Action(
            "accept", ("E",), "Accept what is suggested", panel="annotate",
            needs="Suggest the rest first, then select what is to be accepted.",
        ),
        Action(
            "accept_sure", ("Shift+E",), "Accept all that is sure enough", panel="annotate",
            needs="Suggest the rest first.",
        ),
        Action(
            "reject", ("D",), "Drop what is suggested", panel="annotate",
            needs="Suggest the rest first, then select what is to be rejected.",
        ),
    ),
    "Load, train, keep": (
        Action(
            "load", ("Ctrl+L",), "Load what is chosen, or cancel", panel="load",
            needs="Choose what to load first.", in_front=True,
        ),
        Action(
            "train", ("Ctrl+Return",), "Start training", panel="train", in_front=True,
            needs="Training needs patches, settings that can be taken, and no other training.",
        ),
        Action(
            "pause", ("Ctrl+P",), "Pause training, or go on", panel="train",
            needs="Nothing is being trained.",
        ),
        Action(
            "cancel", ("Ctrl+.",), "End it, and keep the map so far", panel="train",
            needs="Nothing is being trained.",
        ),
        Action(
            "save", ("Ctrl+D",), "Save the table as CSV", panel="gallery",
            needs="Load patches first.",
        ),
        Action(
            "keep", ("Shift+K",), "Keep the selection under a name", panel="explore",
            needs="Select patches first.",
        ),
        Action(
            "figure", ("Shift+F",), "Save the map as a figure", panel="explore",
            needs="Train a map first.",
        ),
        Action(
            "export", ("Ctrl+Shift+E",), "Export what is selected, or all",
            panel="annotate", needs="Train a map first, then export it.",
        ),
    ),
    "In the gallery": (
        Action(
            "move", ("Left", "Right", "Up", "Down", "PgUp", "PgDown", "Home", "End"),
            "Move; with Shift select up to there", Where.GALLERY, span="Arrows, Home, End",
            repeats=True,
        ),
        Action("toggle", ("Space",), "Select the patch, or not", Where.GALLERY),
        Action("open", ("Return", "Enter"), "Show where it is", Where.GALLERY),
        Action("copy", ("Ctrl+C",), "Copy the file names", Where.GALLERY),
    ),
}  # fmt: skip

#: What the mouse does, said in the same help.
GESTURES: dict[str, str] = {
    "Click": "Select a patch; Ctrl: one more or less",
    "Ctrl+drag": "Draw around patches",
    "Shift+drag": "Add them; Alt with the lasso: take away",
    "Drag, wheel": "Move and zoom",
    "Double click": "In the gallery: show where it is",
    "Ctrl+wheel": "In the gallery: larger pictures",
}

ACTIONS: dict[str, Action] = {
    action.name: action for actions in GROUPS.values() for action in actions
}


def with_key(name: str, tip: str) -> str:
    """Return a tooltip that ends with the key of an action."""
    return f"{tip} (key: {ACTIONS[name].shown})"
