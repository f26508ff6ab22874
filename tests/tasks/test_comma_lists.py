"""Lists of one word: `lstm,gru`."""

import pytest

from tasks import comma_lists


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("lstm", ["lstm"]),
        ("lstm, gru ,simple_rnn", ["lstm", "gru", "simple_rnn"]),
        ("zeros,random_normal(mean=0.0, stddev=1.0)", ["zeros", "random_normal(mean=0.0, stddev=1.0)"]),
        ("identity(0.5),identity(1.0)", ["identity(0.5)", "identity(1.0)"]),
    ],
)
def test_a_list_is_split_at_commas_outside_parentheses(text, items):
    assert comma_lists.split(text) == items


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; write 5,10"),
        (" ", "is empty; write 5,10"),
        ("5,,10", "'5,,10' has an empty part; write 5,10"),
        ("5,", "'5,' has an empty part; write 5,10"),
        ("5,10, 5", "'5,10, 5' names 5 twice; name each once"),
    ],
)
def test_an_empty_or_repeated_item_is_an_error(text, message):
    with pytest.raises(ValueError) as caught:
        comma_lists.split(text, example="5,10")
    assert str(caught.value) == message


def test_an_unknown_item_is_an_error_with_the_known_ones():
    known = ("lstm", "gru", "simple_rnn")
    assert comma_lists.check_known("gru, lstm", known, "cell") == "gru, lstm"
    with pytest.raises(ValueError) as caught:
        comma_lists.check_known("gru,lstn", known, "cell")
    assert str(caught.value) == "'lstn' is no cell; take lstm, gru, simple_rnn; did you mean lstm?"
    with pytest.raises(ValueError, match=r"is empty; write lstm,gru,simple_rnn"):
        comma_lists.check_known("", known, "cell")
