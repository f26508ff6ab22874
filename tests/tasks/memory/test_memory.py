"""The recall studies: what is learned, what is measured, what is kept, and what is said of it."""

import csv
import json
import logging
import signal
import time

import numpy as np
import pytest

from tasks.memory import sequences
from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, STANDARD, Experiment, make_condition
from tasks.memory.measure import Measurer
from tasks.memory.settings import CELLS, RecallArguments
from tasks.memory.tables import Group, Table
from tasks.memory.verdicts import reach, verdicts


def lines(folder) -> list[bytes]:
    file = folder / "results.jsonl"
    return file.read_bytes().splitlines() if file.exists() else []


# --- the sequences


def test_the_first_symbol_is_asked_for_and_stands_nowhere_else():
    ids, labels = sequences.draw(np.random.default_rng(0), 500, 7, symbols=4)
    assert ids.shape == (500, 8)
    np.testing.assert_array_equal(ids[:, 0], labels)
    assert set(labels) == {0, 1, 2, 3} and set(ids[:, 1:].ravel()) == {4, 5, 6, 7}
    read = sequences.one_hot(ids, symbols=4)
    assert read.shape == (500, 8, 8) and (read.sum(axis=-1) == 1).all() and (read.argmax(axis=-1) == ids).all()


def test_the_lags_of_training_are_those_of_the_setting():
    rng = np.random.default_rng(0)
    drawn = {how: [sequences.training_lag(rng, 64, how) for _ in range(3000)] for how in ("uniform", "log_uniform")}
    assert all(set(lags) == set(range(1, 65)) for lags in drawn.values())
    assert abs(np.mean(drawn["uniform"]) - 32.5) < 2
    octaves = np.histogram(drawn["log_uniform"], [1, 2, 4, 8, 16, 32, 65])[0]  # the last one is longer by one lag
    assert octaves.min() > 0.8 * octaves.max()
    assert {sequences.training_lag(rng, 64, "fixed") for _ in range(100)} == {64}


# --- what is measured


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_learns_a_short_lag(cell):
    arguments = RecallArguments(units=16, symbols=4, steps=300)
    row = Measurer(arguments).measure(Experiment(cell, make_condition(STANDARD, "uniform", arguments), 4, 0))
    assert row["accuracy"] > 0.95 and row["solved"] and row["steps"] < 300
    assert row["loss"][-1] < 0.5 * row["loss"][0]
    assert len(row["loss"]) == len(row["gradient_norm"]) == row["steps"]


def test_the_gradient_is_told_from_the_end_backwards():
    arguments = RecallArguments(units=16, symbols=4, steps=1)
    condition = make_condition("random_normal", "fixed", arguments)
    row = Measurer(arguments).measure(Experiment("simple_rnn", condition, 8, 0))
    # Weights of standard deviation 0.05 let almost nothing through.
    before = row["state_gradients_before"]
    assert len(before) == 9 and before[0] > 0.1 and before[8] < 1e-3 * before[0]
    assert row["state_gradients_after"] != before


def test_clipping_limits_the_step_where_gradients_explode():
    arguments = RecallArguments(units=32, symbols=4, steps=60, explosion_lag=40, explosion_gain=4.0)
    measurer = Measurer(arguments)
    made = [make_condition(name, "log_uniform", arguments) for name in (EXPLODING, EXPLODING_CLIPPED)]
    loose, clipped = (measurer.measure(Experiment("simple_rnn", condition, 40, 0)) for condition in made)
    longest = arguments.explosion_learning_rate * arguments.global_clipnorm
    assert max(clipped["gradient_norm"]) > 100 * arguments.global_clipnorm
    assert max(clipped["update_norm"]) < 1.001 * longest
    assert max(loose["update_norm"]) > 10 * longest
    assert clipped["loss"][0] == loose["loss"][0]  # the same weights and sequences to begin with


# --- the whole command


@pytest.fixture(scope="module")
def whole(recall, small, tmp_path_factory):
    """A finished study of all claims, and what the command answered."""
    folder = tmp_path_factory.mktemp("recall") / "run"
    options = ("--run", folder, "--cells", "lstm,simple_rnn", "--lags", "2", "--explosion-lag", "20", *small)
    options += ("--training-lags", "uniform")
    return folder, options, recall(*options)


def test_the_command_tells_and_keeps_what_it_measured(whole):
    folder, _, answer = whole
    assert answer.code == 0
    for part in (
        "Accuracy",
        "chance is 0.250",
        "d loss / d state",
        "Explosion",
        "An LSTM's forget gate bias of 1 helps",
    ):
        assert part in answer.out
    with open(folder / "accuracy.csv", newline="") as file:
        kept = {(row["cell"], row["condition"]): float(row["accuracy"]) for row in csv.DictReader(file)}
    assert len(kept) == len(lines(folder)) == 9
    for line in map(json.loads, lines(folder)):
        assert kept[line["cell"], line["condition"]] == line["accuracy"]
    pictures = {path.name for path in (folder / "plots").iterdir()}
    assert {"accuracy.png", "state_gradients.png", "clipping_accuracy.png", "explosion.png"} <= pictures
    assert all(str(folder / "plots" / name) in answer.out for name in pictures)


def test_a_repeated_command_measures_nothing_anew_and_answers_in_json(recall, whole):
    folder, options, _ = whole
    before = lines(folder)
    answer = recall(*options, "--json")
    assert lines(folder) == before
    found = json.loads(answer.out)
    assert len(found["accuracy"]) == 9 and len(found["explosion"]) == 2
    assert set(found["verdicts"]) == {"memory", "clipping", "initializer", "forget_bias"}


def test_more_can_be_added_and_other_settings_are_refused(recall, whole):
    folder, options, _ = whole
    before = lines(folder)
    refused = recall(*options, "--learning-rate", "0.001")
    assert refused.code == 2 and lines(folder) == before
    for part in ("learning_rate was 0.01 and is now 0.001", "--run", "--overwrite"):
        assert part in refused.err
    more = ("--cells", "simple_rnn", "--studies", "memory", "--lags", "2,3", "--training-lags", "uniform,fixed")
    assert recall(*options, *more).code == 0 and lines(folder)[: len(before)] == before
    added = [json.loads(line) for line in lines(folder)[len(before) :]]
    assert [(row["training_lags"], row["lag"]) for row in added] == [("uniform", 3), ("fixed", 2), ("fixed", 3)]
    anew = ("--cells", "simple_rnn", "--studies", "memory", "--lags", "1", "--overwrite", "--steps", "1")
    assert recall(*options, *anew).code == 0
    assert [json.loads(line)["steps"] for line in lines(folder)] == [1]
    assert not (folder / "plots" / "explosion.png").exists()


def test_a_killed_study_goes_on_with_what_is_finished(recall, process, small, tmp_path, caplog):
    options = ("--run", tmp_path / "run", "--cells", "simple_rnn", "--lags", "2,3,4,5,6", "--studies", "memory", *small)
    options += ("--training-lags", "uniform")
    killed = process("-m", "tasks.memory", *options)
    patience = time.monotonic() + 120
    while len(lines(tmp_path / "run")) < 2 and killed.poll() is None and time.monotonic() < patience:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    finished = lines(tmp_path / "run")
    assert 2 <= len(finished) < 5
    with caplog.at_level(logging.INFO):
        assert recall(*options).code == 0
    assert lines(tmp_path / "run")[: len(finished)] == finished  # with the seconds that they took
    assert sum("done before" in message for message in caplog.messages) == len(finished)
    assert sorted(json.loads(line)["lag"] for line in lines(tmp_path / "run")) == [2, 3, 4, 5, 6]
    # The killed process measured what this one would have.
    first = json.loads(finished[0])
    arguments = RecallArguments(units=16, symbols=4, steps=50)
    measurer, standard = Measurer(arguments), make_condition(STANDARD, "uniform", arguments)
    measurer.measure(Experiment("simple_rnn", standard, 3, 1))  # which leaves nothing behind
    again = measurer.measure(Experiment("simple_rnn", standard, 2, 0))
    assert first | {"seconds": 0} == again | {"seconds": 0}


# --- bad input

BAD = {
    "an unknown cell": (["--cells", "lstm,rnn"], ["--cells", "'rnn'", "lstm, gru, simple_rnn"]),
    "no cell": (["--cells", ""], ["--cells", "empty"]),
    "an unknown study": (["--studies", "clip"], ["--studies", "'clip'", "did you mean clipping"]),
    "an unknown way to draw lags": (["--training-lags", "uniform,log"], ["--training-lags", "'log'", "log_uniform"]),
    "no seeds": (["--seeds", "0"], ["--seeds", "0", "greater than or equal to 1"]),
    "a lag of nothing": (["--lags", "5,0"], ["--lags", "0 is no lag", "the least is 1"]),
    "a negative lag": (["--lags", "-5,10"], ["--lags", "-5 is no lag"]),
    "lags that are no numbers": (["--lags", "5,ten"], ["--lags", "'ten' is no whole number"]),
    "a lag that is no whole number": (["--lags", "2.5"], ["--lags", "'2.5' is no whole number"]),
    "no lags": (["--lags", ""], ["--lags", "empty", "5,10,20"]),
    "an empty lag": (["--lags", "5,,10"], ["--lags", "'5,,10' has an empty part"]),
    "a lag twice": (["--lags", "5,5"], ["--lags", "names 5 twice"]),
    "one symbol": (["--symbols", "1"], ["--symbols", "greater than or equal to 2"]),
    "an unknown initializer": (["--random-initializers", "zeros,gauss"], ["--random-initializers", "gauss"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(recall, tmp_path, name):
    options, parts = BAD[name]
    answer = recall("--run", tmp_path / "run", *options)
    assert answer.code == 2 and answer.err.startswith("error: ") and "Traceback" not in answer.err
    for part in parts:
        assert part in answer.err
    assert not (tmp_path / "run").exists()


def test_a_folder_of_something_else_is_left_alone(recall, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for options in ((), ("--overwrite",)):
        answer = recall("--run", tmp_path, *options)
        assert answer.code == 2 and "name another folder with --run" in answer.err
    assert "is a file" in recall("--run", tmp_path / "notes.txt", "--overwrite").err
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.json").write_text('{"task": "sentiment"}')
    assert "is a run of the task sentiment" in recall("--run", tmp_path / "run", "--overwrite").err
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["settings.json"]


def test_damaged_results_are_told(recall, small, tmp_path):
    settings = {"task": "recall", **RecallArguments(units=16, symbols=4, steps=50).of_the_results}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    (tmp_path / "results.jsonl").write_text('{"cell": "lstm"\n')
    answer = recall("--run", tmp_path, *small)
    assert answer.code == 2 and "results.jsonl:1 is no result" in answer.err and "--overwrite" in answer.err


# --- verdicts


def of(study, *results):
    """The verdict of a study on made results."""
    cells = ",".join(dict.fromkeys(row["cell"] for rows in results for row in rows))
    arguments = RecallArguments(studies=study, cells=cells, symbols=8, training_lags="uniform")
    return verdicts(Table(row for rows in results for row in rows), arguments)[study].verdict


def test_how_long_a_cell_remembers_ends_at_the_first_lag_that_is_missed(made):
    table = Table(made("gru", STANDARD, {5: [1.0, 0.9], 10: [0.95, 0.87], 20: [1.0, 0.7], 50: [1.0, 1.0]}))
    assert reach(table, Group("gru", STANDARD, "uniform")) == 10


def test_the_verdict_on_memory_follows_the_numbers(made):
    ten, hundred = {5: [1.0], 10: [1.0], 20: [0.3], 500: [0.1]}, {5: [1.0], 10: [1.0], 100: [1.0], 200: [0.3]}
    holds, short = {100: [1.0], 1000: [1.0]}, {100: [1.0], 200: [0.2]}

    def memory(plain, lstm):
        return of("memory", made("simple_rnn", STANDARD, plain), made("lstm", STANDARD, lstm))

    assert memory(ten, holds) == "holds"
    assert memory(hundred, short) == "does not hold"
    assert memory(ten, short) == "in part"
    assert memory({5: [0.2], 10: [0.1]}, short) == "does not hold"
    assert memory(hundred, {100: [1.0]}) == "does not hold"  # one part fails, and of the other nothing is known
    assert memory({5: [1.0], 10: [1.0]}, {50: [1.0], 100: [1.0]}) == "not settled"  # longer ones were not tried
    assert memory({5: [1.0], 100: [0.1]}, {100: [1.0], 1000: [0.1]}) == "not settled"  # nor those between


def test_the_verdict_on_help_follows_the_numbers(made):
    good, bad = {20: [1.0, 0.98], 50: [0.9, 0.94]}, {20: [1.0, 0.99], 50: [0.4, 0.3]}
    for study, condition in (("forget_bias", "no_forget_bias"), ("initializer", "glorot_uniform")):

        def helps(with_it, without, study=study, condition=condition, **figures):
            return of(study, made("lstm", STANDARD, with_it), made("lstm", condition, without, **figures))

        assert helps(good, bad) == "holds"
        assert helps(bad, good) == "does not hold"
        assert helps(good, good) == "does not hold"
        assert helps(good, good, steps=200) == "holds"  # as good in half the steps
        assert helps({20: [1.0, 0.5]}, {20: [0.2, 0.9]}) == "does not hold"  # the seeds differ more than the two do


def test_the_verdict_on_clipping_follows_the_numbers(made):
    right, wrong = {100: [0.99]}, {100: [0.2]}
    wild = {"gradient_norm": [1e5], "update_norm": [1e4], "loss": [5.0] * 20}
    tame = {"gradient_norm": [1e5], "update_norm": [0.3], "loss": [0.1] * 20}

    def clipping(loose, clipped, trained=wrong, after=0.5, **figures):
        norms = [after**distance for distance in range(101)]
        return of(
            "clipping",
            made("simple_rnn", STANDARD, trained, state_gradients_after=norms),
            made("simple_rnn", "unclipped", trained),
            made("simple_rnn", EXPLODING, loose, **wild | figures),
            made("simple_rnn", EXPLODING_CLIPPED, clipped, **tame | figures),
        )

    assert clipping(wrong, right) == "holds"
    assert clipping(wrong, wrong, loss=[3.0] * 20) == "in part"  # it stops nothing, and what vanished stays so
    assert clipping(wrong, wrong, loss=[3.0] * 20, after=1.0) == "does not hold"
    assert clipping(right, right, trained=right, gradient_norm=[2.0]) == "not settled"  # nothing exploded or vanished
