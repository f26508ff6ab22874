"""The ids that a network is trained on are those that its exported graph computes, also where segmentations tie."""

import itertools

import sentencepiece
import tensorflow as tf
from sentencepiece import sentencepiece_model_pb2

from models.text import SPECIALS, SentencePieceText, train_sentencepiece
from tasks.data import vocabularies
from tasks.data.sequence_store import SequenceStore
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.training.runs import Run
from tasks.translation.settings import TranslationSettings
from tasks.translation.task import TRANSLATION
from tests.tasks.examples import write_aligned, write_csv

# All of one score: most words have several segmentations of the same probability.
PIECES = ("▁", "a", "b", "c", "ab", "bc", "ca", "▁a", "▁b", "abc", "cab")
TEXTS = ["".join(letters) for length in range(1, 6) for letters in itertools.product("abc", repeat=length)]


def vocabulary_with_ties() -> bytes:
    model = sentencepiece_model_pb2.ModelProto.FromString(train_sentencepiece(["a b c ab bc"], size=12))
    del model.pieces[SPECIALS:]
    for piece in PIECES:
        model.pieces.add(piece=piece, score=-3.3)
    model.trainer_spec.vocab_size = len(model.pieces)
    return model.SerializeToString()


def ids_of_the_graph(vocabulary: bytes) -> list[list[int]]:
    """The ids of TEXTS; those of the SentencePiece library differ in some, or the test would show nothing."""
    ids = SentencePieceText(vocabulary, 40).pieces(tf.constant(TEXTS)).to_list()
    processor = sentencepiece.SentencePieceProcessor(model_proto=vocabulary)
    different = [text for text, own in zip(TEXTS, ids, strict=True) if processor.encode(text) != own]
    assert len(different) >= 3
    return ids


def test_sentiment_trains_on_the_ids_of_the_graph(tmp_path, monkeypatch):
    vocabulary = vocabulary_with_ties()
    monkeypatch.setattr(vocabularies, "learn", lambda *_: vocabulary)
    for split in ("train", "validation"):
        write_csv(tmp_path / "data" / f"{split}.csv", [(text, text[0] == "a") for text in TEXTS])
    run = Run(tmp_path / "run")
    settings, _ = SENTIMENT.resolve(SentimentSettings(data={"data": str(tmp_path / "data")}))
    SENTIMENT.prepare(settings, run)
    for split in ("train", "validation"):
        store = SequenceStore(run.checkpoint / split)
        assert [store[index].tolist() for index in range(len(store))] == ids_of_the_graph(vocabulary)


def test_translation_trains_on_the_ids_of_the_graph(tmp_path, monkeypatch):
    vocabulary = vocabulary_with_ties()
    monkeypatch.setattr(vocabularies, "learn", lambda *_, **__: vocabulary)
    for split in ("train", "validation"):
        write_aligned(tmp_path / "data", split, zip(TEXTS, TEXTS[::-1], strict=True))
    run = Run(tmp_path / "run")
    names = {"data": str(tmp_path / "data"), "source_lang": "en", "target_lang": "ko"}
    TRANSLATION.prepare(TranslationSettings(data=names), run)
    expected = ids_of_the_graph(vocabulary)
    for split in ("train", "validation"):
        store = SequenceStore(run.checkpoint / split)
        pairs = zip(expected, expected[::-1], strict=True)
        assert [store[index].tolist() for index in range(len(store))] == [one + two for one, two in pairs]
