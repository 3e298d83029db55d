"""A run is trained by one process at a time, and its folder stays clean."""

import pytest

from napari_patchmap.errors import RunError
from napari_patchmap.runs import alone_in, is_being_trained
from tests.holding import held_elsewhere


def test_another_process_keeps_a_run_to_itself_until_it_ends(tmp_path):
    run = tmp_path / "run"
    assert not is_being_trained(run)
    with held_elsewhere(run):
        assert is_being_trained(run)
        assert not is_being_trained(tmp_path / "other")
        with pytest.raises(RunError, match=r"written by another window or process .*wait"):
            alone_in(run).__enter__()
    assert not is_being_trained(run)
    with alone_in(run):
        assert is_being_trained(run)
        with alone_in(run):
            assert is_being_trained(run)
        assert is_being_trained(run)
    assert not is_being_trained(run)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_there_is_no_lock(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with alone_in(tmp_path / "file" / "run"):
        pass
    assert not is_being_trained(tmp_path / "file" / "run")
