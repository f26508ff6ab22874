"""The validation loss of the log is the loss that `evaluate` reports for the same weights and text."""

import json

import numpy as np
import pytest

from tasks.chargen.data import load_characters
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import open_text
from tasks.chargen.windows import CONTEXT, ValidationWindows
from tasks.training.runs import Run

OPTIONS = ("--units", "64", "--embedding-size", "32", "--learning-rate", "0.01")
VERSE = "The miller sold the moon and bought a mill,\nThe tinker sang of bread and went up hill.\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "epochs", "loop"), [(6_000, 10, "--unroll"), (15_000, 5, "--no-unroll"), (60_000, 1, "--no-unroll")]
)
def test_the_log_and_evaluate_agree(chargen, tmp_path, size, epochs, loop):
    numbers = np.random.default_rng(0).integers(100, 1000, size)
    lines = (f"{number} {VERSE}" for number in numbers)
    text = "".join(lines)[:size]
    (tmp_path / "text.txt").write_text(text)
    run = tmp_path / "run"
    trained = chargen("train", "--data", tmp_path / "text.txt", "--run", run, "--epochs", str(epochs), loop, *OPTIONS)
    assert trained.code == 0, trained.err
    best = min(row["val_loss"] for row in Run(run).history())
    answer = chargen("evaluate", "--run", run, "--split", "validation", "--json")
    found = json.loads(answer.out)
    assert best == pytest.approx(found["loss"], rel=0.01)
    # The first character of the text, which the network does not predict, counts with its frequency.
    characters = load_characters(run / "vocabulary")
    first = open_text(ChargenSettings(data={"data": str(tmp_path / "text.txt")})).text("validation")[0]
    frequency = characters.counts[characters.characters.index(first) + 1] / (sum(characters.counts) + 1)
    whole = found["loss"] * (found["examples"] - 1) - np.log(frequency)
    assert found["nats_per_character"] * found["examples"] == pytest.approx(whole, rel=1e-4)


@pytest.mark.slow
def test_a_validation_reads_a_part_of_a_large_text_and_says_so(chargen, tmp_path, caplog):
    (tmp_path / "text.txt").write_text(VERSE * 400)
    options = ("--units", "8", "--embedding-size", "8", "--epochs", "1", "--steps-per-epoch", "1", "--batch-size", "4")
    options += ("--no-unroll",)
    bounded = chargen(
        "train", "--data", tmp_path / "text.txt", "--run", tmp_path / "a", "--validation-steps", "10", *options
    )
    assert bounded.code == 0, bounded.err
    # Two rows of ten windows; the second one reads half of them to get into the text.
    assert (
        "each validation reads 480 of these characters, evenly spread; --validation-steps none reads all" in caplog.text
    )
    caplog.clear()
    whole = chargen(
        "train", "--data", tmp_path / "text.txt", "--run", tmp_path / "b", "--validation-steps", "none", *options
    )
    assert whole.code == 0 and "each validation reads" not in caplog.text
    losses = [Run(tmp_path / name).history()[0]["val_loss"] for name in "ab"]
    assert losses[0] == pytest.approx(losses[1], rel=0.05) and losses[0] != losses[1]


def rows_of(size: int, window: int, batch_size: int, fixed: bool):
    """Return ids, targets, weights and resets of all windows, side by side: (batch, steps * window) each."""
    batches = list(ValidationWindows(np.arange(size), window, batch_size, fixed=fixed).batches().as_numpy_iterator())
    ids, targets, weights = (
        np.concatenate(part, axis=1) for part in zip(*((b[0][0], b[1], b[2]) for b in batches), strict=True)
    )
    return ids, targets, weights, np.stack([batch[0][1] for batch in batches], axis=1)


@pytest.mark.parametrize("size", [2, 30, 700, CONTEXT + 2, 1500, 1793, 5000, 40_000])
@pytest.mark.parametrize("fixed", [True, False])
def test_every_character_counts_once_after_enough_context(size, fixed):
    ids, targets, weights, resets = rows_of(size, 32, 8, fixed)
    np.testing.assert_array_equal(targets[weights > 0], ids[weights > 0] + 1)
    assert sorted(targets[weights > 0].tolist()) == list(range(1, size))
    assert weights.mean() == pytest.approx(1.0) and len({*weights[weights > 0].tolist()}) == 1
    assert resets[:, 0].all() and not resets[:, 1:].any()
    assert weights[0, 0] > 0  # the text begins with a zero state
    for row in np.flatnonzero(weights.any(axis=1))[1:]:
        before = int(np.argmax(weights[row] > 0))
        assert before == CONTEXT
        np.testing.assert_array_equal(np.diff(ids[row, : before + 1]), 1)
    # What is read without being counted: no more than half of the characters that count.
    assert (ids.shape[1] - 2 * 32) * np.count_nonzero(weights.any(axis=1)) <= 1.5 * size + CONTEXT


def test_a_large_text_is_read_in_as_many_rows_as_a_batch_has():
    weights = rows_of(100_000, 32, 32, fixed=True)[2]
    assert weights.any(axis=1).all()
    assert weights.shape[1] <= 1.1 * 100_000 / 32 + 32
