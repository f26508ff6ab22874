"""Characters in the graph and outside of it read the same."""

import collections
import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from models.characters import REPLACEMENT, UNKNOWN, Characters, CharacterText, as_read, composed

TEXTS = [
    "plain text, with\ttabs\nand lines",
    "",
    "한국어 값을 읽다, ㅋㅋ",
    unicodedata.normalize("NFD", "한국어 값을 é ế Ấ ñ"),
    "é ế Ấ ñ",
    "😀 👨‍👩‍👧 🇰🇷 x́",
    "ᄒ alone, and a tail ᆨ alone",
]


def text_of(characters, ids):
    return "".join(characters.characters[index - 1] if index else "?" for index in ids.numpy())


@pytest.fixture(params=["nfc", "identity"])
def normalization(request):
    return request.param


@pytest.fixture(params=["syllables", "jamo"])
def hangul(request):
    return request.param


@pytest.fixture
def characters(normalization, hangul):
    counts = collections.Counter(as_read("".join(text + "\n" for text in TEXTS), normalization, hangul))
    return Characters.learned(counts, normalization=normalization, hangul=hangul)


def test_the_graph_reads_what_training_reads(characters, normalization, hangul):
    ids = tf.function(CharacterText(characters).ids)(tf.constant(TEXTS))
    assert [text_of(characters, row) for row in ids] == [as_read(text, normalization, hangul) for text in TEXTS]


def test_ids_are_written_back_with_jamo_joined_to_syllables(characters, normalization, hangul):
    text = CharacterText(characters)
    back = [one.decode() for one in text.joined(text.text(text.ids(tf.constant(TEXTS)))).numpy()]
    assert back == [composed(as_read(one, normalization, hangul), hangul) for one in TEXTS]
    if normalization == "nfc":
        assert back[2:5] == [TEXTS[2], "한국어 값을 é ế Ấ ñ", TEXTS[4]]


def test_the_graph_normalizes_every_character_of_unicode():
    """Each that normalization changes, as it is and taken apart; also duplicates, and what never composes again."""
    points = [point for point in range(0x20, 0x30000) if not 0xD800 <= point < 0xE000]
    singles = [chr(point) for point in points if unicodedata.normalize("NFD", chr(point)) != chr(point)]
    texts = singles + [unicodedata.normalize("NFD", text) for text in singles]
    read = [as_read(text, "nfc", "syllables") for text in texts]
    characters = Characters.learned(collections.Counter("".join(read)))
    ids = CharacterText(characters).ids(tf.constant(texts))
    different = [text for text, row, wanted in zip(texts, ids, read, strict=True) if text_of(characters, row) != wanted]
    assert not different
    assert np.array_equal(CharacterText(characters).lengths(tf.constant(texts)), [len(text) for text in read])


def test_lengths_are_those_of_the_composed_text():
    characters = Characters.learned(collections.Counter(as_read("".join(TEXTS), "nfc", "jamo")), hangul="jamo")
    lengths = CharacterText(characters).lengths(tf.constant(TEXTS)).numpy()
    assert lengths.tolist() == [len(unicodedata.normalize("NFC", text)) for text in TEXTS]


def test_rare_and_unseen_characters_are_unknown_and_never_break_the_output():
    characters = Characters.learned(collections.Counter("aaabbc"), min_count=2)
    assert characters.characters == ("a", "b") and characters.counts == (1, 3, 2)
    text = CharacterText(characters)
    ids = text.ids(tf.constant([b"abc", "b😀".encode(), b"a\xff\xfeb"]))
    assert ids.to_list() == [[1, 2, UNKNOWN], [2, UNKNOWN], [1, UNKNOWN, UNKNOWN, 2]]
    assert text.text(ids).numpy()[1].decode() == f"b{chr(REPLACEMENT)}"
    assert characters.unknown_in("cab😀") == ["c", "😀"]


def test_every_syllable_is_taken_apart_and_joined():
    syllables = "".join(map(chr, range(0xAC00, 0xAC00 + 11172)))
    jamo = as_read(syllables, "nfc", "jamo")
    assert len(set(jamo)) == 19 + 21 + 27
    characters = Characters.learned(collections.Counter(jamo), hangul="jamo")
    text = CharacterText(characters)
    ids = text.ids(tf.constant([syllables]))
    assert text_of(characters, ids[0]) == jamo
    assert text.joined(text.text(ids)).numpy()[0].decode() == syllables == composed(jamo, "jamo")


def test_batches_keep_rows_apart():
    # The lead at the end of one row and the vowel at the beginning of the next make no syllable.
    characters = Characters.learned(collections.Counter("ᄒ" + "ᅡ"), hangul="jamo")
    text = CharacterText(characters)
    assert text.ids(tf.constant(["ᄒ", "ᅡ", "하"])).to_list() == [[1], [2], [1, 2]]
    assert np.array_equal(text.lengths(tf.constant(["ᄒ", "ᅡ", "하"])), [1, 1, 1])
