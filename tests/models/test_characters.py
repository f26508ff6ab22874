"""Characters: the conversion in the graph agrees with the one in Python."""

import collections
import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from models.characters import REPLACEMENT, UNKNOWN, Characters, CharacterText, compose_jamo, normalize

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
    counts = collections.Counter(normalize("".join(text + "\n" for text in TEXTS), normalization, hangul))
    return Characters.learned(counts, normalization=normalization, hangul=hangul)


def test_the_graph_normalizes_like_python(characters, normalization, hangul):
    ids = tf.function(CharacterText(characters).ids)(tf.constant(TEXTS))
    assert [text_of(characters, row) for row in ids] == [normalize(text, normalization, hangul) for text in TEXTS]


def test_ids_become_text_with_jamo_composed_to_syllables(characters, normalization, hangul):
    text = CharacterText(characters)
    back = [row.decode() for row in text.compose_jamo(text.text(text.ids(tf.constant(TEXTS)))).numpy()]
    assert back == [compose_jamo(normalize(text, normalization, hangul), hangul) for text in TEXTS]
    if normalization == "nfc":
        assert back[2:5] == [TEXTS[2], "한국어 값을 é ế Ấ ñ", TEXTS[4]]


@pytest.mark.slow
def test_the_graph_normalizes_every_character_of_unicode():
    """Every character that normalization changes, composed and decomposed, with singletons and exclusions."""
    points = [point for point in range(0x20, 0x30000) if not 0xD800 <= point < 0xE000]
    singles = [chr(point) for point in points if unicodedata.normalize("NFD", chr(point)) != chr(point)]
    texts = singles + [unicodedata.normalize("NFD", text) for text in singles]
    normalized = [normalize(text, "nfc", "syllables") for text in texts]
    characters = Characters.learned(collections.Counter("".join(normalized)))
    ids = CharacterText(characters).ids(tf.constant(texts))
    pairs = zip(texts, ids, normalized, strict=True)
    different = [text for text, row, expected in pairs if text_of(characters, row) != expected]
    assert not different
    assert np.array_equal(CharacterText(characters).lengths(tf.constant(texts)), [len(text) for text in normalized])


def test_lengths_are_those_of_the_composed_text():
    characters = Characters.learned(collections.Counter(normalize("".join(TEXTS), "nfc", "jamo")), hangul="jamo")
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


def test_every_syllable_is_decomposed_and_composed():
    syllables = "".join(map(chr, range(0xAC00, 0xAC00 + 11172)))
    jamo = normalize(syllables, "nfc", "jamo")
    assert len(set(jamo)) == 19 + 21 + 27
    characters = Characters.learned(collections.Counter(jamo), hangul="jamo")
    text = CharacterText(characters)
    ids = text.ids(tf.constant([syllables]))
    assert text_of(characters, ids[0]) == jamo
    assert text.compose_jamo(text.text(ids)).numpy()[0].decode() == syllables == compose_jamo(jamo, "jamo")


def test_rows_of_a_batch_are_independent():
    # A lead at the end of one row and a vowel at the start of the next do not compose.
    characters = Characters.learned(collections.Counter("ᄒ" + "ᅡ"), hangul="jamo")
    text = CharacterText(characters)
    assert text.ids(tf.constant(["ᄒ", "ᅡ", "하"])).to_list() == [[1], [2], [1, 2]]
    assert np.array_equal(text.lengths(tf.constant(["ᄒ", "ᅡ", "하"])), [1, 1, 1])
