"""Patterns of descriptions: professions, owners, adjectives and comparison."""

from tasks.samples.korean_morphology import Predicate
from tasks.samples.translation import english_morphology as english
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import Draw, Pair, phrase
from tasks.samples.translation.lexicon import NOTHING, Adjective, Word
from tasks.samples.translation.patterns.phrases import EXIST

BELONGINGS = lexicon.noun_group("belongings")
MASS_NOUNS = lexicon.noun_group("mass_nouns")
GOODS = lexicon.QUALITIES[1]  # what people buy
COLORS, ANIMAL_COLORS = lexicon.adjective_group("colors"), lexicon.adjective_group("animal_colors")
ANIMAL_LOOKS = lexicon.adjective_group("animal_looks")
PLACES_WITH_ANIMALS = lexicon.place_group("with_animals")
STATES_OF_PEOPLE = lexicon.adjective_group("states_of_people")
SUPERLATIVES = lexicon.adjective_group("superlatives")
TOO = lexicon.adjective_group("too")
A_LITTLE = TOO + lexicon.adjective_group("a_little")
COMPARATIVES_OF_PEOPLE = lexicon.words(lexicon.LEXICON["comparatives"])


def is_or_not(what: str, *, tense: str = "present", negative: bool, short: bool) -> str:
    """Return an English noun with "is" or "was", possibly negated: "this hat is", "the room wasn't"."""
    verb = "was" if tense == "past" else "is"
    return f"{what} {verb}" + (("n't" if short else " not") if negative else "")


def job(d: Draw) -> Pair:
    """Say what somebody is, or is not, by profession."""
    who, (one, other) = d.subject(), d.pick_two(lexicon.JOBS)
    while who.person == "we":
        who = d.subject()
    kind = d.pick(("is", "is", "is not", "is not", "but", "is?"))
    if kind == "is?":
        who = d.person()
        return f"is {who.en} {english.indefinite(one.en)}?", f"{who.ko}은(는) {d.copula(one.ko, question=True)}?"
    if kind == "but":
        en = f"{who.en} {'am' if who.person == 'I' else 'is'} not {english.indefinite(one.en)}"
        return (
            f"{en} but {english.indefinite(other.en)}.",
            f"{who.ko}은(는) {one.ko}이(가) 아니라 {d.copula(other.ko)}.",
        )
    past, negative = d.chance(0.5), kind == "is not"
    be = d.be(who, "past" if past else "present", negative=negative, short=d.plain)
    en = f"{be} {english.indefinite(one.en)}"
    return f"{en}.", f"{who.ko}은(는) {d.copula(one.ko, past=past, negative=negative)}."


def ownership(d: Draw) -> Pair:
    """Say or ask whose something is."""
    this, thing, owner = d.pick(lexicon.THIS_THAT_ONE), d.pick(BELONGINGS), d.owner()
    kind = d.pick(("is", "is", "is not", "is?", "whose"))
    if kind == "whose":
        return f"whose {thing.en} is {this.en}?", f"{this.ko}은 누구의 {d.copula(thing.ko, question=True)}?"
    noun = f"{owner.ko} {thing.ko}"
    if kind == "is?":
        return f"is {this.en} {owner.en} {thing.en}?", f"{this.ko}은 {d.copula(noun, question=True)}?"
    negative = kind == "is not"
    be = is_or_not(this.en, negative=negative, short=d.plain)
    return f"{be} {owner.en} {thing.en}.", f"{this.ko}은 {d.copula(noun, negative=negative)}."


def may_negate(d: Draw, quality: Adjective) -> bool:
    """Return whether the negation is natural: 맛있다 and 재미있다 do not take 안."""
    return not (d.short_negation and quality.ko.stem.endswith("있"))


def degrees(how: Adjective) -> list[Word]:
    """Return the adverbs that may stand before the adjective, including none."""
    very, really, little, too = lexicon.ADVERBS["degree"]
    return [NOTHING, very, really] + [little] * (how in A_LITTLE) + [too] * (how in TOO)


def predicative_adjective(d: Draw) -> Pair:
    """Describe a thing by an adjective as the predicate."""
    things, qualities, _ = d.pick(lexicon.QUALITIES)
    thing, how = d.pick(things), d.pick(qualities)
    this = d.pick(lexicon.THIS_THAT)
    tense = d.pick(("present", "present", "past"))
    if tense == "past":
        this = Word("the", "")
    what = phrase(this.ko, thing.ko)
    if d.chance(0.15):
        is_ = "was" if tense == "past" else "is"
        return f"{is_} {this.en} {thing.en} {how.en}?", f"{what}은(는) {d.finite(how.ko, tense, question=True)}?"
    negative = may_negate(d, how) and d.chance(0.3)
    degree = NOTHING if negative else d.pick(degrees(how))
    en = phrase(
        is_or_not(f"{this.en} {thing.en}", tense=tense, negative=negative, short=d.short_negation), degree.en, how.en
    )
    return f"{en}.", phrase(f"{what}은(는)", degree.ko, d.finite(how.ko, tense, negative=negative)) + "."


def coordinated_adjectives(d: Draw) -> Pair:
    """Describe a thing by two adjectives: -고, -지만."""
    things, _, combinations = d.pick(lexicon.QUALITIES)
    thing, pair = d.pick(things), d.pick(combinations)
    one, link, other = pair.split()
    first, last = (lexicon.ADJECTIVES[how].ko for how in (one, other))
    this = d.pick(lexicon.THIS_THAT)
    ko = f"{this.ko} {thing.ko}은(는) {first.stem}{'고' if link == 'and' else '지만'} {d.finite(last, 'present')}"
    return f"{this.en} {thing.en} is {pair}.", f"{ko}."


def attributive_adjective(d: Draw) -> Pair:
    """Describe a thing by an adjective before the noun: 예쁜 모자, 작고 빨간 가방."""
    kind = d.pick(("this is", "this is", "buy", "buy", "animal"))
    if kind == "animal":
        thing, how, color = d.pick(lexicon.ANIMALS), d.pick(ANIMAL_LOOKS), d.pick(ANIMAL_COLORS)
        place = d.pick(PLACES_WITH_ANIMALS)
        en, ko = described_as(thing, how, color)
        return f"there is {en} in {place.en}.", f"{place.ko}에 {ko}이(가) {d.finite(EXIST, 'present')}."
    if kind == "buy":
        thing, how, color = d.pick(GOODS.things), d.pick(GOODS.adjectives), d.pick(COLORS)
        en, ko = described_as(thing, how, color) if d.chance(0.5) else described_as(thing, d.pick((how, color)))
        who, when = d.subject(), d.time("past", "future")
        says, end = d.clause(who, "buy", when), d.finite(lexicon.VERBS["buy"], when.tense)
        return f"{says} {en} {when.en}.", f"{who.ko}은(는) {when.ko} {ko}을(를) {end}."
    things, qualities, _ = d.pick(lexicon.QUALITIES)
    thing, how, this = (
        d.pick([thing for thing in things if thing not in MASS_NOUNS]),
        d.pick(qualities),
        d.pick(lexicon.THIS_THAT_ONE),
    )
    en, ko = described_as(thing, how)
    if d.chance(0.2):
        return f"is {this.en} {en}?", f"{this.ko}은 {d.copula(ko, question=True)}?"
    negative = d.chance(0.3)
    return (
        f"{is_or_not(this.en, negative=negative, short=d.plain)} {en}.",
        f"{this.ko}은 {d.copula(ko, negative=negative)}.",
    )


def described_as(thing: Word, how: Adjective, color: Adjective | None = None) -> Pair:
    """Return the noun phrase with one or two attributive adjectives."""
    if color is None:
        return english.indefinite(f"{how.en} {thing.en}"), f"{how.ko.attributive()} {thing.ko}"
    en = english.indefinite(f"{how.en} {color.en} {thing.en}")
    return en, f"{how.ko.stem}고 {color.ko.attributive()} {thing.ko}"


def state_of_person(d: Draw) -> Pair:
    """Say how somebody is, with the honorific for grandparents: 할머니는 바쁘세요."""
    who, how = d.subject(grandparents=True), d.pick(STATES_OF_PEOPLE)
    lasting = how.en == "kind"
    tense = "present" if lasting or d.chance(0.5) else "past"
    time = NOTHING if lasting else d.pick([Word("today", "오늘")] if tense == "present" else lexicon.ADVERBS["past"])
    negative, degree = d.chance(0.3), d.pick(degrees(how))
    if d.chance(0.2):
        who = d.person()
        be = "is" if tense == "present" else "was"
        en = phrase(be, who.en, how.en, time.en)
        return f"{en}?", phrase(f"{who.ko}은(는)", time.ko, d.finite(how.ko, tense, question=True)) + "?"
    if negative:  # not of the speaker: "I am not" has no contraction that distinguishes 안 from -지 않다
        who, degree = who if who.person == "third" else d.person(), NOTHING
    en = phrase(d.be(who, tense, negative=negative, short=d.short_negation), degree.en, how.en, time.en)
    end = d.finite(how.ko, tense, who, negative=negative)
    return f"{en}.", phrase(f"{who.ko}은(는)", time.ko, degree.ko, end) + "."


def comparison(d: Draw) -> Pair:
    """Compare two things: 보다 더, 만큼, 중에서 어느 것이."""
    things, qualities = d.pick(lexicon.COMPARISONS)
    (one, other), how = d.pick_two(things), d.pick(qualities)
    more = english.comparative(how.en)
    if how.en in ("fast", "slow"):  # the statement must be true
        one, other = sorted((one, other), key=things.index, reverse=how.en == "fast")
    kind = d.pick(("than", "than", "than", "as", "as", "which", "much"))
    if kind == "as":  # "as far as" and "as slow as" are not natural
        how = d.pick([how for how in qualities if how.en not in ("far", "slow")])
    topic = f"{one.ko}은(는)"
    if kind == "as":
        negative = may_negate(d, how) and d.chance(0.5)
        end = d.finite(how.ko, "present", negative=negative)
        return (
            f"{is_or_not(one.en, negative=negative, short=d.short_negation)} as {how.en} as {other.en}.",
            f"{topic} {other.ko}만큼 {end}.",
        )
    if kind == "which":
        end = d.finite(how.ko, "present", question=True)
        en = f"which is {more}, {one.en} or {other.en}"
        return f"{en}?", f"{one.ko}과(와) {other.ko} 중에서 어느 것이 더 {end}?"
    much = Word("much", "훨씬") if kind == "much" else NOTHING
    en = phrase(one.en, "is", much.en, more, "than", other.en)
    return f"{en}.", phrase(topic, f"{other.ko}보다", much.ko, "더", d.finite(how.ko, "present")) + "."


def superlative(d: Draw) -> Pair:
    """Say that a thing is the cheapest, the biggest and so on: 가장."""
    things, qualities, _ = d.pick(lexicon.QUALITIES)
    thing, this = d.pick([thing for thing in things if thing not in MASS_NOUNS]), d.pick(lexicon.THIS_THAT_ONE)
    how = d.pick([how for how in qualities if how in SUPERLATIVES])
    noun = f"가장 {how.ko.attributive()} {thing.ko}"
    most = f"{english.superlative(how.en)} {thing.en}"
    if d.chance(0.3):
        return f"is {this.en} {most}?", f"{this.ko}은 {d.copula(noun, question=True)}?"
    return f"{this.en} is {most}.", f"{this.ko}은 {d.copula(noun)}."


def comparison_of_people(d: Draw) -> Pair:
    """Compare two people; the comparative stands inside 키가 크다."""
    who = d.subject()
    other = d.person(other_than=who.en)
    how = d.pick(COMPARATIVES_OF_PEOPLE)
    noun, _, stem = how.ko.rpartition(" ")
    end = d.finite(Predicate(stem, adjective=True), "present")
    return f"{d.be(who)} {how.en} than {other.en}.", phrase(f"{who.ko}은(는) {other.ko}보다", noun, "더", end) + "."
