"""A small example of each task: its data, the options of a small training, and the finished runs that tests share."""

import csv
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tasks.cli.registry import TASKS
from tasks.references import find
from tasks.task import Task

# The beginning of a program that imports TensorFlow: without garbage collections it starts and ends in half the time.
QUICKLY = """
import atexit, gc
gc.disable()
atexit.register(gc.freeze)
"""
SAMPLES = Path(__file__).parents[2] / "tasks" / "samples"


@dataclass(frozen=True)
class Example:
    """A network so small that an epoch of its small data takes a fraction of a second.

    Most of a short training is the construction of its graph, so the recurrent layers read in one direction, in a loop.

    Attributes:
        task: The task.
        options: Of every training; without what is generated after an epoch, which takes longer than the epoch.
        write: Writes the data into a folder.
        data: What `--data` names in that folder.
        runs: Name -> further options of a finished run; `tiny` has all paths, so that its answers differ.
        run_data: What `--data` names for them.
        vocabulary: The files of the vocabulary.
        text_ops: Whether an exported model needs the ops of tensorflow_text.
    """

    task: Task
    options: tuple[str, ...]
    write: Callable[[Path], None]
    runs: dict[str, tuple[str, ...]]
    vocabulary: tuple[str, ...]
    data: str = "."
    run_data: str = "."
    text_ops: bool = True


def write_csv(path: Path, rows: Iterable, header: tuple[str, ...] = ("text", "label")) -> Path:
    """Writes a table; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def sample_rows(task: str, split: str, columns: tuple[str, ...], count: int | None = None) -> list[tuple[str, ...]]:
    """The first rows of a split of a bundled sample."""
    with open(SAMPLES / task / f"{split}.csv", encoding="utf-8", newline="") as file:
        return [tuple(row[name] for name in columns) for row in itertools.islice(csv.DictReader(file), count)]


def reviews(split: str, count: int) -> list[tuple[str, str]]:
    """(text, label) of the sample."""
    return sample_rows("sentiment", split, ("text", "label"), count)


def sentence_pairs(split: str, count: int | None = None) -> list[tuple[str, str]]:
    """(English, Korean) of the sample."""
    return sample_rows("translation", split, ("en", "ko"), count)


def write_aligned(folder: Path, split: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Writes pairs as two line-aligned files."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, sentences in zip(("en", "ko"), zip(*pairs, strict=True), strict=True):
        (folder / f"{split}.{language}").write_text("".join(f"{one}\n" for one in sentences), encoding="utf-8")


REVIEWS = {"train": 400, "validation": 100, "test": 1000}
LINES = [
    f"{person} {verb} the {thing}{end}\n"
    for end in ".!?"
    for person in ("A miller", "The queen", "Old Tom", "나그네가", "My café")
    for verb in ("saw", "sold", "ate", "찾은")
    for thing in ("bread", "moon", "mill", "책을 값비싼", "naïve fox 😀")
]
LANGUAGES = ("--source-lang", "en", "--target-lang", "ko")
# Folders of sentence pairs: the larger one is for finished runs, an epoch of the smaller one takes half a second.
PAIRS = {
    "large": {"train": 1500, "validation": 60, "test": 200},
    "small": {"train": 300, "validation": 60, "test": 20},
}


def _write_reviews(folder: Path) -> None:
    for split, count in REVIEWS.items():
        write_csv(folder / f"{split}.csv", reviews(split, count))


def _write_lines(folder: Path) -> None:
    (folder / "lines.txt").write_text("".join(LINES), encoding="utf-8")


def _write_pairs(folder: Path) -> None:
    for size, splits in PAIRS.items():
        for split, count in splits.items():
            write_aligned(folder / size, split, sentence_pairs(split, count))


TRAINED_WIDE_PATH = ("--wide-ngrams", "2", "--wide-features", "log_count_ratios", "--wide-share", "0.5")
EXAMPLES = {
    "sentiment": Example(
        find(TASKS["sentiment"]),
        (
            *("--units", "8", "--embedding-size", "8", "--max-tokens", "40", "--vocabulary-size", "300"),
            *("--epochs", "2", "--tokens-per-batch", "2048", "--learning-rate", "0.01", "--wide-ngrams", "0"),
            "--no-bidirectional",
        ),
        _write_reviews,
        runs={"tiny": (*TRAINED_WIDE_PATH, "--epochs", "3", "--bidirectional")},
        vocabulary=("sentencepiece.model", "labels.json"),
    ),
    "chargen": Example(
        find(TASKS["chargen"]),
        (
            *("--units", "16", "--embedding-size", "8", "--epochs", "2", "--batch-size", "8", "--window", "20"),
            *("--learning-rate", "0.01", "--length", "30", "--evaluation-length", "40", "--temperatures", "0", "1"),
            *("--sample-lines", "0", "--no-unroll"),
        ),
        _write_lines,
        runs={
            "tiny": ("--epochs", "6", "--layers", "2", "--unroll", "--prompts", "The queen", "My "),
            "jamo": ("--hangul", "jamo", "--cell", "gru", "--epochs", "6"),
        },
        vocabulary=("characters.json",),
        data="lines.txt",
        run_data="lines.txt",
        text_ops=False,
    ),
    "translation": Example(
        find(TASKS["translation"]),
        (
            *LANGUAGES,
            *("--units", "32", "--embedding-size", "32", "--max-tokens", "40", "--vocabulary-size", "600"),
            *("--epochs", "2", "--tokens-per-batch", "500", "--learning-rate", "0.004", "--bleu-epochs", "0"),
            "--no-bidirectional",
        ),
        _write_pairs,
        runs={
            "tiny": (
                *("--epochs", "5", "--tokens-per-batch", "1000", "--learning-rate", "0.01"),
                *("--coverage-penalty", "0.1", "--beam-size", "4", "--bleu-epochs", "3", "--bleu-pairs", "20"),
                "--bidirectional",
            ),
            "plain": ("--epochs", "1", "--attention", "none", "--cell", "lstm"),
        },
        vocabulary=("source.model", "target.model"),
        data="small",
        run_data="large",
    ),
}
