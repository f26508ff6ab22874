"""Texts in capital letters get the case that their words have elsewhere, and their translations capital letters."""

import pytest
import tensorflow as tf

from models.truecasing import Casing, Truecaser

TEXTS = [
    "Please close the door.",
    "Then Tom saw the USA, and I'm glad.",
    "Die Straße ist lang, sagt Tom.",
    "The door is closed.",
    "Minji is here.",
]


@pytest.fixture(scope="module")
def truecaser() -> Truecaser:
    return Truecaser(Casing.learned(TEXTS))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PLEASE CLOSE THE DOOR.", "Please close the door."),
        ("THE DOOR! TOM CLOSED THE DOOR", "The door! Tom closed the door"),
        ("I'M MINJI (USA)", "I'm Minji (USA)"),
        ("DIE STRASSE", "Die Straße"),
        ("ÉTÉ 2026: DON'T", "Été 2026: don't"),
    ],
)
def test_words_get_their_usual_case(truecaser, text, expected):
    folded, is_upper = truecaser.fold(tf.constant([text]))
    assert (folded.numpy()[0].decode(), bool(is_upper[0])) == (expected, True)


@pytest.mark.parametrize(
    "text", ["Please close THE DOOR.", "USA", "I", "집에 TV가 없어요.", "123", "", "X 1", "东京 OK"]
)
def test_other_texts_stay_as_they_are(truecaser, text):
    folded, is_upper = truecaser.fold(tf.constant([text]))
    assert (folded.numpy()[0].decode(), bool(is_upper[0])) == (text, False)


def test_translations_are_written_in_capital_letters(truecaser):
    texts = tf.constant(["Größe und Maß", "ein Wort"])
    assert [one.decode() for one in truecaser.restore(texts, tf.constant([True, False])).numpy()] == [
        "GRÖSSE UND MASS",
        "ein Wort",
    ]


@pytest.mark.parametrize("texts", [[], ["문이 닫혔어요."], [text.upper() for text in TEXTS], ["12", "?"]])
def test_where_case_means_nothing_none_is_learned(texts):
    assert Casing.learned(texts) is None


def test_lower_case_training_texts_make_lower_case():
    truecaser = Truecaser(Casing.learned([text.lower() for text in TEXTS]))
    folded, is_upper = truecaser.fold(tf.constant(["CLOSE THE DOOR, TOM"]))
    assert (folded.numpy()[0].decode(), bool(is_upper[0])) == ("close the door, tom", True)
