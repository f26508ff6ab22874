"""From texts to what has a vector: words, or the pieces of a SentencePiece vocabulary. Imports no TensorFlow."""

import abc
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import sentencepiece

from tasks.atomic_files import expanded
from tasks.data.stored_files import reading
from tasks.errors import UserError
from tasks.vectors.settings import VectorVocabularySettings

# The file of the vocabulary's folder with the model of SentencePiece; without it, words have vectors.
PIECES_FILE = "sentencepiece.model"
BOUNDARY = "\u2581"  # what SentencePiece writes for the blank before a word
SINGLE_JAMO = frozenset(map(chr, range(0x3131, 0x3190)))
JAMO_OR_OTHERS = re.compile("[\u3131-\u318f]+|[^\u3131-\u318f]+")
APOSTROPHES = "'\u2019"


class Tokenizer(abc.ABC):
    """Splits texts into tokens.

    Attributes:
        noun: What a token is called in messages.
    """

    noun: str

    @abc.abstractmethod
    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the tokens of each text. A token has no white space."""

    @abc.abstractmethod
    def candidates(self, word: str) -> list[str]:
        """Return the tokens that may be meant by a word that somebody asks for, the likeliest one first."""


class _Separators(dict):
    """A table for `str.translate`: letters, marks, digits, apostrophes and line breaks stay; others become blanks."""

    def __missing__(self, code: int) -> int | str | None:
        character = chr(code)
        category = unicodedata.category(character)
        if character == "\n":
            kept = code
        elif category == "Cf":
            kept = None  # a soft hyphen or a joiner is within a word, and not seen
        elif character in APOSTROPHES:
            kept = "'"
        else:
            kept = code if category[0] in "LMN" else " "
        self[code] = kept
        return kept


def times(count: int) -> str:
    """Return how often, such as "3 times"."""
    return "once" if count == 1 else f"{count:,} times"


def _normalize(text: str) -> str:
    if text.isascii():
        return text
    return "".join(
        part if part[0] in SINGLE_JAMO else unicodedata.normalize("NFKC", part) for part in JAMO_OR_OTHERS.findall(text)
    )


class Words(Tokenizer):
    """Words: letters, marks and digits, with apostrophes between them. All else separates words.

    Args:
        lowercase: Whether they are in lower case.
    """

    noun = "word"

    def __init__(self, lowercase: bool):
        self._lowercase, self._separators = lowercase, _Separators()

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text, in the form NFKC of Unicode.

        Single jamo, with which Koreans write laughter or tears, stay as they are typed; NFKC would make parts of
        syllables of them.
        """
        # Splitting all texts at once is faster. A line break separates them: neither composition nor lower case depends
        # on what is behind it.
        text = _normalize("\n".join(text.replace("\n", " ") for text in texts))
        if self._lowercase:
            text = text.lower()  # after the normalization, which makes capitals of ™
        lines = text.translate(self._separators).split("\n")
        return [
            [word for word in (one.strip("'") for one in line.split()) if word] if "'" in line else line.split()
            for line in lines[: len(texts)]
        ]

    def candidates(self, word: str) -> list[str]:
        """Return the word as texts have it; none if it is not one word."""
        (words,) = self.split([word])
        return words if len(words) == 1 else []


class Pieces(Tokenizer):
    """The pieces of a SentencePiece vocabulary.

    Args:
        model: The file of the vocabulary.

    Attributes:
        processor: The vocabulary.

    Raises:
        UserError: If the file is missing or damaged.
    """

    noun = "piece"

    def __init__(self, model: Path):
        with reading(model, "name a run or a SentencePiece model with --vocabulary"):
            self.processor = sentencepiece.SentencePieceProcessor(model_proto=model.read_bytes())
            if not self.processor.get_piece_size():
                raise ValueError("it has no piece")  # an empty file is read without an error

    @property
    def pieces(self) -> list[str]:
        """The pieces in the order of their ids, without those that stand for no text."""
        processor = self.processor
        return [
            processor.id_to_piece(index)
            for index in range(processor.get_piece_size())
            if not (processor.is_control(index) or processor.is_unused(index) or processor.is_unknown(index))
        ]

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the pieces of each text; what the vocabulary lacks is the piece of unknown characters."""
        to_piece = self.processor.id_to_piece
        # A piece with white space cannot be in a .vec file.
        return [
            [piece for piece in map(to_piece, ids) if not any(map(str.isspace, piece))]
            for ids in self.processor.encode(list(texts), out_type=int)
        ]

    def candidates(self, word: str) -> list[str]:
        """Return the pieces with this text at the beginning of a word and within one; one with the mark is itself."""
        if word.startswith(BOUNDARY):
            return [word]
        normalized = self.processor.normalize(word).removeprefix(BOUNDARY)
        return [BOUNDARY + normalized, normalized]

    def segmentation(self, word: str) -> list[str]:
        """Return the pieces of a word."""
        return self.split([word])[0]


def find_model(vocabulary: str) -> Path:
    """Return the SentencePiece model of `--vocabulary`: a file, or the only one of a run.

    Raises:
        UserError: If there is none, or a run has several.
    """
    path = expanded(vocabulary)
    if path.is_file():
        return path
    if not path.exists():
        raise UserError(f"--vocabulary {vocabulary}: no such run or file")
    models = sorted((path / "vocabulary").glob("*.model"))
    if len(models) == 1:
        return models[0]
    if models:
        raise UserError(
            f"--vocabulary {vocabulary}: the run has {len(models)} vocabularies; name one of them: "
            f"{' or '.join(map(str, models))}"
        )
    kind = "a run over characters" if (path / "vocabulary" / "characters.json").exists() else "no run with pieces"
    raise UserError(
        f"--vocabulary {vocabulary} is {kind}; name a run with a SentencePiece vocabulary, such as one of "
        "tasks.sentiment, or its .model file"
    )


def write_vocabulary(settings: VectorVocabularySettings, folder: Path) -> Tokenizer:
    """Write what splits texts into a folder, from which `load` reads it."""
    if settings.vocabulary is not None:
        model = find_model(settings.vocabulary)
        Pieces(model)  # it is a vocabulary
        shutil.copy(model, folder / PIECES_FILE)
    return load(settings, folder)


def load(settings: VectorVocabularySettings, folder: Path) -> Tokenizer:
    """Return what splits the texts of a run.

    Raises:
        UserError: If the file of the pieces is missing or damaged.
    """
    if settings.vocabulary is None:
        return Words(settings.lowercase)
    return Pieces(folder / PIECES_FILE)
