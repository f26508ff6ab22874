"""Patterns of modality: requests, permission, prohibition, wishes, ability, obligation and proposals."""

from tasks.samples.korean_morphology import Predicate
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import PRESENT, Draw, Pair, phrase
from tasks.samples.translation.lexicon import NOTHING, Action, Word
from tasks.samples.translation.patterns.phrases import (
    GO,
    accusative,
    draw_action,
    english_place,
    korean_place,
    please,
    request_form,
)

PROHIBITED_ACTIONS = [action for action in lexicon.ACTIONS if action.en in lexicon.ACTION_GROUPS["prohibited"]]
PLACES_WITH_PROHIBITIONS = lexicon.place_group("with_prohibitions")


def request(d: Draw) -> Pair:
    """Ask somebody to do something, or not to do it."""
    verb = d.pick(lexicon.REQUESTS)
    thing = d.pick(verb.objects)
    if d.chance(0.3):
        en = phrase("don't" if d.plain else "do not", verb.en, thing.en, now := d.pick(("", "now")))
        end = verb.ko.stem + {"polite": "지 마세요", "formal": "지 마십시오", "plain": "지 마"}[d.level]
        return f"{please(d, en)}.", phrase("지금" if now else "", accusative(thing), end) + "."
    adverb = d.pick([NOTHING, NOTHING, *lexicon.ADVERBS["request"]])
    en = phrase(verb.en, thing.en, adverb.en)
    # The time stands at the beginning, the manner before the verb.
    early, late = (adverb.ko, "") if adverb.en == "now" else ("", adverb.ko)
    return f"{please(d, en)}.", phrase(early, accusative(thing), late, request_form(d.level, verb.ko)) + "."


def permission(d: Draw) -> Pair:
    """Ask for permission: -아/어도 되다."""
    verb = d.pick(lexicon.REQUESTS)
    thing = d.pick(verb.objects)
    time = d.pick((NOTHING, Word("now", "지금")))
    end = verb.ko.infinitive() + "도 " + Predicate("되").finite(d.level, question=True)
    return f"{phrase('may I', verb.en, thing.en, time.en)}?", phrase(time.ko, accusative(thing), end) + "?"


def prohibition(d: Draw) -> Pair:
    """Forbid something: -(으)면 안 되다."""
    verb = d.pick(PROHIBITED_ACTIONS)
    thing, place = d.pick(verb.objects) if verb.objects else NOTHING, d.pick(PLACES_WITH_PROHIBITIONS)
    end = verb.ko.eu_form("면") + " 안 " + Predicate("되").finite(d.level)
    en = phrase("you must not", verb.en, thing.en, english_place(place))
    return f"{en}.", phrase(korean_place(place), accusative(thing), end) + "."


def wish(d: Draw) -> Pair:
    """Say what somebody wants to do: -고 싶다 in the first and second person, -고 싶어 하다 in the third."""
    verb, thing, place = draw_action(d, place=0.4)
    who = d.you() if d.chance(0.3) else d.subject()
    time = d.pick([NOTHING, *lexicon.ADVERBS["future"]])
    tail = phrase(verb.en, thing.en, english_place(place), time.en)
    stem = (who.honorific and verb.ko.honorific_stem) or verb.ko.stem
    wanting = Predicate(f"{stem}고 싶" if who.person != "third" else f"{stem}고 싶어 하")
    body = phrase(time.ko, korean_place(place), accusative(thing))
    if who.person == "you":
        return f"do you want to {tail}?", f"{phrase(body, d.finite(wanting, 'present', who, question=True))}?"
    wants = d.clause(who, "want to", PRESENT)
    return f"{wants} {tail}.", f"{phrase(f'{who.ko}은(는)', body, d.finite(wanting, 'present'))}."


def ability(d: Draw) -> Pair:
    """Say whether somebody can do something: -(으)ㄹ 수 있다."""
    verb, thing, place = draw_action(d, place=0.4)
    kind = d.pick(("can", "cannot", "can?"))
    who = d.person() if kind == "can?" else d.subject()
    time = d.pick([NOTHING, *lexicon.ADVERBS["future"]])
    tail = phrase(verb.en, thing.en, english_place(place), time.en)
    exist = Predicate("없" if kind == "cannot" else "있").finite(d.level, question=kind == "can?")
    ko = phrase(f"{who.ko}은(는)", time.ko, korean_place(place), accusative(thing), verb.ko.eu_form("ㄹ"), "수", exist)
    return (f"can {who.en} {tail}?", f"{ko}?") if kind == "can?" else (f"{who.en} {kind} {tail}.", f"{ko}.")


def obligation(d: Draw) -> Pair:
    """Say what somebody has to do, had to do or does not have to do: -아/어야 하다, -지 않아도 되다."""
    verb, thing, place = draw_action(d, place=0.4)
    who = d.subject()
    kind = d.pick(("present", "past", "free"))
    time = d.pick([NOTHING, *lexicon.ADVERBS["past" if kind == "past" else "future"]])
    if kind == "free":
        en = ("does not" if who.person == "third" else "do not") + " have to"
        end = f"{verb.ko.stem}지 않아도 {Predicate('되').finite(d.level)}"
    else:
        en = "had to" if kind == "past" else "has to" if who.person == "third" else "have to"
        end = f"{verb.ko.infinitive()}야 {Predicate('하').finite(d.level, kind)}"
    en = phrase(who.en, en, verb.en, thing.en, english_place(place), time.en)
    return f"{en}.", phrase(f"{who.ko}은(는)", time.ko, korean_place(place), accusative(thing), end) + "."


def proposal(d: Draw) -> Pair:
    """Propose a joint action: "shall we", -(으)ㄹ까요; "let's", -자 in 반말 and the usual ending of 해요체."""
    if d.chance(0.5):
        verb, thing, place = draw_action(d)
    else:
        verb, thing, place = Action("go to", GO, [], []), NOTHING, d.pick(lexicon.DESTINATIONS)
    soon = [adverb for adverb in lexicon.ADVERBS["future"] if adverb.en != "next week"]
    time = d.pick([NOTHING, *soon, *(Word(f"on {day.en}", f"{day.ko}에") for day in lexicon.WEEKDAYS)])
    where = (place.en, f"{place.ko}에") if verb.ko == GO else (english_place(place), korean_place(place))
    tail = phrase(verb.en, thing.en, where[0], time.en)
    body = phrase(time.ko, where[1], accusative(thing))
    if d.chance(0.5):
        return f"shall we {tail}?", f"{body} {verb.ko.eu_form('ㄹ')}까{'요' if d.level == 'polite' else ''}?"
    return f"let's {tail}.", f"{body} {verb.ko.finite('polite') if d.level == 'polite' else verb.ko.stem + '자'}."
