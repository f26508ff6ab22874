"""Generate the bundled sample of the sentiment task: short reviews whose label depends on word order.

Negation and its scope, contrast, concession, hearsay, and expectation against outcome decide the label. A recurrent
network can use them and a bag of words cannot, because the reviews come in mirrored pairs: two reviews of the same
aspects with the same polarity words, one positive and one negative. A pair is of one of three kinds:

- contrast: two clauses about two aspects. One decides the label and the other is outweighed; the mirror image
  exchanges their roles.
- antonym: two opposite words about one aspect. One holds and the other was expected, rumored or denied; the mirror
  image exchanges their roles.
- denial: one statement, affirmed in one review and denied in the other.

The words and templates are in `english.toml` and `korean.toml`.

`python -m tasks.samples.sentiment.make_sample` writes `train.csv`, `validation.csv` and `test.csv` into this folder,
with the same bytes in every run.
"""

import random
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tasks.samples.korean_morphology import Predicate, attach_particles, vowel_and_final
from tasks.samples.tables import write_splits

FOLDER = Path(__file__).parent
SEED = 20240501
# Rows of each split: half English and half Korean, half positive and half negative.
SIZES = {"train": 4000, "validation": 500, "test": 1000}
LABELS = ("positive", "negative")

KINDS = {"contrast": 0.35, "antonym": 0.3, "denial": 0.35}  # probabilities of the kinds of pairs
# Probability that a clause of a contrast is negated. "Was not dull" is as likely to lose as to win, so that neighboring
# words reveal little about the label either.
NEGATED_CLAUSES = 0.3
REMARK_LIMIT = 70  # a text with more characters gets no remark


class Adjective(NamedTuple):
    """The forms of a Korean predicate that the templates use."""

    stem: str  # 지루하-, before -지, -기는커녕, -다는
    past: str  # 지루했-, before -다, -어요, -지만, -다고
    future: str  # 지루할, before 줄 알았는데


@dataclass(frozen=True)
class Language:
    """The words and templates of a language, and the functions that fill the templates.

    Attributes:
        aspects: `{domain: {aspect: [(good word, bad word), ...]}}`.
        remarks: Neutral sentences of each domain.
        templates: The templates of each kind of pair.
        inflect: Maps a word to the object that the templates take.
        negate: Does the same for the word in the scope of a negation.
        finish: Completes a filled template, given the speech level 0 or 1.
    """

    aspects: dict[str, dict[str, list]]
    remarks: dict[str, list[str]]
    templates: dict[str, list[str]]
    inflect: Callable
    negate: Callable
    finish: Callable[[str, int], str]


def load(language: str) -> dict:
    """Read the words and templates of a language."""
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


ENGLISH, KOREAN = load("english"), load("korean")


def negate_english(rng: random.Random, word: str, good: bool) -> str:
    """Return the word, which is a good one or a bad one, in the scope of a negation."""
    return rng.choice(ENGLISH["negation"]["forms"]).format(word)


def finish_english(text: str, level: int) -> str:
    """Capitalize the first letter of each sentence."""
    return re.sub(r"(^|\. )([a-z])", lambda match: match[1] + match[2].upper(), text)


def inflect_korean(stem: str) -> Adjective:
    """Return the forms of the adjective with this stem; those in ㅂ are irregular."""
    final = vowel_and_final(stem)[1]
    adjective = Predicate(stem, "ㅂ" if final == "ㅂ" else "", adjective=True)
    return Adjective(stem, adjective.past().stem, adjective.eu_form("ㄹ"))


def negate_korean(rng: random.Random, stem: str, good: bool) -> Adjective:
    """Return a negation of the adjective, which is a good one or a bad one."""
    forms = [stem + "지 않"] * 2
    if good and not stem.endswith("있"):
        forms.append(stem + "지 못하")  # a regret about a good quality; never used with a bad one
    if stem in KOREAN["negation"]["short"]:
        forms.append("안 " + stem)
    return inflect_korean(rng.choice(forms))


def finish_korean(text: str, level: int) -> str:
    """Insert the endings of the speech level (0: plain, 1: polite) and the particles that fit."""
    return attach_particles(re.sub(r"\[([^/\]]*)/([^\]]*)\]", lambda match: match[1 + level], text))


LANGUAGES = (
    Language(ENGLISH["aspects"], ENGLISH["remarks"], ENGLISH["templates"], str, negate_english, finish_english),
    Language(KOREAN["aspects"], KOREAN["remarks"], KOREAN["templates"], inflect_korean, negate_korean, finish_korean),
)


def draw_predicate(rng: random.Random, language: Language, pairs: list, good: bool) -> str | Adjective:
    """Draw a predicate of the given polarity: a word that has it, or the negation of the opposite word."""
    pair = rng.choice(pairs)
    if rng.random() < NEGATED_CLAUSES:
        return language.negate(rng, pair[good], not good)
    return language.inflect(pair[not good])


def draw_pair(rng: random.Random, language: Language, domain: str) -> tuple[str, str]:
    """Draw the texts of a mirrored pair.

    Args:
        rng: Source of random numbers.
        language: Language of the texts.
        domain: What is reviewed.

    Returns:
        The positive and the negative text, without remark, endings and particles.
    """
    (aspect, pairs), (other, other_pairs) = rng.sample(list(language.aspects[domain].items()), 2)
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    template = rng.choice(language.templates[kind])
    if kind == "denial":
        bad = rng.randrange(2)  # the denial of a bad word makes a review positive
        p = language.inflect(rng.choice(pairs)[bad])
        q = language.inflect(rng.choice(other_pairs)[bad])
        affirmed, denied = (
            re.sub(r"<(.*?)\|(.*?)>", rf"\{version}", template).format(a=aspect, p=p, b=other, q=q)
            for version in (1, 2)
        )
        return (denied, affirmed) if bad else (affirmed, denied)
    if kind == "antonym":
        good, bad = ((aspect, language.inflect(word)) for word in rng.choice(pairs))
    else:
        good = aspect, draw_predicate(rng, language, pairs, True)
        bad = other, draw_predicate(rng, language, other_pairs, False)
    positive, negative = (
        template.format(wa=winner[0], wp=winner[1], la=loser[0], lp=loser[1])
        for winner, loser in ((good, bad), (bad, good))
    )
    return positive, negative


def make_splits(seed: int = SEED) -> dict[str, list[tuple[str, str]]]:
    """Draw all reviews.

    Args:
        seed: Seed of the random numbers.

    Returns:
        `{split: [(text, label), ...]}`. No template occurs twice with the same words, within or across splits.
    """
    rng = random.Random(seed)
    seen = set()
    splits = {}
    for split, size in SIZES.items():
        rows = []
        for language in LANGUAGES:
            missing = size // len(LANGUAGES) // len(LABELS)
            while missing:
                domain = rng.choice(list(language.aspects))
                texts = draw_pair(rng, language, domain)
                if seen.intersection(texts):
                    continue
                seen.update(texts)
                missing -= 1
                # Both reviews of a pair get the same remark and the same speech level, so that neither of the two
                # reveals anything about the label.
                remark = rng.choice(language.remarks[domain] + language.remarks["any"])
                arrangement = rng.choice((remark + " {}", "{} " + remark, "{}"))
                if max(map(len, texts)) > REMARK_LIMIT:
                    arrangement = "{}"
                level = rng.randrange(2)
                for text, label in zip(texts, LABELS, strict=True):
                    rows.append((language.finish(arrangement.format(text), level), label))
        rng.shuffle(rows)
        splits[split] = rows
    return splits


def write(folder: Path) -> None:
    """Write `train.csv`, `validation.csv` and `test.csv` into the folder."""
    write_splits(folder, ("text", "label"), make_splits())


if __name__ == "__main__":
    write(FOLDER)
