"""Trainings that begin with given word vectors."""

import gzip
import unicodedata

import numpy as np
import pytest

from tasks.data import word_vectors
from tasks.sentiment import data
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run

VECTORS = {"good": np.arange(8) / 8, "BAD": -np.ones(8), "film": np.full(8, 0.25), "unheard": np.zeros(8)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.vec", "a.vec.gz"])
def test_word_vectors_begin_the_embedding(train, easy, tmp_path, name):
    lines = [f"{word} {' '.join(map(str, vector))}\n" for word, vector in VECTORS.items()]
    text = "".join([f"{len(lines)} 8\n", *lines]).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    options = ["--vocabulary-type", "word", "--vectors", tmp_path / name, "--learning-rate", "1e-12", "--epochs", "1"]
    answer = train(tmp_path / "a", *options, data=easy)
    assert answer.code == 0, answer.err
    processor, _ = data.load_vocabulary(tmp_path / "a" / "vocabulary")
    table = load_model(Run(tmp_path / "a")).embedding.get_weights()[0]
    for word in ("good", "film"):
        assert np.allclose(table[processor.piece_to_id(f"\u2581{word}")], VECTORS[word], atol=1e-6)
    others = table[processor.piece_to_id("\u2581lovely")]
    assert 0.01 < others.std() < 2.0 and not np.allclose(table[processor.piece_to_id("\u2581bad")], VECTORS["BAD"])


def test_words_of_the_file_are_normalized_as_pieces_are(tmp_path):
    words = [unicodedata.normalize("NFD", "café"), unicodedata.normalize("NFD", "영화"), "ﬁlm"]
    (tmp_path / "a.vec").write_text("".join(f"{word} {i} 1\n" for i, word in enumerate(words)), encoding="utf-8")
    vectors = word_vectors.read(tmp_path / "a.vec", ["\u2581café", "\u2581영화", "\u2581film"], 2)
    assert vectors.tolist() == [[0, 1], [1, 1], [2, 1]]


def test_the_first_of_several_lines_of_a_word_counts_and_its_own_spelling_more(tmp_path):
    lines = ["film 1 0", "film 2 0", "us 1 0", "US 2 0", "us 3 0", "US 4 0"]
    (tmp_path / "a.vec").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    vectors = word_vectors.read(tmp_path / "a.vec", ["\u2581film", "\u2581US", "\u2581us"], 2)
    assert vectors.tolist() == [[1, 0], [2, 0], [1, 0]]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, ["--vectors", "no such file"]),
        ("1 4\ngood 1 2 3 4\n", ["a.vec:2:", "4 numbers and not 8", "--embedding-size"]),
        ("1 8\ngood 1 2 3 4 5 6 7 eight\n", ["a.vec:2:", "number"]),
        ("1 8\nunheard 1 2 3 4 5 6 7 8\n", ["a.vec", "none of the vocabulary"]),
        ("", ["a.vec", "none of the vocabulary"]),
    ],
)
def test_vectors_that_cannot_be_used_are_named(train, easy, tmp_path, content, parts):
    if content is not None:
        (tmp_path / "a.vec").write_text(content)
    message = train(tmp_path / "a", "--vectors", tmp_path / "a.vec", "--vocabulary-type", "word", data=easy).error()
    for part in parts:
        assert part in message
