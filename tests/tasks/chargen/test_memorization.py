"""The longest passage that two texts share, compared with trying all passages."""

import random

from tasks.chargen.memorization import longest_common_passage


def test_the_passage_is_the_one_that_trying_all_finds():
    chance = random.Random(0)
    for _ in range(300):
        text = "".join(chance.choices("ab한", k=chance.randint(0, 25)))
        other = "".join(chance.choices("ab한", k=chance.randint(0, 60)))
        passages = (text[i:j] for i in range(len(text) + 1) for j in range(i, len(text) + 1))
        best = max((passage for passage in passages if passage in other), key=len)
        found = longest_common_passage(text, other)
        assert len(found) == len(best) and found in text and found in other


def test_a_long_passage_is_found_in_a_long_text():
    chance = random.Random(1)
    other = "".join(chance.choices("abcdefgh ", k=200_000))
    assert longest_common_passage("XX" + other[5000:5700] + "YY" + other[9000:9500], other) == other[5000:5700]
