"""Damaged files of a run: one or two lines with the file and the remedy, exit code 2."""

import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from models.text import train_sentencepiece
from tasks.training.callbacks import TrainingCallback
from tasks.training.runs import Run
from tests.tasks.damages import DAMAGES, JSON_DAMAGES

TEXT = "A good film."


def answer(small, *arguments):
    return small.command(small.predict_command, *arguments, TEXT)


# --- runs -------------------------------------------------------------------------------------------------------------


def refused(small, run: Path, file: str) -> None:
    message = answer(small, "--run", run).error()
    assert str(run) in message and Path(file).name in message and "train the run again" in message.lower()


@pytest.mark.parametrize("damage", JSON_DAMAGES)
def test_a_damaged_list_of_classes_or_characters_is_named(small, copy, damage):
    for name in small.example.vocabulary:
        if name.endswith(".json"):
            (copy / "vocabulary" / name).write_bytes(JSON_DAMAGES[damage])
            refused(small, copy, name)


CHARACTERS = {"normalization": "nfc", "hangul": "syllables", "characters": [[None, 0], ["a", 3]]}


@pytest.mark.parametrize(
    "change",
    [
        {"normalization": "nfz"},
        {"hangul": 3},
        {"characters": []},
        {"characters": [[None, 0]]},
        {"characters": [["a", 0], ["b", 1]]},
        {"characters": [[None, 0], ["ab", 3]]},
        {"characters": [[None, 0], ["\ud800", 3]]},
        {"characters": [[None, 0], ["a", "3"]]},
        {"characters": [[None, 0], ["a", 3], ["a", 3]]},
        {"characters": {"a": 3}},
    ],
)
def test_characters_of_another_form_are_named(small_tasks, tmp_path, change):
    small = small_tasks["chargen"]
    run = shutil.copytree(small.untrained_run, tmp_path / "run")
    (run / "vocabulary" / "characters.json").write_text(json.dumps(CHARACTERS | change))
    refused(small, run, "characters.json")


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["model.keras", "settings.json"])
def test_damaged_weights_and_settings_are_named(small, copy, name, damage):
    (copy / name).write_bytes(DAMAGES[damage]((copy / name).read_bytes()))
    refused(small, copy, name)


@pytest.mark.parametrize("damage", ["empty", "truncated"])
def test_a_damaged_sentencepiece_vocabulary_is_named(small, copy, damage):
    for name in small.example.vocabulary:
        path = copy / "vocabulary" / name
        content = path.read_bytes()
        if name.endswith(".model"):
            path.write_bytes(DAMAGES[damage](content))
            refused(small, copy, name)
            path.write_bytes(content)


def test_a_vocabulary_that_is_not_that_of_the_weights_is_named(small, copy):
    for name in small.example.vocabulary:
        path = copy / "vocabulary" / name
        content = path.read_bytes()
        if name.endswith(".model"):
            path.write_bytes(train_sentencepiece(["a b c d e"] * 9, size=12))
        elif name == "characters.json":
            path.write_text(json.dumps(CHARACTERS))
        else:
            continue  # a list of classes; see above
        refused(small, copy, name)
        for command in (("explain", "--run", copy, TEXT), ("export", "--run", copy, "--to", copy / "exported")):
            message = small.command(*command).error()
            assert str(copy) in message and name in message and "train the run again" in message
        path.write_bytes(content)
    assert answer(small, "--run", copy).code == 0


@pytest.mark.parametrize("damage", ["deep", "long integer", "number", "null", "lists"])
def test_settings_of_a_run_that_are_no_settings_are_named(small, copy, damage):
    (copy / "settings.json").write_bytes(JSON_DAMAGES[damage])
    refused(small, copy, "settings.json")


@pytest.mark.parametrize("damage", ["deep", "long integer", "number", "null", "lists", "not UTF-8"])
def test_a_settings_file_that_cannot_be_read_is_named(small_tasks, tmp_path, damage):
    path = tmp_path / "settings.json"
    path.write_bytes(JSON_DAMAGES[damage])
    message = small_tasks["chargen"].command("train", "--run", tmp_path / "run", "--settings", path).error()
    assert str(path) in message and len(message) < 500


@pytest.mark.parametrize("content", [b"a = " + b"[" * 100_000, b"a = " + b"9" * 5000, b"a = \xff"])
def test_a_toml_file_that_cannot_be_read_is_named(small_tasks, tmp_path, content):
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    message = small_tasks["chargen"].command("train", "--run", tmp_path / "run", "--settings", path).error()
    assert str(path) in message and len(message) < 500


# --- interrupted runs -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def interrupted_run(small, tmp_path_factory) -> Path:
    """A training that was interrupted in its second epoch, for reading only."""
    folder, called = tmp_path_factory.mktemp(small.name) / "run", TrainingCallback.on_train_batch_end

    def interrupt(self, *arguments, **named):
        if self.progress.epoch:
            signal.raise_signal(signal.SIGINT)
        return called(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TrainingCallback, "on_train_batch_end", interrupt)
        small.train(folder, *INTERRUPTED).error(130)
    return folder


INTERRUPTED = ("--epochs", "2", "--steps-per-epoch", "2")


def prepared_files(run: Path) -> list[Path]:
    found = [path for name in ("checkpoint", "vocabulary") for path in (run / name).rglob("*") if path.is_file()]
    return [path.relative_to(run) for path in found if path.name not in ("state.npz", "prepared")]


@pytest.mark.slow
def test_each_prepared_file_that_is_damaged_is_named_and_prepared_again_with_overwrite(
    small, interrupted_run, tmp_path, contents
):
    run = shutil.copytree(interrupted_run, tmp_path / "run")
    names, before = prepared_files(run), contents(run)
    assert len(names) > 1
    for name in names:
        content = (run / name).read_bytes()
        for damage in DAMAGES.values():
            (run / name).write_bytes(damage(content))
            message = small.train(run, *INTERRUPTED).error()
            assert str(run / name) in message and "--overwrite" in message
        (run / name).unlink()
        assert f"{run / name} is missing" in small.train(run, *INTERRUPTED).error()
        (run / name).write_bytes(content)
    assert contents(run) == before
    for name in names:
        (run / name).write_bytes(b"")
    assert small.train(run, *INTERRUPTED, "--overwrite").code == 0
    assert len(Run(run).history()) == 2 and Run(run).finished


@pytest.mark.parametrize("content", ["", "{", "1", "{}", '{"sources": 1, "checksum": 0}'])
def test_a_damaged_record_of_what_is_prepared_is_named(small_tasks, tmp_path, content):
    small = small_tasks["chargen"]
    run = Run(shutil.copytree(small.untrained_run, tmp_path / "run"))
    run.checkpoint.mkdir()
    run.prepared_marker.write_text(content)
    message = small.train(run.path).error()
    assert str(run.prepared_marker) in message and "--overwrite" in message


def with_objects(path: Path) -> None:
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored}
    np.savez(path, **arrays | {"variable_0": np.array([{"a": 1}], dtype=object)})


@pytest.mark.slow
def test_a_damaged_checkpoint_is_named_and_never_destroys_the_best_weights(small, interrupted_run, tmp_path):
    run = Run(shutil.copytree(interrupted_run, tmp_path / "run"))
    best, content = run.model_file.read_bytes(), run.state_file.read_bytes()
    for damage in (*DAMAGES.values(), None):
        run.state_file.write_bytes(content)
        if damage is None:
            with_objects(run.state_file)
        else:
            run.state_file.write_bytes(damage(content))
        for options in ((), ("--overwrite",)):
            message = small.train(run.path, *INTERRUPTED, *options).error()
            assert str(run.state_file) in message and f"remove the folder {run.checkpoint}" in message
        assert run.model_file.read_bytes() == best
    shutil.rmtree(run.checkpoint)
    assert answer(small, "--run", run.path).code == 0
