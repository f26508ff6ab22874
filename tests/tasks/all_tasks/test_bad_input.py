"""Data and settings that cannot be trained on: the exit code, the message, and that nothing is lost."""

from pathlib import Path

import pytest

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
        "a long loop to unroll": (["--unroll", "--window", "5000"], ["unroll=True", "window=5000", "no-unroll"]),
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
        "dot between sizes": (["--bidirectional", "--decoder-units", "32"], ["size 64", "size 32", "general"]),
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
