"""Decoded patches are kept, found again, shared, and never stand in the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import imagecodecs
import numpy as np
import pandas as pd
import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import LoadCancelled, open_patches
from napari_patchmap.patches.cache.building import building_folder
from napari_patchmap.patches.cache.cache_folder import (
    PIXELS,
    cache_folder,
    cache_size,
    clear_cache,
)
from napari_patchmap.patches.cache.cached import CachedImages
from napari_patchmap.patches.images import ArrayImages, Images, as_images
from napari_patchmap.patches.readers.folder import folder_decoder
from napari_patchmap.patches.source import Source, finish
from napari_patchmap.patches.watch import Watch


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(folder: Path, count: int = 300, side: int = 12) -> np.ndarray:
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    for i, image in enumerate(images):
        (folder / f"{i}.png").write_bytes(imagecodecs.png_encode(image))
    return images


def half_built(cache: Path) -> list[Path]:
    return list((cache / "patches-1" / "building").glob("*"))


def python(code: str, *args: object, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)  # type: ignore


def test_the_second_opening_decodes_nothing(tmp_path, cache):
    images = fill(tmp_path / "set")
    np.testing.assert_array_equal(open_patches(tmp_path / "set").stack(), images)
    used, sets = cache_size()
    assert sets == 1
    assert used > images.nbytes
    # Pixels that can only come from the cache: they are changed there.
    (store,) = (cache / "patches-1" / "contents").iterdir()
    pixels = np.memmap(store / "pixels.bin", np.uint8, "r+")
    pixels[:] = 255 - pixels
    pixels.flush()
    np.testing.assert_array_equal(open_patches(tmp_path / "set").stack(), 255 - images)


def test_nothing_is_decoded_for_a_column_that_is_not_there(tmp_path):
    fill(tmp_path / "set", 5)
    with pytest.raises(PatchError, match="set has no column nope; choose one of source"):
        open_patches(tmp_path / "set", columns=["source", "nope"])
    assert cache_size()[1] == 0


def test_a_changed_file_is_noticed_even_with_its_old_size_and_date(tmp_path):
    images = fill(tmp_path / "set", 5)
    path = tmp_path / "set" / "3.png"
    # Stored, not compressed, so that both files have the same length.
    path.write_bytes(imagecodecs.png_encode(images[3], level=0))
    open_patches(tmp_path / "set")
    before = path.stat()
    path.write_bytes(imagecodecs.png_encode(255 - images[3], level=0))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (
        before.st_size,
        before.st_mtime_ns,
    )
    np.testing.assert_array_equal(open_patches(tmp_path / "set")[3], 255 - images[3])


def test_a_copied_folder_shares_the_store(tmp_path):
    fill(tmp_path / "set")
    first = open_patches(tmp_path / "set")
    used, _ = cache_size()
    shutil.copytree(tmp_path / "set", tmp_path / "copy")
    second = open_patches(tmp_path / "copy")
    np.testing.assert_array_equal(second.stack(), first.stack())
    again, sets = cache_size()
    assert sets == 1
    assert again < used + 1_000  # another small note, no pixels


def test_what_could_not_be_read_is_told_again(tmp_path):
    fill(tmp_path / "set", 6)
    (tmp_path / "set" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n half of it")
    (tmp_path / "set" / "grey.png").write_bytes(
        imagecodecs.png_encode(np.full((12, 12), 7, np.uint8))
    )
    first = open_patches(tmp_path / "set")
    second = open_patches(tmp_path / "set")
    assert [one.source for one in second.skipped] == ["2.png"]
    assert second.skipped == first.skipped
    assert second.notes == first.notes
    assert "grey images among colour ones" in " ".join(first.notes)
    assert second.table.equals(first.table)
    assert second.channel_names == ("red", "green", "blue")
    assert (second[5] == 7).all()
    assert second[5].shape == (12, 12, 3)


def test_two_processes_may_build_the_same_store(tmp_path, cache):
    images = fill(tmp_path / "set", 600)
    code = (
        "import sys; from napari_patchmap.patches import open_patches\n"
        "sys.stdin.readline()\n"
        "print(int(open_patches(sys.argv[1]).stack().astype('i8').sum()))"
    )
    both = [python(code, tmp_path / "set", stdin=subprocess.PIPE) for _ in range(2)]
    for process in both:  # both have imported everything by the time they read the line
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0].strip() for process in both] == [str(images.sum())] * 2
    assert cache_size()[1] == 1
    assert half_built(cache) == []


def test_a_process_killed_half_way_leaves_nothing_that_hurts(tmp_path, cache):
    images = fill(tmp_path / "set", 600)
    code = (
        "import os, signal, sys; from napari_patchmap.patches import Watch, open_patches\n"
        "kill = lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if total > 0 else 0\n"
        "open_patches(sys.argv[1], watch=Watch(kill))"
    )
    process = python(code, tmp_path / "set")
    assert process.wait() == -signal.SIGKILL
    assert cache_size()[1] == 0
    assert half_built(cache)  # and its lock
    np.testing.assert_array_equal(open_patches(tmp_path / "set").stack(), images)
    assert half_built(cache) == []  # swept by the next one


def test_a_store_that_is_being_made_stays_and_what_nobody_holds_goes_after_a_day(cache):
    with building_folder(10) as mine, building_folder(10) as other:
        assert mine.exists()
        assert other.exists()
    left = cache / "patches-1" / "building" / "left"  # where the disk knows no locks
    left.mkdir()
    (left / "pixels.bin").touch()
    with building_folder(10):
        assert left.exists()
    long_ago = time.time() - 25 * 3600
    os.utime(left / "pixels.bin", (long_ago, long_ago))
    with building_folder(10):
        assert not left.exists()
    assert half_built(cache) == []


def test_older_caches_of_ours_are_counted_and_cleared(tmp_path, cache):
    fill(tmp_path / "set", 3)
    open_patches(tmp_path / "set")
    (cache / "patches-1").rename(cache / "patches-0")
    assert cache_size()[1] == 1
    assert clear_cache() > 0
    assert list(cache.iterdir()) == []


def test_a_disk_that_fills_up_half_way_only_costs_memory(tmp_path, cache):
    images = fill(tmp_path / "set", 600)
    limit = images.nbytes // 2
    code = (
        "import os, resource, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from napari_patchmap.patches import open_patches\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "ps = open_patches(sys.argv[1])\n"
        "print(int((ps.stack().astype('i8') * np.arange(600)[:, None, None, None]).sum()))\n"
        "print(*ps.notes)\n"
        "held = [path for path in Path('/proc/self/fd').glob('*') if path.is_symlink()]\n"
        "print(sum('pixels.bin' in os.readlink(path) for path in held))"
    )
    out, _ = python(code, tmp_path / "set").communicate()
    total, note, held = out.splitlines()
    assert held == "0"  # the full disk has its room back
    assert int(total) == (images.astype("i8") * np.arange(600)[:, None, None, None]).sum()
    assert note == (
        f"The cache {cache} could not be used (File too large); the patches are kept in memory "
        "this time."
    )
    assert cache_size()[1] == 0
    assert half_built(cache) == []


def test_a_cache_that_cannot_be_made_only_costs_memory(tmp_path, monkeypatch):
    images = fill(tmp_path / "set", 20)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path / "file" / "cache"))
    ps = open_patches(tmp_path / "set")
    np.testing.assert_array_equal(ps.stack(), images)
    assert "kept in memory" in ps.notes[-1]


def test_a_damaged_store_is_built_again(tmp_path, cache):
    images = fill(tmp_path / "set")
    open_patches(tmp_path / "set")
    (store,) = (cache / "patches-1" / "contents").iterdir()
    os.truncate(store / "pixels.bin", 1_000)
    np.testing.assert_array_equal(open_patches(tmp_path / "set").stack(), images)
    assert (store / "pixels.bin").stat().st_size == images.nbytes


def test_cancelling_leaves_nothing_behind(tmp_path, cache, monkeypatch):
    fill(tmp_path / "set", 600)
    stopped, decode = threading.Event(), folder_decoder.try_decode

    def held(path: str, *args: object) -> object:
        if path.endswith("300.png") and half_built(cache):
            assert stopped.wait(60)  # or all may be done before anybody is asked
        return decode(path, *args)

    def stop() -> bool:
        if any(file.stat().st_size for file in cache.rglob(f"building/*/{PIXELS}")):
            stopped.set()
        return stopped.is_set()

    monkeypatch.setattr(folder_decoder, "try_decode", held)
    with pytest.raises(LoadCancelled):
        open_patches(tmp_path / "set", watch=Watch(should_stop=stop))
    assert cache_size()[0] == 0
    assert half_built(cache) == []


def test_clearing_frees_the_space_and_open_patches_go_on(tmp_path):
    images = fill(tmp_path / "set")
    ps = open_patches(tmp_path / "set")
    assert clear_cache() > images.nbytes
    assert cache_size() == (0, 0)
    np.testing.assert_array_equal(ps.stack(), images)


def test_clearing_leaves_alone_what_is_not_ours(tmp_path, cache):
    fill(tmp_path / "set", 3)
    open_patches(tmp_path / "set")
    (cache / "thesis.txt").write_text("two years of work")
    clear_cache()
    assert (cache / "thesis.txt").exists()


class Lazy(Images):
    """Counts what is read; one of them is damaged."""

    def __init__(self, pixels: np.ndarray, bad: int = -1) -> None:
        self._pixels, self._bad, self.read = pixels, bad, 0
        self.dtype, self.channels = pixels.dtype, pixels.shape[3]
        self.sizes = np.tile(pixels.shape[1:3], (len(pixels), 1)).astype(np.int64)

    def __getitem__(self, index: int) -> np.ndarray:
        self.read += 1
        if index == self._bad:
            raise PatchError("is damaged")
        return self._pixels[index]


class Slow(Lazy):
    """Takes its time, as decoding does."""

    def __getitem__(self, index: int) -> np.ndarray:
        time.sleep(0.001)
        return super().__getitem__(index)


def lazy_source(images: Images) -> Source:
    n = len(images)
    table = pd.DataFrame(
        {"source": "s", "frame": np.arange(n), "y": 0, "x": 0, "height": 9, "width": 8}
    )
    return Source(images, table, ("a", "b")[: images.channels], fingerprint="mark")


def test_lazy_images_are_copied_once_and_damaged_ones_left_out():
    pixels = np.random.default_rng(1).integers(0, 60_000, (300, 9, 8, 2)).astype(np.uint16)
    kept = np.delete(np.arange(300), 17)
    for expected in (300, 0):
        images = Lazy(pixels, bad=17)
        ps = finish(
            lazy_source(images), name="s", origin={}, sizes=None, labels=None, watch=Watch()
        )
        assert images.read == expected
        assert ps.table["frame"].tolist() == kept.tolist()
        assert [(one.source, one.reason) for one in ps.skipped] == [("s [17]", "is damaged")]
        np.testing.assert_array_equal(ps.stack(), pixels[kept])
        shuffled = np.random.default_rng(2).permutation(299)
        np.testing.assert_array_equal(ps.take(shuffled), pixels[kept][shuffled])


def test_images_of_several_sizes_and_types_come_back_as_they_were():
    rng = np.random.default_rng(3)
    arrays = [rng.random((h, 7 + h % 3, 1)).astype(np.float32) for h in (4, 9, 4, 1, 30)]
    CachedImages(as_images(arrays), "mark").decode_all(Watch())
    cached = CachedImages(as_images([0 * array for array in arrays]), "mark")
    assert cached.dtype == np.float32
    for i, array in enumerate(arrays):
        np.testing.assert_array_equal(cached[i], array)
    assert cached.size_counts == {(4, 8): 2, (1, 8): 1, (9, 7): 1, (30, 7): 1}


def test_channels_are_chosen_by_name_or_number():
    pixels = np.arange(2 * 3 * 3 * 3, dtype=np.uint16).reshape(2, 3, 3, 3)
    table = lazy_source(ArrayImages(pixels)).table

    def choose(*channels: str):
        source = Source(pixels, table, ("DAPI", "CD3", "CD20"))
        return finish(
            source,
            name="s",
            origin={},
            sizes=None,
            labels=None,
            watch=Watch(),
            channels=channels,
        )

    ps = choose("cd20", "1")
    assert ps.channel_names == ("CD20", "DAPI")
    np.testing.assert_array_equal(ps.stack(), pixels[..., [2, 0]])
    with pytest.raises(PatchError, match="no channel 'GFP'; choose among DAPI, CD3, CD20"):
        choose("GFP")
    with pytest.raises(PatchError, match="chosen twice"):
        choose("CD3", "2")


def test_the_cache_lies_where_the_variable_says(tmp_path, monkeypatch):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("PATCHMAP_CACHE")
    assert cache_folder().name == "napari-patchmap"


def test_a_large_set_is_decoded_as_it_is_used_and_only_once(cache):
    pixels = np.random.default_rng(4).integers(0, 256, (50, 6, 6, 1), np.uint8)
    first = Lazy(pixels)
    cached = CachedImages(first, "large")
    some = np.array([40, 3, 3, 17])
    np.testing.assert_array_equal(cached.take(some), pixels[some])
    np.testing.assert_array_equal(cached[9], pixels[9])
    second = Lazy(pixels)
    again = CachedImages(second, "large")  # another run, or another process
    np.testing.assert_array_equal(again.take(some), pixels[some])
    np.testing.assert_array_equal(again[9], pixels[9])
    assert second.read == 0
    np.testing.assert_array_equal(again.take(np.arange(50)), pixels)
    assert second.read == 46  # but for 3, 9, 17 and 40


def test_damage_that_is_found_late_is_left_out_of_the_next_loading():
    pixels = np.zeros((5, 4, 4, 2), np.uint8)
    with pytest.raises(PatchError, match="is damaged; load the patches again to leave it out"):
        CachedImages(Lazy(pixels, bad=2), "mark").take(np.arange(5))
    images = Lazy(pixels, bad=2)
    ps = finish(
        lazy_source(images), name="s", origin={}, sizes=None, labels=None, watch=Watch()
    )
    assert len(ps) == 4
    assert [one.source for one in ps.skipped] == ["s [2]"]


def test_a_cancelled_decoding_goes_on_where_it_was():
    pixels = np.random.default_rng(5).integers(0, 256, (2_000, 5, 5, 1), np.uint8)
    seen: list[int] = []

    def stop() -> bool:
        return bool(seen)

    with pytest.raises(LoadCancelled):
        CachedImages(Slow(pixels), "mark").decode_all(
            Watch(lambda done, total: seen.append(done), stop)
        )
    images = Lazy(pixels)
    CachedImages(images, "mark").decode_all(Watch())
    assert 0 < images.read < 2_000


def test_lazy_images_do_without_a_disk(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path / "file" / "cache"))
    pixels = np.random.default_rng(6).integers(0, 256, (20, 5, 5, 2), np.uint8)
    images = Lazy(pixels)
    ps = finish(
        lazy_source(images), name="s", origin={}, sizes=None, labels=None, watch=Watch()
    )
    np.testing.assert_array_equal(ps.stack(), pixels)
    assert images.read == 20  # kept in memory
    assert "not kept for the next time" in ps.notes[-1]


def test_only_what_we_wrote_is_removed_from_a_cache_that_is_somebodys_folder(tmp_path, cache):
    """``PATCHMAP_CACHE`` may be a folder with data, under names like those of ours."""
    theirs = [
        "patches-train/neutrophil/cell.png",
        "patches-2/contents/set/index.npy",
        "patches-1/notes.txt",
        "patches-1/sources/names.json",
        "patches-1/contents/crops/cell.png",
    ]
    for name in theirs:
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text("precious")
    assert cache_size() == (0, 0)
    fill(tmp_path / "set", 3)
    open_patches(tmp_path / "set")
    (store,) = (p.parent for p in (cache / "patches-1" / "contents").glob("*/meta.json"))
    (store / "thesis.txt").write_text("precious")
    assert cache_size()[1] == 1
    assert clear_cache() > 0
    left = sorted(p.relative_to(cache) for p in cache.rglob("*") if p.is_file())
    assert left == sorted([*map(Path, theirs), (store / "thesis.txt").relative_to(cache)])
    assert {(cache / name).read_text() for name in left} == {"precious"}


def test_a_store_that_was_half_removed_is_made_again(tmp_path, cache):
    pixels = np.random.default_rng(7).integers(0, 256, (20, 5, 5, 2), np.uint8)
    CachedImages(Lazy(pixels), "mark").take(np.arange(20))
    store = cache / "patches-1" / "contents" / "mark"
    (store / "meta.json").unlink()
    (store / "present.bin").unlink()
    again = CachedImages(Lazy(pixels), "mark")
    np.testing.assert_array_equal(again.take(np.arange(20)), pixels)
    assert again.trouble == ""
    assert (store / "meta.json").exists()


def test_caches_of_before_the_tag_are_known_by_their_stores(tmp_path, cache):
    fill(tmp_path / "set", 3)
    open_patches(tmp_path / "set")
    (cache / "patches-1" / "CACHEDIR.TAG").unlink()
    assert clear_cache() > 0
    assert list(cache.iterdir()) == []
