"""The texts of a training: split into words once, counted, and stored as the lines that gensim reads.

checkpoint/corpus.txt    the words of a text in each line, separated by blanks
checkpoint/sample.txt    evenly spaced lines, on which the loss is measured
checkpoint/corpus.json   number of lines and words
vocabulary/words.tsv     the words that have a vector, with their counts, the most frequent one first
"""

import collections
import itertools
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from gensim.models.word2vec import MAX_WORDS_IN_BATCH

from tasks import atomic_files
from tasks.data.documents import open_documents
from tasks.data.scripts import ScriptCounts
from tasks.data.stored_files import read_json, reading
from tasks.errors import UserError
from tasks.training.runs import Run
from tasks.vectors import words
from tasks.vectors.settings import VectorSettings
from tasks.vectors.words import Pieces, times

log = logging.getLogger(__name__)

SAMPLE = Path(__file__).parents[1] / "samples" / "sentiment"
WORDS_FILE, CORPUS_FILE, SAMPLE_FILE, COUNTS_FILE = "words.tsv", "corpus.txt", "sample.txt", "corpus.json"
CHUNK_TEXTS, CHUNK_CHARACTERS = 256, 1 << 20
# When more different words than these were met, the rarest are forgotten, so that memory does not grow with the text.
MAX_COUNTED = 2_000_000
# Lines in the sample, and words of each: at least the first number, and less than twice of it.
SAMPLE_LINES, SAMPLE_WORDS = 500, 50
# Up to this number of words a smaller `min_count` is chosen: (words, min_count).
MIN_COUNTS = ((20_000, 1), (1_000_000, 2), (10_000_000, 3))
MANY_WORDS_MIN_COUNT = 5
# "auto" reads about this number of words in all epochs together.
TRAINED_WORDS, MIN_EPOCHS, MAX_EPOCHS = 5_000_000, 5, 50
LEARNING_RATES = {"skipgram": 0.025, "cbow": 0.05}
# The shortest and the longest n-grams; where a character is a syllable or a word, they are short.
NGRAMS, SHORT_NGRAMS = (3, 6), (1, 4)
NGRAMS_PER_WORD, MIN_BUCKET, MAX_BUCKET = 10, 10_000, 2_000_000
# A text whose words have more letters than this on average is probably written without blanks.
MAX_WORD_LENGTH = 15


class Corpus(NamedTuple):
    """A prepared text.

    Attributes:
        file: The lines of words.
        lines: Number of them.
        words: Number of words.
        counts: Words with a vector -> their counts, the most frequent one first.
        sample: Lines to measure the loss on.
    """

    file: Path
    lines: int
    words: int
    counts: dict[str, int]
    sample: list[list[str]]


class _Statistics:
    """Counts words, and keeps evenly spaced lines of them."""

    def __init__(self):
        self.counts: collections.Counter[str] = collections.Counter()
        self.texts = self.lines = self.words = self.letters = self.pairs = self.forgotten = 0
        self.sample: list[list[str]] = []
        self._stride = 1

    def count(self, texts: list[list[str]]) -> None:
        self.texts += len(texts)
        self.counts.update(itertools.chain.from_iterable(texts))
        if len(self.counts) > MAX_COUNTED:
            self.forgotten += 1
            self.counts = collections.Counter({one: n for one, n in self.counts.items() if n > self.forgotten})

    def add(self, line: list[str]) -> None:
        if self.lines % self._stride == 0 and len(line) > 1:
            self.sample.append(line[:SAMPLE_WORDS])
            if len(self.sample) >= 2 * SAMPLE_LINES:
                del self.sample[1::2]
                self._stride *= 2
        self.lines += 1
        self.words += len(line)
        self.pairs += len(line) > 1


def prepare(settings: VectorSettings, run: Run) -> tuple[VectorSettings, str]:
    """Read the texts once, write the files of the corpus and the vocabulary, and choose the settings that are "auto".

    Returns:
        The settings, and a line for the log: what each "auto" became, and why; empty if none was.

    Raises:
        UserError: If the texts cannot be read, or have no word.
    """
    documents = open_documents(
        settings.data.data,
        settings.data.text_column,
        sample=SAMPLE,
        options=settings.data,
        skip_bad_rows=settings.data.skip_bad_rows,
    )
    found, scripts, place = _Statistics(), ScriptCounts(), f"{documents.location}, {settings.data.splits} split"
    of_scripts = settings.training.algorithm == "fasttext"  # only the lengths of n-grams depend on them
    with atomic_files.replacing_folder(run.vocabulary) as vocabulary:
        tokenizer = words.write_vocabulary(settings.vocabulary, vocabulary)
        with atomic_files.replacing(run.checkpoint / CORPUS_FILE) as path, open(path, "w", encoding="utf-8") as file:
            for texts in _chunks(documents.texts(settings.data.splits)):
                for text in texts if of_scripts else ():
                    scripts.add(text)
                split = tokenizer.split(texts)
                found.count(split)
                for line in itertools.chain.from_iterable(map(_lines, split)):
                    found.add(line)
                    file.write(" ".join(line) + "\n")
        settings, reasons = _resolved(settings, found, scripts.character_script_share > 0.5)
        counts = _with_vectors(settings, found, place, tokenizer.noun)
        with open(vocabulary / WORDS_FILE, "w", encoding="utf-8") as file:
            file.writelines(f"{one}\t{count}\n" for one, count in counts.items())
    with atomic_files.replacing(run.checkpoint / SAMPLE_FILE) as path:
        path.write_text("".join(" ".join(line) + "\n" for line in found.sample), encoding="utf-8")
    atomic_files.write_json(run.checkpoint / COUNTS_FILE, {"lines": found.lines, "words": found.words})
    _report(found, counts, tokenizer)
    return settings, reasons


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield lists of texts to split together; a text may be long, so the characters of a list are limited too."""
    chunk, characters = [], 0
    for text in texts:
        chunk.append(text)
        characters += len(text)
        if len(chunk) >= CHUNK_TEXTS or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _lines(tokens: list[str]) -> Iterator[list[str]]:
    """Yield the tokens of a text in lines that gensim reads whole; none if there are none."""
    for start in range(0, len(tokens), MAX_WORDS_IN_BATCH):
        yield tokens[start : start + MAX_WORDS_IN_BATCH]


def _resolved(settings: VectorSettings, found: _Statistics, short_ngrams: bool) -> tuple[VectorSettings, str]:
    """Return the settings with a value for each "auto", and a line that names them; see `prepare`."""
    training, vocabulary = settings.training, settings.vocabulary
    chosen = {}
    if vocabulary.min_count == "auto":
        of_words = next((value for most, value in MIN_COUNTS if found.words <= most), MANY_WORDS_MIN_COUNT)
        chosen["min_count"] = of_words if vocabulary.vocabulary is None else 1
        vocabulary = vocabulary.model_copy(update=chosen)
    values: dict[str, int | float] = {
        "epochs": min(max(round(TRAINED_WORDS / max(found.words, 1)), MIN_EPOCHS), MAX_EPOCHS),
        "learning_rate": max(LEARNING_RATES[training.architecture], training.min_learning_rate),
    }
    if training.algorithm == "fasttext":
        min_n, max_n = SHORT_NGRAMS if short_ngrams else NGRAMS
        kept = min(sum(count >= vocabulary.min_count for count in found.counts.values()), vocabulary.vocabulary_size)
        values |= {
            "min_n": min_n if training.max_n == "auto" else min(min_n, training.max_n),
            "max_n": max_n if training.min_n == "auto" else max(max_n, training.min_n),
            "bucket": min(max(NGRAMS_PER_WORD * kept, MIN_BUCKET), MAX_BUCKET),
        }
    automatic = {name: value for name, value in values.items() if getattr(training, name) == "auto"}
    training = training.model_copy(update=automatic)
    settings = settings.model_copy(update={"vocabulary": vocabulary, "training": training})
    shown = ", ".join(f"{name}={value}" for name, value in (chosen | automatic).items())
    return settings, shown and f"chosen for {found.words:,} words in {found.texts:,} texts: {shown}"


def _with_vectors(settings: VectorSettings, found: _Statistics, place: str, noun: str) -> dict[str, int]:
    """Return the tokens that have a vector, with their counts, the most frequent one first.

    Raises:
        UserError: If no word is left.
    """
    if not found.texts or not found.words:
        what = "no text" if not found.texts else f"{found.texts:,} texts, none with a {noun}"
        raise UserError(f"{place}: {what}; expected texts of letters, or name others with --data and --splits")
    min_count = settings.vocabulary.min_count
    frequent = (item for item in found.counts.items() if item[1] >= min_count)
    kept = dict(sorted(frequent, key=_by_count)[: settings.vocabulary.vocabulary_size])
    if len(kept) < 2:
        most, count = min(found.counts.items(), key=_by_count)
        few = f"only {next(iter(kept))!r} does" if kept else f"the most frequent one, {most!r}, occurs {times(count)}"
        remedy = "lower it" if min_count > 1 else "give more text"
        raise UserError(f"{place}: too few {noun}s occur at least {times(min_count)} (--min-count): {few}; {remedy}")
    if not found.pairs:
        raise UserError(
            f"{place}: every text has one {noun}, and vectors are learned from neighbours; expected longer texts"
        )
    return kept


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _report(found: _Statistics, counts: dict[str, int], tokenizer: words.Tokenizer) -> None:
    """Log how many words have a vector, and warn of texts that are probably split in the wrong way."""
    noun, covered = tokenizer.noun, sum(counts.values())
    log.info(
        "%s %ss in %s texts; %s different ones have a vector, %.1f%% of the text",
        *(f"{found.words:,}", noun, f"{found.texts:,}", f"{len(counts):,}", 100.0 * covered / found.words),
    )
    if found.forgotten:
        log.info(
            "more than %s different %ss were met; the rarest, met at most %s until then, were left out",
            *(f"{MAX_COUNTED:,}", noun, times(found.forgotten)),
        )
    if isinstance(tokenizer, Pieces):
        pieces = tokenizer.pieces
        missing = sum(piece not in counts for piece in pieces)
        if missing:
            log.info(
                "%s of %s pieces are too rare in the texts to have a vector; export writes the mean for them",
                *(f"{missing:,}", f"{len(pieces):,}"),
            )
    elif sum(map(len, counts)) > MAX_WORD_LENGTH * len(counts):
        log.warning(
            "words have more than %d letters on average: a language without blanks between words needs a vocabulary "
            "of pieces, --vocabulary",
            MAX_WORD_LENGTH,
        )


def read(run: Run) -> Corpus:
    """Read what `prepare` has written.

    Raises:
        UserError: If a file is damaged.
    """
    remedy = "add --overwrite to prepare the texts again"
    sizes = read_json(run.checkpoint / COUNTS_FILE, remedy)
    with reading(run.checkpoint / SAMPLE_FILE, remedy):
        lines = (run.checkpoint / SAMPLE_FILE).read_text(encoding="utf-8").split("\n")
        sample = [line.split(" ") for line in lines if line]
        return Corpus(run.checkpoint / CORPUS_FILE, sizes["lines"], sizes["words"], read_counts(run, remedy), sample)


def read_counts(run: Run, remedy: str = "train the run again with --overwrite") -> dict[str, int]:
    """Read the words that have a vector, with their counts.

    Raises:
        UserError: If the file is damaged.
    """
    file = run.vocabulary / WORDS_FILE
    with reading(file, remedy), open(file, encoding="utf-8", newline="\n") as lines:
        return {word: int(count) for word, count in (line.rstrip("\n").split("\t") for line in lines)}
