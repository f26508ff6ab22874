"""A text as characters and ids: the vocabulary of a run, and windows to train on."""

import collections
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from models.characters import UNKNOWN, Characters, CharacterText, normalize
from models.pieces import Pieces, PieceText
from models.text import EOS
from tasks import atomic_files
from tasks.chargen import piece_data, records
from tasks.chargen.record_windows import RecordWindows, ValidationRecords
from tasks.chargen.settings import ChargenSettings, TextVocabularySettings
from tasks.chargen.text_source import TextSource, compared_texts, open_text
from tasks.chargen.windows import TrainingWindows, ValidationWindows
from tasks.data.overlap import TrainingTexts
from tasks.data.stored_files import is_text, read_json, reading
from tasks.errors import UserError
from tasks.task_parts import TrainingData
from tasks.training.runs import Run

log = logging.getLogger(__name__)

SPLITS = ("train", "validation")
# A smaller share of unknown characters in a held-out split is no reason for a warning.
LEAST_UNKNOWN = 0.01


def prepare(settings: ChargenSettings, run: Run) -> None:
    """Write `vocabulary/characters.json`, `training_texts.npz` and, below `checkpoint/`, the ids of both splits."""
    if settings.vocabulary.tokenizer == "sentencepiece":
        piece_data.prepare(settings, run)
        return
    chosen = settings.vocabulary
    source = open_text(settings)
    composed = {"normalization": chosen.normalization, "hangul": chosen.hangul}
    # A record is read from the boundary before it.
    before = records.BOUNDARY if settings.data.records else ""
    texts = [normalize(before + source.text(split), **composed) for split in SPLITS]
    for split, text in zip(SPLITS, texts, strict=True):
        if len(text) < 2:
            raise UserError(
                f"{source.location}: its {split} split has one character; expected two at least, one to predict the "
                "other from."
            )
    counts = collections.Counter(texts[0])
    if before:  # known also if there are few records
        counts[before] = max(counts[before], chosen.min_count)
    if settings.training.initial_run is None:
        characters = Characters.learned(counts, chosen.min_count, **composed)
    else:
        characters = load_characters(run.vocabulary)
    if not {*characters.characters} - {before}:
        raise UserError(f"--min-count {chosen.min_count}: no character of {source.location} occurs so often; lower it")
    check_stops(settings.sampling.stop, characters)
    if settings.training.initial_run is not None:
        _warn_of_missing(characters, counts, settings.training.initial_run)
    else:
        _warn_of_unknown(source, texts[1], counts, chosen.min_count, characters)
        with atomic_files.replacing_folder(run.vocabulary) as temporary:
            save_characters(characters, temporary)
    training_texts = TrainingTexts(compared_texts(settings), run.initial.training_texts)
    collections.deque(training_texts.collected(source.records("train")), maxlen=0)
    training_texts.save(run.training_texts)
    for split, text in zip(SPLITS, texts, strict=True):
        with atomic_files.replacing(_ids_file(run, split)) as temporary:
            np.save(temporary, encode(text, characters))


def _warn_of_unknown(
    source: TextSource, validation: str, counts: Mapping[str, int], min_count: int, characters: Characters
) -> None:
    """Warn if a held-out split has clearly more unknown characters than the training text, and report both shares.

    How many are expected: a character that occurs `min_count` times or less would be unknown if one of these were held
    out (Good 1953, "The population frequencies of species and the estimation of population parameters").

    Args:
        source: The source.
        validation: The normalized text of its validation split.
        counts: Occurrences of each character in the training text.
        min_count: Occurrences that a character of the vocabulary has at least.
        characters: The vocabulary.
    """
    total = sum(counts.values())
    expected = sum(count for count in counts.values() if count <= min_count) / total
    texts = {"validation": validation}
    if "test" in source.splits:
        texts["test"] = normalize(source.splits["test"], characters.normalization, characters.hangul)
    shares = {split: unknown_share(text, characters) for split, text in texts.items()}
    if max(shares.values()) <= max(LEAST_UNKNOWN, 3 * expected):
        return
    found = ", ".join(f"{share:.1%} of the {split} split" for split, share in shares.items())
    message = (
        f"characters that the model does not know: {found}, {characters.counts[0] / total:.1%} of the training text"
    )
    if "validation" not in source.stored and not source.settings.records:
        message += (
            ".\nThe splits are cut by position, and the end of the text differs from its beginning, as in a sorted "
            "list: shuffle it, or add --records lines if each line is a separate text"
        )
    log.warning("%s: %s", source.location, message)


def unknown_share(text: str, characters: Characters) -> float:
    """Return the share of the characters of a normalized text that are not in the vocabulary; 0 if it is empty."""
    known = {*characters.characters}
    return sum(count for one, count in collections.Counter(text).items() if one not in known) / max(1, len(text))


def _warn_of_missing(characters: Characters, counts: collections.Counter[str], initial_run: str) -> None:
    """Report how much of the training text the vocabulary of the run that a training goes on from lacks."""
    unknown = counts.keys() - {*characters.characters}
    if unknown:
        share = sum(counts[character] for character in unknown) / counts.total()
        log.warning(
            "%s does not know %s of the characters of the training text, %.2g%% of it, and reads them as unknown: %s",
            *(initial_run, f"{len(unknown):,}", 100 * share, " ".join(map(repr, sorted(unknown)[:20]))),
        )


def _ids_file(run: Run, split: str) -> Path:
    return run.checkpoint / f"{split}.npy"


def open_data(settings: ChargenSettings, run: Run) -> TrainingData:
    """Open what `prepare` wrote."""
    kind = piece_data.PieceDocuments if settings.vocabulary.tokenizer == "sentencepiece" else TextWindows
    return kind(settings, run)


class TextWindows(TrainingData):
    """The stored text of a run, and windows of it.

    Args:
        settings: The settings.
        run: The run; `prepare` wrote its files.

    Attributes:
        characters: The vocabulary.
        windows: The training windows.
    """

    def __init__(self, settings: ChargenSettings, run: Run):
        training, recurrent = settings.training, settings.recurrent
        self.characters = load_characters(run.vocabulary)
        text, held_out = (np.load(_ids_file(run, split), mmap_mode="r") for split in SPLITS)
        sizes = {"window": training.window, "batch_size": training.batch_size}
        boundary = boundary_id(self.characters) if settings.data.records else None
        if boundary is None:
            self.windows = TrainingWindows(
                text,
                **sizes,
                stateful=recurrent.stateful,
                step=training.window_step,
                last_only=not recurrent.return_sequences,
                seed=training.seed,
            )
        else:
            self.windows = RecordWindows(text, boundary, **sizes, seed=training.seed)
        used = {"window": self.windows.window, "batch_size": self.windows.batch_size}
        used["max_steps"] = training.validation_steps
        if boundary is None:
            self._validation = ValidationWindows(held_out, **used, fixed=recurrent.unroll)
        else:
            self._validation = ValidationRecords(held_out, boundary, **used)
        self.steps_per_pass = self.windows.steps_per_pass
        self.tokens_per_pass = self.steps_per_pass * self.windows.batch_size * self.windows.window
        self.summary = (
            f"{len(text):,} characters to train on, {len(held_out):,} to validate on; "
            f"{len(self.characters.characters):,} different ones"
        )
        if boundary is not None:
            self.tokens_per_pass = len(text) - 1
            counts = [f"{np.count_nonzero(ids == boundary) - 1:,}" for ids in (text, held_out)]
            self.summary = f"{counts[0]} records to train on, {counts[1]} to validate on; " + self.summary
        elif (self.windows.window, self.windows.batch_size) != (training.window, training.batch_size):
            self.summary += (
                f"\nthe text is short: batches of {self.windows.batch_size} windows of {self.windows.window} characters"
            )
        if self._validation.characters < len(held_out) - 1:
            self.summary += (
                f"\neach validation reads {self._validation.characters:,} of these characters, evenly spread; "
                "--validation-steps none reads all of them"
            )

    def training_batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Return endless batches; see `TrainingWindows.batches` and `RecordWindows.batches`."""
        return self.windows.batches(epoch, step)

    def validation_batches(self) -> tf.data.Dataset:
        """Return one pass over the validation text, or over evenly spread parts of it."""
        return self._validation.batches()


def encode(text: str, characters: Characters) -> np.ndarray:
    """Return the ids of a normalized text: uint16 or int32 (characters,)."""
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    ids = np.full(0x110000, UNKNOWN, np.uint16 if len(characters) <= 1 << 16 else np.int32)
    ids[[ord(character) for character in characters.characters]] = np.arange(1, len(characters))
    return ids[points]


def check_stops(stops: Iterable[str], characters: Characters | Pieces) -> None:
    """Check that the texts that end a generation can be generated.

    Raises:
        UserError: If one has a character that is not in the vocabulary, so that it would never be found.
    """
    for stop in stops:
        if isinstance(characters, Pieces):
            raise UserError(
                f"--stop {stop!r} does not go with a model of pieces: one text has several segmentations; leave it out"
            )
        unknown = characters.unknown_in(stop)
        if unknown:
            shown = " ".join(map(repr, unknown))
            raise UserError(f"--stop {stop!r}: {shown} is not among the model's characters, so nothing ends with it")


def boundary_of(settings: ChargenSettings, vocabulary: Characters | Pieces) -> int | None:
    """Return the id between two texts; None if there is one text of characters. See `boundary_id`."""
    if isinstance(vocabulary, Pieces):
        return EOS
    return boundary_id(vocabulary) if settings.data.records else None


def boundary_id(characters: Characters) -> int:
    """Return the id between two records.

    Raises:
        UserError: If the vocabulary has no line end.
    """
    if records.BOUNDARY not in characters.characters:
        raise UserError("--records lines: the vocabulary of the run has no line end, so it knows no end of a record")
    return characters.characters.index(records.BOUNDARY) + 1


def load_vocabulary(settings: ChargenSettings, folder: Path) -> Characters | Pieces:
    """Read the vocabulary of a run or of an exported model: characters or pieces; raise `UserError`."""
    if settings.vocabulary.tokenizer == "sentencepiece":
        return piece_data.load_pieces(folder)
    return load_characters(folder)


def text_module(vocabulary: Characters | Pieces) -> CharacterText | PieceText:
    """Return the conversion between text and the ids of a vocabulary."""
    return PieceText(vocabulary) if isinstance(vocabulary, Pieces) else CharacterText(vocabulary)


def save_characters(characters: Characters, folder: Path) -> None:
    """Write characters.json: the normalization, and [character, count] for each; null is the unknown character."""
    stored = {
        "normalization": characters.normalization,
        "hangul": characters.hangul,
        "characters": list(map(list, zip([None, *characters.characters], characters.counts, strict=True))),
    }
    (folder / "characters.json").write_text(json.dumps(stored, ensure_ascii=False) + "\n", encoding="utf-8")


def load_characters(folder: Path) -> Characters:
    """Read what `save_characters` wrote.

    Raises:
        UserError: If the file is missing or damaged.
    """
    path, remedy = folder / "characters.json", "train the run again with --overwrite"
    stored = read_json(path, remedy)
    with reading(path, remedy):
        (first, *known), counts = zip(*stored["characters"], strict=True)
        if first is not None or not all(is_text(character) and len(character) == 1 for character in known):
            raise ValueError("expected null and then single characters")
        if not known or len({*known}) < len(known):
            raise ValueError("expected at least one character, and none twice")
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError("expected a count for each character")
        chosen = TextVocabularySettings(normalization=stored["normalization"], hangul=stored["hangul"])
        return Characters(tuple(known), counts, chosen.normalization, chosen.hangul)
