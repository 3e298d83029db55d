"""Many pieces of work: reported and cancelled in time, whatever a piece takes."""

import os
import threading
import time

import numpy as np
import pytest

from napari_patchmap.patches import LoadCancelled, open_patches
from napari_patchmap.patches.readers.folder import folder_decoder
from napari_patchmap.patches.threads import attended, in_threads
from napari_patchmap.patches.watch import Watch


class Drive:
    """A network drive: files with some names wait until it is let go."""

    def __init__(self, monkeypatch, suffix=".png", free=0):
        self._open, self._suffix, self._free = os.open, suffix, free
        self.answers = threading.Event()
        self.asked = 0
        monkeypatch.setattr(os, "open", self.open)

    def open(self, path, *rest, **named):
        if str(path).endswith(self._suffix):
            self.asked += 1
            if self.asked > self._free:
                assert self.answers.wait(60)
        return self._open(path, *rest, **named)


@pytest.fixture
def many(write, folder, grey):
    for i in range(40):
        write(f"{i}.png", grey(6, 6))
    return folder


def test_a_drive_that_does_not_answer_can_be_cancelled(many, monkeypatch):
    drive, reports = Drive(monkeypatch), []
    # Nothing of a file has come, and still it is reported, and a stop is heard.
    with pytest.raises(LoadCancelled):
        open_patches(
            many,
            watch=Watch(
                lambda *step: reports.append(step),
                lambda: drive.asked > 0 and len(reports) > 5,
            ),
        )
    assert not drive.answers.is_set()
    drive.answers.set()
    assert len(open_patches(many)) == 40


def test_a_stop_is_heard_between_two_files_of_a_thread(many, monkeypatch):
    # The probes and some files come; of one that never does nothing depends.
    drive = Drive(monkeypatch, free=20)
    with pytest.raises(LoadCancelled):
        open_patches(many, watch=Watch(should_stop=lambda: drive.asked > 20))
    begun = drive.asked
    drive.answers.set()
    deadline = time.monotonic() + 60
    while any(t.daemon and t.name.endswith("(_run)") for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert drive.asked == begun  # nobody goes on in secret
    assert len(open_patches(many)) == 40


def test_decoded_files_wait_by_bytes(write, folder, grey, monkeypatch):
    images = [grey(40, 50, 3) for _ in range(30)]
    for i, pixels in enumerate(images):
        write(f"{i:02}.png", pixels)
    monkeypatch.setattr(folder_decoder, "_WAITING", 15_000)  # two images and a half
    written = []
    real = folder_decoder.PixelFile.append

    def write_some(self, patches):
        written.append(len(patches))
        return real(self, patches)

    monkeypatch.setattr(folder_decoder.PixelFile, "append", write_some)
    ps = open_patches(folder)
    np.testing.assert_array_equal(ps.stack(), np.stack(images))
    assert sum(written) == 30
    assert max(written) <= 3


def test_work_in_threads_is_whole_in_order_of_nothing(rng):
    done, seen = [], []

    def work(part):
        for i in part:
            done.append((part.start, i))

    in_threads(work, 1000, 64, Watch(lambda *step: seen.append(step)))
    assert sorted(i for _, i in done) == list(range(1000))
    assert all(start == i // 64 * 64 for start, i in done)
    assert seen[0] == (0, 1000)
    assert seen[-1] == (1000, 1000)
    assert [n for n, _ in seen] == sorted(n for n, _ in seen)


def test_the_first_error_ends_the_work():
    done = []

    def work(part):
        for i in part:
            if i == 10:
                raise KeyError("ten")
            done.append(i)

    with pytest.raises(KeyError, match="ten"):
        in_threads(work, 10_000, 1, Watch(), threads=2)
    assert len(done) < 10_000


def test_what_is_attended_reports_in_the_callers_thread():
    here, seen = threading.current_thread(), []

    def work(watch):
        assert threading.current_thread() is not here
        for i in range(5):
            watch.step(i, 5)
        return "made"

    def progress(done, total):
        seen.append((done, threading.current_thread()))

    assert attended(work, Watch(progress)) == "made"
    assert [(i, here) for i in range(5)] == [pair for pair in seen if pair in seen]

    def stop(done, total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attended(work, Watch(stop))

    def broken(watch):
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        attended(broken, Watch(progress))
