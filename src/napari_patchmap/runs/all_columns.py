"""All that is known of the patches of a saved run, as columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.findings import Findings
from napari_patchmap.runs.annotation_files import AnnotationPlace
from napari_patchmap.runs.finding_files import read_findings
from napari_patchmap.runs.found_files import found_columns, read_found


def with_findings(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return the table of a run with what people and searches found, of other names."""
    count = len(table)
    place = AnnotationPlace(folder, np.arange(count))
    findings = read_findings(place, Findings(Annotations(count))).findings
    more: dict[str, np.ndarray] = {
        str(name): values.to_numpy() for name, values in findings.annotations.table().items()
    }
    more |= found_columns(read_found(folder, count, None))
    return table.assign(**{name: one for name, one in more.items() if name not in table})
