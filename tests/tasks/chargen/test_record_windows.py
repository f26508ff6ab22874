"""Batches of texts of one line each, with --records lines."""

import types

import numpy as np
import pytest

from tasks.chargen.record_windows import RecordWindows, ValidationRecords


def records_in(windows, batches):
    """Return the records that the rows of batches read, each with the targets that count."""
    found, open_rows = [], {}
    for (ids, resets), targets, weights in batches:
        assert ids.shape == (windows.batch_size, windows.window)
        for row in range(windows.batch_size):
            counted = weights[row] > 0
            assert not counted[np.argmin(counted) :].any() or counted.all()  # what is padded is at the end
            if resets[row]:
                open_rows[row] = []
                if counted.any():
                    found.append(open_rows[row])
                    assert ids[row, 0] == 1
            open_rows[row] += targets[row][counted].tolist()
            np.testing.assert_array_equal(ids[row][counted][1:], targets[row][counted][:-1])
    return found


LENGTHS = [1, 2, 3, 3, 3, 5, 8, 9, 9, 13, 20, 41]


def many(lengths):
    ids = [1]
    for number, length in enumerate(lengths):
        ids += [*(2 + (number + place) % 7 for place in range(length)), 1]
    return np.array(ids, np.uint16)


@pytest.mark.parametrize(("window", "batch_size"), [(64, 4), (10, 4), (4, 3), (1, 2), (10, 64)])
def test_each_record_is_read_once_from_a_zero_state(window, batch_size):
    ids = many(LENGTHS)
    windows = RecordWindows(ids, 1, window=window, batch_size=batch_size, seed=5)
    assert windows.window == min(window, 42) and windows.batch_size == min(batch_size, len(LENGTHS))
    expected = sorted(map(list, np.split(ids[1:], np.flatnonzero(ids[1:] == 1)[:-1] + 1)), key=str)
    passes = list(windows.batches(0, 0).take(2 * windows.steps_per_pass).as_numpy_iterator())
    orders = []
    for part in (passes[: windows.steps_per_pass], passes[windows.steps_per_pass :]):
        orders.append(records_in(windows, part))
        assert sorted(orders[-1], key=str) == [list(map(int, record)) for record in expected]
        assert np.mean([weights for *_, weights in part]) == pytest.approx(1.0, rel=1e-5)
    assert orders[0] != orders[1]
    step = windows.steps_per_pass + windows.steps_per_pass // 2
    rest = windows.batches(*divmod(step, windows.steps_per_pass)).take(len(passes) - step).as_numpy_iterator()
    for ((ids_one, resets), *one), ((ids_two, other_resets), *two) in zip(passes[step:], rest, strict=True):
        for part, other in zip((ids_one, resets, *one), (ids_two, other_resets, *two), strict=True):
            np.testing.assert_array_equal(part, other)
    # The rows end at nearly the same time.
    least = sum(-(-(length + 1) // windows.window) for length in LENGTHS) / windows.batch_size
    longest = -(-max(LENGTHS) // windows.window)
    assert windows.steps_per_pass <= max(least + longest, longest + 1)


@pytest.mark.parametrize("window", [3, 50])
def test_a_validation_reads_all_records_or_evenly_spread_ones(window):
    ids = many(LENGTHS)
    whole = ValidationRecords(ids, 1, window, 4)
    shape = types.SimpleNamespace(window=window, batch_size=4)
    assert len(records_in(shape, whole.batches().as_numpy_iterator())) == len(LENGTHS)
    assert whole.characters == len(ids) - 1
    part = ValidationRecords(many([*range(1, 9)] * 40), 1, window, 4, max_steps=30)
    found = records_in(shape, part.batches().as_numpy_iterator())
    assert len(list(part.batches())) <= 32 and part.characters == sum(map(len, found))
    assert {*map(len, found)} == {*range(2, 10)} or len(found) > 30
