"""The command line of `tasks.cluster`: its mistakes."""

import pytest

from tasks.cli.cluster import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predikt"], ["'predikt' is no command", "did you mean predict"]),
        (["predict", "--workers", "0"], ["--workers", "greater than or equal to 1"]),
        (["predict", "--run", "r", "--input", "FILE", "--output", "o"], ["--input", "tasks.sentiment predict answers"]),
        (["translate", "--run", "r", "a text"], ["--input", "tasks.translation translate answers"]),
        (["predict", "--run", "r", "--input", "FOLDER"], ["--output"]),
        (["predict", "--run", "r", "--input", "FOLDER", "--output", "o", "--workerz", "2"], ["no option", "--workerz"]),
        (["predict", "--run", "r", "--resources", "cpus"], ["'cpus' is not NAME=VALUE"]),
        (["train", "sentiment", "--resources", "num_cpus=2"], ["--resources", "add --on ray"]),
        (["train", "sentiment", "--on", "ray", "--resources", "cpus=2"], ["cpus=2", "num_cpus, num_gpus, memory"]),
        (["train", "sentiment", "--on", "ray", "--resources", "num_cpus=many"], ["num_cpus=many", "expected numbers"]),
        (
            ["train", "sentiment", "--on", "ray", "--resources", "num_cpus=0.00001"],
            ["num_cpus=1e-05", "0.0001 or more"],
        ),
        (["train", "sentiment", "--on", "ray", "--resources", "num_gpus=1.5"], ["num_gpus=1.5", "a whole number"]),
        (["train", "sentiment", "--on", "ray", "--address", "10.0.0.1"], ["--address", "leave it out with --on ray"]),
    ],
)
def test_a_message_names_what_cannot_be_done(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FOLDER").mkdir()
    for name in ("FILE", "FOLDER/a.txt"):
        (tmp_path / name).write_text("a text\n")
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and all(word in message for word in words), message
    assert not (tmp_path / "o").exists()


def test_a_cluster_that_does_not_answer_is_an_error_at_once(capsys, tmp_path, monkeypatch, sentiment, small_tasks):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a text\n")
    arguments = ["predict", "--run", "r", "--input", str(tmp_path / "texts"), "--output", str(tmp_path / "answers")]
    assert main(arguments) == 2
    data = small_tasks["sentiment"].data
    compared = sentiment("compare", "--data", data, "--run", tmp_path / "cells", "--on", "ray").error()
    messages = [capsys.readouterr().err, compared]
    assert main(["train", "sentiment", "--data", str(data), "--run", str(tmp_path / "two"), "--on", "ray"]) == 2
    for message in [*messages, capsys.readouterr().err]:
        assert "RAY_ADDRESS is 127.0.0.1:1, and no cluster of Ray answers there" in message
    assert [path.name for path in tmp_path.iterdir()] == ["texts"]


def test_the_overview_lists_the_commands_of_the_tasks(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in ("predict", "generate", "translate"))
