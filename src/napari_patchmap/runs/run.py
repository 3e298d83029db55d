"""A training with everything it produced, in memory and as a folder of plain files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from napari_patchmap.errors import RunError
from napari_patchmap.find.searches import SEARCHES
from napari_patchmap.lock import alone_in
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.labels.choice import Annotated, choose_label
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality import FIGURES, Evaluation, add_training, measure
from napari_patchmap.quality.asked import LABEL_FROM
from napari_patchmap.quality.asked_checks import CHECKS
from napari_patchmap.quality.figure import EXACT
from napari_patchmap.quality.label_changes import of_label
from napari_patchmap.quality.report import LABEL_NOTES
from napari_patchmap.runs.annotation_files import annotated_in
from napari_patchmap.runs.chosen_label import note_label
from napari_patchmap.runs.found_files import write_found
from napari_patchmap.runs.kept_answers import keep_in
from napari_patchmap.runs.patch_figures import QUALITY, write_columns
from napari_patchmap.runs.placing import Placed, place_on
from napari_patchmap.runs.run_files import read_files
from napari_patchmap.runs.run_folder import begin, check_free, discard, put_in_place
from napari_patchmap.runs.run_parts import RunParts
from napari_patchmap.runs.run_writing import write_run
from napari_patchmap.writing import write_json

#: What is found out only when asked, and stays when the map is measured again.
LONG = ("evened", *(check.key for check in CHECKS))


@dataclass(eq=False)
class Run(RunParts):
    """A map, the network that made it, and how good it is.

    What it consists of is said in :class:`~napari_patchmap.runs.run_parts.RunParts`.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_patchmap.patches import from_array
    >>> from napari_patchmap.runs import Run, RunConfig, TrainConfig
    >>> from napari_patchmap.training import fit
    >>> cells = np.random.default_rng(0).integers(0, 256, (80, 28, 28), np.uint8)
    >>> old, new = from_array(cells[:60], name="old"), from_array(cells[60:], name="new")
    >>> folder = fit(old, RunConfig(TrainConfig(method="pixels"))).save("map of noise")
    >>> run = Run.load(folder)
    >>> run.place(new).embedding.shape
    (20, 2)
    """

    def measured(
        self,
        labels: np.ndarray | None,
        *,
        most: int = EXACT,
        watch: Watch = UNWATCHED,
        missing: bool = False,
    ) -> Evaluation:
        """Measure the map, against some labels; what is known of its training stays.

        See :func:`napari_patchmap.quality.evaluate`. Of more than ``most`` patches as many
        are looked at where that takes long. ``watch`` is told what is known after each figure.
        Where only what is ``missing`` is wanted and the figures that need no labels are known,
        those stay as they are, and only the others are computed.
        """
        stay = self._without_labels() if missing else {}
        told = watch.telling(lambda known: {**known, **stay})
        given = self.to_measure(labels, most=most, watch=told)
        if stay:
            found = measure(given, only=[each for each in FIGURES if each.needs_labels])
            warned = self.metrics.get("training", {}).get("warning")
            said = [note for note in self.metrics.get("notes", ()) if note != warned]
            found.report.update(stay, notes=[*found.report["notes"], *said])
            others = {k: v for k, v in self.columns.items() if k in stay}
            found = Evaluation(found.report, {**others, **found.columns})
        else:
            found = measure(given)
        found.report[LABEL_FROM] = self.label_from
        if "training" in self.metrics:
            add_training(found.report, self.metrics["training"])
        kept = {name: self.metrics[name] for name in LONG if name in self.metrics}
        found.report.update(kept)
        asked = {key: values for key, values in self.columns.items() if key in LONG}
        return Evaluation(found.report, {**found.columns, **asked})

    def _without_labels(self) -> dict[str, Any]:
        """Return the figures that need no labels, nothing where one is not known."""
        keys = [figure.key for figure in FIGURES if not figure.needs_labels]
        known = LABEL_NOTES not in self.metrics and set(keys) <= set(self.metrics)
        return {key: self.metrics[key] for key in keys} if known else {}

    def use_label(
        self, column: str, called: str = "", annotated: Annotated | None = None
    ) -> str:
        """Make another column the label, and note that in the run's folder, if it has one.

        The map and the files of the training stay as they are. Figures of the label before
        are left out, to be measured again; what was found out with it says so.

        Parameters
        ----------
        column : str
            See :func:`napari_patchmap.patches.labels.choice.choose_label`.
        called : str
            What the label is called that the run has, where that was not noted.
        annotated : mapping of str to ndarray, optional
            What people called its patches; by default what lies in its folder.

        Returns
        -------
        str
            Why it cannot be noted there, "" if it was.

        Raises
        ------
        PatchError
            If there is no such column, or it makes no label; nothing is changed then.
        """
        before = self.label_from or called
        if annotated is None:  # a damaged file costs no other label
            annotated = {}
            if self.folder is not None and column not in self.table:
                annotated = annotated_in(self.folder, self.numbers).names
        table, now = choose_label(self.table, column, before, self.name, annotated)
        self.metrics, self.columns = of_label(self.metrics, self.columns, now, before)
        for search in SEARCHES:
            one = self.found.get(search.key)
            if search.of_labels and one is not None and one.report:
                report = {LABEL_FROM: before, **one.report}
                self.found = {**self.found, search.key: replace(one, report=report)}
        self.table, self.label_from = table, now

        def write(folder: Path) -> list[str]:
            note_label(folder, now, before, table, self.numbers)
            return []  # no file of the training

        return self._keep("The label", write)

    def keep(self, found: Evaluation) -> str:
        """Keep what was measured in the run's folder, if it has one.

        Returns
        -------
        str
            Why it cannot be kept there, "" if it was. Of a part of its patches nothing is.
        """

        def write(folder: Path) -> list[str]:
            if found.columns is not self.columns:  # those are there already
                write_columns(folder / QUALITY, found.columns, self.numbers)
            write_json(folder / "metrics.json", found.report)
            return [QUALITY]

        return self._keep("The figures", write)

    def keep_found(self) -> str:
        """Keep what was found in the run's folder, if it has one.

        Returns
        -------
        str
            Why it cannot be kept there, "" if it was. Of a part of its patches nothing is.
        """

        def write(folder: Path) -> list[str]:
            return write_found(folder, self.found, self.numbers)

        return self._keep("What was found", write)

    def _keep(self, what: str, write: Callable[[Path], list[str]]) -> str:
        if self.folder is None:
            return ""
        return keep_in(self.folder, self.numbers, self.info.get("id", ""), write, what)

    # -- new images ------------------------------------------------------------

    def transform(self, patches: PatchSet) -> np.ndarray:
        """Place other patches on this map: the coordinates of :meth:`place`."""
        return self.place(patches).embedding

    def place(self, patches: PatchSet, watch: Watch = UNWATCHED) -> Placed:
        """Place other patches on this map, and say how they differ from its own.

        They are scaled to 8 bits and brought to the training size exactly as the
        run's own patches were. The network says where they belong, or, where t-SNE
        made the map, openTSNE puts them among their neighbours. On a map that was evened out
        their features are, too: by the batches of their table, else by all patches of the map.

        Parameters
        ----------
        patches : PatchSet
        watch : Watch
            Told how many of how many patches were looked at.

        Raises
        ------
        RunError
            If the patches have other channels than the run's, or would be prepared otherwise.
        SuggestionError
            If the run has no features.
        """
        return place_on(self, patches, watch)

    # -- the folder --------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the run as a folder of plain files.

        The folder then holds all of it or what it held before. What others put there
        stays. A checkpoint is kept if the run was stopped, and removed if it is complete.
        A picture or a list that cannot be written costs nothing else: that is noted, and
        told in ``missed``.

        Raises
        ------
        RunError
            If the folder is in use, holds another run, or cannot be written.
        """
        folder = Path(folder).expanduser().resolve()
        with alone_in(folder):
            check_free(folder, unfinished=True, training=self.info.get("id", ""))
            try:
                self.missed = write_run(self, begin(folder))
                put_in_place(folder)
            except OSError as error:
                raise RunError(
                    f"The run cannot be saved in {folder} ({error.strerror or error}); choose "
                    "another folder."
                ) from None
            finally:
                discard(folder)
        self.folder = folder
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Open a saved run.

        Raises
        ------
        RunError
            If the folder is not a run, or a file of it is missing or damaged.
        """
        return cls(**read_files(folder))
