"""The latent semantic analysis that a language model of separate texts has beside its weights."""

import csv

import numpy as np
import pytest

from models.ngram_counts import characters_of, frequent_ngrams
from models.piece_characters import character_table
from tasks.chargen import piece_data
from tasks.chargen.settings import ChargenSettings
from tasks.data.sequence_store import pad_sequences
from tasks.training import lsa
from tasks.training.run_copies import lsa_of
from tasks.training.runs import Run

KOREAN = ["재미있는 영화", "지루한 영화", "좋은 연기", "나쁜 음악", "멋진 장면", "평범한 이야기", "긴 결말"]
ENGLISH = ["a fine film", "a dull film", "good acting", "bad music", "great scenes", "a plain story", "a long end"]


def texts_of(phrases, count=300):
    random = np.random.default_rng(1)
    return [", ".join(random.choice(phrases, 3)) for _ in range(count)]


def prepare(folder, texts, **vocabulary) -> tuple[ChargenSettings, Run]:
    """Prepares a training on texts; returns its settings and its run."""
    folder.mkdir(exist_ok=True)
    with open(folder / "texts.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text",), *((text,) for text in texts)])
    settings = ChargenSettings.model_validate(
        {
            "data": {"data": str(folder / "texts.csv"), "text_column": "text"},
            "vocabulary": {"tokenizer": "sentencepiece", "vocabulary_size": 60, "normalization": "nfkc"} | vocabulary,
        }
    )
    run = Run(folder / "run")
    run.checkpoint.mkdir(parents=True, exist_ok=True)
    piece_data.prepare(settings, run)
    return settings, run


@pytest.mark.parametrize(
    ("phrases", "vocabulary", "units", "last"),
    [
        (ENGLISH, {}, "pieces", 2),
        (KOREAN, {"vocabulary_size": 40}, "characters", 4),
        (ENGLISH, {"vocabulary_type": "char", "vocabulary_size": 40}, "pieces", 4),
    ],
)
def test_the_ngrams_are_those_that_a_classifier_of_such_texts_chooses(tmp_path, phrases, vocabulary, units, last):
    _, run = prepare(tmp_path, texts_of(phrases), lsa_size=3, **vocabulary)
    found, pieces = lsa.read(lsa_of(run)), piece_data.load_pieces(run.vocabulary)
    assert (found.units, found.last) == (units, last)
    [(store, indexes)] = piece_data.sample(run.checkpoint / "train", 1 << 20)
    ids = pad_sequences([store[index][1:-1] for index in indexes])
    ids = characters_of(ids, character_table(pieces.names)) if units == "characters" else ids
    keys = frequent_ngrams([ids], 1, last, min_count=lsa.MIN_TEXTS, max_size=lsa.MAX_NGRAMS)
    np.testing.assert_array_equal(found.keys, keys)
    assert found.vectors.shape == (len(keys) + 1, 3) and not found.vectors[0].any()


def test_it_is_the_same_at_each_preparation_and_none_is_left_of_another_one(tmp_path):
    _, run = prepare(tmp_path, texts_of(ENGLISH), lsa_size=3)
    content = lsa_of(run).read_bytes()
    prepare(tmp_path, texts_of(ENGLISH), lsa_size=3)
    assert lsa_of(run).read_bytes() == content
    prepare(tmp_path, texts_of(ENGLISH, 20), lsa_size=3)  # too few
    assert not lsa_of(run).exists()


def test_texts_are_drawn_from_all_blocks_and_of_a_long_one_the_beginning_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(piece_data, "BLOCK", 100)
    monkeypatch.setattr(piece_data, "LONGEST", 50)
    _, run = prepare(tmp_path, [*texts_of(ENGLISH), " ".join(texts_of(ENGLISH, 500))], lsa_size=3)
    chosen = piece_data.sample(run.checkpoint / "train", 2000)
    assert len(chosen) == 3 and all(len(indexes) for _, indexes in chosen)
    counted = sum(int(np.minimum(store.lengths[indexes], 50).sum()) for store, indexes in chosen)
    assert 1900 < counted <= 2000
    assert lsa.read(lsa_of(run)).vectors.shape[1] == 3


def test_one_text_has_none_and_characters_are_refused(tmp_path, caplog, chargen):
    caplog.set_level("INFO")
    (tmp_path / "book.txt").write_text("\n".join(texts_of(ENGLISH)), encoding="utf-8")
    options = ("train", "--data", tmp_path / "book.txt", "--run", tmp_path / "run", "--lsa-size", "3")
    message = chargen(*options).error()
    assert "lsa_size=3 does not go with tokenizer=characters" in message and "take sentencepiece" in message
    small = ("--vocabulary-size", "60", "--units", "4", "--embedding-size", "4", "--epochs", "1")
    steps = ("--steps-per-epoch", "1", "--validation-steps", "1", "--sample-lines", "0")
    answer = chargen(*options, "--tokenizer", "sentencepiece", *small, *steps)
    assert answer.code == 0, answer.err
    assert "no LSA" in caplog.text and not lsa_of(Run(tmp_path / "run")).exists()
