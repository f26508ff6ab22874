"""A run that is still training: it answers and is evaluated with its best weights so far, and is not exported."""

import json
import shutil
import signal

import pytest

from tasks.serving.inference import load
from tasks.training.callbacks import TrainingCallback
from tasks.training.runs import Run

pytestmark = pytest.mark.slow

TEXT = "A good film."


@pytest.fixture
def unfinished(small, tmp_path) -> Run:
    """A run with the weights of its first two epochs, whose training has not ended."""
    run = Run(shutil.copytree(small.run(), tmp_path / "run"))
    run.checkpoint.mkdir()
    lines = run.history_file.read_text().splitlines(keepends=True)
    run.history_file.write_text("".join(lines[:3]))
    return run


def test_an_unfinished_run_answers_like_a_finished_one_and_says_so(small, unfinished, caplog):
    answer = small.command(small.predict_command, "--run", unfinished.path, TEXT)
    assert answer.code == 0, answer.err
    warnings = [message for message in caplog.messages if "is not finished" in message]
    assert warnings == [f"{unfinished.path} is not finished: its best weights so far are used, after 2 epochs"]
    caplog.clear()
    finished = small.command(small.predict_command, "--run", small.run(), TEXT)
    assert answer.out == finished.out and "is not finished" not in caplog.text
    assert next(iter(load(small.task, unfinished.path).predict([TEXT])))
    assert "is not finished" in small.command("export", "--run", unfinished.path).error()


def test_an_unfinished_run_is_evaluated_and_explained(small, unfinished, caplog):
    answer = small.command("evaluate", "--run", unfinished.path, "--json")
    assert answer.code == 0 and json.loads(answer.out)["examples"], answer.err
    assert small.command("explain", "--run", unfinished.path, TEXT, "--json").code == 0
    assert sum("is not finished" in message for message in caplog.messages) == 2


def test_an_evaluation_of_weights_that_training_replaces_is_gone_at_its_end(small_tasks, tmp_path, monkeypatch):
    small, called = small_tasks["sentiment"], TrainingCallback.on_train_batch_end

    def interrupt(self, *arguments, **named):
        if self.progress.epoch:
            signal.raise_signal(signal.SIGINT)
        return called(self, *arguments, **named)

    run, options = Run(tmp_path / "run"), ("--epochs", "2", "--steps-per-epoch", "2")
    with monkeypatch.context() as patched:
        patched.setattr(TrainingCallback, "on_train_batch_end", interrupt)
        small.train(run.path, *options).error(130)
    assert small.command("evaluate", "--run", run.path).code == 0 and run.evaluation_file.exists()
    assert small.train(run.path, *options).code == 0
    assert run.finished and not run.evaluation_file.exists()
