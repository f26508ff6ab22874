"""The command `compare`: killed and repeated, with other settings, with a budget of minutes, and its mistakes."""

import csv
import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tasks.comparison import trainings
from tasks.comparison.settings import CompareArguments, Comparison
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT

SMALL = {"epochs": 2, "vocabulary-size": 80, "max-tokens": 16, "embedding-size": 8, "ngrams": 1, "wide-ngrams": 0}
OPTIONS = ["--no-bidirectional", *(f"--{name}={value}" for name, value in SMALL.items())]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """A file of short reviews."""
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for number in range(60):
            word, label = [("good", "positive"), ("bad", "negative")][number % 2]
            rows.writerow([f"visit {number}: the soup was {word}", label])
    return path


@pytest.fixture(scope="module")
def compared(reviews, tmp_path_factory, process, sentiment_process):
    """A comparison of two cells with one and two layers, killed after its first run, and repeated."""
    folder = tmp_path_factory.mktemp("runs") / "cells"
    command = ["compare", "--data", reviews, "--run", folder, "--cells", "gru,simple_rnn", "--vary", "layers=1,2"]
    command += ["--units", "4", "--seeds", "1", *OPTIONS]
    started = process("-m", "tasks.sentiment", *command, start_new_session=True)
    first = folder / "gru_units=4_layers=1" / "seed-0.json"
    end = time.monotonic() + 600  # a deadline, in case something is wrong
    while not (folder / "gru_units=4_layers=2" / "seed-0" / "settings.json").exists() and time.monotonic() < end:
        time.sleep(0.1)
    before = first.read_text()
    os.kill(started.pid, signal.SIGKILL)  # the comparison, but not the training that it waits for
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
                found += [entry] if state != "Z" else []  # an ended process may wait for its parent
        except (ProcessLookupError, FileNotFoundError):
            continue
    return found


@pytest.mark.skipif(
    not os.path.isdir("/proc"), reason="finds the processes of a session in /proc, which does not exist here"
)
@pytest.mark.slow
def test_a_killed_comparison_leaves_no_training_running_and_repeats_no_finished_one(compared):
    _, _, kept, orphans, answer = compared
    assert kept and not orphans
    assert "run 1 of 4: gru_units=4_layers=1, seed 0: finished before" in answer.err
    assert "run 4 of 4: simple_rnn_units=4_layers=2, seed 0\n" in answer.err


@pytest.mark.slow
def test_the_table_has_the_metric_and_the_cost_of_each_variation(compared):
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


@pytest.mark.slow
def test_a_comparison_is_not_continued_with_other_settings(compared, sentiment):
    folder, command, *_ = compared
    message = sentiment(*command, "--learning-rate", "0.5").error()
    assert "learning_rate was 'auto' and is now 0.5" in message and "--overwrite" in message
    assert (folder / "table.json").exists()
    # Reported before the first training, even if the stored run is the last one.
    command[command.index("gru,simple_rnn")] = "lstm,gru"
    message = sentiment(*command, "--learning-rate", "0.5").error()
    assert "learning_rate was 'auto'" in message and "run 1" not in message
    assert not (folder / "lstm_units=4_layers=1").exists()


@pytest.mark.slow
def test_an_unknown_split_is_reported_before_the_first_training_and_nothing_is_overwritten(compared, sentiment):
    folder, command, *_ = compared
    before = sorted(folder.rglob("*"))
    message = sentiment(*command, "--overwrite", "--split", "tset").error()
    assert "has no split 'tset'; its splits are: 'train', 'validation', 'test'" in message
    assert sorted(folder.rglob("*")) == before and [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.slow
def test_a_comparison_killed_while_it_was_put_aside_is_restored(compared, sentiment):
    folder, command, *_ = compared
    # What `atomic_files.put_aside` does before it is killed.
    folder.rename(folder.with_name(f".old-{folder.name}"))
    assert "learning_rate was 'auto'" in sentiment(*command, "--learning-rate", "0.5").error()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name] and (folder / "table.json").exists()


@pytest.mark.slow
def test_overwrite_removes_the_old_comparison_after_the_first_training(compared, tmp_path, sentiment):
    folder, command, *_ = compared
    shutil.copytree(folder, tmp_path / "cells")
    options = ["--run", tmp_path / "cells", "--cells", "simple_rnn", "--vary", "layers=1", "--units", "5"]
    assert sentiment(*command, *options, "--overwrite").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]
    assert [path.name for path in (tmp_path / "cells").iterdir() if path.is_dir() and path.name != "plots"] == [
        "simple_rnn_units=5_layers=1"
    ]


@pytest.mark.slow
def test_a_comparison_with_minutes_trains_for_the_steps_that_fit_into_them(reviews, tmp_path, sentiment, caplog):
    command = ["compare", "--data", reviews, "--run", tmp_path / "cells", "--cells", "simple_rnn", "--seeds", "1"]
    options = [option for option in OPTIONS if "--epochs" not in option]
    answer = sentiment(*command, "--units", "4", "--minutes", "0.02", "--patience", "1", "--json", *options)
    assert answer.code == 0, answer.err
    (row,) = json.loads(answer.out)["rows"]
    folder = tmp_path / "cells" / "simple_rnn_units=4"
    result = json.loads((folder / "seed-0.json").read_text())
    assert 2 <= len(result["trained"]["history"]) <= 6 and "NaN" not in caplog.text
    assert row["spread"] is None and row["runs"] == 1


def test_the_name_of_a_folder_has_a_limit_and_stays_different():
    files = [f"{'d' * 150}/{'한' * 60}/{number}.csv" for number in (1, 2)]
    variations = CompareArguments(cells="lstm", vary=(f"data={','.join(files)}",)).variations
    assert [len(name.encode()) <= 200 for name in variations] == [True, True]
    assert [options["data"] for options in variations.values()] == files


def test_the_steps_that_fit_into_the_minutes_are_timed_once_for_all_seeds(tmp_path, monkeypatch):
    """Here a step takes 0.1 s, that of a GRU 0.2 s."""
    timed = []

    def answers(job):
        settings = job["settings"]
        timed.append(settings.recurrent.cell)
        (tmp_path / "cells" / "x" / ".timing").mkdir(parents=True)
        second = settings.training.steps_per_epoch * (0.2 if settings.recurrent.cell == "gru" else 0.1)
        history = [{"epoch": number, "seconds": seconds} for number, seconds in ((1, 99.0), (2, second))]
        yield {"trained": {"history": history, "diverged": False}}

    def steps(cell, seed=0):
        settings = SentimentSettings(recurrent={"cell": cell}, training={"seed": seed})
        asked = Comparison(SENTIMENT, CompareArguments(cells=cell, minutes=4.0, run=str(tmp_path / "cells")), {})
        budgeted = trainings.within(asked, 4.0, settings, tmp_path / "cells" / "x")
        return budgeted.training.epochs * budgeted.training.steps_per_epoch

    monkeypatch.setattr(trainings, "answers", answers)
    assert steps("lstm") == 2400
    assert steps("lstm", seed=1) == 2400 and timed == ["lstm"]  # the same for each seed
    assert steps("gru") == 1200 and timed == ["lstm", "gru"]


@pytest.mark.parametrize(
    ("epochs", "diverged", "steps"), [([99.0, 99.0, 5.0], False, 2400), ([99.0], False, None), ([], True, 100)]
)
def test_a_network_that_is_fitted_before_the_training_may_have_no_step_to_time(
    tmp_path, monkeypatch, caplog, epochs, diverged, steps
):
    """Its first epoch is the validation before the training: without further ones, no loss became NaN."""

    def answers(job):
        (tmp_path / "cells" / "x" / ".timing").mkdir(parents=True)
        history = [{"epoch": number, "seconds": seconds} for number, seconds in enumerate(epochs)]
        yield {"trained": {"history": history, "diverged": diverged}}

    monkeypatch.setattr(trainings, "answers", answers)
    asked = Comparison(SENTIMENT, CompareArguments(cells="lstm", minutes=4.0, run=str(tmp_path / "cells")), {})
    for _ in range(2):  # the second time from the file
        training = trainings.within(asked, 4.0, SentimentSettings(), tmp_path / "cells" / "x").training
        assert (training.epochs, training.steps_per_epoch) == ("auto", None) if steps is None else (6, -(-steps // 6))
    assert ("NaN" in caplog.text) == diverged


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
        (["--vary", "minutes=1,2"], ["--minutes is an option of the comparison itself"]),
        (["--units", "4,04"], ["lstm_units=4 and lstm_units=04 are the same settings"]),
        (["--minutes", "1", "--epochs", "3"], ["--minutes 1 with --epochs"]),
        (["--minutes", "1", "--steps_per_epoch=3"], ["--minutes 1 with --steps-per-epoch"]),
        (["--minutes", "1", "--vary", "steps_per_epoch=2,3"], ["--minutes 1 with --steps-per-epoch"]),
    ],
)
def test_a_message_names_what_cannot_be_compared(sentiment, tmp_path, arguments, words):
    message = sentiment("compare", "--run", tmp_path / "cells", *arguments).error()
    assert all(word in message for word in words), message
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_other_folders_are_left_alone(sentiment, tmp_path, more):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.json").write_text("{}")
    for folder in (tmp_path / "run", tmp_path):
        assert "is no comparison" in sentiment("compare", "--run", folder, *more).error()
    assert (tmp_path / "run" / "settings.json").exists()
