"""Comparisons: trainings side by side, killed and gone on with, and the figures of their table."""

import csv
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tasks.comparison import compare, plots, table
from tasks.comparison.settings import CompareArguments, Comparison
from tasks.sentiment.settings import SentimentSettings

SMALL = [
    "--epochs",
    "3",
    "--no-bidirectional",
    "--vocabulary-size",
    "80",
    "--max-tokens",
    "16",
    "--embedding-size",
    "8",
]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """A file of short reviews; what is praised is positive."""
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for number in range(120):
            word, label = [("good", "positive"), ("bad", "negative")][number % 2]
            rows.writerow([f"visit {number}: the soup was {word}", label])
    return path


@pytest.fixture(scope="module")
def compared(reviews, tmp_path_factory, process, sentiment_process):
    """A comparison of two cells of two sizes, killed after its first run, and gone on with."""
    folder = tmp_path_factory.mktemp("runs") / "cells"
    command = ["compare", "--data", reviews, "--run", folder, "--cells", "gru,simple_rnn", "--vary", "layers=1,2"]
    command += ["--units", "4", "--seeds", "1", *SMALL]
    started = process("-m", "tasks.sentiment", *command, start_new_session=True)
    first = folder / "gru_units=4_layers=1" / "seed-0.json"
    end = time.monotonic() + 600  # a deadline, where something is wrong
    while not (folder / "gru_units=4_layers=2" / "seed-0" / "settings.json").exists() and time.monotonic() < end:
        time.sleep(0.1)
    before = first.read_text()
    os.kill(started.pid, signal.SIGKILL)  # the comparison alone, and not the training that it waits for
    started.wait()
    while _workers_of(started.pid) and time.monotonic() < end:
        time.sleep(0.1)
    orphans = _workers_of(started.pid)
    answer = sentiment_process(*command)
    assert answer.code == 0, answer.err
    return folder, command, before == first.read_text(), orphans, answer


def _workers_of(session: int) -> list[str]:
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == session:
                state = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[0]
                found += [entry] if state != "Z" else []  # one that has ended may wait for its parent
        except (ProcessLookupError, FileNotFoundError):
            continue
    return found


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="finds the processes of a session in /proc, which is not here")
def test_a_killed_comparison_goes_on_with_what_is_finished_and_leaves_no_training_behind(compared):
    _, _, kept, orphans, answer = compared
    assert kept and not orphans
    assert "run 1 of 4: gru_units=4_layers=1, seed 0: done before" in answer.err
    assert "run 4 of 4: simple_rnn_units=4_layers=2, seed 0\n" in answer.err


def test_the_table_has_a_row_for_each_variation_with_what_it_costs(compared):
    folder, _, _, _, answer = compared
    rows = json.loads((folder / "table.json").read_text())["rows"]
    assert [(row["cell"], row["layers"]) for row in rows] == [
        ("gru", "1"),
        ("gru", "2"),
        ("simple_rnn", "1"),
        ("simple_rnn", "2"),
    ]
    by_name = {(row["cell"], row["layers"]): row for row in rows}
    assert (
        by_name["gru", "2"]["parameters"] > by_name["gru", "1"]["parameters"] > by_name["simple_rnn", "1"]["parameters"]
    )
    for row in rows:
        evaluation = folder / f"{row['cell']}_units=4_layers={row['layers']}" / "seed-0" / "evaluation.json"
        stored = json.loads(evaluation.read_text())
        assert stored["split"] == "validation" and row["accuracy"] == stored["accuracy"]
        assert row["seconds_per_pass"] > 0 and row["tokens_per_second"] > 0 and row["peak_memory"] > 50e6
        assert row["seconds_to_quality"] > 0
    with open(folder / "table.csv", newline="") as file:
        assert [float(row["accuracy"]) for row in csv.DictReader(file)] == [row["accuracy"] for row in rows]
    assert (folder / "table.txt").read_text() in answer.out
    for name in ("quality_against_time", "quality_against_parameters"):
        assert (folder / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_other_settings_need_another_folder(compared, sentiment):
    folder, command, *_ = compared
    message = sentiment(*command, "--learning-rate", "0.5").error()
    assert "learning_rate was 0.004 and is now 0.5" in message and "--overwrite" in message
    assert (folder / "table.json").exists()
    # Noticed before the first training, also where what is there comes last.
    command[command.index("gru,simple_rnn")] = "lstm,gru"
    message = sentiment(*command, "--learning-rate", "0.5").error()
    assert "learning_rate was 0.004" in message and "run 1" not in message
    assert not (folder / "lstm_units=4_layers=1").exists()


def test_a_split_that_is_not_there_is_told_before_the_first_training_and_nothing_is_overwritten(compared, sentiment):
    folder, command, *_ = compared
    before = sorted(folder.rglob("*"))
    message = sentiment(*command, "--overwrite", "--split", "tset").error()
    assert "has no split 'tset'; its splits are: 'train', 'validation', 'test'" in message
    assert sorted(folder.rglob("*")) == before and [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_was_put_aside_comes_back_after_a_kill(compared, sentiment):
    folder, command, *_ = compared
    # What `atomic_files.put_aside` does, up to where it was killed.
    folder.rename(folder.with_name(f".old-{folder.name}"))
    assert "learning_rate was 0.004" in sentiment(*command, "--learning-rate", "0.5").error()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name] and (folder / "table.json").exists()


def test_what_is_overwritten_goes_when_the_first_training_is_there(reviews, tmp_path, sentiment):
    command = ["compare", "--data", reviews, "--run", tmp_path / "cells", "--units", "4", "--seeds", "1", *SMALL]
    assert sentiment(*command, "--cells", "gru").code == 0
    assert sentiment(*command, "--cells", "simple_rnn", "--overwrite").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]
    assert (tmp_path / "cells" / "simple_rnn_units=4").exists() and not (tmp_path / "cells" / "gru_units=4").exists()


def test_trainings_with_a_budget_of_minutes(reviews, tmp_path, sentiment):
    command = ["compare", "--data", reviews, "--run", tmp_path / "cells", "--cells", "simple_rnn", "--seeds", "1"]
    answer = sentiment(*command, "--units", "4", "--minutes", "0.02", "--json", *SMALL)
    assert answer.code == 0, answer.err
    (row,) = json.loads(answer.out)["rows"]
    folder = tmp_path / "cells" / "simple_rnn_units=4"
    result = json.loads((folder / "seed-0.json").read_text())
    assert len(result["trained"]["history"]) == 6
    assert row["spread"] is None and row["runs"] == 1


def test_a_budget_is_as_many_steps_as_fit_and_is_measured_for_these_settings(tmp_path, monkeypatch):
    """What a step takes is told here, so that it is known: 0.1 s, and for a GRU 0.2 s."""
    timed = []

    def answers(job):
        settings = job["settings"]
        timed.append(settings.recurrent.cell)
        (tmp_path / "cells" / "x" / ".timing").mkdir(parents=True)
        second = settings.training.steps_per_epoch * (0.2 if settings.recurrent.cell == "gru" else 0.1)
        yield {"trained": {"history": [{"seconds": 99.0}, {"seconds": second}]}}

    def steps(cell, seed=0):
        settings = SentimentSettings(recurrent={"cell": cell}, training={"seed": seed})
        asked = Comparison("sentiment", CompareArguments(cells=cell, minutes=4.0, run=str(tmp_path / "cells")), {})
        budgeted = compare._within(asked, 4.0, settings, tmp_path / "cells" / "x")
        return budgeted.training.epochs * budgeted.training.steps_per_epoch

    monkeypatch.setattr(compare, "_answers", answers)
    assert steps("lstm") == 2400
    assert steps("lstm", seed=1) == 2400 and timed == ["lstm"]  # the same for each seed
    assert steps("gru") == 1200 and timed == ["lstm", "gru"]


def result(watched, values, metric=("accuracy", 0.5), seconds=10.0, diverged=False):
    history = [
        {"epoch": n + 1.0, watched: value, "seconds": seconds, "passes": n + 1.0, "tokens_per_second": 100.0}
        for n, value in enumerate(values)
    ]
    trained = {"history": history, "parameters": 7, "peak_memory": 2**20, "diverged": diverged}
    return {"trained": trained, "evaluated": {"validation": {metric[0]: metric[1]}}}


def test_mean_spread_and_the_time_to_what_all_reach():
    comparison = Comparison("sentiment", CompareArguments(cells="lstm,gru"), {"lstm": SentimentSettings()})
    results = {
        "lstm": [result("val_accuracy", [0.6, 0.9, 0.8], ("accuracy", 0.8)), result("val_accuracy", [0.8, 0.9, 0.95])],
        "gru": [result("val_accuracy", [0.5, 0.6, 0.7], seconds=5.0), result("val_accuracy", [None, 0.7, 0.75])],
    }
    lstm, gru = table.rows(comparison, results)
    assert lstm["accuracy"] == pytest.approx(0.65)
    assert lstm["spread"] == pytest.approx(0.3 / 2**0.5)  # the standard deviation of a sample of two
    assert lstm["quality"] == gru["quality"] == 0.7
    assert lstm["seconds_to_quality"] == (20.0 + 10.0) / 2
    assert gru["seconds_to_quality"] == (15.0 + 20.0) / 2
    assert lstm["seconds_per_pass"] == 10.0
    assert "0.6500 ± 0.2121" in table.as_text([lstm, gru])


def test_speed_leaves_out_the_first_epoch_in_which_the_graph_is_built():
    history = [
        {"seconds": 60.0, "passes": 1.0, "tokens_per_second": 10.0},
        {"seconds": 10.0, "passes": 2.0, "tokens_per_second": 90.0},
        {"seconds": 30.0, "passes": 3.0, "tokens_per_second": 30.0},
    ]
    assert table._speed(history) == (20.0, pytest.approx(1800 / 40))
    assert table._speed(history[:1]) == (60.0, 10.0)


def test_the_picture_has_the_mean_and_the_spread_of_the_table(tmp_path, monkeypatch):
    """One seed diverged before anything was measured, and one variation was never validated by that figure."""
    results = {
        "lstm": [result("val_accuracy", [0.5, 0.7]), result("val_accuracy", [0.7, 0.8]), result("val_accuracy", [])],
        "gru": [result("val_loss", [1.0])],
    }
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    plots.quality_against_time(results, "val_accuracy", tmp_path / "picture.png")
    (panel,) = drawn[0].axes
    ((seconds, mean),) = [line.get_data() for line in panel.get_lines()]
    np.testing.assert_allclose(seconds, [10.0, 20.0])
    np.testing.assert_allclose(mean, [0.6, 0.75])
    (band,) = panel.collections
    at_first = sorted({round(y, 6) for x, y in band.get_paths()[0].vertices if x == 10.0})
    spread = 0.2 / 2**0.5  # the standard deviation of a sample of two
    np.testing.assert_allclose([at_first[0], at_first[-1]], [0.6 - spread, 0.6 + spread], atol=1e-5)


def test_where_lower_is_better():
    comparison = Comparison("chargen", CompareArguments(cells="lstm,gru", quality=1.5), {})
    metric = ("nats_per_character", 1.0)
    results = {
        "lstm": [result("val_loss", [2.0, 1.5], metric), result("val_loss", [2.0, 1.6], metric)],
        "gru": [result("val_loss", [1.4, 1.9], metric, diverged=True)],
    }
    lstm, gru = table.rows(comparison, results)
    assert (lstm["seconds_to_quality"], lstm["reached"], gru["seconds_to_quality"]) == (20.0, 1, 10.0)
    text = table.as_text([lstm, gru])
    assert "20 (1 of 2)" in text and "diverged" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cells", "lstn"], ["'lstn' is no cell", "did you mean lstm"]),
        (["--cells", "lstm,,gru"], ["empty part"]),
        (["--seeds", "0"], ["--seeds: 0", "greater than or equal to 1"]),
        (["--metric", "acuracy"], ["--metric acuracy", "did you mean accuracy"]),
        (["--units", "64,64"], ["64 twice"]),
        (["--units", "8,many"], ["--units", "many"]),
        (["--cell", "gru"], ["--cells"]),
        (["--vary", "cell=gru,lstm"], ["--cells"]),
        (["--vary", "layers"], ["NAME=VALUE"]),
        (["--vary", "layerz=1,2"], ["--layerz", "did you mean --layers"]),
        (["--cells", "gru", "--vary", "unit_forget_bias=True,False"], ["unit_forget_bias", "only lstm"]),
        (["--minutes", "0"], ["--minutes", "greater than 0"]),
        (["--vary", "data=a b,a/b"], ["signs alone"]),
    ],
)
def test_what_cannot_be_compared(sentiment, tmp_path, arguments, words):
    message = sentiment("compare", "--run", tmp_path / "cells", *arguments).error()
    assert all(word in message for word in words), message
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_a_folder_of_something_else_is_left_alone(sentiment, tmp_path, more):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.json").write_text("{}")
    for folder in (tmp_path / "run", tmp_path):
        assert "is no comparison" in sentiment("compare", "--run", folder, *more).error()
    assert (tmp_path / "run" / "settings.json").exists()
