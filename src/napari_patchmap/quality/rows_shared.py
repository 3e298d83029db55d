"""Work on the rows of a large table of distances, shared among threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

#: Rows of up to so many values are left to one thread: threads wait for each other at the
#: end of every operation.
_LONG = 10_000


def share_rows(work: Callable[[np.ndarray], None], rows: np.ndarray, length: int) -> None:
    """Do some work for rows of so many values each, in as many threads as torch has."""
    threads = torch.get_num_threads() if length > _LONG else 1
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, np.array_split(rows, threads)))
