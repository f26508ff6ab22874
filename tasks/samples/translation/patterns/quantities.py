"""Patterns with numbers: counting, prices, ages, floors, buses and arithmetic."""

from tasks.samples.korean_morphology import Predicate, native_korean, sino_korean
from tasks.samples.translation import english_morphology as english
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import PRESENT, Draw, Pair, phrase
from tasks.samples.translation.lexicon import VERBS, Word
from tasks.samples.translation.patterns.phrases import EXIST, GO, imperative, please

LIMITS = {"잔": 6, "대": 4, "병": 10}  # the largest natural numbers with these counters
GIFTS = lexicon.noun_group("gifts")
WORKPLACES = lexicon.noun_group("workplaces")
PLACES_ON_A_FLOOR = lexicon.place_group("on_a_floor")
# Verbs and the counters of their objects.
COUNTED_ACTIONS = [
    ("buy", "개"), ("buy", "권 장"), ("buy", "송이"), ("buy", "병"), ("buy", "대"), ("see", "마리"), ("drink", "잔"),
]  # fmt: skip


def count(d: Draw, counters: str, limit: int = 20) -> tuple[Word, Word]:
    """Draw a number of things.

    Args:
        d: The draws of the sentence.
        counters: The Korean counters to choose from, separated by spaces.
        limit: The largest number, unless `LIMITS` has a smaller one for the counter.

    Returns:
        The things, with their number in English, and the number with its counter in Korean only.
    """
    counter = d.pick(counters.split())
    thing = d.pick(lexicon.COUNTERS[counter])
    number = 1 if d.chance(0.2) else d.rng.randint(2, LIMITS.get(counter, limit))
    return Word(english.counted(number, thing.en), thing.ko), Word("", f"{native_korean(number)} {counter}")


def existence(d: Draw) -> Pair:
    """Say or ask how many things or living beings are at a place."""
    things, counter, places = d.pick(lexicon.GATHERINGS)
    thing, place, number = d.pick(things), d.pick(places), d.rng.randint(1, 20)
    past = d.chance(0.3)
    kind = d.pick(("there", "there", "how many"))
    tense = "past" if past else "present"
    if kind == "how many":
        be = "were" if past else "are"
        en = f"how many {english.plural(thing.en)} {be} there {place.en}"
        return f"{en}?", f"{place.ko}에 {thing.ko}이(가) 몇 {counter} {d.finite(EXIST, tense, question=True)}?"
    be = ("was" if number == 1 else "were") if past else ("is" if number == 1 else "are")
    en = f"there {be} {english.counted(number, thing.en)} {place.en}"
    return f"{en}.", f"{place.ko}에 {thing.ko}이(가) {native_korean(number)} {counter} {d.finite(EXIST, tense)}."


def possession(d: Draw) -> Pair:
    """Say how many animals somebody has."""
    who = d.subject()
    thing, number = count(d, "마리", 9)
    has = d.clause(who, "have", PRESENT)
    return f"{has} {thing.en}.", f"{who.ko}은(는) {thing.ko}이(가) {number.ko} {d.finite(EXIST, 'present')}."


def counted_objects(d: Draw) -> Pair:
    """Say how many things somebody buys, sees or drinks."""
    verb, counters = d.pick(COUNTED_ACTIONS)
    who, when = d.subject(), d.time("past", "past", "future")
    thing, number = count(d, counters)
    objects, korean = thing.en, f"{thing.ko} {number.ko}"
    if d.chance(0.4):
        other, other_number = count(d, counters)
        if other.ko != thing.ko:
            objects, korean = f"{objects} and {other.en}", f"{korean}과(와) {other.ko} {other_number.ko}"
    en = phrase(d.clause(who, verb, when), objects, when.en)
    return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, f"{korean}을(를)", d.finite(VERBS[verb], when.tense)) + "."


def order(d: Draw) -> Pair:
    """Order something by its number: 커피 두 잔 주세요."""
    counters = d.pick(("잔", "잔", "병", "권 장", "송이"))
    (thing, number), (other, other_number) = count(d, counters), count(d, counters)
    en, ko = thing.en, f"{thing.ko} {number.ko}"
    if other.ko != thing.ko and d.chance(0.4):
        en, ko = f"{en} and {other.en}", f"{ko}과(와) {other.ko} {other_number.ko}"
    end = {"polite": "주세요", "formal": "주십시오", "plain": "줘"}[d.level]
    return f"{please(d, f'give me {en}')}.", f"{ko} {end}."


def indirect_object(d: Draw) -> Pair:
    """Say what somebody gives or sends to somebody: 에게."""
    verb = d.pick(("give", "send"))
    who, when = d.subject(), d.time("past", "past", "future")
    other = d.person(other_than=who.en)
    if d.chance(0.5):
        thing, number = count(d, "개 권 장 송이", 12)
        things, objects = thing.en, f"{thing.ko} {number.ko}"
    else:
        things, objects = d.pick(GIFTS)
    en = phrase(d.clause(who, verb, when), other.en, things, when.en)
    end = d.finite(VERBS[verb], when.tense)
    return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, f"{other.ko}에게", f"{objects}을(를)", end) + "."


def price(d: Draw) -> Pair:
    """Say or ask what something costs."""
    things, amounts = d.pick(lexicon.PRICES)
    thing, won = d.pick(things), d.pick(amounts)
    this = d.pick(lexicon.THIS_THAT)
    kind = d.pick(("costs", "costs", "for", "for", "how much", "some"))
    if kind == "how much":
        return f"how much is {this.en} {thing.en}?", f"{this.ko} {thing.ko}은(는) {d.copula('얼마', question=True)}?"
    if kind == "costs":
        return f"{this.en} {thing.en} costs {won:,} won.", f"{this.ko} {thing.ko}은(는) {d.copula(f'{won:,}원')}."
    if kind == "some":
        thing, won = d.pick(lexicon.PRICES[0].things), d.pick((500, 1_000, 1_500, 2_000))
        counter = next(counter for counter, counted in lexicon.COUNTERS.items() if thing in counted)
        number = d.rng.randint(2, 9)
        en = f"{english.counted(number, thing.en)} cost {number * won:,} won"
        return f"{en}.", f"{thing.ko} {native_korean(number)} {counter}은(는) {d.copula(f'{number * won:,}원')}."
    who, when = d.subject(), d.time("past")
    en = f"{d.clause(who, 'buy', when)} the {thing.en} for {won:,} won {when.en}"
    end = d.finite(VERBS["buy"], "past")
    return f"{en}.", f"{who.ko}은(는) {when.ko} {thing.ko}을(를) {won:,}원에 {end}."


def age(d: Draw) -> Pair:
    """Say or ask how old somebody is."""
    who, number = d.subject(), d.rng.randint(2, 49)
    if d.chance(0.2):
        who = d.person()
        return f"how old is {who.en}?", f"{who.ko}은(는) 몇 {d.copula('살', question=True)}?"
    years = english.counted(number, "year")
    return f"{d.be(who)} {years} old.", f"{who.ko}은(는) {native_korean(number)} {d.copula('살')}."


def floor(d: Draw) -> Pair:
    """Say or ask on which floor something is."""
    number = d.rng.randint(1, 6)
    nth, ko = english.ORDINALS[number], f"{sino_korean(number)} 층"
    kind = d.pick(("where", "where", "go", "which"))
    if kind == "go":
        up = d.pick((Word("up", "올라가"), Word("down", "내려가")))
        return f"{please(d, f'go {up.en} to the {nth} floor')}.", f"{ko}(으)로 {imperative(d.level, Predicate(up.ko))}."
    if d.chance(0.6):
        whose, what = d.owner(), d.pick(WORKPLACES)
        place = Word(f"{whose.en} {what.en}", f"{whose.ko} {what.ko}")
    else:
        place = d.pick(PLACES_ON_A_FLOOR)
    if kind == "which":
        return (
            f"which floor is {place.en} on?",
            f"{place.ko}은(는) 몇 층에 {d.finite(EXIST, 'present', question=True)}?",
        )
    return f"{place.en} is on the {nth} floor.", f"{place.ko}은(는) {ko}에 {d.finite(EXIST, 'present')}."


def bus_number(d: Draw) -> Pair:
    """Say or ask which bus goes where."""
    number, goal = d.rng.randint(1, 31), d.pick((*lexicon.DESTINATIONS, *lexicon.KOREAN_CITIES))
    kind = d.pick(("goes", "does", "take", "which"))
    to = f"{goal.ko}(으)로"
    if kind == "take":
        stop = d.pick(lexicon.DESTINATIONS)
        ask = please(d, f"take bus {number} at {stop.en}")
        return f"{ask}.", f"{stop.ko}에서 {number}번 버스를 {imperative(d.level, Predicate('타'))}."
    if kind == "which":
        return f"which bus goes to {goal.en}?", f"어느 버스가 {to} {d.finite(GO, 'present', question=True)}?"
    if kind == "does":
        end = d.finite(GO, "present", question=True)
        return f"does bus {number} go to {goal.en}?", f"{number}번 버스는 {to} {end}?"
    return f"bus {number} goes to {goal.en}.", f"{number}번 버스는 {to} {d.finite(GO, 'present')}."


def arithmetic(d: Draw) -> Pair:
    """State a sum, difference or product, with particles after numerals: 삼 더하기 사는 칠이에요."""
    one, other = d.rng.randint(1, 12), d.rng.randint(1, 20)
    sign = d.pick((Word("plus", "더하기"), Word("minus", "빼기"), Word("times", "곱하기")))
    if sign.en == "times":
        one, other = d.rng.randint(1, 6), d.rng.randint(1, 9)
        result = one * other
    elif sign.en == "plus":
        result = one + other
    else:
        one, other = one + other, one
        result = one - other
    en = f"{english.numeral(one)} {sign.en} {english.numeral(other)}"
    ko = f"{sino_korean(one)} {sign.ko} {sino_korean(other)}은(는)"
    if d.chance(0.2):
        return f"what is {en}?", f"{ko} {d.copula('얼마', question=True)}?"
    return f"{en} is {english.numeral(result)}.", f"{ko} {d.copula(sino_korean(result))}."
