"""Bad input to whole commands: the exit code, the message, and that nothing which was there before is lost."""

import json
import os
import resource
import shutil
import signal
import time

import pytest

from tasks.training.runs import Run

GOOD = [(f"good {index}", "yes") for index in range(60)] + [(f"bad {index}", "no") for index in range(60)]
HEADER = "text,label\n"

# Content of a training file (None: there is none), and what the message must say.
BAD_FILES = {
    "missing": (None, ["train.csv", "no such file"]),
    "empty": ("", ["train.csv", "empty"]),
    "no rows": (HEADER, ["no record"]),
    "other columns": ("review,stars\nfine,1\n", ["train.csv", "'text'", "'review', 'stars'", "--text-column"]),
    "too few columns": (f"{HEADER}fine,yes\nbad\n", ["train.csv:3:", "1 column", "expected 2"]),
    "invalid UTF-8": (HEADER.encode() + b"fine,yes\n\xff\xfe,no\n", ["train.csv:3:", "UTF-8"]),
    "no label": (f"{HEADER}fine,yes\nbad, \n", ["train.csv:3:", "label"]),
    "one class": (HEADER + "".join(f"text {index},yes\n" for index in range(99)), ["one class", "'yes'"]),
    "blank texts": (HEADER + "".join(f"{' ' * index},{index % 2}\n" for index in range(99)), ["empty or blank"]),
    "a class for each text": (
        HEADER + "".join(f"text {index},{index}\n" for index in range(14_000)),
        ["train.csv:", "10,000", "--label-column"],
    ),
}


@pytest.fixture
def finished_copy(finished_run, tmp_path):
    """A run of its own to damage, and a check that nothing is left of what was tried on it."""
    return shutil.copytree(finished_run, tmp_path / "copy")


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- Data that cannot be trained on ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BAD_FILES)
def test_data_that_cannot_be_trained_on_is_named_and_the_old_run_stays(train, finished_copy, tmp_path, name):
    content, parts = BAD_FILES[name]
    path = tmp_path / "train.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = contents(finished_copy)
    message = train(finished_copy, "--overwrite", data=path).error()
    for part in parts:
        assert part in message
    assert contents(finished_copy) == before and Run(finished_copy).finished


def test_a_label_that_only_the_validation_file_has_is_named(train, write_csv, tmp_path):
    write_csv(tmp_path / "train.csv", GOOD)
    write_csv(tmp_path / "validation.csv", [*GOOD[:3], ("so so", "maybe")])
    message = train(tmp_path / "run", data=tmp_path).error()
    assert f"{tmp_path}/validation.csv:5:" in message and "'maybe'" in message and "no, yes" in message


def test_a_class_folder_without_an_example_is_named(train, tmp_path):
    for name in ("good", "bad"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data" / "good" / "1.txt").write_text("A good film.")
    message = train(tmp_path / "run", data=tmp_path / "data").error()
    assert f"{tmp_path}/data/bad" in message and "without an example" in message


def test_a_mistake_in_the_data_can_be_mended_with_the_same_run(train, write_csv, tmp_path):
    path = write_csv(tmp_path / "a.csv", GOOD, header=("review", "stars"))
    assert "'review', 'stars'" in train(tmp_path / "run", data=path).error()
    columns = ["--text-column", "review", "--label-column", "stars"]
    strange = [
        ("", "yes"),
        (" \u3000", "no"),
        ("a\0b 👍🏽", "yes"),
        ("한국어", "no"),
        ("הסרט", "yes"),
        ("x " * 500_000, "no"),
    ]
    write_csv(path, [*GOOD, *strange], header=("review", "stars"))
    answer = train(tmp_path / "run", *columns, "--epochs", "1", data=path)
    assert answer.code == 0, answer.err


# --- Run folders that cannot be used --------------------------------------------------------------------------------


def commands(run):
    return {
        "evaluate": ["evaluate", "--run", run],
        "predict": ["predict", "--run", run, "A good film."],
        "export": ["export", "--run", run, "--to", run / "export"],
    }


def damage(run: Run, kind: str) -> str:
    """Damages the run; gives what the message must say."""
    if kind == "missing":
        shutil.rmtree(run.path)
        return "no such run"
    if kind == "no settings":
        run.settings_file.unlink()
        return "not a run"
    if kind == "half of the settings":
        run.settings_file.write_text(run.settings_file.read_text()[:100])
        return "settings.json is not readable"
    if kind == "other settings":
        stored = json.loads(run.settings_file.read_text())
        stored["recurrent"]["unitz"] = 3
        run.settings_file.write_text(json.dumps(stored))
        return "recurrent.unitz"
    if kind == "other task":
        run.settings_file.write_text('{"task": "chargen"}')
        return "python -m tasks.chargen"
    if kind == "not finished":
        run.checkpoint.mkdir()
        return "not finished"
    if kind == "no model":
        run.model_file.unlink()
        return "not finished"
    if kind == "half of the model":
        run.model_file.write_bytes(run.model_file.read_bytes()[:5000])
        return "model.keras cannot be read"
    if kind == "no vocabulary":
        shutil.rmtree(run.vocabulary)
        return "vocabulary is missing"
    name = {"half of the labels": "labels.json", "half of the vocabulary": "sentencepiece.model"}[kind]
    (run.vocabulary / name).write_bytes((run.vocabulary / name).read_bytes()[:15])
    return "cannot be read"


@pytest.mark.parametrize("command", ["evaluate", "predict", "export"])
@pytest.mark.parametrize(
    "kind",
    [
        *("missing", "no settings", "half of the settings", "other settings", "other task", "not finished"),
        *("no model", "half of the model", "no vocabulary", "half of the labels", "half of the vocabulary"),
    ],
)
def test_a_run_that_cannot_be_used_is_named(sentiment, finished_copy, kind, command):
    part = damage(Run(finished_copy), kind)
    before = contents(finished_copy) if finished_copy.exists() else {}
    message = sentiment(*commands(finished_copy)[command]).error()
    assert part in message and str(finished_copy) in message
    assert (contents(finished_copy) if finished_copy.exists() else {}) == before


# --- Places that cannot be written, and full disks ------------------------------------------------------------------


def test_a_place_that_cannot_be_written_is_named(sentiment, train, finished_run):
    # Not even an administrator makes a file in /proc.
    assert "/proc/" in train("/proc/run").error()
    assert "/proc/" in sentiment("export", "--run", finished_run, "--to", "/proc/saved_models").error()
    assert "/proc/" in sentiment("predict", "--run", finished_run, "--output", "/proc/answers", "A good film.").error()


def limited(size):
    """No file may grow beyond so many bytes: a write then fails as on a full disk, also an administrator's."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_in_a_training_leaves_the_old_run_and_one_to_go_on_with(
    sentiment_process, sentiment, train, tiny, corpus, tmp_path
):
    options = ["--embedding-size", "256", "--epochs", "1", "--overwrite"]
    assert train(tmp_path / "run", "--epochs", "1").code == 0
    before = contents(tmp_path / "run")
    # The vocabulary (a quarter of a megabyte) still fits, the checkpoint (three quarters) does not.
    command = ["train", "--data", corpus, "--run", tmp_path / "run", *tiny, *options]
    message = sentiment_process(*command, preexec_fn=limited(300_000)).error(code=1)
    assert "File too large" in message and "what was there before is kept" in message
    assert contents(tmp_path / "run") == before
    answer = sentiment(*command)
    assert answer.code == 0, answer.err
    assert contents(tmp_path / "run") != before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_full_disk_in_an_export_leaves_the_versions_there_are(sentiment_process, sentiment, finished_run, tmp_path):
    folder = tmp_path / "model"
    assert sentiment("export", "--run", finished_run, "--to", folder).code == 0
    before = contents(folder)
    command = ["export", "--run", finished_run, "--to", folder]
    assert "File too large" in sentiment_process(*command, preexec_fn=limited(20_000)).error(code=1)
    assert contents(folder) == before and [path.name for path in folder.iterdir()] == ["1"]


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["set-up", "in an epoch"])
def test_ctrl_c_ends_a_training_that_then_goes_on(process, sentiment_process, tiny, corpus, tmp_path, moment):
    run = Run(tmp_path / "run")
    options = ["--epochs", "2000" if moment == "in an epoch" else "1", "--checkpoint-minutes", "0.001"]
    command = ["train", "--data", corpus, "--run", run.path, *tiny, *options]
    training = process("-m", "tasks.sentiment", *command, start_new_session=True)
    awaited = run.state_file if moment == "in an epoch" else run.settings_file
    end = time.monotonic() + 120
    while not awaited.exists() and training.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(training.pid, signal.SIGINT)
    out, err = training.communicate()
    assert training.returncode == 130 and not out, err.decode()
    lines = err.decode().splitlines()
    assert lines[-1].startswith("error: interrupted;") and "Traceback" not in err.decode()
    assert not run.finished
    if moment == "in an epoch":
        assert run.state_file.exists()
        return
    answer = sentiment_process(*command)
    assert (answer.code, answer.out) == (0, f"{run.path}\n")
    # What the whole of a training writes to standard error: nothing of TensorFlow's.
    lines = answer.err.splitlines()
    assert lines[0] == "400 texts to train on, 100 to validate on; classes: negative, positive"
    assert "parameters" in lines[1] and " - val_loss: " in lines[2] and len(lines) == 3, answer.err
