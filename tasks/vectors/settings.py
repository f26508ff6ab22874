"""Every setting of word vectors, in groups, and the arguments of the commands. Imports no TensorFlow."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BeforeValidator, Field, field_validator, model_validator

from models.recurrent_settings import Settings
from tasks.file_options import FileOptions
from tasks.settings import Auto, DataSettings, Location


class VectorSourceSettings(FileOptions, DataSettings):
    """Where the texts come from. They need no labels."""

    data: Location = "sample"
    """sample, tfds:NAME[/CONFIG], a text file with a text on each line, a table (.csv .tsv .jsonl .parquet, also .gz),
    several files, a pattern such as 'src/**/*.txt', or a folder; also as URLs: s3://, gs://, abfss://, file://."""
    text_column: str | None = None
    """The column of the texts in a table or data set; text if not given. With it a .txt file is read as a table."""
    splits: str = "train"
    """The splits to read: train, or several joined with +, such as train+unsupervised; all is every split."""
    skip_bad_rows: bool = False
    """Leaves out rows that cannot be used, and counts them; otherwise they are errors."""


def _path_as_text(value):
    return str(value) if isinstance(value, Path) else value


class VectorVocabularySettings(Settings):
    """What has a vector: words, or the pieces of a vocabulary."""

    vocabulary: Annotated[str, BeforeValidator(_path_as_text)] | None = None
    """A run with a SentencePiece vocabulary, or its .model file: the vectors are those of its pieces, not of words."""
    lowercase: bool = True
    """Words are in lower case. Pieces are as the vocabulary has them."""
    min_count: Auto | Annotated[int, Field(ge=1)] = "auto"
    """Words that occur less often have no vector. auto: 1 for pieces; for words 1, 2, 3 or 5, by their number."""
    vocabulary_size: int = Field(200_000, ge=2, le=10_000_000)
    """Maximum number of words with a vector; the most frequent ones are kept."""


class VectorTrainingSettings(Settings):
    """How the vectors are trained. The names of gensim are in parentheses where they differ."""

    algorithm: Literal["word2vec", "fasttext"] = "word2vec"
    """fasttext adds the vectors of the character n-grams of a word, so words that never occurred have a vector too."""
    architecture: Literal["skipgram", "cbow"] = "skipgram"
    """skipgram predicts a word from each neighbour, cbow from the mean of all (sg). --skipgram and --cbow for short."""
    embedding_size: int = Field(64, ge=2, le=10_000)
    """Dimension of the vectors (vector_size)."""
    window: int = Field(5, ge=1, le=1_000)
    """Maximum distance between a word and a neighbour; the distance is drawn from 1 to this for each word."""
    negative: int = Field(5, ge=1, le=1_000)
    """Negative samples: random words for each pair of a word and a neighbour."""
    ns_exponent: float = Field(0.75, ge=-2.0, le=2.0)
    """These are drawn with the frequency of a word to this power."""
    sample: float = Field(1e-3, ge=0.0, lt=1.0)
    """Words with a higher share of the text are read less often; 0 reads all."""
    epochs: Auto | Annotated[int, Field(ge=1)] = "auto"
    """Passes over the texts. auto: about 5 million words in all, in 5 to 50 passes."""
    learning_rate: Auto | Annotated[float, Field(gt=0.0, le=1.0)] = "auto"
    """The learning rate at the beginning (alpha). auto: 0.025 for skipgram, 0.05 for cbow."""
    min_learning_rate: float = Field(1e-4, gt=0.0, le=1.0)
    """The learning rate at the end, to which it falls linearly (min_alpha)."""
    min_n: Auto | Annotated[int, Field(ge=1, le=100)] = "auto"
    """fasttext: characters of the shortest n-grams. auto: 3; 1 if most letters are Korean, Chinese or the like."""
    max_n: Auto | Annotated[int, Field(ge=1, le=100)] = "auto"
    """fasttext: characters of the longest n-grams. auto: 6; 4 if most letters are Korean, Chinese or the like."""
    bucket: Auto | Annotated[int, Field(ge=1, le=100_000_000)] = "auto"
    """fasttext: number of vectors that the n-grams share, by their hash. auto: 10 for each word, up to 2 million."""
    workers: int = Field(1, ge=1, le=1_000)
    """Threads. With more than one, two trainings with the same seed differ, and so does one that was interrupted."""
    seed: int = Field(0, ge=0, lt=1 << 31)
    """Seed of the initial vectors and of all random choices."""

    @model_validator(mode="after")
    def _ranges_are_in_order(self):
        if "auto" not in (self.min_n, self.max_n) and self.min_n > self.max_n:
            raise ValueError(f"min_n={self.min_n} is above max_n={self.max_n}; lower one or raise the other")
        if self.learning_rate != "auto" and self.min_learning_rate > self.learning_rate:
            raise ValueError(
                f"min_learning_rate={self.min_learning_rate:g} is above learning_rate={self.learning_rate:g}; lower it"
            )
        if self.algorithm == "word2vec":
            given = [f"{name}={getattr(self, name)}" for name in ("min_n", "max_n", "bucket")]
            given = [one for one in given if not one.endswith("=auto")]
            if given:
                raise ValueError(f"{given[0]} does not go with algorithm=word2vec; take fasttext, or leave it out")
        return self


class VectorSettings(Settings):
    """Trains word vectors on texts without labels."""

    data: VectorSourceSettings = VectorSourceSettings()
    vocabulary: VectorVocabularySettings = VectorVocabularySettings()
    training: VectorTrainingSettings = VectorTrainingSettings()


# --- arguments of the commands


class QueryArguments(Settings):
    """A run, and how the answer is printed."""

    run: str
    """The run's folder."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object per line."""


class NearestArguments(QueryArguments):
    """A run, and how many words are shown."""

    count: int = Field(10, ge=1, le=10_000)
    """Number of words to show."""


class NeighboursArguments(NearestArguments):
    """Shows the words whose vectors are nearest to that of a word."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional]
    """The words."""

    @field_validator("words")
    @classmethod
    def _one_at_least(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("give a word at least")
        return value


class AnalogyArguments(NearestArguments):
    """Shows D such that A is to B as C is to D: the words nearest to B - A + C."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional]
    """The words A, B and C."""

    @field_validator("words")
    @classmethod
    def _three(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) != 3:
            raise ValueError(f"{len(value)} words; give three, A B C: A is to B as C is to the answer")
        return value


class PlotArguments(QueryArguments):
    """Draws words in the plane of their two principal components."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Three words or more."""
    plot: str | None = None
    """Draws into this PNG file; plots/words.png in the run's folder if not given."""

    @field_validator("words")
    @classmethod
    def _three_or_more(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len({*value}) < 3:
            raise ValueError(f"{len({*value})} different words; give three or more, which span a plane")
        return value

    @property
    def picture(self) -> Path:
        """The file to draw into."""
        return Path(self.plot or Path(self.run) / "plots" / "words.png")


class ExportVectorsArguments(Settings):
    """Writes the vectors as text in the .vec format of word2vec and fastText, for `sentiment train --vectors`."""

    run: str
    """The run's folder."""
    to: str | None = None
    """The file, .vec or .vec.gz; saved_models/ and the run's name with .vec if not given."""
