"""Maps that were saved before, without their networks: to look at beside each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality import defined_in
from napari_patchmap.quality.label_changes import of_label
from napari_patchmap.runs.chosen_label import chosen_label, own_label
from napari_patchmap.runs.identity import CONTENT, PATCHES, name_of, places_of, read_identity
from napari_patchmap.runs.joining import Contents, join
from napari_patchmap.runs.run_config import RunConfig
from napari_patchmap.runs.run_folder import CONFIG, reading
from napari_patchmap.runs.run_places import read_all
from napari_patchmap.runs.saved_table import read_saved_table


@dataclass(frozen=True)
class SavedMap:
    """What a run folder says of its map; the map itself is read when it is asked for."""

    folder: Path
    name: str
    """The patches' name."""
    config: RunConfig
    count: int
    """Patches on the map."""
    metrics: dict[str, Any]
    """See :func:`napari_patchmap.quality.evaluate`."""
    seconds: float
    """What it took."""
    device: str
    """What it was trained on, in words."""
    complete: bool
    """False if it was stopped before its end."""
    layout: str
    """``network`` or ``tsne``."""
    written: datetime
    """When it was saved, local time."""
    text: Sequence[str] | None = None
    """Columns of its table that are text; None where that was not written down."""
    evened: str = ""
    """The technical column by which its features were evened out, "" if by none."""
    label_from: str = ""
    """What its label is called, "" where nobody knows."""
    own_label: str = ""
    """What the label is called that it was made with."""

    @property
    def title(self) -> str:
        """Method, augmentations and what else sets it apart, in a few words."""
        return title_of(self.config, self.layout, complete=self.complete, evened=self.evened)

    @property
    def budget(self) -> str:
        """What the training was given, which tells maps apart that were made alike."""
        train = self.config.train
        if not METHODS[train.method].trains:
            words = []
        elif train.minutes is not None:
            words = [f"{train.minutes:g} min"]
        elif train.epochs is not None:
            words = [f"{' + '.join(f'{epochs:g}' for epochs in train.epochs)} epochs"]
        else:
            words = [train.preset]
        return ", ".join(words + ([f"seed {train.seed}"] if train.seed else []))

    @property
    def caption(self) -> str:
        """Title, and the quality figures on a second line."""
        how = {"complete": self.complete, "evened": self.evened}
        return caption_of(self.config, self.layout, self.metrics, **how)

    def read(self) -> tuple[np.ndarray, pd.DataFrame]:
        """Read the map, float32 ``(n, d)``, and its table.

        Raises
        ------
        RunError
            If it is damaged.
        """
        patches = {"count": self.count, "text": self.text, "label_from": self.own_label}
        rows = read_saved_table(self.folder, patches, self.name).rows
        if len(rows.index) < self.count:
            raise RunError(f"{rows.notes[-1]} Restore the file to compare this map.")
        return rows.embedding, rows.table

    def read_known(self) -> pd.DataFrame:
        """Read which patch each row is; see :func:`napari_patchmap.runs.identity.identify`."""
        known = read_identity(self.folder / PATCHES, self.count)
        return places_of(self.read()[1]) if known is None else known

    def read_for(self, known: pd.DataFrame) -> np.ndarray:
        """Read the map, if it is one of these patches, row by row as these are.

        Which they are says ``known``, see :func:`napari_patchmap.runs.identity.identify`.

        Raises
        ------
        RunError
            If it is a map of other patches, or damaged.
        """
        embedding, _ = self.read()
        return embedding[same_rows(known, self.read_known(), self.folder)]


def same_rows(known: pd.DataFrame, own: pd.DataFrame, folder: Path) -> np.ndarray:
    """Return which row of the run in a folder each patch is; both must be the same patches.

    Which the patches are, and those of the run, say ``known`` and ``own``; see
    :func:`napari_patchmap.runs.identity.identify`.

    Raises
    ------
    RunError
        If they are other patches.
    """
    if len(own) != len(known):
        raise RunError(
            f"{folder} is a map of {len(own):,} patches, not of these {len(known):,}; only "
            "maps of the same patches can be compared."
        )
    joined = join(known, own, Contents.known(own[CONTENT].to_numpy(np.uint64)))
    other = (joined.rows < 0) | joined.changed
    if not joined.checked:  # only the names say that they are the same
        other |= joined.moved
    if other.any() or len(np.unique(joined.rows)) < len(own):
        first = name_of(known, int(np.flatnonzero(other)[0] if other.any() else 0))
        raise RunError(
            f"{folder} is a map of other patches ({first} is not the same there); only maps of "
            "the same patches can be compared."
        )
    return joined.rows


def title_of(config: RunConfig, layout: str, *, complete: bool = True, evened: str = "") -> str:
    """Say in a few words how a map was made."""
    train, method = config.train, METHODS[config.train.method]
    words = [method.title if layout == method.layout else f"t-SNE of {method.title}"]
    if train.backbone:
        words.append(train.backbone.replace(":", " "))
    if train.learns_on:
        words.append("learned on")
    elif train.weights and method.trains:
        words.append("weights to begin with")
    if method.trains:
        words.append(config.augment.called)
    if layout == "tsne":
        used = train.tsne()
        usual = type(train)(method=train.method, preset=train.preset).tsne()
        words += [
            f"{name.replace('_', ' ')} {getattr(used, name):g}"
            for name in ("perplexity", "exaggeration", "last_exaggeration")
            if getattr(used, name) != getattr(usual, name)
        ]
        words += [used.metric] if used.metric != usual.metric else []
    if train.whitening is not None:
        words.append(f"whitening {train.whitening:g}")
    if train.dimensions != 2:
        words.append(f"{train.dimensions}-D")
    if evened:
        words.append(f"evened out by {evened}")
    if not complete:
        words.append("stopped early")
    return ", ".join(words)


def caption_of(config: RunConfig, layout: str, metrics: dict[str, Any], **how: Any) -> str:
    """Return the title of a map, and its quality figures on a second line.

    The settings are those of a :class:`~napari_patchmap.runs.Run`; ``how`` as
    :func:`title_of` takes it.
    """
    figures = [f"{f.short} {f.text(metrics)}" for f in defined_in(metrics) if f.headline]
    return "\n".join(filter(None, [title_of(config, layout, **how), ", ".join(figures)]))


def read_map(folder: str | Path) -> SavedMap:
    """Read what a run folder says of its map; neither network nor map are read.

    Raises
    ------
    RunError
        If the folder is not a run that has a map, or it is damaged.
    """
    with reading(folder) as (folder, saved):
        info, own = saved["training"], own_label(saved["patches"])
        metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
        label_from = chosen_label(folder, own)
        return SavedMap(
            folder=folder,
            name=str(saved["name"]),
            config=RunConfig.from_dict(saved["config"]),
            count=int(saved["patches"]["count"]),
            metrics=of_label(metrics, {}, label_from, own)[0],
            # Features that were laid out again took their own training as well.
            seconds=float(info.get("seconds", np.nan)) + float(info.get("laid_out_again", 0)),
            device=str(info.get("device", "")),
            complete=bool(saved["complete"]),
            layout=str(saved.get("layout", "network")),
            written=datetime.fromtimestamp((folder / CONFIG).stat().st_mtime),
            text=saved["patches"].get("text"),
            evened=str((saved.get("evened") or {}).get("column", "")),
            label_from=label_from,
            own_label=own,
        )


def maps_in(folders: Sequence[str | Path], watch: Watch = UNWATCHED) -> list[SavedMap]:
    """Read runs, and all runs in folders that are no runs themselves; each once.

    Raises
    ------
    RunError
        If a folder neither is a run nor holds any, or a run is damaged.
    """
    found: dict[Path, SavedMap] = {}
    for given in folders:
        folder = Path(given).expanduser().resolve()
        inside = [folder]
        if folder.is_dir() and not (folder / CONFIG).is_file():
            inside = sorted(path.parent for path in folder.glob(f"*/{CONFIG}")) or [folder]
        for one in inside:
            watch.check()
            found[one] = read_map(one)
    return list(found.values())


def find_maps(
    name: str, count: int, home: str | Path | None = None, watch: Watch = UNWATCHED
) -> list[SavedMap]:
    """Return the saved maps of a patch set, the newest first.

    ``name`` and ``count`` are those of the patches. Looked for in ``home``, by default among
    the runs started from napari; what is damaged or no run is left out.
    """
    saved = read_all(read_map, home, watch)
    found = [one for one in saved if one.name == name and one.count == count]
    return sorted(found, key=lambda one: one.written, reverse=True)
