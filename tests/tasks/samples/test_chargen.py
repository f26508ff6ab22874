"""Tests of the bundled sample of the character-generation task."""

import re
from collections import Counter
from itertools import pairwise

import pytest

from tasks.samples.chargen import make_sample

# A verb of speech, in whatever form.
SPEAKING = re.compile(
    r"\b(?:said|say|told|began|thought|(?:ask|repl|cr[iy]|call|s[iau]ng|hum|laugh|sigh|groan|begg|shout"
    r"|whisper|sneez|count)\w*)\b"
)
# What the rule below miscounts.
SYLLABLES = {
    "every": 2, "evening": 2, "everything": 3, "something": 2, "someone": 2, "lemonade": 3, "violin": 3, "maybe": 2,
    "isn't": 2, "ninety": 2, "crooked": 2, "moonlight": 2,
    "lonely": 2, "surely": 2, "going": 2, "tumbled": 2, "tumbles": 2,
}  # fmt: skip


def parse(text):
    """``[(title, stanzas), ...]`` with a stanza as the list of its lines, indentation and all."""
    ballads = []
    for ballad in text.removesuffix("\n").split("\n\n\n"):
        title, *stanzas = ballad.split("\n\n")
        ballads.append((title, [stanza.split("\n") for stanza in stanzas]))
    return ballads


def words(text):
    return [word.removesuffix("'s") for word in re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())]


def syllables(word):
    """The syllables of an English word: its groups of vowels, but for a silent e."""
    groups = len(re.findall("[aeiouy]+", word))
    silent = re.search("[^aeiouyl]e$|[aeiouy]le$|[^aeiouscgxzh]es$|[^aeioutd]ed$", word)
    return SYLLABLES.get(word, max(1, groups - bool(silent)))


def faults(ballad):
    """What is wrong with the form of a ballad, in words."""
    title, stanzas = ballad
    found = []
    if not re.fullmatch(r"THE [A-Z]+(?:'S)?(?: [A-Z]+)+", title):
        found.append(f"title: {title}")
    if stanzas.count(stanzas[-1]) != 2 or stanzas[make_sample.REFRAIN_AFTER] != stanzas[-1]:
        found.append("refrain")
    if not set(words(title)) - {"the", "and", "who", "at"} & set(words(" ".join(stanzas[-1]))):
        found.append("refrain does not sing of the title")
    for stanza in stanzas:
        if len(stanza) != 4:
            found.append(f"no quatrain: {stanza}")
        for row, line in enumerate(stanza):
            if not re.match(("" if row % 2 == 0 else " {4}") + r'"?[A-Z]', line):
                found.append(f"indentation or capital: {line}")
            if not 25 <= len(line) <= 55:
                found.append(f"length: {line}")
            if sum(map(syllables, words(line))) != 8:
                found.append(f"metre: {line}")
        for first, second in zip(stanza[::2], stanza[1::2], strict=False):
            ends = [words(line)[-1] for line in (first, second)]
            classes = [make_sample.RHYME_CLASS.get(end) for end in ends]
            if ends[0] == ends[1] or None in classes or classes[0] != classes[1]:
                found.append(f"rhyme: {ends}")
            couplet = first + " " + second.strip()
            outside, speeches = couplet.split('"')[::2], couplet.split('"')[1::2]
            if couplet.count('"') % 2 or not all(re.fullmatch(r"[A-Za-z].*[.,!?]", speech) for speech in speeches):
                found.append(f"quotation marks: {couplet}")
            if '"' in couplet and not SPEAKING.search(" ".join(outside)):
                found.append(f"nobody says: {couplet}")
    return found


@pytest.fixture(scope="module")
def ballads(verse):
    return parse(verse)


def test_another_seed_writes_another_book(verse):
    assert make_sample.render(make_sample.make_ballads(seed=1)) != verse


def test_size_and_characters(verse):
    assert 350_000 <= len(verse.encode()) <= 450_000
    assert re.fullmatch(r"[A-Za-z \n\"'.,;:!?-]+", verse)
    assert not verse.endswith("\n\n") and "\n\n\n\n" not in verse


def test_every_ballad_has_the_form(ballads):
    assert len(ballads) == make_sample.BALLADS_PER_STORY * len(make_sample.STORIES)
    assert [fault for ballad in ballads for fault in faults(ballad)] == []


@pytest.mark.parametrize(
    "old, new",
    [
        ("\n    ", "\n"),
        ("\n    ", "\n  "),
        ('"', ""),
        (".\n\n", ".\n"),
        ("THE", "The"),
    ],
)
def test_a_broken_form_is_noticed(verse, old, new):
    speaking = next(ballad for ballad in verse.split("\n\n\n") if '"' in ballad)
    assert faults(parse(speaking)[0]) == []
    assert faults(parse(speaking.replace(old, new, 1))[0])


def test_a_missing_rhyme_refrain_or_speaker_is_noticed(ballads):
    title, stanzas = ballads[0]
    unrhymed = [[line.rstrip('.,;:!?"') + " orange" for line in stanza] for stanza in stanzas]
    assert any(fault.startswith("rhyme") for fault in faults((title, unrhymed)))
    assert "refrain" in faults((title, stanzas[:-1]))
    assert "refrain does not sing of the title" in faults(("THE KING OF SPAIN", stanzas))


def test_rhyme_classes_are_disjoint():
    counts = Counter(word for words in make_sample.RHYME_CLASSES for word in words)
    assert {word for word, count in counts.items() if count > 1} == set()


def test_no_stanza_occurs_twice_but_the_refrain_of_a_ballad(ballads):
    titles = [title for title, _ in ballads]
    assert len(titles) == len(set(titles))
    stanzas = Counter(tuple(stanza) for _, poem in ballads for stanza in poem[:-1])
    assert {stanza for stanza, count in stanzas.items() if count > 1} == set()


def test_the_words_are_few_and_the_lines_are_many(ballads, verse):
    assert 500 <= len(set(words(verse))) <= 900
    lines = [line for _, poem in ballads for stanza in poem[:-1] for line in stanza]
    assert len(set(lines)) / len(lines) > 0.7
    couplets = [pair for _, poem in ballads for stanza in poem[:-1] for pair in list(pairwise(stanza))[::2]]
    assert len(set(couplets)) / len(couplets) > 0.85


def test_articles_agree_and_no_word_is_doubled(verse):
    assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou]", verse)
    assert not re.search(r"\b(\w+) \1\b", verse.replace("knock, knock", ""))
