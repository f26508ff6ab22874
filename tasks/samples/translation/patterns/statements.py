"""Patterns of statements and questions about actions."""

from tasks.samples.korean_morphology import Predicate
from tasks.samples.translation import english_morphology as english
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import PRESENT, Draw, Pair, phrase
from tasks.samples.translation.lexicon import NOTHING, Word
from tasks.samples.translation.patterns.phrases import (
    BY_AIR,
    BY_LAND,
    GO,
    IN_TOWN,
    accusative,
    draw_action,
    english_place,
    korean_place,
)

SELDOM_BOUGHT = lexicon.noun_group("seldom_bought")
VISIT = Predicate("가 보")


def statement(d: Draw) -> Pair:
    """Make a statement about an action."""
    when = d.time("past", "present", "present", "present", "progressive", "progressive", "future")
    verb, thing, place = draw_action(d)
    while when.tense == "present" and thing in SELDOM_BOUGHT:
        verb, thing, place = draw_action(d)
    who = d.subject(grandparents=True)
    negative = when.tense in ("past", "future") and d.chance(0.3)
    says = d.clause(who, verb.en, when, negative=negative)
    en = phrase(says, thing.en, english_place(place), when.en_after_verb)
    end = d.finite(verb.ko, when.tense, who, negative=negative)
    return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, korean_place(place), accusative(thing), end) + "."


def yes_no_question(d: Draw) -> Pair:
    """Ask whether somebody does something."""
    verb, thing, place = draw_action(d)
    who = d.you() if d.chance(0.5) else d.person()
    when = d.time("past", "future", "progressive")
    en = phrase(d.question(who, verb.en, when.tense), thing.en, english_place(place), when.en)
    topic = f"{who.ko}은(는)" if who.ko else ""
    end = d.finite(verb.ko, when.tense, who, question=True)
    return f"{en}?", phrase(topic, when.ko, korean_place(place), accusative(thing), end) + "?"


def wh_question(d: Draw) -> Pair:
    """Ask who, what, where, when or why."""
    verb, thing, place = draw_action(d, place=1, objects=True)
    who = d.person()
    when = d.time("past", "future")
    topic, end = f"{who.ko}은(는)", d.finite(verb.ko, when.tense, question=True)
    asks = d.question(who, verb.en, when.tense)
    kinds = ["who", "when", "why"]
    if place.en:
        kinds.append("where")
    if verb.en not in lexicon.ACTION_GROUPS["not_asked_with_what"]:
        kinds.append("what")
    kind = d.pick(kinds)
    if kind == "who":
        says = english.past(verb.en) if when.tense == "past" else f"will {verb.en}"
        en = phrase(says, thing.en, english_place(place), when.en)
        ko = phrase("누가", when.ko, korean_place(place), accusative(thing), end)
    elif kind == "what":
        en = phrase(asks, english_place(place), when.en)
        ko = phrase(topic, when.ko, korean_place(place), "무엇을", end)
    elif kind == "where":
        en = phrase(asks, thing.en, when.en)
        ko = phrase(topic, when.ko, "어디에서", accusative(thing), end)
    elif kind == "when":
        en = phrase(asks, thing.en, english_place(place))
        ko = phrase(topic, "언제", korean_place(place), accusative(thing), end)
    else:
        en = phrase(asks, thing.en, when.en)
        ko = phrase(topic, when.ko, "왜", accusative(thing), end)
    return f"{kind} {en}?", f"{ko}?"


def going(d: Draw) -> Pair:
    """Say where somebody goes, by which vehicle or with whom."""
    who, city = d.subject(grandparents=True), d.chance(0.35)
    goal = d.pick(lexicon.CITIES if city else lexicon.DESTINATIONS)
    when = d.time("past", "past", "future") if city else d.time("past", "past", "present", "future")
    friend = d.person(other_than=who.en)
    if d.chance(0.5):
        how = Word(f"with {friend.en}", f"{friend.ko}과(와) 함께")
    else:
        how = d.pick((BY_LAND if goal in lexicon.KOREAN_CITIES else BY_AIR) if city else IN_TOWN)
    negative = not when.before_verb and d.chance(0.2)
    en = phrase(d.clause(who, "go", when, negative=negative), f"to {goal.en}", how.en, when.en_after_verb)
    end = d.finite(GO, when.tense, who, negative=negative)
    return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, how.ko, f"{goal.ko}에", end) + "."


def hobby(d: Draw) -> Pair:
    """Say what somebody likes to do: -는 것을 좋아하다. Objects are those of repeated actions."""
    verb = d.pick([verb for verb in lexicon.ACTIONS if verb.en in lexicon.ACTION_GROUPS["hobbies"]])
    thing = d.pick([thing for thing in verb.objects or [NOTHING] if not thing.en.startswith("a ")])
    place = d.pick(verb.places) if d.chance(0.5) or not thing.en else NOTHING
    who = d.subject()
    en = phrase(d.clause(who, "like to", PRESENT), verb.en, thing.en, english_place(place))
    ko = phrase(f"{who.ko}은(는)", korean_place(place), accusative(thing), verb.ko.attributive(), "것을")
    return f"{en}.", f"{ko} {d.finite(lexicon.VERBS['like'], 'present')}."


def experience(d: Draw) -> Pair:
    """Say whether or how often somebody has been somewhere: 가 보다."""
    goal = d.pick(lexicon.CITIES) if d.chance(0.6) else d.pick(lexicon.DESTINATIONS)
    if d.chance(0.3):
        return f"have you been to {goal.en}?", f"{goal.ko}에 {d.finite(VISIT, 'past', d.you(), question=True)}?"
    who = d.subject()
    have = "has" if who.person == "third" else "have"
    if d.chance(0.4):
        end = f"{VISIT.attributive(past=True)} 적이 {Predicate('없').finite(d.level)}"
        return f"{who.en} {have} never been to {goal.en}.", f"{who.ko}은(는) {goal.ko}에 {end}."
    times = d.pick(lexicon.ADVERBS["repetition"])
    end = f"{times.ko} {d.finite(VISIT, 'past')}"
    return f"{who.en} {have} been to {goal.en} {times.en}.", f"{who.ko}은(는) {goal.ko}에 {end}."
