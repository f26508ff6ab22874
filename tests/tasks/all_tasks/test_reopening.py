"""A cell of a notebook that is run again opens the finished run, unless its settings or data have changed."""

import shutil

import pytest

from tasks.cli.parsing import train_arguments
from tasks.training.runs import Run
from tasks.training.train import train
from tasks.vectors.settings import VectorSettings
from tasks.vectors.train import train as train_vectors
from tests.tasks.interruptions import interrupt_at


@pytest.mark.slow
def test_a_finished_run_of_the_same_settings_and_data_is_opened(small_tasks, contents, tmp_path, capsys, monkeypatch):
    small = small_tasks["chargen"]
    data = shutil.copy(small.data, tmp_path / "lines.txt")

    def again(*options, data=data) -> str:
        arguments = ["--data", data, "--run", "r", *small.options, "--epochs", "1", *options]
        settings = train_arguments(small.task, "train", list(map(str, arguments))).settings
        capsys.readouterr()
        assert train(small.task, settings, tmp_path / "run", reopen=True).finished
        return capsys.readouterr().out

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        interrupt_at(patched, "on_train_batch_end", 0, 1, 2)
        again()
    assert again().startswith("epoch 1 of 1")
    before = contents(tmp_path / "run")
    assert again() == f"{tmp_path}/run is trained already, with the same settings and data: opened\n"
    assert contents(tmp_path / "run") == before
    assert again("--seed", "3").startswith("epoch 1 of 1")
    with open(data, "a", encoding="utf-8") as file:
        file.write("The queen saw the moon.\n")
    assert again("--seed", "3").startswith("epoch 1 of 1")
    stored = Run(tmp_path / "run").settings(small.task.settings_class)
    assert train(small.task, stored, tmp_path / "run", reopen=True, verbose=0).finished  # settings without "auto"
    assert "opened" in again("--seed", "3")
    (tmp_path / "run" / "request.json").write_text("{}")
    assert again("--seed", "3").startswith("epoch 1 of 1")


def test_finished_word_vectors_are_opened(tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("the cat sat on the mat\n" * 50, encoding="utf-8")

    def again(epochs: int) -> str:
        settings = VectorSettings(
            data={"data": str(tmp_path / "texts.txt")},
            vocabulary={"min_count": 1},
            training={"epochs": epochs, "embedding_size": 4},
        )
        train_vectors(settings, tmp_path / "vectors", reopen=True)
        return capsys.readouterr().out

    assert again(2).count("epoch ") == 2
    assert again(2).endswith("is trained already, with the same settings and texts: opened\n")
    assert again(1).startswith("epoch 1 of 1: loss ")
