"""SentencePiece in the graph returns the same ids as the SentencePiece library, for any text."""

import re
import time
import unicodedata

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from models.text import (
    BOS,
    EOS,
    PAD,
    SPECIALS,
    UNKNOWN,
    SentencePieceText,
    train_sentencepiece,
    truncate_text,
    vocabulary,
)

CORPUS = [
    "The film was not only good, but the acting was wonderful.",
    "The plot was dull and the film was long.",
    "재미없을 줄 알았는데 아주 재미있었다. 영화가 정말 좋았다.",
    "배우들의 연기가 좋았지만 영화는 지루했다.",
    "הסרט היה טוב מאוד",
    "😀👍🏽 good film 👍🏽",
] * 10

TEXTS = {
    "english": "The acting was good, but not the film.",
    "korean": "영화가 정말 재미있었다",
    "korean, decomposed": unicodedata.normalize("NFD", "영화가 정말 재미있었다"),
    "emoji": "👍🏽👍 good 🏳️‍🌈😀",
    "right to left": "הסרט היה film טוב",
    "unknown script": "ไม่ดี",
    "nul": "good\0film",
    "only nul": "\0",
    "empty": "",
    "blank": " \t\n\u3000 ",
    "names of special pieces": "<pad> <s> film </s> <unk>",
    "full width": "ＧＯＯＤ　ｆｉｌｍ",
    "long": "The film was good. " * 3000,
}


@pytest.fixture(scope="module", params=["nmt_nfkc", "identity"])
def model(request):
    return train_sentencepiece(CORPUS, size=160, normalization=request.param, character_coverage=1.0)


@pytest.fixture(scope="module")
def folded():
    return train_sentencepiece(CORPUS, size=160, normalization="nmt_nfkc_cf", character_coverage=1.0)


def ids_of(model, text, max_tokens=100_000):
    """Return the ids of one text in the graph, without padding."""
    (row,) = SentencePieceText(model, max_tokens).ids(tf.constant([text])).numpy()
    return row[row != PAD].tolist()


def library_ids(model, text):
    return sentencepiece.SentencePieceProcessor(model_proto=model).encode(text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_ids_are_those_of_sentencepiece(model, text):
    assert ids_of(model, text) == library_ids(model, text)


@pytest.mark.parametrize("text", [b"\xff\xfe good", b"film \xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80 film \x80"])
def test_invalid_utf8_is_read_as_unknown(text):
    model = train_sentencepiece(CORPUS, size=160)
    ids = ids_of(model, text)
    assert UNKNOWN in ids
    assert ids == library_ids(model, text)


def test_both_normal_forms_of_hangul_are_one_text():
    model = train_sentencepiece(CORPUS, size=160, normalization="nmt_nfkc", character_coverage=1.0)
    composed, decomposed = TEXTS["korean"], TEXTS["korean, decomposed"]
    assert composed != decomposed
    assert ids_of(model, composed) == ids_of(model, decomposed)
    assert UNKNOWN not in ids_of(model, composed)


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_split_digits(model_type):
    texts = [f"In {year} it cost {year}0 won." for year in range(1950, 2000)]
    split = train_sentencepiece(texts, size=60, model_type=model_type, split_digits=True)
    assert not [piece for piece in vocabulary(split) if re.search(r"\d.|.\d", piece.removeprefix("▁"))]
    assert UNKNOWN not in ids_of(split, "In 1066 it cost 9876 won.")
    assert ids_of(split, "In 1066") == library_ids(split, "In 1066")
    whole = train_sentencepiece(texts, size=60, model_type=model_type)
    assert [piece for piece in vocabulary(whole) if re.search(r"\d\d", piece)]


def test_case_folding(folded):
    assert ids_of(folded, "THE Film") == ids_of(folded, "the film")
    assert UNKNOWN not in ids_of(folded, "THE FILM")
    kept = train_sentencepiece(CORPUS, size=160)
    assert ids_of(kept, "THE Film") != ids_of(kept, "the film")


def test_padding_and_truncation(model):
    tokenizer = SentencePieceText(model, max_tokens=5)
    texts = ["film", "The film was not only good, but wonderful.", ""]
    ids = tokenizer.ids(tf.constant(texts)).numpy()
    assert ids.dtype == np.int32
    assert ids.shape == (3, 5)
    for row, text in zip(ids, texts, strict=True):
        expected = library_ids(model, text)[:5]
        assert row.tolist() == expected + [PAD] * (5 - len(expected))


@pytest.mark.parametrize("text", ["The film was good. ", "ไม่ดี", "\ud55c", "👍🏽"])
def test_a_text_of_a_million_characters_takes_seconds(text):
    model = train_sentencepiece(CORPUS, size=160)
    million = text * (1_000_000 // len(text))
    start = time.perf_counter()
    ids = ids_of(model, million, max_tokens=100)
    assert time.perf_counter() - start < 10
    assert ids == library_ids(model, million[:10_000])[:100]


def test_a_fixed_length(model):
    text = SentencePieceText(model, max_tokens=50)
    loose, fixed = (text.ids(tf.constant(["film", "The film was good"]), length) for length in (None, 40))
    assert fixed.shape == (2, 40)
    steps = loose.shape[1]
    assert steps < 40
    np.testing.assert_array_equal(fixed[:, :steps], loose)
    assert not np.any(fixed[:, steps:])


def test_ids_have_at_least_one_timestep(model):
    text = SentencePieceText(model, max_tokens=50)
    assert text.ids(tf.constant(["", "  "])).numpy().tolist() == [[PAD], [PAD]]
    assert text.ids(tf.constant([], tf.string)).shape == (0, 1)


def test_ids_inside_a_graph_take_any_batch(model):
    text = SentencePieceText(model, max_tokens=50)
    traced = tf.function(text.ids, input_signature=[tf.TensorSpec([None], tf.string)])
    for batch in (["film"], ["The film was good", "", "좋았다"]):
        np.testing.assert_array_equal(traced(tf.constant(batch)), text.ids(tf.constant(batch)))


def test_the_first_ids_are_the_special_ones(model):
    pieces = vocabulary(model)
    assert pieces[:SPECIALS] == ["<pad>", "<unk>", "<s>", "</s>"]
    assert (PAD, UNKNOWN, BOS, EOS) == (0, 1, 2, 3)
    assert pieces[library_ids(model, "film")[0]].startswith("▁")


@pytest.mark.parametrize("model_type", ["unigram", "bpe", "char", "word"])
def test_a_vocabulary_larger_than_the_texts_can_fill(model_type):
    model = train_sentencepiece(CORPUS, size=50_000, model_type=model_type)
    pieces = vocabulary(model)
    assert SPECIALS < len(pieces) < 1000
    assert len(set(pieces)) == len(pieces)
    assert ids_of(model, "The film") == library_ids(model, "The film")


def test_a_vocabulary_has_the_requested_size():
    assert len(vocabulary(train_sentencepiece(CORPUS, size=120, model_type="bpe"))) == 120
    assert SPECIALS < len(vocabulary(train_sentencepiece(CORPUS, size=75))) <= 75


def test_a_vocabulary_too_small_for_the_characters():
    with pytest.raises(ValueError, match="10 pieces are too few: the text's characters alone are"):
        train_sentencepiece(CORPUS, size=10)


@pytest.mark.parametrize("texts", [[], [""], ["", "  ", "\n\t"], ["\u200b", "\u3000"]])
@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_no_text_at_all(texts, model_type):
    with pytest.raises(ValueError, match=r"^no text to learn a vocabulary from"):
        train_sentencepiece(texts, size=100, model_type=model_type)


def test_training_is_deterministic():
    model = train_sentencepiece(iter(CORPUS), size=150)
    assert train_sentencepiece(CORPUS, size=150) == model


def test_the_end_of_a_long_text_is_learned_too():
    long = "a b " * 20_000 + "zebra " * 2_000
    assert "▁zebra" in vocabulary(train_sentencepiece([long], size=20))


def test_the_tokenizer_is_saved_with_its_module(tmp_path):
    module = tf.Module()
    module.text = SentencePieceText(train_sentencepiece(CORPUS, size=160), max_tokens=20)
    module.ids = tf.function(module.text.ids, input_signature=[tf.TensorSpec([None], tf.string)])
    texts = tf.constant(["The film was good", "영화가 좋았다", ""])
    tf.saved_model.save(module, str(tmp_path))
    np.testing.assert_array_equal(tf.saved_model.load(str(tmp_path)).ids(texts), module.text.ids(texts))


@pytest.mark.parametrize("text", ["  \t\n" * 500 + "good film", "\u4e00" * 900 + " good", "good", "\u00e9" * 700])
def test_texts_are_truncated_equally_in_python_and_in_the_graph(text):
    model = train_sentencepiece(CORPUS, size=120)
    expected = sentencepiece.SentencePieceProcessor(model_proto=model).encode(truncate_text(text, 10))[:10]
    assert SentencePieceText(model, 10).ids(tf.constant([text])).numpy()[0].tolist() == expected
