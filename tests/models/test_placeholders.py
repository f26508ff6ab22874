"""Spans that are copied: found, replaced by symbols, and put back."""

import re

import pytest
import tensorflow as tf

from models.placeholders import KINDS, Placeholders, symbols
from models.source_text import SourceText
from models.text import train_sentencepiece, vocabulary

SPANS = {
    "url": ["https://example.org/a?b=1&c=%20#d", "ftp://files.example.org", "www.example.org/x", "http://localhost:8501/v1"],
    "email": ["help@example.org", "first.last+tag@mail.example.co.uk"],
    "tag": ["<b>", "</b>", "<br/>", '<a href="x y">', "&nbsp;", "&#39;"],
    "placeholder": [
        *("{name}", "{}", "{0}", "{price:.2f}", "{{ user.name }}", "${HOME}", "%{count}", "#{id}", "$HOME", "$user_id"),
        *("%s", "%d", "%5.2f", "%1$s", "%(name)s", "%-10s", "%lld", "%@"),
    ],
    "time": ["12:30", "9:05", "23:59:59"],
    "measure": ["3.5 kg", "10 km/h", "25%", "20°C", "100MB", "$1,000.50", "5 €", "16 GHz", "1,5 l"],
}  # fmt: skip
NO_SPANS = [
    *("a < b and c > d", "it costs 5 dollars", "2026", "{not a placeholder, because of blanks}", "a@b", "AT&T"),
    *("10 kgs", "U+0041", "1:2", "http:// nothing", "%", "100 percent"),
]
ALL = Placeholders(list(KINDS), 8)


def masked(text: str, placeholders: Placeholders = ALL) -> tuple[str, list[str]]:
    texts, spans = placeholders.mask(tf.constant([text]))
    return texts.numpy()[0].decode(), [span.decode() for span in spans.numpy()[0] if span]


@pytest.mark.parametrize(("kind", "span"), [(kind, span) for kind, spans in SPANS.items() for span in spans])
def test_a_span_is_one_symbol_also_beside_punctuation_and_particles(kind, span):
    symbol = symbols(1)[0]
    for text in (f"See {span}.", f"({span}), he said", f"{span}에서 봐요", f"이것은 {span}, 네", span):
        assert masked(text) == (text.replace(span, symbol), [span])
    assert re.fullmatch(KINDS[kind], span, re.ASCII)  # what is counted is what is replaced


@pytest.mark.parametrize("text", NO_SPANS)
def test_other_text_stays_as_it_is(text):
    assert masked(text) == (text, [])


def test_masked_texts_are_restored():
    texts = ["%s of %s", "", "no span", "{a}{b}", "1 {a} 2 {b} 3 {c} 4", "control \x1f and \U000f0000 symbol {x}"]
    few = Placeholders(["placeholder"], 2)
    found, spans = few.mask(tf.constant(texts))
    assert [text.decode() for text in few.restore(found, spans).numpy()] == [
        *texts[:5],
        "control   and  symbol {x}",
    ]
    assert found.numpy()[4].decode().endswith("3 {c} 4")  # more spans than symbols
    assert few.mask(tf.constant([], tf.string))[0].shape == [0]


def test_a_translation_may_have_the_spans_in_another_order():
    found, spans = ALL.mask(tf.constant(["{a} then {b}"]))
    first, second = symbols(2)
    assert found.numpy()[0].decode() == f"{first} then {second}"
    assert ALL.restore(tf.constant([f"{second} nach {first}"]), spans).numpy()[0].decode() == "{b} nach {a}"


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("{a} {b} at 12:30", "{b} um 12.30 {a}", ("0 1 at 12:30", "1 um 12.30 0")),
        ("%s of %s of %s", "%s %s", ("0 of 1 of %s", "0 1")),
        ("{a}", "{a} {a}", ("0", "0 {a}")),
        ("{a}", "{b}", ("{a}", "{b}")),
        ("no span", "{a}", ("no span", "{a}")),
        ("<b>{a}</b>", "<b>{a}</b>", ("012", "012")),
    ],
)
def test_pairs_share_symbols_for_equal_spans_only(source, target, expected):
    pair = [side.numpy()[0].decode() for side in ALL.mask_pairs(tf.constant([source]), tf.constant([target]))]
    order = [character for character in pair[0] if character in symbols(8)]  # the first one depends on the source
    shown = ["".join(str(order.index(one)) if one in order else one for one in side) for side in pair]
    assert tuple(shown) == expected


@pytest.fixture(scope="module")
def model() -> bytes:
    texts = ["see the door", f"see {symbols(1)[0]} now", "is it closed"] * 20
    return train_sentencepiece(texts, size=60, symbols=symbols(3), character_coverage=1.0)


@pytest.mark.parametrize("model_type", ["unigram", "bpe", "char"])
def test_a_symbol_is_a_piece_of_every_type_of_vocabulary(model_type):
    texts = [f"see {symbols(1)[0]} now", f"({symbols(2)[1]})"] * 20
    pieces = vocabulary(train_sentencepiece(texts, size=40, model_type=model_type, symbols=symbols(2)))
    assert pieces[4:6] == symbols(2)


def test_unknown_characters_are_noticed_and_masked(model):
    texts = tf.constant(["see {a} now", "see 日本 the 語 {a}", "日本語 日本語 it", "", "ｓｅｅ"])
    plain = SourceText(model, 20).read(texts)
    assert plain.unknown.numpy().tolist() == [False, False, True, False, False]
    sentences = SourceText(model, 20, Placeholders(["placeholder"], 3), copy_unknown=True).read(texts)
    spans = [[span.decode() for span in row if span] for row in sentences.spans.numpy()]
    assert spans == [["{a}"], ["{a}", "日本", "語"], ["日本語", "日本語"], [], []]
    assert 1 not in sentences.pieces.to_list()[1] and {4, 5, 6} <= {*sentences.pieces.to_list()[1]}
