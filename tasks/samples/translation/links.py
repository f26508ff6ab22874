"""Sentence families of two clauses: reasons, conditions, times, contrast, and what somebody did with a thing."""

from typing import NamedTuple

from tasks.samples.translation import english, lexicon
from tasks.samples.translation.actions import GO, NEAR, accusative, action, favor, please
from tasks.samples.translation.korean import Predicate
from tasks.samples.translation.lexicon import Word, predicate, words
from tasks.samples.translation.scene import FUTURE, NO, PAST, PRESENT, Draw, family, phrase


def deeds_of(line: str) -> list[tuple[str, Predicate]]:
    return [(en, predicate(ko)) for en, ko in (entry.strip().split("=") for entry in line.split(","))]


class Weather(NamedTuple):
    past: str
    present: str
    ko: Predicate
    deeds: list[tuple[str, Predicate]]  # what one does then


def weather(english_forms: str, korean: str, deeds: str) -> Weather:
    return Weather(*english_forms.split("/"), predicate(korean), deeds_of(deeds))


WEATHERS = [
    weather(
        "it was raining/it rains",
        "비가_오",
        "stay at home=집에_있, take a taxi=택시를_타, take the bus=버스를_타, read a novel=소설을_읽",
    ),
    weather(
        "it was snowing/it snows",
        "눈이_오",
        "stay at home=집에_있, take the subway=지하철을_타, take photos=사진을_찍, walk in the park=공원에서_걷 ㄷ",
    ),
    weather(
        "it was cold/it is cold",
        "춥 ㅂ",
        "stay at home=집에_있, take a taxi=택시를_타, drink tea=차를_마시, eat soup=수프를_먹, watch a movie=영화를_보",
    ),
    weather(
        "it was hot/it is hot",
        "덥 ㅂ",
        "stay at home=집에_있, drink water=물을_마시, eat fruit=과일을_먹, swim at the beach=바닷가에서_수영하",
    ),
    weather(
        "it was windy/it is windy",
        "바람이_불",
        "stay at home=집에_있, take the bus=버스를_타, drink tea=차를_마시, watch television=텔레비전을_보",
    ),
]
# What one asks for in such a case: -(으)니까 after a fact, -(으)면 after an if.
CASES = [
    ("it is cold", predicate("춥 ㅂ"), "close the window=창문을_닫, close the door=문을_닫, bring the tea=차를_가져오"),
    ("it is hot", predicate("덥 ㅂ"), "open the window=창문을_열, open the door=문을_열, bring the water=물을_가져오"),
    ("it is dark", predicate("어둡 ㅂ"), "turn on the light=불을_켜, open the door=문을_열"),
    (
        "it is noisy", predicate("시끄럽 ㅂ"),
        "close the window=창문을_닫, close the door=문을_닫, turn off the radio=라디오를_끄, "
        "turn off the television=텔레비전을_끄",
    ),
    ("it is windy", predicate("바람이_불"), "close the window=창문을_닫, close the door=문을_닫"),
    ("the kitchen is dirty", predicate("부엌이_더럽 ㅂ"), "wash the cups=컵을_씻, bring the water=물을_가져오"),
    (
        "the child is sleeping", predicate("아이가_자고_있"),
        "turn off the light=불을_끄, turn off the radio=라디오를_끄, turn off the television=텔레비전을_끄, "
        "close the door=문을_닫",
    ),
]  # fmt: skip
# "{be} tired", "{have} no time", and what one did for that reason.
STATES = [
    (state, predicate(ko), deeds_of(deeds))
    for state, ko, deeds in (
        ("{be} tired", "피곤하", "stay at home=집에_있, take a taxi=택시를_타, drink coffee=커피를_마시"),
        ("{be} busy", "바쁘", "take a taxi=택시를_타, eat bread=빵을_먹, work at home=집에서_일하"),
        ("{be} sick", "아프", "stay at home=집에_있, go to the hospital=병원에_가"),
        ("{be} hungry", "배가_고프", "eat noodles=국수를_먹, buy bread=빵을_사, make soup=수프를_만들"),
        (
            "{have} a headache",
            "머리가_아프",
            "stay at home=집에_있, go to the hospital=병원에_가",
        ),
        ("{have} no time", "시간이_없", "take a taxi=택시를_타, eat bread=빵을_먹"),
        ("{have} no money", "돈이_없", "stay at home=집에_있, eat bread=빵을_먹"),
    )
]


def past_time(d: Draw) -> Word:
    return d.pick([NO, *lexicon.PAST_TIMES])


@family(6)
def because(d: Draw) -> tuple[str, str]:
    """-아/어서: "Tom took a taxi because it was raining"."""
    who, time = d.subject(), past_time(d)
    if d.chance(0.5):
        reason, _, ko, deeds = d.pick(WEATHERS)
    else:
        state, ko, deeds = d.pick(STATES)
        be = "was" if who.person != "we" else "were"
        reason = f"{who.pronoun} {state.format(be=be, have='had')}"
    # Who is hungry goes all the same.
    if "고프" not in ko.stem and d.chance(0.3):
        goal = d.pick(NEAR)
        says, end = d.says(who, f"go to {goal.en}", PAST, negative=True), d.end(GO, "past", negative=True)
        end = f"{goal.ko}에 {end}"
    else:
        deed, verb = d.pick(deeds)
        says, end = d.says(who, deed, PAST), d.end(verb, "past")
    en = phrase(says, time.en, f"because {reason}")
    return f"{en}.", phrase(f"{who.ko}은(는)", time.ko, f"{ko.infinitive()}서", end) + "."


CAUSES = words("the rain=비, the snow=눈, the exam=시험, the meeting=회의, work=일, a cold=감기, a headache=두통")


@family(4)
def because_of(d: Draw) -> tuple[str, str]:
    """A noun with 때문에."""
    who, cause = d.subject(), d.pick(CAUSES)
    goal = d.pick([place for place in NEAR if place.en != "the hospital"])  # where one goes because of a cold
    if d.chance(0.5):
        time = past_time(d)
        says, end = d.says(who, "go", PAST, negative=True), d.end(GO, "past", negative=True)
    else:
        time = d.pick([NO, *lexicon.FUTURE_TIMES])
        says, end = f"{who.en} cannot go", f"{GO.eu('ㄹ')} 수 {predicate('없').end(d.level)}"
    en = phrase(says, f"to {goal.en}", time.en, f"because of {cause.en}")
    return f"{en}.", phrase(f"{who.ko}은(는)", time.ko, f"{cause.ko} 때문에", f"{goal.ko}에", end) + "."


@family(5)
def in_that_case(d: Draw) -> tuple[str, str]:
    """ "It is cold, so please close the window", "if it is cold, please close the window"."""
    case, ko, deeds = d.pick(CASES)
    deed, verb = d.pick(deeds_of(deeds))
    adverb = d.pick([NO, NO, *words("first=먼저, quickly=빨리")])
    objects, _, bare = verb.stem.rpartition(" ")
    end = favor(d.level, Predicate(phrase(objects, adverb.ko, bare), verb.irregular))
    asked = please(d, phrase(deed, adverb.en))
    if d.chance(0.5):
        return f"{case}, so {asked}.", f"{ko.eu('니까')} {end}."
    return f"if {case}, {asked}.", f"{ko.eu('면')} {end}."


@family(4)
def if_weather(d: Draw) -> tuple[str, str]:
    (_, case, ko, deeds), who = d.pick(WEATHERS), d.subject()
    time = d.pick(lexicon.FUTURE_TIMES)
    deed, verb = d.pick(deeds)
    en = f"if {case} {time.en}, {d.says(who, deed, FUTURE)}"
    return f"{en}.", f"{time.ko} {ko.eu('면')} {who.ko}은(는) {d.end(verb, 'future')}."


@family(3)
def if_possible(d: Draw) -> tuple[str, str]:
    """Somebody has the time or the money."""
    who, time = d.subject(), d.pick([NO, *lexicon.FUTURE_TIMES])
    means = d.pick(words("time=시간, money=돈"))
    verb, thing, _ = action(d, place=0, objects=True)
    if means.en == "money":
        verb = next(verb for verb in lexicon.VERBS if verb.en == "buy")
        thing = d.pick(words("a car=자동차, a camera=카메라, a bicycle=자전거, a computer=컴퓨터"))
    has = d.says(who, f"have {means.en}", PRESENT)
    en = f"if {phrase(has, time.en)}, {who.pronoun} will {verb.en} {thing.en}"
    ko = phrase(f"{who.ko}은(는)", time.ko, f"{means.ko}이(가) 있으면", accusative(thing), d.end(verb.ko, "future"))
    return f"{en}.", f"{ko}."


PASTIMES = deeds_of(
    "listen to music=음악을_듣 ㄷ, drink coffee=커피를_마시, drink tea=차를_마시, read a novel=소설을_읽, "
    "walk in the park=공원에서_걷 ㄷ, watch a movie=영화를_보, eat noodles=국수를_먹, "
    "sing songs=노래를_부르 르, meet a friend=친구를_만나"
)
FEELINGS = [
    ("{be} tired", predicate("피곤하")),
    ("{be} happy", predicate("행복하")),
    ("{be} hungry", predicate("배가_고프")),
    ("{have} time", predicate("시간이_있")),
]


@family(4)
def whenever(d: Draw) -> tuple[str, str]:
    """-(으)ㄹ 때."""
    who = d.subject()
    if d.chance(0.4):
        _, case, ko, deeds = d.pick(WEATHERS)
    else:
        state, ko = d.pick(FEELINGS)
        be = {"I": "am", "we": "are"}.get(who.person, "is")
        case = f"{who.pronoun} {state.format(be=be, have='has' if who.person == 'third' else 'have')}"
        deeds = PASTIMES
        if "고프" in ko.stem:
            deeds = deeds_of("eat noodles=국수를_먹, eat bread=빵을_먹, eat fruit=과일을_먹, make soup=수프를_만들")
    deed, verb = d.pick(deeds)
    says = d.says(who, deed, PRESENT)
    return f"{says} when {case}.", f"{who.ko}은(는) {ko.eu('ㄹ')} 때 {d.end(verb, 'present')}."


# What one does one after the other.
SEQUENT = [
    verb
    for verb in lexicon.VERBS
    if verb.en in {"eat", "drink", "read", "write", "buy", "study", "make", "clean", "listen to"}
]


@family(5)
def two_deeds(d: Draw) -> tuple[str, str]:
    """One after the other: -고, -기 전에, -(으)ㄴ 후에."""
    who, link = d.subject(), d.pick(("and", "before", "after"))
    verb, other = d.two(SEQUENT)
    while verb.en == other.en:
        verb, other = d.two(SEQUENT)
    thing, other_thing = d.pick(verb.objects), d.pick(other.objects)
    while thing.ko == other_thing.ko:
        other_thing = d.pick(other.objects)
    time = past_time(d)
    says = f"{d.says(who, verb.en, PAST)} {thing.en}"
    body, end = accusative(thing), d.end(verb.ko, "past")
    if link == "and":
        says = phrase(says, "and", english.past(other.en), other_thing.en, time.en)
        first = f"{body} {verb.ko.stem}고"
        body, end = accusative(other_thing), d.end(other.ko, "past")
    else:
        says = phrase(says, link, english.ing(other.en), other_thing.en, time.en)
        form = f"{other.ko.stem}기 전에" if link == "before" else f"{other.ko.attributive(past=True)} 후에"
        first = f"{accusative(other_thing)} {form}"
    return f"{says}.", phrase(f"{who.ko}은(는)", time.ko, first, body, end) + "."


# Things by what one does with them, and what can be said of the result.
WORKS = [
    ("make", predicate("만들"), words("cake=케이크, soup=수프, bread=빵"), "delicious=맛있, sweet=달"),
    ("buy", predicate("사"), words("cake=케이크, soup=수프, bread=빵"), "delicious=맛있, cheap=싸"),
    (
        "buy", predicate("사"), words("hat=모자, bag=가방, umbrella=우산, shirt=셔츠"),
        "pretty=예쁘, cheap=싸, expensive=비싸, light=가볍 ㅂ, heavy=무겁 ㅂ",
    ),
    (
        "read", predicate("읽"), words("book=책, novel=소설, letter=편지"),
        "interesting=재미있, boring=지루하, long=길, short=짧",
    ),
    (
        "write", predicate("쓰"), words("book=책, novel=소설, letter=편지"),
        "interesting=재미있, boring=지루하, long=길, short=짧",
    ),
    ("watch", predicate("보"), words("movie=영화"), "interesting=재미있, boring=지루하, long=길, short=짧"),
]  # fmt: skip


@family(5)
def relative(d: Draw) -> tuple[str, str]:
    """ "The cake that Jane made was delicious"."""
    verb, ko, things, qualities = d.pick(WORKS)
    who, thing, quality = d.subject(), d.pick(things), d.pick(lexicon.adjectives(qualities))
    time = d.pick([NO, NO, *words("yesterday=어제, last week=지난주에")])
    tense = d.pick(("past", "present"))
    says = phrase(d.says(who, verb, PAST), time.en)
    modifier = phrase(d.nominative(who), time.ko, ko.attributive(past=True))
    en = f"the {thing.en} that {says} {'was' if tense == 'past' else 'is'} {quality.en}"
    return f"{en}.", f"{modifier} {thing.ko}은(는) {d.end(quality.ko, tense)}."


# What one may like more or less than the others in its line.
LIKABLE = [
    words("coffee=커피, tea=차, milk=우유, juice=주스, water=물, wine=와인"),
    words("bread=빵, meat=고기, fruit=과일, soup=수프, noodles=국수, kimchi=김치"),
    words("cats=고양이, dogs=개, rabbits=토끼, horses=말, birds=새"),
    words("math=수학, history=역사, English=영어, Korean=한국어"),
]


@family(5)
def liking(d: Draw) -> tuple[str, str]:
    who, (one, two) = d.subject(), d.two(d.pick(LIKABLE))
    likes = d.says(who, "like", PRESENT)
    end = d.end(predicate("좋아하"), "present")
    kind = d.pick(("more", "but not", "others"))
    if kind == "more":
        return f"{likes} {one.en} more than {two.en}.", f"{who.ko}은(는) {two.ko}보다 {one.ko}을(를) 더 {end}."
    if kind == "but not":
        no = d.says(who, "like", PRESENT, negative=True).removeprefix(f"{who.en} ")
        end = d.end(predicate("좋아하"), "present", negative=True)
        return f"{likes} {one.en} but {no} {two.en}.", f"{who.ko}은(는) {one.ko}은(는) 좋아하지만 {two.ko}은(는) {end}."
    other = d.name(but=who.en)
    en = f"{likes} {one.en}, but {d.says(other, 'like', PRESENT)} {two.en}"
    return f"{en}.", f"{who.ko}은(는) {one.ko}을(를) 좋아하지만 {other.ko}은(는) {two.ko}을(를) {end}."
