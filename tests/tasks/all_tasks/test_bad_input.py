"""Bad input to whole commands: the exit code, the message, and that nothing which was there before is lost."""

import itertools
import json
import os
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest

from tasks.cli.registry import TASKS
from tasks.errors import UserError
from tasks.serving.inference import load
from tasks.training.runs import Run
from tests.tasks.examples import write_csv

TEXT = "A good film."

# --- data that cannot be trained on -----------------------------------------------------------------------------------

HEADER = "text,label\n"
GOOD_REVIEWS = [(f"good {index}", "yes") for index in range(60)] + [(f"bad {index}", "no") for index in range(60)]
GOOD_LINES = "".join(f"A good line, number {number}.\n" for number in range(50))
SYLLABLES = ["".join(chr(0xAC00 + 20 * row + place) for place in range(20)) for row in range(50)]  # 1,000 of them

# For each task: name -> files (None: there is none), and what the message must say. A single file is named itself.
BAD_DATA = {
    "sentiment": {
        "missing": ({"train.csv": None}, ["train.csv", "no such file"]),
        "empty": ({"train.csv": ""}, ["train.csv", "empty"]),
        "no rows": ({"train.csv": HEADER}, ["no record"]),
        "other columns": (
            {"train.csv": "review,stars\nfine,1\n"},
            ["train.csv", "'text'", "'review', 'stars'", "--text-column"],
        ),
        "too few columns": ({"train.csv": f"{HEADER}fine,yes\nbad\n"}, ["train.csv:3:", "1 column", "expected 2"]),
        "invalid UTF-8": ({"train.csv": HEADER.encode() + b"fine,yes\n\xff\xfe,no\n"}, ["train.csv:3:", "UTF-8"]),
        "no label": ({"train.csv": f"{HEADER}fine,yes\nbad, \n"}, ["train.csv:3:", "label"]),
        "one class": (
            {"train.csv": HEADER + "".join(f"text {index},yes\n" for index in range(99))},
            ["one class", "'yes'"],
        ),
        "blank texts": (
            {"train.csv": HEADER + "".join(f"{' ' * index},{index % 2}\n" for index in range(99))},
            ["empty or blank"],
        ),
        "a class for each text": (
            {"train.csv": HEADER + "".join(f"text {index},{index}\n" for index in range(14_000))},
            ["train.csv:", "10,000", "--label-column"],
        ),
        "a class folder without an example": (
            {"good/1.txt": TEXT, "bad/notes": ""},
            ["data/bad", "without an example"],
        ),
        "a label of the validation file alone": (
            {
                "train.csv": HEADER + "".join(f"{text},{label}\n" for text, label in GOOD_REVIEWS),
                "validation.csv": f"{HEADER}a,yes\nb,no\nc,yes\nso so,maybe\n",
            },
            ["data/validation.csv:5:", "'maybe'", "no, yes"],
        ),
    },
    "chargen": {
        "missing": ({"text.txt": None}, ["text.txt", "no such file"]),
        "empty": ({"text.txt": ""}, ["text.txt", "no text to train on"]),
        "two characters": ({"text.txt": "ab"}, ["text.txt", "too few to cut into splits"]),
        "invalid UTF-8": ({"text.txt": b"first\nsecond \xff\n" * 50}, ["text.txt:2", "UTF-8"]),
        "binary": ({"text.txt": b"abc\n\x00\x01\x02" * 50}, ["text.txt:2", "NUL"]),
        "a folder without texts": (
            {"a.bin": f"{GOOD_LINES}\0", "b.bin": f"\0{GOOD_LINES}"},
            ["data", ".txt", "found none"],
        ),
        "an empty validation text": (
            {"train.txt": GOOD_LINES, "val.txt": ""},
            ["there is no text in its validation split"],
        ),
    },
    "translation": {
        "missing": ({"train.csv": None}, ["train.csv", "no such file"]),
        "different lengths": (
            {"train.en": GOOD_LINES, "train.ko": GOOD_LINES + "한 줄 더\n"},
            ["train.en 50", "train.ko 51"],
        ),
        "a missing language": (
            {"train.en": GOOD_LINES, "train.de": GOOD_LINES},
            ["'ko'", "'de', 'en'", "--target-column"],
        ),
        "invalid UTF-8": (
            {"train.en": GOOD_LINES.encode() + b"\xff\n", "train.ko": GOOD_LINES + "x\n"},
            ["train.en:51", "UTF-8"],
        ),
        "nothing": ({}, ["train, validation or test"]),
        "empty files": ({"train.en": "", "train.ko": ""}, ["no record"]),
        "empty sides": ({"train.en": GOOD_LINES, "train.ko": "\n" * 50}, ["empty or blank"]),
        "too many characters": (
            {"train.en": GOOD_LINES, "train.ko": "".join(map("{}\n".format, SYLLABLES))},
            ["600 pieces are too few", "vocabulary_size"],
        ),
        "pairs that are all too long": (
            dict.fromkeys(("train.en", "train.ko"), f"{'word ' * 60}\n" * 40),
            ["every pair of its train split was left out"],
        ),
    },
}


def write_files(folder: Path, files: dict[str, str | bytes | None]) -> Path:
    """Writes the files; returns the folder, or the file if it is one."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / next(iter(files)) if len(files) == 1 else folder


@pytest.mark.parametrize(
    ("small", "name"), [(task, name) for task, cases in BAD_DATA.items() for name in cases], indirect=["small"]
)
def test_data_that_cannot_be_trained_on_is_named_and_the_old_run_stays(small, copy, contents, tmp_path, name):
    files, parts = BAD_DATA[small.name][name]
    data, before = write_files(tmp_path / "data", files), contents(copy)
    message = small.train(copy, "--overwrite", data=data).error()
    for part in parts:
        assert part in message
    assert contents(copy) == before and Run(copy).finished


@pytest.mark.slow
def test_a_mistake_in_the_data_can_be_corrected_with_the_same_run(small_tasks, tmp_path):
    small, header = small_tasks["sentiment"], ("review", "stars")
    path = write_csv(tmp_path / "a.csv", GOOD_REVIEWS, header)
    assert "'review', 'stars'" in small.train(tmp_path / "run", data=path).error()
    strange = [
        ("", "yes"),
        (" \u3000", "no"),
        ("a\0b 👍🏽", "yes"),
        ("한국어", "no"),
        ("הסרט", "yes"),
        ("x " * 500_000, "no"),
    ]
    write_csv(path, [*GOOD_REVIEWS, *strange], header)
    columns = ["--text-column", "review", "--label-column", "stars"]
    answer = small.train(tmp_path / "run", *columns, "--epochs", "1", data=path)
    assert answer.code == 0, answer.err


# --- settings that contradict each other ------------------------------------------------------------------------------

BAD_SETTINGS = {
    "sentiment": {
        "a state that is carried": (["--stateful"], ["stateful=True", "classifier"]),
        "a long loop to unroll": (["--unroll", "--max-tokens", "5000"], ["unroll=True", "max_tokens=5000"]),
        "pooling without sequences": (["--no-return-sequences", "--pooling", "mean"], ["pooling=mean", "every step"]),
        "a class weight without a number": (["--class-weight", "yes"], ["--class-weight", "NAME=WEIGHT"]),
        "two ways of clipping": (["--clipnorm", "1", "--clipvalue", "1"], ["clipnorm=1.0 and clipvalue=1.0"]),
        "momentum of Adam": (["--momentum", "0.9"], ["momentum=0.9", "optimizer=adam", "sgd or rmsprop"]),
        "no such monitor": (["--monitor", "bleu"], ["--monitor", "bleu", "accuracy"]),
    },
    "chargen": {
        "a step between windows of a carried state": (["--window-step", "5"], ["window_step=5", "stateful=True"]),
        "both directions": (["--bidirectional"], ["bidirectional=True"]),
        "a long loop to unroll": (["--window", "5000"], ["unroll=True", "window=5000", "no-unroll"]),
        "no temperatures": (["--temperatures"], ["temperatures", "--temperatures needs a value"]),
    },
    "translation": {
        "attention without the encoder's outputs": (
            ["--no-return-sequences"],
            ["attention=multiplicative", "every step"],
        ),
        "input feeding without attention": (
            ["--attention", "none", "--input-feeding"],
            ["input_feeding", "attention=none"],
        ),
        "dot between sizes": (["--decoder-units", "32"], ["size 64", "size 32", "general"]),
        "an unknown attention": (["--attention", "global"], ["--attention", "additive", "multiplicative"]),
        "coverage without attention": (["--attention", "none", "--coverage-penalty", "0.2"], ["coverage_penalty=0.2"]),
        "beam of none": (["--beam-size", "0"], ["--beam-size", "0"]),
        "beam beyond the vocabulary": (["--beam-size", "700"], ["beam_size=700", "600"]),
        "bleu never measured": (["--monitor", "bleu", "--bleu-epochs", "0"], ["monitor=bleu", "bleu_epochs=0"]),
        "one language twice": (["--target-lang", "en"], ["both 'en'"]),
        "two names of a side": (["--source-column", "english"], ["source_lang=en", "source_column=english"]),
        "segmentations of characters": (
            ["--vocabulary-type", "char", "--subword-regularization", "0.2"],
            ["subword_regularization=0.2", "unigram or bpe"],
        ),
        "a misspelt option": (["--atention", "none"], ["--atention", "--attention"]),
        "lengths out of order": (
            ["--min-length-ratio", "3", "--max-length-ratio", "2"],
            ["min_length_ratio=3", "max_length_ratio=2"],
        ),
    },
}


@pytest.mark.parametrize(
    ("small", "name"), [(task, name) for task, cases in BAD_SETTINGS.items() for name in cases], indirect=["small"]
)
def test_settings_that_contradict_each_other_are_named(small, tmp_path, name):
    options, parts = BAD_SETTINGS[small.name][name]
    message = small.train(tmp_path / "run", *options).error()
    for part in parts:
        assert part in message
    assert not (tmp_path / "run").exists()


# --- run folders that cannot be used ----------------------------------------------------------------------------------

DAMAGES = (
    *("missing", "no settings", "half of the settings", "other settings", "other task", "not finished"),
    *("no model", "half of the model", "no vocabulary", "half of a vocabulary file", "no vocabulary file"),
)
COMMANDS = ("evaluate", "answer", "export")


def damage(run: Run, kind: str, vocabulary_file: Path, other_task: str) -> str:
    """Damages the run; returns what the message must say."""
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
        run.settings_file.write_text(json.dumps({"task": other_task}))
        return f"is a run of the task {other_task}, not of"
    if kind == "not finished":
        run.checkpoint.mkdir()
        run.model_file.unlink()
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
    if kind == "no vocabulary file":
        vocabulary_file.unlink()
    else:
        vocabulary_file.write_bytes(vocabulary_file.read_bytes()[:15])
    return "train the run again with --overwrite"


def arguments_of(small, command: str, run: Path) -> list:
    return {
        "evaluate": ["evaluate", "--run", run],
        "answer": [small.predict_command, "--run", run, TEXT],
        "export": ["export", "--run", run, "--to", run / "export"],
    }[command]


def cases_of_damage() -> list[tuple[str, str, int]]:
    """Task, kind, and the number of the file of the vocabulary."""
    files = {"sentiment": 2, "chargen": 1, "translation": 2}
    return [
        (task, kind, number)
        for task in TASKS
        for kind in DAMAGES
        for number in range(files[task] if kind.endswith("vocabulary file") else 1)
    ]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("small", "kind", "number"), cases_of_damage(), indirect=["small"])
def test_a_run_that_cannot_be_used_is_named(small, copy, contents, kind, number, command):
    other_task = next(task for task in TASKS if task != small.name)
    part = damage(Run(copy), kind, copy / "vocabulary" / small.example.vocabulary[number], other_task)
    before = contents(copy)
    message = small.command(*arguments_of(small, command, copy)).error()
    assert part in message and str(copy) in message
    assert contents(copy) == before


# --- runs and exported models of another task -------------------------------------------------------------------------

PAIRS_OF_TASKS = list(itertools.permutations(TASKS, 2))


def assert_refuses_export(small, folder: Path, other: str) -> None:
    """Checks that the command and `load` name the task of an exported model."""
    message = small.command(small.predict_command, "--model", folder, TEXT).error()
    assert f"is an export of the task {other}" in message and f"python -m tasks.{other}" in message
    with pytest.raises(UserError, match=f"is an export of the task {other}, not of {small.name}: python -m tasks"):
        load(small.task, folder)


@pytest.mark.parametrize(("small", "other"), PAIRS_OF_TASKS, indirect=["small"])
def test_an_exported_model_of_another_task_is_refused(small, other, tmp_path):
    (tmp_path / "model" / "1" / "assets.extra").mkdir(parents=True)
    (tmp_path / "model" / "1" / "saved_model.pb").touch()
    (tmp_path / "model" / "1" / "assets.extra" / "settings.json").write_text(json.dumps({"task": other}))
    assert_refuses_export(small, tmp_path / "model", other)
    assert_refuses_export(small, tmp_path / "model" / "1", other)


@pytest.mark.slow
@pytest.mark.parametrize(("small", "other"), PAIRS_OF_TASKS, indirect=["small"])
def test_a_real_run_or_export_of_another_task_is_refused(small, other, small_tasks):
    assert_refuses_export(small, small_tasks[other].model(), other)
    message = small.command(small.predict_command, "--run", small_tasks[other].run(), TEXT).error()
    assert f"is a run of the task {other}, not of {small.name}: python -m tasks.{other}" in message
    with pytest.raises(UserError, match=f"is a run of the task {other}"):
        load(small.task, small_tasks[other].run())


def test_what_is_neither_a_run_nor_an_exported_model_is_named(small, tmp_path):
    assert "no such run" in small.command(small.predict_command, "--run", tmp_path / "none", TEXT).error()
    (tmp_path / "file").touch()
    assert (
        "a file, not the folder of a run"
        in small.command(small.predict_command, "--run", tmp_path / "file", TEXT).error()
    )
    (tmp_path / "model").mkdir()
    assert "is no exported model" in small.command(small.predict_command, "--model", tmp_path / "model", TEXT).error()
    (tmp_path / "model" / "saved_model.pb").touch()
    message = small.command(small.predict_command, "--model", tmp_path / "model", TEXT).error()
    assert "settings.json is missing; export the run again" in message


# --- places that cannot be written, and full disks --------------------------------------------------------------------


def test_a_place_that_cannot_be_written_is_named(small):
    # Not even an administrator makes a file in /proc.
    assert "/proc/" in small.train("/proc/run").error()
    assert "/proc/" in small.command("export", "--run", small.untrained_run, "--to", "/proc/saved_models").error()
    answer = small.command(small.predict_command, "--run", small.untrained_run, "--output", "/proc/answers", TEXT)
    assert "/proc/" in answer.error()


def limited(size):
    """No file may grow beyond this number of bytes: a write then fails as on a full disk, also an administrator's."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.slow
def test_a_full_disk_in_a_training_leaves_the_old_run_and_one_to_go_on_with(small_tasks, contents, tmp_path):
    small = small_tasks["sentiment"]
    assert small.train(tmp_path / "run", "--epochs", "1").code == 0
    before = contents(tmp_path / "run")
    # The vocabulary (a quarter of a megabyte) still fits, the checkpoint (three quarters) does not.
    options = ["--embedding-size", "256", "--epochs", "1", "--overwrite"]
    command = ["train", "--data", small.data, "--run", tmp_path / "run", *small.options, *options]
    message = small.in_a_process(*command, preexec_fn=limited(300_000)).error(code=1)
    assert "File too large" in message and "what was there before is kept" in message
    assert contents(tmp_path / "run") == before
    answer = small.command(*command)
    assert answer.code == 0, answer.err
    assert contents(tmp_path / "run") != before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.slow
def test_a_full_disk_in_an_export_leaves_the_versions_there_are(small_tasks, contents, tmp_path):
    small, folder = small_tasks["sentiment"], tmp_path / "model"
    command = ["export", "--run", small.run(), "--to", folder]
    assert small.command(*command).code == 0
    before = contents(folder)
    assert "File too large" in small.in_a_process(*command, preexec_fn=limited(20_000)).error(code=1)
    assert contents(folder) == before and [path.name for path in folder.iterdir()] == ["1"]


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["set-up", "in an epoch"])
def test_ctrl_c_ends_a_training_that_then_goes_on(process, small_tasks, tmp_path, moment):
    run, small = Run(tmp_path / "run"), small_tasks["sentiment"]
    options = ["--epochs", "2000" if moment == "in an epoch" else "1", "--checkpoint-minutes", "0.001"]
    command = ["train", "--data", small.data, "--run", run.path, *small.options, *options]
    training = process("-m", "tasks.sentiment", *command, start_new_session=True)
    awaited = run.state_file if moment == "in an epoch" else run.settings_file
    end = time.monotonic() + 120
    while not awaited.exists() and training.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(training.pid, signal.SIGINT)
    out, err = training.communicate(timeout=120)
    assert training.returncode == 130 and not out, err.decode()
    lines = err.decode().splitlines()
    assert lines[-1].startswith("error: interrupted;") and "Traceback" not in err.decode()
    assert not run.finished
    if moment == "in an epoch":
        assert run.state_file.exists()
        return
    answer = small.in_a_process(*command)
    assert (answer.code, answer.out) == (0, f"{run.path}\n")
    # What the whole of a training writes to standard error: nothing of TensorFlow's.
    lines = answer.err.splitlines()
    beginnings = ["chosen for about 400 training texts", "test split", "train split", "validation split", "class "]
    beginnings += ["negative ", "positive ", "the largest class", "left out", "203 of 500 texts (40.6%) have more"]
    beginnings += ["400 texts to train on, 100 to validate on; classes: negative, positive", "3,"]
    assert [line[: len(beginning)] for line, beginning in zip(lines, beginnings, strict=False)] == beginnings
    rest = lines[len(beginnings) - 1 :]
    assert (
        "parameters" in rest[0] and rest[1].startswith("epoch 1 of 1: ") and rest[2].startswith("kept the weights")
    ), answer.err
    assert rest[3] == "next:" and len(rest) == 7, answer.err


# --- texts that cannot be answered ------------------------------------------------------------------------------------


def test_a_file_that_is_not_text_stops_with_its_line_and_leaves_the_old_output(small, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"A house.\n\xff\xfe\n")
    (tmp_path / "out.txt").write_text("old\n")
    files = ("--input", tmp_path / "in.txt", "--output", tmp_path / "out.txt")
    message = small.command(small.predict_command, "--run", small.untrained_run, *files).error()
    assert "in.txt:2" in message and "UTF-8" in message
    assert (tmp_path / "out.txt").read_text() == "old\n"


# --- what only a translator can be asked ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def translator(small_tasks):
    return small_tasks["translation"]


@pytest.mark.parametrize("small", ["translation"], indirect=True)
def test_a_run_is_neither_evaluated_nor_resumed_in_the_other_direction(small, copy):
    turned = ("--source-lang", "ko", "--target-lang", "en")
    message = small.command("evaluate", "--run", copy, "--data", small.data, *turned).error()
    assert "the run translates en to ko, not ko to en" in message
    for half in (turned[:2], turned[2:]):
        assert "the run translates en to ko" in small.command("evaluate", "--run", copy, *half).error()
    assert "finished already" in small.train(copy, *turned).error()
    (copy / "checkpoint").mkdir()
    message = small.train(copy, *turned).error()
    assert "was interrupted, and its settings were others" in message and "source_lang was 'en'" in message


def test_searches_that_cannot_be_are_refused(translator):
    for options, part in (
        (("--beam-size", "0"), "--beam-size"),
        (("--beam-size", "700"), "600 pieces"),
        (("--beam-size", "4", "--num-return-sequences", "5"), "--beam-size 5"),
        (("--num-return-sequences", "0"), "--num-return-sequences"),
        (("--length-penalty", "-1"), "--length-penalty"),
    ):
        assert part in translator.command("translate", "--run", translator.untrained_run, *options, "A word.").error()


@pytest.mark.slow
def test_there_is_no_attention_to_draw_without_any(translator, tmp_path):
    picture = ("--attention", tmp_path / "a.png")
    message = translator.command("translate", "--run", translator.run("plain"), *picture, "A word.").error()
    assert "trained without attention" in message and not (tmp_path / "a.png").exists()


@pytest.mark.slow
def test_there_is_no_attention_to_draw_for_an_empty_sentence(translator, tmp_path):
    (tmp_path / "empty.txt").touch()
    for given in (("",), ("--input", tmp_path / "empty.txt")):
        picture = ("--attention", tmp_path / "a.png")
        message = translator.command("translate", "--run", translator.untrained_run, *picture, *given).error()
        assert "the first sentence is empty" in message and not (tmp_path / "a.png").exists()


@pytest.mark.slow
def test_strange_sentences_get_a_sensible_answer(translator, caplog):
    long = "house " * 10_000
    texts = [long, "", "   ", "☃☃☃ ☃", "\N{GRINNING FACE}" * 50_000, long, "Please close the door."]
    answer = translator.command("translate", "--run", translator.run(), *texts)
    assert answer.code == 0, answer.err
    rows = answer.out.splitlines()
    assert len(rows) == 7 and rows[1] == rows[2] == "" and rows[6]
    assert "⁇" not in answer.out
    warnings = [message for message in caplog.messages if "more than 40 pieces" in message]
    assert len(warnings) == 1


@pytest.mark.slow
def test_a_sentence_that_is_too_long_is_translated_up_to_the_limit(translator):
    predictor = load(translator.task, translator.run())
    tokenizer = predictor.module.source.tokens.tokenizer
    text = "house " * 10_000
    cut = tokenizer.detokenize(tokenizer.tokenize([text])[:, :40]).numpy()[0].decode()
    long, short = predictor.predict([text, cut])
    assert long["translation"] == short["translation"]
