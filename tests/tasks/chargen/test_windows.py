"""Windows of a text: the contents of every batch, and that the next continues where it ended."""

import itertools

import numpy as np
import pytest

from tasks.chargen.windows import TrainingWindows, ValidationWindows

IDS = np.arange(1000, dtype=np.uint16)


def taken(windows, epoch=0, step=0, count=None):
    count = windows.steps_per_pass if count is None else count
    batches = windows.batches(epoch, step).take(count).as_numpy_iterator()
    return [(ids, resets, targets) for (ids, resets), targets in batches]


def test_stateful_windows_continue_where_they_ended():
    windows = TrainingWindows(IDS, window=20, batch_size=4, stateful=True)
    batches = taken(windows)
    assert len(batches) == windows.steps_per_pass == 12
    for number, (ids, resets, targets) in enumerate(batches):
        assert ids.shape == targets.shape == (4, 20)
        assert (resets == (number == 0)).all()
        np.testing.assert_array_equal(targets, ids + 1)
    for (before, *_), (after, *_) in itertools.pairwise(batches):
        np.testing.assert_array_equal(after[:, 0], before[:, -1] + 1)
    # No two rows read the same characters; together they read nearly all.
    read = np.concatenate([ids.ravel() for ids, *_ in batches])
    assert len(set(read)) == len(read) == 960


def test_epochs_begin_at_different_places():
    windows = TrainingWindows(IDS, window=20, batch_size=4, stateful=True)
    first = [int(taken(windows, epoch, count=1)[0][0][0, 0]) for epoch in range(8)]
    assert len(set(first)) > 4 and max(first) < 20
    assert first == [int(taken(windows, epoch, count=1)[0][0][0, 0]) for epoch in range(8)]


@pytest.mark.parametrize("stateful", [True, False])
def test_an_epoch_resumed_in_its_middle_has_the_same_batches(stateful):
    windows = TrainingWindows(IDS, window=20, batch_size=4, stateful=stateful, seed=3)
    whole = taken(windows, count=3 * windows.steps_per_pass)
    epoch, step = 1, 5
    rest = taken(windows, epoch, step, count=2 * windows.steps_per_pass - step)
    for one, two in zip(whole[windows.steps_per_pass + step :], rest, strict=True):
        for part, other in zip(one, two, strict=True):
            np.testing.assert_array_equal(part, other)


def test_shuffled_windows_each_reset_the_state():
    windows = TrainingWindows(IDS, window=20, batch_size=4, stateful=False)
    batches = taken(windows)
    assert all(resets.all() for _, resets, _ in batches)
    starts = [int(row[0]) for ids, *_ in batches for row in ids]
    assert len(set(starts)) == len(starts) and starts != sorted(starts)
    assert all((after - before) % 20 == 0 for before, after in itertools.pairwise(sorted(starts)))
    other = [int(row[0]) for ids, *_ in taken(windows, epoch=1) for row in ids]
    assert sorted(other) != sorted(starts)  # they begin elsewhere


def test_a_shorter_window_step_makes_more_windows():
    windows = TrainingWindows(IDS, window=20, batch_size=4, stateful=False, step=3, last_only=True)
    assert windows.steps_per_pass == pytest.approx(1000 / 3 / 4, abs=3)
    for ids, _, targets in taken(windows):
        assert targets.shape == (4, 1)
        np.testing.assert_array_equal(targets, ids[:, -1:] + 1)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 20, 21, 22, 41, 50, 100])
@pytest.mark.parametrize("stateful", [True, False])
def test_a_short_text_has_fewer_and_shorter_windows(size, stateful):
    windows = TrainingWindows(IDS[:size], window=20, batch_size=4, stateful=stateful)
    assert windows.window <= 20 and windows.batch_size <= 4
    for ids, _, targets in taken(windows, count=5 * windows.steps_per_pass):
        assert ids.shape == (windows.batch_size, windows.window)
        np.testing.assert_array_equal(targets, ids + 1)
        assert targets.max() < size


@pytest.mark.parametrize("max_steps", [1, 3, 10, 100])
def test_a_bounded_validation_reads_evenly_spread_parts(max_steps):
    windows = ValidationWindows(np.arange(40_000), 32, 8, max_steps=max_steps)
    batches = list(windows.batches().as_numpy_iterator())
    assert windows.steps == len(batches) == max_steps
    targets, weights = (np.concatenate(part, axis=1) for part in zip(*(batch[1:] for batch in batches), strict=True))
    assert np.count_nonzero(weights) == windows.characters and weights.mean() == pytest.approx(1.0)
    seen = targets[weights > 0]
    assert len({*seen.tolist()}) == len(seen) and {*(seen // 4968).tolist()} == {*range(8)}


@pytest.mark.parametrize("size", [2, 5, 21, 100, 999, 1000])
@pytest.mark.parametrize("fixed", [True, False])
def test_validation_predicts_each_character_once(size, fixed):
    seen = []
    for (ids, resets), targets, weights in (
        ValidationWindows(IDS[:size], 20, 4, fixed=fixed).batches().as_numpy_iterator()
    ):
        assert ids.shape == targets.shape == weights.shape and len(resets) == 4
        assert ids.shape[1] == 20 if fixed else ids.shape[1] <= 20
        np.testing.assert_array_equal(targets[weights > 0], ids[weights > 0] + 1)
        seen += targets[weights > 0].tolist()
    assert sorted(seen) == list(range(1, size))
