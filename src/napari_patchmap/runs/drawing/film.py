"""A film of a map while it learned: GIF, or MP4 where there is a package for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.paint_order import paint_order
from napari_patchmap.optional import optional
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.drawing.dots import draw_dots
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.figure_config import PageConfig
from napari_patchmap.runs.drawing.film_moves import Moves, moves_of
from napari_patchmap.runs.drawing.legend_page import MARGIN, LegendPage
from napari_patchmap.runs.drawing.map_frame import MapFrame
from napari_patchmap.runs.drawing.map_points import usual_diameter
from napari_patchmap.runs.drawing.page_layout import LINE
from napari_patchmap.runs.drawing.paper import INKS, MM
from napari_patchmap.settings import setting
from napari_patchmap.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Endings of films.
FILM_ENDINGS = (".gif", ".mp4")

#: Seconds for which the map as it became stays.
_REST = 2.0

#: Room around the points, in shares of the map.
_AROUND = 0.02


@dataclass(frozen=True)
class FilmConfig(PageConfig):
    """Settings of a film."""

    width: float = setting(
        120.0, "width of the picture; with the resolution, so many pixels", unit="mm",
        low=30.0, high=2000.0, step=5.0,
    )  # fmt: skip
    dpi: int = setting(
        130, "resolution: at 130 dots per inch 120 mm are 614 pixels", unit="dots per inch",
        low=50, high=1200, label="Resolution",
    )  # fmt: skip
    names: Literal["legend", "none"] = setting(
        "legend", "whether the groups are named in a legend"
    )
    seconds: float = setting(
        8.0, "time that the learning takes in the film", unit="s", low=1.0, high=120.0
    )
    fps: int = setting(
        12,
        "pictures a second",
        low=1,
        high=50,
        label="Pictures a second",
    )


def draw_film_page(given: Drawable, config: FilmConfig) -> Figure:
    """Draw the last picture of a film as a page: the map as it became.

    Raises
    ------
    RunError
        If the run has no looks at the map, or the page is too large.
    """
    moves = moves_of(given)
    stage = _Stage(given.colouring.part(moves.chosen), config, moves)
    stage.frame.draw(stage.page, moves.places[-1], stage.page.box)
    return stage.page.figure


def write_film(given: Drawable, config: FilmConfig, path: Path, watch: Watch) -> Path:
    """Write the film of a map: all looks in their order, and what lies between two of them.

    Parameters
    ----------
    given : Drawable
    config : FilmConfig
    path : Path
        ``.gif`` or ``.mp4``.
    watch : Watch
        Hears how many pictures are done, and may stop it.

    Raises
    ------
    RunError
        If the run has no looks at the map, or a picture is too large.
    MissingPackageError
        For MP4, if imageio-ffmpeg is not installed.
    OSError
        If it cannot be written.
    """
    moves = moves_of(given)
    stage = _Stage(given.colouring.part(moves.chosen), config, moves)
    if path.suffix.lower() == ".mp4":
        write_whole(path, _mp4(stage, watch))
    else:
        write_whole(path, _gif(stage, watch))
    return path


class _Stage:
    """Draws the pictures of a film: a page that stays, and points that move on it."""

    def __init__(self, colouring: Colouring, config: FilmConfig, moves: Moves) -> None:
        self._config, self._moves = config, moves
        self.frame = MapFrame.of(moves.places[-1], _AROUND)
        # Below the title a line for what is said.
        words = config.replace(title=f"{config.title}\n " if config.title else " ")
        legend = config.names == "legend"
        self.page = LegendPage(colouring, words, self.frame.aspect, legend=legend, bar=legend)
        self.page.write_title()
        self.page.name_colours()
        self._order = paint_order(len(moves.chosen))
        self._colours = (colouring.colours[self._order, :3] * 255).round().astype(np.uint8)
        area = self.page.box[2] * self.page.box[3] / (1 + 2 * _AROUND) ** 2
        self._diameter = usual_diameter(len(moves.chosen), area)
        self.fps = config.fps
        self.count = max(len(moves.places), round(config.seconds * config.fps))

    def pictures(self, watch: Watch) -> Iterator[np.ndarray]:
        """Draw one picture after the other, uint8 (height, width, 3), of even sides."""
        base, dots = _drawn(self.page), self._config.dpi / 72
        font = _letters(self.page.size * 1.2 * dots)
        for number in range(self.count):
            watch.step(number, self.count)
            places, said = self._at(number / max(1, self.count - 1))
            on_page = self.frame.on_page(places[self._order], self.page.box) * dots
            picture = base.copy()
            left, top, right, bottom = self._room(dots)
            draw_dots(
                picture[top:bottom, left:right], on_page - (top, left), self._colours,
                self._diameter * dots,
            )  # fmt: skip
            if said:
                written = Image.fromarray(picture)
                x = MARGIN * MM * 72 * dots
                y = (self.page.top - (0.5 * LINE * 1.2 + 0.4) * self.page.size) * dots
                ink = INKS[self._config.look].letters
                ImageDraw.Draw(written).text((x, y), said, ink, font, anchor="lm")
                picture = np.asarray(written)
            yield picture
        watch.step(self.count, self.count)

    def _room(self, dots: float) -> tuple[int, int, int, int]:
        """Return the edges of the map, in pixels: left, top, right, bottom."""
        left, top, wide, high = (round(side * dots) for side in self.page.box)
        return left, top, left + wide, top + high

    def _at(self, time: float) -> tuple[np.ndarray, str]:
        """Return places and words at a time from 0 to 1."""
        places, last = self._moves.places, len(self._moves.places) - 1
        look = min(int(time * last), last - 1)
        share = time * last - look
        between = (1 - share) * places[look] + share * places[look + 1]
        return between, self._moves.said[look if share < 1 else look + 1]


def _drawn(page: LegendPage) -> np.ndarray:
    """Draw a page, uint8 (height, width, 3); sides are even, as films want them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from napari_patchmap.runs.drawing.paper import as_written

    as_written(page.figure)
    canvas = FigureCanvasAgg(page.figure)
    canvas.draw()
    rgb = np.asarray(canvas.buffer_rgba())[..., :3]
    return np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])


def _letters(size: float) -> ImageFont.FreeTypeFont:
    from matplotlib import font_manager

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), max(6, round(size)))


def _gif(stage: _Stage, watch: Watch) -> bytes:
    """Return a GIF, in the colours of its last picture."""
    made = [Image.fromarray(one) for one in stage.pictures(watch)]
    colours = made[-1].quantize(255, dither=Image.Dither.NONE)
    table = np.array(colours.getpalette()).reshape(-1, 3)
    ground = np.array(made[-1].getpixel((0, 0)))
    table[abs(table - ground).sum(axis=1).argmin()] = ground  # what is white stays white
    colours.putpalette(table.ravel().tolist())
    flat = [one.quantize(palette=colours, dither=Image.Dither.NONE) for one in made]
    each = round(100 / stage.fps) * 10
    times = [each] * (len(flat) - 1) + [round(1000 * _REST)]
    drawn = BytesIO()
    flat[0].save(drawn, "GIF", save_all=True, append_images=flat[1:], duration=times, loop=0)
    return drawn.getvalue()


def _mp4(stage: _Stage, watch: Watch) -> bytes:
    """Return an MP4 (H.264), as browsers and slides show it."""
    write_frames = optional("imageio_ffmpeg").write_frames
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        writer = None
        for picture in stage.pictures(watch):
            if writer is None:
                high, wide = picture.shape[:2]
                writer = write_frames(
                    str(path), (wide, high), fps=stage.fps, macro_block_size=2, quality=7
                )
                writer.send(None)
            writer.send(np.ascontiguousarray(picture))
        assert writer is not None
        for _ in range(math.ceil(_REST * stage.fps)):
            writer.send(np.ascontiguousarray(picture))
        writer.close()
        return path.read_bytes()
