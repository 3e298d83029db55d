"""How long pictures on the map, and figures of it, take with many patches.

    xvfb-run -a -s "-screen 0 1600x1000x24" \\
        python benchmarks/pictures.py [--patches 17092 300000 1000000]

Patches of 8 x 8 pixels in memory, with a map of twelve clouds. Choosing is the time of the
other thread's processor; a query and a move of the camera are the time that the window waits
for our own Python (the median, and the slowest of a hundred), without painting; a figure is
from the click until it is written, as a PNG of 180 mm. All but choosing in milliseconds or
seconds of the clock.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

#: Camera moves that are timed at each zoom, and the zooms.
_MOVES, _ZOOMS = 100, (1, 2, 5, 12, 30)


def clouds(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a map of twelve groups, as random points."""
    rng = np.random.default_rng(0)
    groups = rng.choice(12, count, p=rng.dirichlet(np.ones(12)))
    middles = rng.random((12, 2)) * 50
    places = middles[groups] + rng.normal(size=(count, 2)) * 3
    return places.astype(np.float32), groups


def choosing(places: np.ndarray, groups: np.ndarray | None) -> float:
    """Return the seconds that it takes to choose which pictures stand for a map."""
    from napari_patchmap.explore.thinning import thin

    began = time.thread_time()
    thin(places, np.arange(len(places)), groups)
    return time.thread_time() - began


def query(places: np.ndarray, groups: np.ndarray) -> list[float]:
    """Return the milliseconds of asking which pictures there are in a view."""
    from napari_patchmap.explore.thinning import thin

    thinned = thin(places, np.arange(len(places)), groups)
    rng, taken = np.random.default_rng(1), []
    for zoom in _ZOOMS:
        pixel = float(np.ptp(places, axis=0).max()) / 700 / zoom
        for middle in places[rng.integers(len(places), size=20)]:
            half = np.array([350.0, 500.0]) * pixel
            began = time.perf_counter()
            thinned.in_view(middle - half, middle + half, 49 * pixel)
            taken.append(1000 * (time.perf_counter() - began))
    return taken


def moving(places: np.ndarray, groups: np.ndarray, on: bool) -> tuple[list[float], float]:
    """Return the milliseconds that our answer to camera moves takes, and a figure's seconds."""
    import napari
    from qtpy.QtTest import QTest

    from napari_patchmap.patches.box_table import box_table
    from napari_patchmap.patches.patchset import PatchSet
    from napari_patchmap.plugin.canvas.arrangement import camera_of
    from napari_patchmap.plugin.map.map_layer import MapLayer
    from napari_patchmap.plugin.panels.explore.figure_dialog import FigureDialog
    from napari_patchmap.plugin.workspace import workspace_of

    count = len(places)
    table = box_table("cells.npy", np.arange(count), np.full((count, 2), 8))
    table["label"] = np.array([f"class {i}" for i in range(12)])[groups]
    images = np.random.default_rng(0).integers(0, 255, (count, 8, 8, 1), np.uint8)
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1366, 768)
    owner, workspace = MapLayer.of(viewer), workspace_of(viewer)
    workspace.set_patches(PatchSet(images, table, ("grey",), name="cells"))
    workspace.set_embedding(places)
    owner.close_up.set_from_afar(on)
    QTest.qWait(1000)
    while on and not owner.mouse.overlay.pictures:
        QTest.qWait(100)
    refresh, taken = owner.close_up.refresh, []
    camera, rng = camera_of(viewer), np.random.default_rng(2)
    whole = camera.zoom
    for zoom in _ZOOMS:
        camera.zoom = whole * zoom
        camera.center = tuple(places[rng.integers(count)])
        QTest.qWait(50)
        for _ in range(_MOVES // len(_ZOOMS)):
            with camera.events.blocker_all():  # napari's own answer is not ours
                camera.center = tuple(np.array(camera.center)[-2:] + 3 / camera.zoom)
            began = time.perf_counter()
            refresh()
            taken.append(1000 * (time.perf_counter() - began))
    seconds = 0.0
    if on:
        dialog = FigureDialog(owner, viewer.window._qt_window)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            dialog.save_to(Path(folder) / "map.png")
            while dialog.writing.running:
                QTest.qWait(20)
            seconds = time.perf_counter() - began
    viewer.close()
    return taken, seconds


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, nargs="+", default=[17_092, 300_000, 1_000_000])
    counts = parser.parse_args().patches
    rows: dict[str, list[str]] = {}

    def note(name: str, value: str) -> None:
        rows.setdefault(name, []).append(value)

    def spread(taken: list[float]) -> str:
        return f"{np.median(taken):.1f} ({max(taken):.1f})"

    for count in counts:
        places, groups = clouds(count)
        even = np.random.default_rng(5).random((count, 2)).astype(np.float32)
        note("choose, clouds with groups, s", f"{choosing(places, groups):.2f}")
        note("choose, even, no groups, s", f"{choosing(even, None):.2f}")
        note("query, ms", spread(query(places, groups)))
        off, _ = moving(places, groups, on=False)
        on, figure = moving(places, groups, on=True)
        note("move, pictures off, ms", spread(off))
        note("move, pictures on, ms", spread(on))
        note("figure, s", f"{figure:.1f}")
    print(f"| patches | {' | '.join(f'{count:,}' for count in counts)} |")
    print("|---" * (len(counts) + 1) + "|")
    for name, values in rows.items():
        print(f"| {name} | {' | '.join(values)} |")


if __name__ == "__main__":
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()  # switches that are tried stay here
    main()
