"""Steps that can be undone."""

from __future__ import annotations

import numpy as np

from napari_patchmap.explore.history import History


def test_it_goes_back_and_forth_and_a_new_step_forgets_what_was_undone():
    history = History("a")
    assert not history.can_undo
    assert not history.undo()
    history.go_to("b")
    history.go_to("c")
    assert history.undo()
    assert history.now == "b"
    assert history.redo()
    assert history.now == "c"
    history.undo()
    history.go_to("d")
    assert not history.can_redo
    assert history.undo()
    assert history.undo()
    assert history.now == "a"
    assert not history.undo()


def test_of_very_many_patches_fewer_steps_are_kept():
    for size, steps in ((0, 100), (10_000_000, 10)):
        history = History(0, size)
        for step in range(1, 201):
            history.go_to(step)
        assert sum(history.undo() for _ in range(300)) == steps
        assert history.now == 200 - steps


def test_what_was_found_holds_for_all_states():
    history = History((0, "old"))
    history.go_to((1, "old"))
    history.amend(lambda state: (state[0], "new"))
    assert history.now == (1, "new")
    history.undo()
    assert history.now == (0, "new")
    np.testing.assert_equal(history.can_redo, True)
