"""Exported vectors: of words, and of the pieces of a vocabulary, as the sentiment task reads them."""

import gzip
import logging

import numpy as np
import pytest
from gensim.models import KeyedVectors

from tasks.data import word_vectors
from tasks.sentiment.data import load_vocabulary
from tasks.vectors.stored_vectors import WordVectors


@pytest.mark.parametrize("name", ["a.vec", "a.vec.gz"])
def test_an_export_has_every_word_with_its_vector(vectors, trained, tmp_path, name):
    answer = vectors("export", "--run", trained("fasttext"), "--to", tmp_path / "new" / name)
    assert (answer.code, answer.out) == (0, f"{tmp_path / 'new' / name}\n"), answer.err
    stored = WordVectors(trained("fasttext")).vectors
    content = (tmp_path / "new" / name).read_bytes()
    lines = (gzip.decompress(content) if name.endswith("gz") else content).decode("utf-8").splitlines()
    assert lines[0] == f"{len(stored)} 16" and len(lines) == len(stored) + 1
    read = KeyedVectors.load_word2vec_format(str(tmp_path / "new" / name))
    assert read.index_to_key == stored.index_to_key
    assert np.array_equal(read.vectors, stored.vectors)  # in single precision, no digit is lost
    found = word_vectors.read(tmp_path / "new" / name, ["\u2581cat", "\u2581영화"], 16)
    assert np.array_equal(found, [stored["cat"], stored["영화"]])


@pytest.fixture(scope="module")
def pieces_run(vectors, small_tasks, tmp_path_factory):
    """Vectors of the pieces of a small sentiment run, trained on its texts."""
    folder, sentiment = tmp_path_factory.mktemp("pieces") / "run", small_tasks["sentiment"]
    options = ("--vocabulary", sentiment.untrained_run, "--embedding-size", "8", "--epochs", "2")
    answer = vectors("train", "--data", sentiment.data, "--run", folder, *options)
    assert answer.code == 0, answer.err
    return folder


def test_the_sentiment_task_finds_every_piece(vectors, pieces_run, small_tasks, tmp_path, caplog):
    assert vectors("export", "--run", pieces_run, "--to", tmp_path / "a.vec").code == 0
    processor, _ = load_vocabulary(small_tasks["sentiment"].untrained_run / "vocabulary")
    pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
    with caplog.at_level(logging.INFO):
        table = word_vectors.read(tmp_path / "a.vec", pieces, 8)
    ordinary = pieces[4:]
    assert f"vectors for {len(ordinary)} of {len(ordinary)} pieces" in caplog.text
    stored = WordVectors(pieces_run).vectors
    assert 0 < len(ordinary) - len(stored) < 20  # a few pieces are in no text
    for piece in ordinary:  # those at the beginning of a word and those within one have different vectors
        expected = stored[piece] if piece in stored.key_to_index else stored.vectors.mean(axis=0)
        assert np.allclose(table[pieces.index(piece)], expected, atol=1e-6)


def test_a_piece_is_asked_for_by_its_text(vectors, pieces_run):
    answer = vectors("neighbours", "--run", pieces_run, "the", "--count", "2")
    assert answer.code == 0 and answer.out.startswith("\u2581the\t")
    both = WordVectors(pieces_run)
    message = vectors("neighbours", "--run", pieces_run, "internationalization").error()
    assert "pieces" in message and "its pieces have: " in message
    within = next((one for one in both.vectors.index_to_key if f"\u2581{one}" in both.vectors.key_to_index), None)
    if within is None:
        pytest.skip("SentencePiece learned no piece for the beginning and the inside of words")
    assert both.find(within).name == both.find(f"\u2581{within}").name == f"\u2581{within}"


@pytest.mark.slow
def test_a_training_begins_with_the_vectors_of_the_pieces(vectors, pieces_run, small_tasks, tmp_path):
    assert vectors("export", "--run", pieces_run, "--to", tmp_path / "a.vec").code == 0
    answer = small_tasks["sentiment"].train(tmp_path / "a", "--vectors", tmp_path / "a.vec", "--epochs", "1")
    assert answer.code == 0, answer.err
    message = small_tasks["sentiment"].train(tmp_path / "b", "--vectors", pieces_run).error()
    assert "tasks.vectors export --run" in message


def test_a_vocabulary_that_cannot_be_used_is_named(vectors, texts, small_tasks, tmp_path):
    def message(vocabulary):
        return vectors("train", "--data", texts, "--run", tmp_path / "a", "--vocabulary", vocabulary).error()

    assert "over characters" in message(small_tasks["chargen"].untrained_run)
    several = message(small_tasks["translation"].untrained_run)
    assert "2 vocabularies" in several and "source.model" in several
    (tmp_path / "damaged.model").write_bytes(b"no model")
    assert "damaged.model" in message(tmp_path / "damaged.model")
    (tmp_path / "empty").mkdir()
    assert "no run with pieces" in message(tmp_path / "empty")


def test_a_piece_of_its_own_is_better_than_a_word_of_its_letters(tmp_path):
    lines = ["5 2", "good 1 1", "\u2581good 2 2", "BAD 3 3", "bad 4 4", "<unk> 5 5"]
    (tmp_path / "a.vec").write_text("\n".join(lines), encoding="utf-8")
    pieces = ["<unk>", "good", "\u2581good", "\u2581Good", "\u2581BAD", "\u2581Bad"]
    table = word_vectors.read(tmp_path / "a.vec", pieces, 2)
    assert table[:, 0].tolist() == [5, 1, 2, 1, 3, 4]
