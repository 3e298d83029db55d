"""Every random number of a run follows from its seed and the place where it is drawn.

No generator is carried from step to step: each step of each stage seeds its own.
A run that is resumed at any step, or computed by several processes, then draws
what an uninterrupted run in one process draws.
"""

from __future__ import annotations

import numpy as np

#: Places beside the steps of a stage at which random numbers are drawn.
NETWORK, ORDER, CACHE, START, JUDGE = -1, -2, -3, -4, -5


def seed_of(seed: int, stage: int, step: int) -> int:
    """Seed of one step (from 0) of one stage (from 0), or of one of the places above."""
    mixed = np.random.SeedSequence([seed, stage + 1, step + 8])
    return int(mixed.generate_state(1, np.uint64)[0] >> np.uint64(1))
