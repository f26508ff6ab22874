"""Sentence families of what people do: statements, questions, requests, wishes, duties, permissions."""

from tasks.samples.translation import english, lexicon
from tasks.samples.translation.korean import Predicate, with_end
from tasks.samples.translation.lexicon import Verb, Word, predicate, words
from tasks.samples.translation.scene import NO, PRESENT, Draw, family, phrase

GO = predicate("가")
# What cannot be asked for with "what", because the object is a person or belongs to the verb.
NO_WHAT = {"take", "sing", "help", "meet", "wait for", "clean"}


def located(place: Word) -> str:
    """The place with its preposition in English."""
    if not place.en:
        return ""
    return ("in " if place in lexicon.IN + lexicon.CITIES else "at ") + place.en


def at(place: Word) -> str:
    return f"{place.ko}에서" if place.ko else ""


def accusative(thing: Word) -> str:
    return f"{thing.ko}을(를)" if thing.ko else ""


def action(d: Draw, *, place: float = 0.6, objects: bool = False) -> tuple[Verb, Word, Word]:
    """A verb with an object and, as often as `place` says, a place; with `objects` only a verb that has some."""
    verb = d.pick([verb for verb in lexicon.VERBS if verb.objects or not objects])
    thing = d.pick(verb.objects) if verb.objects else NO
    # A verb alone says too little.
    here = d.pick(verb.places) if verb.places and (not verb.objects or d.chance(place)) else NO
    return verb, thing, here


def directive(level: str, verb: Predicate) -> str:
    """The verb as a direction: 가세요, 가십시오, 가."""
    if level == "formal":
        return with_end(verb.honorific().stem, final="ㅂ") + "시오"
    return verb.honorific().end("polite") if level == "polite" else verb.infinitive()


def favor(level: str, verb: Predicate) -> str:
    """The verb as a request: 열어 주세요, 열어 주십시오, 열어 줘."""
    return verb.infinitive() + {"polite": " 주세요", "formal": " 주십시오", "plain": " 줘"}[level]


def please(d: Draw, english_request: str) -> str:
    """Nobody says please to a friend here."""
    return english_request if d.friendly else f"please {english_request}"


SELDOM = {"a present", "a hat", "an umbrella", "a bag", "a dictionary"}  # bought now and then, and not every day


@family(22)
def statement(d: Draw) -> tuple[str, str]:
    when = d.when("past", "present", "present", "present", "progressive", "progressive", "future")
    verb, thing, place = action(d)
    while when.tense == "present" and thing.en in SELDOM:
        verb, thing, place = action(d)
    who = d.subject(elders=True)
    negative = when.tense in ("past", "future") and d.chance(0.3)
    says = d.says(who, verb.en, when, negative=negative)
    en = phrase(says, thing.en, located(place), "" if when.before_verb else when.en)
    end = d.end(verb.ko, when.tense, who, negative=negative)
    return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, at(place), accusative(thing), end) + "."


@family(4)
def yes_no_question(d: Draw) -> tuple[str, str]:
    verb, thing, place = action(d)
    who = d.you() if d.chance(0.5) else d.name()
    when = d.when("past", "future", "progressive")
    en = phrase(d.asks(who, verb.en, when.tense), thing.en, located(place), when.en)
    topic = f"{who.ko}은(는)" if who.ko else ""
    end = d.end(verb.ko, when.tense, who, question=True)
    return f"{en}?", phrase(topic, when.ko, at(place), accusative(thing), end) + "?"


@family(5)
def w_question(d: Draw) -> tuple[str, str]:
    verb, thing, place = action(d, place=1, objects=True)
    who = d.name()
    when = d.when("past", "future")
    topic, end = f"{who.ko}은(는)", d.end(verb.ko, when.tense, question=True)
    asks = d.asks(who, verb.en, when.tense)
    kinds = ["who", "when", "why"] + ["where"] * bool(place.en) + ["what"] * (verb.en not in NO_WHAT)
    kind = d.pick(kinds)
    if kind == "who":
        says = english.past(verb.en) if when.tense == "past" else f"will {verb.en}"
        en = phrase(says, thing.en, located(place), when.en)
        ko = phrase("누가", when.ko, at(place), accusative(thing), end)
    elif kind == "what":
        en = phrase(asks, located(place), when.en)
        ko = phrase(topic, when.ko, at(place), "무엇을", end)
    elif kind == "where":
        en = phrase(asks, thing.en, when.en)
        ko = phrase(topic, when.ko, "어디에서", accusative(thing), end)
    elif kind == "when":
        en = phrase(asks, thing.en, located(place))
        ko = phrase(topic, "언제", at(place), accusative(thing), end)
    else:
        en = phrase(asks, thing.en, when.en)
        ko = phrase(topic, when.ko, "왜", accusative(thing), end)
    return f"{kind} {en}?", f"{ko}?"


# How one gets to a city or a place nearby.
NEAR = [*lexicon.AT, lexicon.PLACES["park"]]
LINES = {line.en: Word(f"by {line.en}", f"{line.ko}(으)로") for line in lexicon.LINES}
BY_LAND = [LINES[name] for name in ("bus", "train", "car")]
BY_AIR = [LINES["plane"]]
IN_TOWN = [LINES[name] for name in ("bus", "subway", "taxi", "car", "bicycle")] + [Word("on foot", "걸어서")]
OVERLAND = {"Seoul", "Busan", "Gyeongju"}


@family(5)
def going(d: Draw) -> tuple[str, str]:
    """Somewhere, by something or with somebody."""
    who, city = d.subject(elders=True), d.chance(0.35)
    goal = d.pick(lexicon.CITIES if city else NEAR)
    when = d.when("past", "past", "future") if city else d.when("past", "past", "present", "future")
    friend = d.name(but=who.en)
    if d.chance(0.5):
        how = Word(f"with {friend.en}", f"{friend.ko}과(와) 함께")
    else:
        how = d.pick((BY_LAND if goal.en in OVERLAND else BY_AIR) if city else IN_TOWN)
    negative = not when.before_verb and d.chance(0.2)
    en = phrase(
        d.says(who, "go", when, negative=negative), f"to {goal.en}", how.en, "" if when.before_verb else when.en
    )
    end = d.end(GO, when.tense, who, negative=negative)
    return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, how.ko, f"{goal.ko}에", end) + "."


@family(6)
def request(d: Draw) -> tuple[str, str]:
    verb = d.pick(lexicon.FAVORS)
    thing = d.pick(verb.objects)
    if d.chance(0.3):
        en = phrase("don't" if d.friendly else "do not", verb.en, thing.en, now := d.pick(("", "now")))
        end = verb.ko.stem + {"polite": "지 마세요", "formal": "지 마십시오", "plain": "지 마"}[d.level]
        return f"{please(d, en)}.", phrase("지금" if now else "", accusative(thing), end) + "."
    adverb = d.pick([NO, NO, *words("now=지금, first=먼저, again=다시, quickly=빨리")])
    en = phrase(verb.en, thing.en, adverb.en)
    # The time stands at the beginning, the manner before the verb.
    early, late = (adverb.ko, "") if adverb.en == "now" else ("", adverb.ko)
    return f"{please(d, en)}.", phrase(early, accusative(thing), late, favor(d.level, verb.ko)) + "."


@family(5)
def may_i(d: Draw) -> tuple[str, str]:
    verb = d.pick(lexicon.FAVORS)
    thing = d.pick(verb.objects)
    time = d.pick((NO, Word("now", "지금")))
    end = verb.ko.infinitive() + "도 " + Predicate("되").end(d.level, question=True)
    return f"{phrase('may I', verb.en, thing.en, time.en)}?", phrase(time.ko, accusative(thing), end) + "?"


FORBIDDEN = {"eat", "drink", "listen to", "take", "sing"}
FORBIDDING = words(
    "the library=도서관, the museum=박물관, the theater=극장, the hospital=병원, the station=역, the office=사무실, "
    "the bank=은행, the bookstore=서점"
)


@family(4, announced=True)
def prohibition(d: Draw) -> tuple[str, str]:
    verb = d.pick([verb for verb in lexicon.VERBS if verb.en in FORBIDDEN])
    thing, place = d.pick(verb.objects) if verb.objects else NO, d.pick(FORBIDDING)
    end = verb.ko.eu("면") + " 안 " + Predicate("되").end(d.level)
    en = phrase("you must not", verb.en, thing.en, located(place))
    return f"{en}.", phrase(at(place), accusative(thing), end) + "."


@family(5)
def wish(d: Draw) -> tuple[str, str]:
    """What somebody wants to do; -고 싶다 for oneself and whom one asks, -고 싶어 하다 for others."""
    verb, thing, place = action(d, place=0.4)
    who = d.you() if d.chance(0.3) else d.subject()
    time = d.pick([NO, *lexicon.FUTURE_TIMES])
    tail = phrase(verb.en, thing.en, located(place), time.en)
    stem = (who.elder and verb.ko.suppletive) or verb.ko.stem
    wanting = predicate(f"{stem}고_싶" if who.person != "third" else f"{stem}고_싶어_하")
    body = phrase(time.ko, at(place), accusative(thing))
    if who.person == "you":
        return f"do you want to {tail}?", f"{phrase(body, d.end(wanting, 'present', who, question=True))}?"
    wants = d.says(who, "want to", PRESENT)
    return f"{wants} {tail}.", f"{phrase(f'{who.ko}은(는)', body, d.end(wanting, 'present'))}."


@family(4)
def ability(d: Draw) -> tuple[str, str]:
    verb, thing, place = action(d, place=0.4)
    kind = d.pick(("can", "cannot", "can?"))
    who = d.name() if kind == "can?" else d.subject()
    time = d.pick([NO, *lexicon.FUTURE_TIMES])
    tail = phrase(verb.en, thing.en, located(place), time.en)
    end = f"{verb.ko.eu('ㄹ')} 수 {predicate('없' if kind == 'cannot' else '있').end(d.level, question=kind == 'can?')}"
    ko = phrase(f"{who.ko}은(는)", time.ko, at(place), accusative(thing), end)
    return (f"can {who.en} {tail}?", f"{ko}?") if kind == "can?" else (f"{who.en} {kind} {tail}.", f"{ko}.")


@family(4)
def duty(d: Draw) -> tuple[str, str]:
    """What somebody has to do, had to, or does not have to."""
    verb, thing, place = action(d, place=0.4)
    who = d.subject()
    kind = d.pick(("present", "past", "free"))
    time = d.pick([NO, *(lexicon.PAST_TIMES if kind == "past" else lexicon.FUTURE_TIMES)])
    if kind == "free":
        en = ("does not" if who.person == "third" else "do not") + " have to"
        end = f"{verb.ko.stem}지 않아도 {Predicate('되').end(d.level)}"
    else:
        en = "had to" if kind == "past" else "has to" if who.person == "third" else "have to"
        end = f"{verb.ko.infinitive()}야 {predicate('하').end(d.level, kind)}"
    en = phrase(who.en, en, verb.en, thing.en, located(place), time.en)
    return f"{en}.", phrase(f"{who.ko}은(는)", time.ko, at(place), accusative(thing), end) + "."


@family(4, levels="polite plain")
def proposal(d: Draw) -> tuple[str, str]:
    """Shall we: -(으)ㄹ까요.  Let's: 자 among friends, and the bare 해요체 otherwise."""
    if d.chance(0.5):
        verb, thing, place = action(d)
    else:
        verb, thing, place = Verb("go to", GO, (), ()), NO, d.pick(NEAR)
    soon = words("tomorrow=내일, tonight=오늘 밤에, this weekend=이번 주말에")
    time = d.pick([NO, *soon, *(Word(f"on {day.en}", f"{day.ko}에") for day in lexicon.WEEKDAYS)])
    where = (place.en, f"{place.ko}에") if verb.ko == GO else (located(place), at(place))
    tail = phrase(verb.en, thing.en, where[0], time.en)
    body = phrase(time.ko, where[1], accusative(thing))
    if d.chance(0.5):
        return f"shall we {tail}?", f"{body} {verb.ko.eu('ㄹ')}까{'요' if d.level == 'polite' else ''}?"
    return f"let's {tail}.", f"{body} {verb.ko.end('polite') if d.level == 'polite' else verb.ko.stem + '자'}."


HOBBIES = {"listen to", "sing", "take", "eat", "drink", "study", "walk", "swim"}


@family(4)
def liking_to(d: Draw) -> tuple[str, str]:
    """Of what one does again and again: no verb with one single object."""
    verb = d.pick([verb for verb in lexicon.VERBS if verb.en in HOBBIES])
    thing = d.pick([thing for thing in verb.objects or [NO] if not thing.en.startswith("a ")])
    place = d.pick(verb.places) if d.chance(0.5) or not thing.en else NO
    who = d.subject()
    en = phrase(d.says(who, "like to", PRESENT), verb.en, thing.en, located(place))
    ko = phrase(f"{who.ko}은(는)", at(place), accusative(thing), verb.ko.attributive(), "것을")
    return f"{en}.", f"{ko} {d.end(predicate('좋아하'), 'present')}."


TIMES = words("once=한 번, twice=두 번, three times=세 번, many times=여러 번")
BEEN = predicate("가_보")


@family(5)
def having_been(d: Draw) -> tuple[str, str]:
    """Somewhere: 가 보다."""
    goal = d.pick(lexicon.CITIES) if d.chance(0.6) else d.pick(NEAR)
    if d.chance(0.3):
        return f"have you been to {goal.en}?", f"{goal.ko}에 {d.end(BEEN, 'past', d.you(), question=True)}?"
    who = d.subject()
    have = "has" if who.person == "third" else "have"
    if d.chance(0.4):
        end = f"{BEEN.attributive(past=True)} 적이 {predicate('없').end(d.level)}"
        return f"{who.en} {have} never been to {goal.en}.", f"{who.ko}은(는) {goal.ko}에 {end}."
    times = d.pick(TIMES)
    end = f"{times.ko} {d.end(BEEN, 'past')}"
    return f"{who.en} {have} been to {goal.en} {times.en}.", f"{who.ko}은(는) {goal.ko}에 {end}."
