"""Trainings of a comparison side by side: in one command, in jobs and tasks, and in commands on several machines."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tasks.comparison import engines
from tasks.comparison.settings import CompareArguments, Comparison
from tasks.comparison.trainings import Training, planned
from tasks.data import look_ahead
from tasks.errors import TrainingFailed
from tasks.sentiment.task import SENTIMENT
from tests.tasks.examples import write_csv

SMALL = {"epochs": 2, "vocabulary-size": 80, "max-tokens": 16, "embedding-size": 8, "ngrams": 1, "wide-ngrams": 0}
OPTIONS = ["--cells", "gru,simple_rnn", "--units", "4", "--seeds", "1", "--no-bidirectional"]
OPTIONS += [f"--{name}={value}" for name, value in SMALL.items()]
# What depends on the machine and on what else runs there.
COSTS = {"seconds_per_pass", "tokens_per_second", "peak_memory", "seconds_to_quality", "shared_machine"}
# Starts a command of sentiment without a package, as if it were not installed.
WITHOUT = """
import sys
sys.modules[sys.argv.pop(1)] = None
from tasks.cli.main import main
from tasks.sentiment.task import SENTIMENT
sys.exit(main(SENTIMENT))
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """The beginning of every comparison here."""
    words = ("good", "positive"), ("bad", "negative")
    rows = [(f"visit {number}: the soup was {words[number % 2][0]}", words[number % 2][1]) for number in range(60)]
    return ["compare", "--data", write_csv(tmp_path_factory.mktemp("data") / "reviews.csv", rows), *OPTIONS]


@pytest.fixture(scope="module")
def sequential(command, tmp_path_factory, sentiment):
    """The table of the trainings one after the other."""
    folder = tmp_path_factory.mktemp("runs") / "cells"
    assert sentiment(*command, "--run", folder).code == 0
    rows = table(folder)
    assert not any(row["shared_machine"] for row in rows) and "*" not in (folder / "table.txt").read_text()
    return rows


def table(folder: Path) -> list[dict]:
    return json.loads((folder / "table.json").read_text())["rows"]


def without_costs(rows: list[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if name not in COSTS} for row in rows]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"jobs": 1}, 8),
        ({"jobs": 3}, 2),
        ({"jobs": 20}, 1),
        ({"jobs": 2, "on": "ray"}, 1),
        ({"jobs": 2, "on": "ray", "resources": ("num_cpus=3",)}, 3),
        ({"jobs": 2, "on": "slurm"}, None),
        ({"jobs": 2, "on": "slurm", "resources": ("cluster=local",)}, 4),
    ],
)
def test_trainings_on_one_machine_share_its_cores_while_they_prepare_their_data(monkeypatch, options, expected):
    monkeypatch.setattr(look_ahead, "cores", lambda: 8)
    assert Comparison(SENTIMENT, CompareArguments(**options), {}).processes == expected


def wait_until(condition, process) -> None:
    end = time.monotonic() + 600  # a deadline, in case something is wrong
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)


def two_trainings_of(process) -> list[int]:
    """The processes that its threads have started; waits for them."""
    found: list[int] = []

    def look() -> bool:
        files = Path(f"/proc/{process.pid}/task").glob("*/children")
        found[:] = [int(child) for file in files for child in file.read_text().split()]
        return len(found) == 2

    wait_until(look, process)
    assert len(found) == 2, process.communicate()[1].decode()
    return found


def begun(folder: Path) -> list[Path]:
    """The trainings that have written their settings."""
    return [path.parent for path in folder.glob("*/seed-0/settings.json")]


@pytest.mark.slow
@pytest.mark.parametrize("engine", [[], ["--on", "slurm", "--resources", "cluster=local"], ["--on", "ray"]])
def test_the_table_is_that_of_trainings_one_after_the_other_and_its_times_are_marked(
    command, sequential, tmp_path, sentiment_process, engine
):
    folder = tmp_path / "cells"
    answer = sentiment_process(*command, "--run", folder, "--jobs", "2", *engine)
    assert answer.code == 0, answer.err
    assert "run 2 of 2: simple_rnn_units=4, seed 0: finished\n" in answer.err and "epoch 1" not in answer.err
    rows = table(folder)
    assert without_costs(rows) == without_costs(sequential)
    assert [row["shared_machine"] for row in rows] == [1, 1]
    text = (folder / "table.txt").read_text()
    assert text in answer.out and text.endswith("their times are no measure of the variations\n")
    assert all(line.count("* ") == 3 for line in text.splitlines() if " 4 " in line)
    assert "epoch 2 of 2" in (folder / "gru_units=4" / "seed-0.log").read_text()
    assert not (folder / "jobs").exists() and not [*folder.rglob(".*")]


@pytest.mark.slow
def test_two_commands_share_the_trainings_and_one_takes_over_those_of_the_other_when_it_is_killed(
    command, sequential, tmp_path, process
):
    folder = tmp_path / "cells"
    both = [process("-m", "tasks.sentiment", *command, "--run", folder) for _ in range(2)]
    wait_until(lambda: len(begun(folder)) == 2, both[0])
    both[0].kill()
    both[0].communicate()
    _, err = both[1].communicate()
    assert both[1].returncode == 0, err.decode()
    assert b"run 1 of 2: gru_units=4, seed 0\n" in err and b"run 2 of 2: simple_rnn_units=4, seed 0\n" in err
    assert without_costs(table(folder)) == without_costs(sequential)
    assert not [*tmp_path.rglob(".*")]


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc"), reason="finds child processes in /proc, which does not exist here")
def test_an_interrupted_command_ends_its_trainings_and_a_failed_training_does_not_end_the_others(
    command, sequential, tmp_path, process, sentiment
):
    folder = tmp_path / "cells"
    started = process("-m", "tasks.sentiment", *command, "--run", folder, "--jobs", "2")
    trainings = two_trainings_of(started)
    started.send_signal(signal.SIGTERM)
    _, err = started.communicate()
    assert started.returncode == 143 and b"the same command resumes" in err, err.decode()
    assert len(trainings) == 2 and not any(Path(f"/proc/{training}").exists() for training in trainings)

    started = process("-m", "tasks.sentiment", *command, "--run", folder, "--jobs", "2")
    os.kill(two_trainings_of(started)[0], signal.SIGKILL)
    _, err = started.communicate()
    assert started.returncode == 1 and b"exit code -9, killed by the system" in err, err.decode()
    assert len([*folder.glob("*/seed-0.json")]) == 1 and not (folder / "table.json").exists()

    assert sentiment(*command, "--run", folder).code == 0
    assert without_costs(table(folder)) == without_costs(sequential)
    assert sum(row["shared_machine"] for row in table(folder)) >= 1


@pytest.mark.parametrize("engine", ["ray", "submitit"])
def test_an_engine_that_is_not_installed_is_an_error_with_the_command_that_installs_it(
    command, tmp_path, process, engine
):
    on = {"ray": "ray", "submitit": "slurm"}[engine]
    started = process("-c", WITHOUT, engine, *command, "--run", tmp_path / "cells", "--on", on, "--jobs", "2")
    _, err = started.communicate()
    assert started.returncode == 2
    assert err.startswith(f"error: this needs the package {engine}, which is not installed: pip install -e".encode())
    assert b"[cluster]" in err and len(err.splitlines()) == 1 and not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--jobs", "2", "--minutes", "3"], ["--minutes 3 with --jobs 2", "slow each other down", "--epochs"]),
        (["--jobs", "0"], ["--jobs", "greater than or equal to 1"]),
        (["--on", "slrum"], ["--on", "'slrum' is none of", "slurm"]),
        (["--resources", "time=60"], ["--resources", "--on slurm"]),
        (["--on", "slurm", "--resources", "time"], ["'time' is not NAME=VALUE"]),
        (["--on", "slurm", "--resources", "time=1:00"], ["time a whole number of minutes"]),
        (["--on", "slurm", "--resources", "cluster=local", "patition=gpu"], ["--resources", "patition"]),
    ],
)
def test_a_message_names_what_cannot_run_side_by_side(command, sentiment, tmp_path, arguments, words):
    message = sentiment(*command, "--run", tmp_path / "cells", *arguments).error()
    assert all(word in message for word in words), message
    assert not [*tmp_path.glob("cells/*/seed-*")]


def test_slurm_is_used_where_jobs_are_submitted(command, sentiment, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = sentiment(*command, "--run", tmp_path / "cells", "--on", "slurm").error()
    assert "srun is not on the path" in message and "cluster=local" in message


def test_a_process_that_compares_something_else_or_by_minutes_is_refused(command, sentiment, tmp_path, monkeypatch):
    """The first command is still training when the others come."""
    folder, messages = tmp_path / "cells", []
    command = [word for word in command if not str(word).startswith("--epochs")]

    def train(training, claim, **options):
        if not messages:
            for more in (["--epochs", "3"], ["--seeds", "2"], ["--minutes", "1"], ["--overwrite"]):
                messages.append(sentiment(*command, "--run", folder, *more).error())
        raise TrainingFailed("enough")

    monkeypatch.setattr(Training, "do", train)
    assert "enough" in sentiment(*command, "--run", folder).error(1)
    assert [("with other options" in message) for message in messages] == [True, True, False, False]
    assert "--minutes is for one process" in messages[2] and "is being written by other processes" in messages[3]


def test_what_another_thread_has_just_finished_was_not_finished_before(tmp_path, monkeypatch):
    """A thread that looks at a training after another one has finished it, and before that has reported it."""
    settings = {"gru": SENTIMENT.settings_class()}
    trainings = planned(Comparison(SENTIMENT, CompareArguments(run=str(tmp_path), seeds=2), settings))
    reported = []

    def train_unclaimed(trainings, session, *, finished, **_):
        for training in trainings:
            finished(training, "finished before")

    monkeypatch.setattr(engines, "train_unclaimed", train_unclaimed)
    engines.in_threads(trainings, "session", lambda training, how: reported.append(how), 2)
    assert reported == ["finished", "finished"]
