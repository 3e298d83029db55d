"""How many CPU threads compute: as many as bring something now.

Operations of a training step are shared among threads that wait for each other at the end
of every one. As soon as another program takes one of the cores, all threads wait for the
one that had to give way, hundreds of times a step: with two threads on two cores of which
one is taken a step takes twice as long as with one thread alone. So it is measured, before
a training and now and then in it, whether fewer threads are faster.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import torch
from torch import Tensor
from torch.nn import functional

from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Seconds between two measurements: at first, and at most, where nothing changes.
_SOON, _SELDOM = 4.0, 30.0

#: How many times as fast another number of threads must be to be taken.
_GAIN = 1.1

#: Where one takes so many times as long as another, one round is enough.
_CLEAR = 4.0

#: Two steps that take so many times as long as the last ones ask for a measurement; how
#: many last ones, and how many at least.
_SLOW, _RECENT, _FEW = 1.6, 9, 3

#: Rounds of a measurement, and images that each thread convolves in one.
_ROUNDS, _IMAGES = 8, 8


class Cores:
    """Chooses how many threads torch computes with in this thread.

    A number that the person has set (``OMP_NUM_THREADS``) is kept: sums are taken in
    another order by other threads, so only a fixed number gives the same map again
    whatever else the computer does; so it is on a GPU (``adapts`` is False). ``probe``
    returns the seconds that some work takes with a number of threads.
    """

    def __init__(
        self,
        adapts: bool = True,
        *,
        clock: Callable[[], float] = time.monotonic,
        probe: Callable[[int], float] | None = None,
    ) -> None:
        self.most = self.now = torch.get_num_threads()
        self.adapts = adapts and self.most > 1 and "OMP_NUM_THREADS" not in os.environ
        self._note: Callable[[str], None] | None = None
        self._clock, self._probe = clock, probe or _Probe(self.most)
        most = self.most
        self._choices = sorted({1, most // 4, most // 2, most - 1, most} - {0})
        self._next, self._wait = -float("inf"), _SOON
        self._steps: deque[float] = deque(maxlen=_RECENT)
        self._slow = 0
        self._suspected: int | None = None
        #: Another number, a step with it, and the steps with the present one that were faster.
        self._before: tuple[int, float, int] | None = None

    def tell(self, note: Callable[[str], None]) -> None:
        """Let somebody know, in one sentence, as soon as fewer threads compute."""
        self._note = note
        self._say()

    def step(self, seconds: float) -> None:
        """Note how long a step took; measure if it is time to, or if it was slow."""
        if not self.adapts:
            return
        if self._before is not None:
            self._judge(seconds)
        usual = median(self._steps) if len(self._steps) >= _FEW else float("inf")
        self._slow = self._slow + 1 if seconds > _SLOW * usual else 0
        if self._slow < 2:
            self._steps.append(seconds)
        else:
            self._steps.clear()
            self._next, self._wait, self._slow = self._clock(), _SOON, 0
        self.look()

    def look(self, watch: Watch = UNWATCHED, *, sure: bool = False) -> None:
        """Measure if it is time to, and take the number of threads that is faster.

        To be ``sure``, measure now, and a second time before anything changes. ``watch``
        may end that.
        """
        if not self.adapts or (self._clock() < self._next and not sure):
            return
        best = self._fastest(watch)
        if sure and best != self.now:
            best = best if self._fastest(watch) == best else self.now
        elif best != self.now and best != self._suspected:
            # Some other program may have worked for a moment only: the next step asks again.
            self._suspected = best
            return
        self._suspected = None
        if best != self.now:
            self._take(best)
        elif self.now == self.most:
            self._wait = min(_SELDOM, 2 * self._wait)
        elif len(self._steps) >= _FEW:
            # Steps may gain where these few operations do not, as beside a window.
            self._wait = min(_SELDOM, 2 * self._wait)
            self._take(self._choices[self._choices.index(self.now) + 1])
        self._next = self._clock() + self._wait

    def _take(self, threads: int) -> None:
        # Another number has to prove itself: whether a core is free for long, and what
        # steps make of it, is not seen in some milliseconds.
        known = len(self._steps) >= _FEW
        self._before = (self.now, median(self._steps), 0) if known else None
        if not known:
            self._wait = _SOON
        self._steps.clear()
        self.now = threads
        torch.set_num_threads(threads)
        if not known:
            self._say()

    def _say(self) -> None:
        if self.now < self.most and self._note is not None:
            self._note(
                f"Other programs keep this computer busy: {self.now} of {self.most} threads "
                "compute while that is faster, and the same seed may give a map that differs "
                "in its last digits."
            )
            self._note = None

    def _judge(self, seconds: float) -> None:
        """Go back to the number before if the first steps with another are not faster."""
        assert self._before is not None
        threads, usual, seen = self._before
        if seconds > usual:
            self._before = None
            self.now = threads
            torch.set_num_threads(threads)
            self._wait = min(_SELDOM, 2 * self._wait)
            self._next = self._clock() + self._wait
            self._steps.clear()
        elif seen + 1 >= _FEW:
            self._before, self._wait = None, _SOON
            self._say()
        else:
            self._before = threads, usual, seen + 1

    def _fastest(self, watch: Watch) -> int:
        """Return the number of threads that is faster by far than the present one, or this."""
        place = self._choices.index(self.now)
        tried = self._choices[max(0, place - 1) : place + 2]
        seconds = dict.fromkeys(tried, 0.0)
        try:
            for _ in range(_ROUNDS):
                for threads in tried:
                    watch.check()
                    torch.set_num_threads(threads)
                    seconds[threads] += self._probe(threads)
                if max(seconds.values()) > _CLEAR * min(seconds.values()):
                    break  # clear already, and slow to measure
        finally:
            torch.set_num_threads(self.now)
        best = min(tried, key=seconds.__getitem__)
        return best if seconds[self.now] > _GAIN * seconds[best] else self.now

    @contextmanager
    def chosen(self, watch: Watch = UNWATCHED) -> Iterator[None]:
        """Compute with the chosen number meanwhile, and leave all threads to others.

        ``watch`` may end the choosing.
        """
        try:
            self.look(watch, sure=True)
            yield
        finally:
            if self.adapts:
                # Threads to come take what was set last, by any thread.
                torch.set_num_threads(self.most)


class _Probe:
    """Work like that of a step, without anything that a training would notice."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._made: tuple[Tensor, Tensor] | None = None

    def __call__(self, threads: int) -> float:
        if self._made is None:
            images = torch.full((_IMAGES * self._threads, 32, 14, 14), 0.5)
            kernel = torch.full((32, 32, 3, 3), 1e-3)
            order = torch.channels_last
            self._made = images.to(memory_format=order), kernel.to(memory_format=order)
            self._work()
        began = time.perf_counter()
        self._work()
        return time.perf_counter() - began

    @torch.no_grad()
    def _work(self, times: int = 10) -> None:
        assert self._made is not None
        images, kernel = self._made
        for _ in range(times):
            found = functional.conv2d(images, kernel, padding=1)
            torch.relu_(found).mul_(0.5).add_(images).sum()
