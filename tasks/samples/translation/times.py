"""Sentence families of dates, times of day, and spans of time."""

from tasks.samples.translation import english, lexicon
from tasks.samples.translation.actions import BY_LAND, IN_TOWN, NEAR, OVERLAND, accusative, action, located
from tasks.samples.translation.korean import native, sino
from tasks.samples.translation.lexicon import Word, predicate, words
from tasks.samples.translation.scene import NO, PAST, Draw, When, family, phrase

# --- dates and times of day ------------------------------------------------------------------------------------------

# What opens and closes.
SHOPS = [
    lexicon.PLACES[name]
    for name in ("library", "market", "museum", "restaurant", "café", "theater", "bank", "bookstore")
]


def date(d: Draw) -> Word:
    month = d.rng.randrange(12)
    day = d.rng.randint(1, lexicon.DAYS[month])
    return Word(f"{lexicon.MONTHS[month].en} {day}", f"{lexicon.MONTHS[month].ko} {day}일")


def clock(d: Draw, half: str = "", hours: range | None = None) -> Word:
    """A time of day; if nothing else is said, AM from eight to eleven, PM from noon to nine."""
    half = half or d.pick(("AM", "PM"))
    hour = d.pick(hours or (range(8, 12) if half == "AM" else (12, *range(1, 10))))
    minute = d.pick((0, 0, 30, 30, 10, 15, 20, 40, 45, 50))
    ko = f"{'오전' if half == 'AM' else '오후'} {native(hour)} 시"
    if minute:
        ko += " 반" if minute == 30 else f" {sino(minute)} 분"
    return Word(english.clock(hour, minute, half), ko)


@family(7, announced=True)
def on_a_date(d: Draw) -> tuple[str, str]:
    day, event, weekday = date(d), d.pick(lexicon.EVENTS), d.pick(lexicon.WEEKDAYS)
    kind = d.pick(("today", "event", "event", "both", "opens"))
    if kind == "today":
        return f"today is {weekday.en}, {day.en}.", f"오늘은 {d.is_(f'{day.ko} {weekday.ko}')}."
    if kind == "opens":
        place, does = d.pick(SHOPS), d.pick(words("open=문을_열, close=문을_닫"))
        end = d.end(predicate(does.ko), "future")
        return f"{place.en} will {does.en} on {day.en}.", f"{place.ko}은(는) {day.ko}에 {end}."
    past = d.chance(0.4)
    en = f"the {event.en} {'was' if past else 'is'} on "
    if kind == "both":
        return f"{en}{weekday.en}, {day.en}.", f"{event.ko}은(는) {d.is_(f'{day.ko} {weekday.ko}', past=past)}."
    return f"{en}{day.en}.", f"{event.ko}은(는) {d.is_(day.ko, past=past)}."


@family(3)
def when_is(d: Draw) -> tuple[str, str]:
    event = d.pick((*lexicon.EVENTS, Word("birthday", "생일")))
    if event.en == "birthday":
        whose = d.owner()
        what = Word(f"{whose.en} birthday", f"{whose.ko} 생일")
    else:
        what = Word(f"the {event.en}", event.ko)
    if d.chance(0.4):
        return f"when is {what.en}?", f"{what.ko}은(는) {d.is_('언제', question=True)}?"
    day = d.pick(lexicon.WEEKDAYS) if d.chance(0.4) else date(d)
    return f"is {what.en} on {day.en}?", f"{what.ko}은(는) {d.is_(day.ko, question=True)}?"


@family(4)
def birthday(d: Draw) -> tuple[str, str]:
    who = d.subject(elders=True)
    day, year = date(d), 1950 if who.elder else d.pick((1990, 1998, 2003))
    kind = d.pick(("day", "day", "year", "both"))
    if kind == "day" and who.person != "we" and not who.elder:
        mine = Word("my", d.my()) if who.person == "I" else Word(f"{who.en}'s", f"{who.ko}의")
        return f"{mine.en} birthday is {day.en}.", f"{mine.ko} 생일은 {d.is_(day.ko)}."
    en, ko = (f"on {day.en}, {year}", f"{year}년 {day.ko}에") if kind == "both" else (f"in {year}", f"{year}년에")
    end = d.end(predicate("태어나"), "past", who)
    return f"{d.be(who, 'past')} born {en}.", f"{who.ko}은(는) {ko} {end}."


@family(2)
def trip(d: Draw) -> tuple[str, str]:
    """To a city on a date."""
    who, day, city = d.subject(elders=True), date(d), d.pick(lexicon.CITIES)
    tense = d.pick(("past", "future"))
    says = d.says(who, f"go to {city.en}", When(tense, "", ""))
    end = d.end(predicate("가"), tense, who)
    return f"{says} on {day.en}.", f"{who.ko}은(는) {day.ko}에 {city.ko}에 {end}."


@family(9, announced=True)
def timetable(d: Draw) -> tuple[str, str]:
    """What starts, ends, leaves, arrives, opens or closes at a time."""
    kind = d.pick(("event", "line", "place"))
    if kind == "event":
        event = d.pick(lexicon.EVENTS)
        what, (verb, ko) = Word(f"the {event.en}", event.ko), d.pick(words("start=시작하, end=끝나"))
    elif kind == "line":
        line, city = d.pick(words("bus=버스, train=기차")), d.pick([c for c in lexicon.CITIES if c.en in OVERLAND])
        what, (verb, ko) = Word(f"the {line.en} to {city.en}", f"{city.ko}행 {line.ko}"), words("leave=출발하")[0]
    else:
        what, (verb, ko) = d.pick(SHOPS), d.pick(words("open=문을_열, close=문을_닫"))
    end = predicate(ko)
    if d.chance(0.4):
        return f"what time does {what.en} {verb}?", f"{what.ko}은(는) 몇 시에 {d.end(end, 'present', question=True)}?"
    if kind == "place" and d.chance(0.3):
        start, stop = clock(d, "AM"), clock(d, "PM")
        en = f"{what.en} is open from {start.en} to {stop.en}"
        return f"{en}.", f"{what.ko}은(는) {start.ko}부터 {stop.ko}까지 {d.end(predicate('문을_열'), 'present')}."
    time = clock(d, {"open": "AM", "close": "PM"}.get(verb, ""))
    return f"{what.en} {english.third(verb)} at {time.en}.", f"{what.ko}은(는) {time.ko}에 {d.end(end, 'present')}."


# What one does for some time.
LASTING = {"study", "wait for", "listen to", "clean", "read", "watch", "walk", "work", "swim"}


@family(5)
def daily(d: Draw) -> tuple[str, str]:
    """The hour now, the hours of the day, and meetings."""
    kind = d.pick(("now", "up", "bed", "shall", "study"))
    who = d.subject()
    if kind == "now":
        time = clock(d)
        return f"it is {time.en} now.", f"지금은 {d.is_(time.ko)}."
    if kind == "shall" and d.level != "formal":
        time, place = clock(d), d.pick(NEAR)
        end = f"만날까{'요' if d.level == 'polite' else ''}"
        return f"shall we meet {located(place)} at {time.en}?", f"{time.ko}에 {place.ko}에서 {end}?"
    if kind in ("up", "bed"):
        verb, half, ko, hours = (
            ("get up", "AM", "일어나", range(5, 10)) if kind == "up" else ("go to bed", "PM", "자", range(9, 12))
        )
        when, time = d.when("present"), clock(d, half, hours)
        if not when.before_verb:
            yesterday = When("past", "yesterday", "어제")
            when = d.pick((When("present", "every day", "매일"), yesterday, yesterday))
        en = phrase(d.says(who, verb, when), f"at {time.en}", "" if when.before_verb else when.en)
        return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, f"{time.ko}에", d.end(predicate(ko), when.tense)) + "."
    verb = d.pick([verb for verb in lexicon.VERBS if verb.en in LASTING and verb.objects])
    thing = d.pick(verb.objects)
    start, stop = clock(d, "AM"), clock(d, "PM")
    says = d.says(who, verb.en, PAST)
    body = phrase(f"{start.ko}부터 {stop.ko}까지", accusative(thing), d.end(verb.ko, "past"))
    return f"{says} {thing.en} from {start.en} to {stop.en}.", f"{who.ko}은(는) {body}."


# --- spans of time ---------------------------------------------------------------------------------------------------


def span(d: Draw, *units: str, most: int = 99) -> Word:
    """So many minutes, hours, weeks, months or years: native numerals with 시간, Sino-Korean with the others."""
    unit = d.pick(units)
    numeral, ko, limit = {
        "minute": (sino, " 분", 59), "hour": (native, " 시간", 9),
        "month": (sino, " 개월", 11), "year": (sino, " 년", 30),
    }[unit]  # fmt: skip
    number = d.rng.randint(2, min(most, limit))
    return Word(english.counted(number, unit), numeral(number) + ko)


@family(5)
def for_long(d: Draw) -> tuple[str, str]:
    """동안 and 전에."""
    who = d.subject()
    kind = d.pick(("for", "for", "ago", "ago", "lived"))
    if kind == "lived":
        city, long = d.pick(lexicon.CITIES), span(d, "month", "year")
        en = f"{d.says(who, 'live', PAST)} in {city.en} for {long.en}"
        return f"{en}.", f"{who.ko}은(는) {city.ko}에서 {long.ko} 동안 {d.end(predicate('살'), 'past')}."
    if kind == "ago":
        verb, thing, place = action(d, place=0.3, objects=True)
        while verb.en in ("wait for", "help", "take"):
            verb, thing, place = action(d, place=0.3, objects=True)
        hours = verb.en in ("eat", "drink", "clean", "listen to", "make", "study")
        long = span(d, "hour") if hours else span(d, "hour", "month", "year")
        en = phrase(d.says(who, verb.en, PAST), thing.en, located(place), f"{long.en} ago")
        where = f"{place.ko}에서" if place.ko else ""
        body = phrase(f"{long.ko} 전에", where, accusative(thing), d.end(verb.ko, "past"))
        return f"{en}.", f"{who.ko}은(는) {body}."
    verb = d.pick([verb for verb in lexicon.VERBS if verb.en in LASTING])
    thing = d.pick(verb.objects) if verb.objects else NO
    place = NO if verb.objects else d.pick(verb.places)
    long = span(d, "minute", "hour")
    en = phrase(d.says(who, verb.en, PAST), thing.en, located(place), f"for {long.en}")
    where = f"{place.ko}에서" if place.ko else ""
    body = phrase(where, accusative(thing), f"{long.ko} 동안", d.end(verb.ko, "past"))
    return f"{en}.", f"{who.ko}은(는) {body}."


TAKES = predicate("걸리")


@family(5)
def it_takes(d: Draw) -> tuple[str, str]:
    """Minutes in town, hours from city to city."""
    far = d.chance(0.35)
    one, other = d.two([city for city in lexicon.CITIES if city.en in OVERLAND] if far else NEAR)
    how = d.pick(BY_LAND if far else IN_TOWN)
    way = (f"from {one.en} to {other.en} {how.en}", f"{one.ko}에서 {other.ko}까지 {how.ko}")
    if d.chance(0.2):
        end = d.end(TAKES, "present", question=True)
        return f"how long does it take {way[0]}?", f"{way[1]} 얼마나 {end}?"
    long = span(d, "hour", most=6) if far else span(d, "minute")
    if far and d.chance(0.3):
        minutes = d.rng.randrange(10, 60, 10)
        long = Word(f"{long.en} and {english.number(minutes)} minutes", f"{long.ko} {sino(minutes)} 분")
    return f"it takes {long.en} {way[0]}.", f"{way[1]} {long.ko} {d.end(TAKES, 'present')}."
