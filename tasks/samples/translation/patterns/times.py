"""Patterns of dates, times of day and durations."""

from tasks.samples.korean_morphology import Predicate, native_korean, sino_korean
from tasks.samples.translation import english_morphology as english
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import PAST, Draw, Pair, TimeAdverbial, phrase
from tasks.samples.translation.lexicon import NOTHING, Word
from tasks.samples.translation.patterns.phrases import (
    BY_LAND,
    GO,
    IN_TOWN,
    accusative,
    draw_action,
    english_place,
    korean_place,
)

SHOPS = lexicon.place_group("with_opening_hours")
OPENING_AND_CLOSING = lexicon.verb_phrases(("open", "close"))
LASTING_ACTIONS = [action for action in lexicon.ACTIONS if action.en in lexicon.ACTION_GROUPS["lasting"]]
# The numeral system, the Korean unit and the largest number for each unit of time.
UNITS = {
    "minute": (sino_korean, "분", 59),
    "hour": (native_korean, "시간", 9),
    "month": (sino_korean, "개월", 11),
    "year": (sino_korean, "년", 30),
}
TAKE_TIME = Predicate("걸리")


def date(d: Draw) -> Word:
    """Draw a date."""
    month = d.rng.randrange(12)
    day = d.rng.randint(1, lexicon.DAYS_OF_MONTHS[month])
    return Word(f"{lexicon.MONTHS[month].en} {day}", f"{lexicon.MONTHS[month].ko} {day}일")


def clock(d: Draw, half: str = "", hours: range | None = None) -> Word:
    """Draw a time of day, by default from 8 to 11 AM or from noon to 9 PM."""
    half = half or d.pick(("AM", "PM"))
    hour = d.pick(hours or (range(8, 12) if half == "AM" else (12, *range(1, 10))))
    minute = d.pick((0, 0, 30, 30, 10, 15, 20, 40, 45, 50))
    ko = f"{'오전' if half == 'AM' else '오후'} {native_korean(hour)} 시"
    if minute:
        ko += " 반" if minute == 30 else f" {sino_korean(minute)} 분"
    return Word(english.clock(hour, minute, half), ko)


def on_a_date(d: Draw) -> Pair:
    """Say what is on which date."""
    day, event, weekday = date(d), d.pick(lexicon.EVENTS), d.pick(lexicon.WEEKDAYS)
    kind = d.pick(("today", "event", "event", "both", "opens"))
    if kind == "today":
        return f"today is {weekday.en}, {day.en}.", f"오늘은 {d.copula(f'{day.ko} {weekday.ko}')}."
    if kind == "opens":
        place, does = d.pick(SHOPS), d.pick(OPENING_AND_CLOSING)
        end = d.finite(does.ko, "future")
        return f"{place.en} will {does.en} on {day.en}.", f"{place.ko}은(는) {day.ko}에 {end}."
    past = d.chance(0.4)
    en = f"the {event.en} {'was' if past else 'is'} on "
    if kind == "both":
        return f"{en}{weekday.en}, {day.en}.", f"{event.ko}은(는) {d.copula(f'{day.ko} {weekday.ko}', past=past)}."
    return f"{en}{day.en}.", f"{event.ko}은(는) {d.copula(day.ko, past=past)}."


def date_question(d: Draw) -> Pair:
    """Ask when an event or a birthday is."""
    event = d.pick((*lexicon.EVENTS, lexicon.noun("birthday")))
    if event.en == "birthday":
        whose = d.owner()
        what = Word(f"{whose.en} birthday", f"{whose.ko} 생일")
    else:
        what = Word(f"the {event.en}", event.ko)
    if d.chance(0.4):
        return f"when is {what.en}?", f"{what.ko}은(는) {d.copula('언제', question=True)}?"
    day = d.pick(lexicon.WEEKDAYS) if d.chance(0.4) else date(d)
    return f"is {what.en} on {day.en}?", f"{what.ko}은(는) {d.copula(day.ko, question=True)}?"


def birthday(d: Draw) -> Pair:
    """Say when somebody was born."""
    who = d.subject(grandparents=True)
    day, year = date(d), 1950 if who.honorific else d.pick((1990, 1998, 2003))
    kind = d.pick(("day", "day", "year", "both"))
    if kind == "day" and who.person != "we" and not who.honorific:
        mine = d.possessive(who)
        return f"{mine.en} birthday is {day.en}.", f"{mine.ko} 생일은 {d.copula(day.ko)}."
    en, ko = (f"on {day.en}, {year}", f"{year}년 {day.ko}에") if kind == "both" else (f"in {year}", f"{year}년에")
    end = d.finite(Predicate("태어나"), "past", who)
    return f"{d.be(who, 'past')} born {en}.", f"{who.ko}은(는) {ko} {end}."


def trip_on_a_date(d: Draw) -> Pair:
    """Say on which date somebody goes to a city."""
    who, day, city = d.subject(grandparents=True), date(d), d.pick(lexicon.CITIES)
    tense = d.pick(("past", "future"))
    says = d.clause(who, f"go to {city.en}", TimeAdverbial(tense))
    end = d.finite(GO, tense, who)
    return f"{says} on {day.en}.", f"{who.ko}은(는) {day.ko}에 {city.ko}에 {end}."


def timetable(d: Draw) -> Pair:
    """Say or ask at what time something starts, ends, leaves, opens or closes."""
    kind = d.pick(("event", "line", "place"))
    if kind == "event":
        event = d.pick(lexicon.EVENTS)
        what, (verb, ko) = Word(f"the {event.en}", event.ko), d.pick(lexicon.verb_phrases(("start", "end")))
    elif kind == "line":
        line, city = d.pick(lexicon.VEHICLES[:2]), d.pick(lexicon.KOREAN_CITIES)
        what = Word(f"the {line.en} to {city.en}", f"{city.ko}행 {line.ko}")
        verb, ko = lexicon.VERB_PHRASES["leave"]
    else:
        what, (verb, ko) = d.pick(SHOPS), d.pick(OPENING_AND_CLOSING)
    if d.chance(0.4):
        return f"what time does {what.en} {verb}?", f"{what.ko}은(는) 몇 시에 {d.finite(ko, 'present', question=True)}?"
    if kind == "place" and d.chance(0.3):
        start, stop = clock(d, "AM"), clock(d, "PM")
        en = f"{what.en} is open from {start.en} to {stop.en}"
        end = d.finite(lexicon.VERB_PHRASES["open"].ko, "present")
        return f"{en}.", f"{what.ko}은(는) {start.ko}부터 {stop.ko}까지 {end}."
    time = clock(d, {"open": "AM", "close": "PM"}.get(verb, ""))
    return (
        f"{what.en} {english.third_person(verb)} at {time.en}.",
        f"{what.ko}은(는) {time.ko}에 {d.finite(ko, 'present')}.",
    )


def schedule(d: Draw) -> Pair:
    """Say what time it is, when somebody gets up or goes to bed, or when to meet."""
    kind = d.pick(("now", "up", "bed", "shall", "study"))
    who = d.subject()
    if kind == "now":
        time = clock(d)
        return f"it is {time.en} now.", f"지금은 {d.copula(time.ko)}."
    if kind == "shall" and d.level != "formal":
        time, place = clock(d), d.pick(lexicon.DESTINATIONS)
        end = f"만날까{'요' if d.level == 'polite' else ''}"
        return f"shall we meet {english_place(place)} at {time.en}?", f"{time.ko}에 {place.ko}에서 {end}?"
    if kind in ("up", "bed"):
        verb, half, ko, hours = (
            ("get up", "AM", "일어나", range(5, 10)) if kind == "up" else ("go to bed", "PM", "자", range(9, 12))
        )
        when, time = d.time("present"), clock(d, half, hours)
        if not when.before_verb:
            yesterday = TimeAdverbial("past", "yesterday", "어제")
            when = d.pick((TimeAdverbial("present", "every day", "매일"), yesterday, yesterday))
        en = phrase(d.clause(who, verb, when), f"at {time.en}", when.en_after_verb)
        return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, f"{time.ko}에", d.finite(Predicate(ko), when.tense)) + "."
    verb = d.pick([verb for verb in LASTING_ACTIONS if verb.objects])
    thing = d.pick(verb.objects)
    start, stop = clock(d, "AM"), clock(d, "PM")
    says = d.clause(who, verb.en, PAST)
    body = phrase(f"{start.ko}부터 {stop.ko}까지", accusative(thing), d.finite(verb.ko, "past"))
    return f"{says} {thing.en} from {start.en} to {stop.en}.", f"{who.ko}은(는) {body}."


def span(d: Draw, *units: str, limit: int = 99) -> Word:
    """Draw a number of minutes, hours, months or years."""
    unit = d.pick(units)
    numeral, ko, unit_limit = UNITS[unit]
    number = d.rng.randint(2, min(limit, unit_limit))
    return Word(english.counted(number, unit), f"{numeral(number)} {ko}")


def duration(d: Draw) -> Pair:
    """Say for how long, or how long ago, somebody did something: 동안, 전에."""
    who = d.subject()
    kind = d.pick(("for", "for", "ago", "ago", "lived"))
    if kind == "lived":
        city, long = d.pick(lexicon.CITIES), span(d, "month", "year")
        en = f"{d.clause(who, 'live', PAST)} in {city.en} for {long.en}"
        return f"{en}.", f"{who.ko}은(는) {city.ko}에서 {long.ko} 동안 {d.finite(lexicon.VERBS['live'], 'past')}."
    if kind == "ago":
        verb, thing, place = draw_action(d, place=0.3, objects=True)
        while verb.en in lexicon.ACTION_GROUPS["not_ago"]:
            verb, thing, place = draw_action(d, place=0.3, objects=True)
        hours = verb.en in lexicon.ACTION_GROUPS["hours_ago"]
        long = span(d, "hour") if hours else span(d, "hour", "month", "year")
        en = phrase(d.clause(who, verb.en, PAST), thing.en, english_place(place), f"{long.en} ago")
        body = phrase(f"{long.ko} 전에", korean_place(place), accusative(thing), d.finite(verb.ko, "past"))
        return f"{en}.", f"{who.ko}은(는) {body}."
    verb = d.pick(LASTING_ACTIONS)
    thing = d.pick(verb.objects) if verb.objects else NOTHING
    place = NOTHING if verb.objects else d.pick(verb.places)
    long = span(d, "minute", "hour")
    en = phrase(d.clause(who, verb.en, PAST), thing.en, english_place(place), f"for {long.en}")
    body = phrase(korean_place(place), accusative(thing), f"{long.ko} 동안", d.finite(verb.ko, "past"))
    return f"{en}.", f"{who.ko}은(는) {body}."


def travel_time(d: Draw) -> Pair:
    """Say or ask how long it takes from one place to another: minutes in town, hours between cities."""
    far = d.chance(0.35)
    one, other = d.pick_two(lexicon.KOREAN_CITIES if far else lexicon.DESTINATIONS)
    how = d.pick(BY_LAND if far else IN_TOWN)
    way = (f"from {one.en} to {other.en} {how.en}", f"{one.ko}에서 {other.ko}까지 {how.ko}")
    if d.chance(0.2):
        end = d.finite(TAKE_TIME, "present", question=True)
        return f"how long does it take {way[0]}?", f"{way[1]} 얼마나 {end}?"
    long = span(d, "hour", limit=6) if far else span(d, "minute")
    if far and d.chance(0.3):
        minutes = d.rng.randrange(10, 60, 10)
        long = Word(f"{long.en} and {english.numeral(minutes)} minutes", f"{long.ko} {sino_korean(minutes)} 분")
    return f"it takes {long.en} {way[0]}.", f"{way[1]} {long.ko} {d.finite(TAKE_TIME, 'present')}."
