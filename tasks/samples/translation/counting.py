"""Sentence families with numbers: counting, prices, ages, floors, buses, sums."""

from tasks.samples.translation import english, lexicon
from tasks.samples.translation.actions import NEAR, OVERLAND, directive, please
from tasks.samples.translation.korean import native, sino
from tasks.samples.translation.lexicon import Word, predicate, words
from tasks.samples.translation.scene import PRESENT, Draw, family, phrase

EXISTS = predicate("있")
THIS = words("this=이, that=저")
MOST = {"잔": 6, "대": 4, "병": 10}  # of these one does not take twenty


def count(d: Draw, counters: str, most: int = 20) -> tuple[Word, Word]:
    """So many of something: the thing with its number, and the number with its counter in Korean."""
    counter = d.pick(counters.split())
    thing = d.pick(lexicon.ANIMALS if counter == "마리" else lexicon.COUNTERS[counter])
    number = 1 if d.chance(0.2) else d.rng.randint(2, MOST.get(counter, most))
    return Word(english.counted(number, thing.en), thing.ko), Word("", f"{native(number)} {counter}")


# What there is to count, and where.
GATHERINGS = [
    (lexicon.ANIMALS, "마리", words("in the park=공원")),
    (lexicon.VISITORS, "명", words("at the hotel=호텔, in the hospital=병원, in the museum=박물관, at the station=역")),
    (words("chair=의자, box=상자, bag=가방, hat=모자"), "개", words("in the room=방, in the office=사무실")),
    (words("bicycle=자전거"), "대", words("in the park=공원, at the station=역, at the hotel=호텔")),
    (words("book=책, dictionary=사전"), "권", words("in the room=방, in the library=도서관")),
]


@family(9)
def there_are(d: Draw) -> tuple[str, str]:
    things, counter, places = d.pick(GATHERINGS)
    thing, place, number = d.pick(things), d.pick(places), d.rng.randint(1, 20)
    past = d.chance(0.3)
    kind = d.pick(("there", "there", "how many"))
    tense = "past" if past else "present"
    if kind == "how many":
        be = "were" if past else "are"
        en = f"how many {english.plural(thing.en)} {be} there {place.en}"
        return f"{en}?", f"{place.ko}에 {thing.ko}이(가) 몇 {counter} {d.end(EXISTS, tense, question=True)}?"
    be = ("was" if number == 1 else "were") if past else ("is" if number == 1 else "are")
    en = f"there {be} {english.counted(number, thing.en)} {place.en}"
    return f"{en}.", f"{place.ko}에 {thing.ko}이(가) {native(number)} {counter} {d.end(EXISTS, tense)}."


@family(3)
def possession(d: Draw) -> tuple[str, str]:
    who = d.subject()
    thing, number = count(d, "마리", 9)
    has = d.says(who, "have", PRESENT)
    return f"{has} {thing.en}.", f"{who.ko}은(는) {thing.ko}이(가) {number.ko} {d.end(EXISTS, 'present')}."


# What one does with counted things.
TRADES = [
    ("buy", predicate("사"), "개"),
    ("buy", predicate("사"), "권 장"),
    ("buy", predicate("사"), "송이"),
    ("buy", predicate("사"), "병"),
    ("buy", predicate("사"), "대"),
    ("see", predicate("보"), "마리"),
    ("drink", predicate("마시"), "잔"),
]


@family(9)
def counted_objects(d: Draw) -> tuple[str, str]:
    verb, ko, counters = d.pick(TRADES)
    who, when = d.subject(), d.when("past", "past", "future")
    thing, number = count(d, counters)
    objects, korean = thing.en, f"{thing.ko} {number.ko}"
    if d.chance(0.4):
        other, other_number = count(d, counters)
        if other.ko != thing.ko:
            objects, korean = f"{objects} and {other.en}", f"{korean}과(와) {other.ko} {other_number.ko}"
    en = phrase(d.says(who, verb, when), objects, when.en)
    return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, f"{korean}을(를)", d.end(ko, when.tense)) + "."


@family(6)
def order(d: Draw) -> tuple[str, str]:
    """At a counter: 커피 두 잔 주세요."""
    counters = d.pick(("잔", "잔", "병", "권 장", "송이"))
    (thing, number), (other, other_number) = count(d, counters), count(d, counters)
    en, ko = thing.en, f"{thing.ko} {number.ko}"
    if other.ko != thing.ko and d.chance(0.4):
        en, ko = f"{en} and {other.en}", f"{ko}과(와) {other.ko} {other_number.ko}"
    end = {"polite": "주세요", "formal": "주십시오", "plain": "줘"}[d.level]
    return f"{please(d, f'give me {en}')}.", f"{ko} {end}."


@family(5)
def giving(d: Draw) -> tuple[str, str]:
    """To somebody: 에게."""
    verb, ko = d.pick((("give", predicate("주")), ("send", predicate("보내"))))
    who, when = d.subject(), d.when("past", "past", "future")
    other = d.name(but=who.en)
    if d.chance(0.5):
        thing, number = count(d, "개 권 장 송이", 12)
        things, objects = thing.en, f"{thing.ko} {number.ko}"
    else:
        things, objects = d.pick(words("a present=선물, a letter=편지, a ticket=표, a book=책, flowers=꽃"))
    en = phrase(d.says(who, verb, when), other.en, things, when.en)
    end = d.end(ko, when.tense)
    return f"{en}.", phrase(f"{who.ko}은(는)", when.ko, f"{other.ko}에게", f"{objects}을(를)", end) + "."


@family(9)
def price(d: Draw) -> tuple[str, str]:
    amounts, things = d.pick(lexicon.PRICES)
    thing, won = d.pick(things), d.pick(amounts)
    this = d.pick(THIS)
    kind = d.pick(("costs", "costs", "for", "for", "how much", "some"))
    if kind == "how much":
        return f"how much is {this.en} {thing.en}?", f"{this.ko} {thing.ko}은(는) {d.is_('얼마', question=True)}?"
    if kind == "costs":
        return f"{this.en} {thing.en} costs {won:,} won.", f"{this.ko} {thing.ko}은(는) {d.is_(f'{won:,}원')}."
    if kind == "some":
        thing, won = d.pick(lexicon.PRICES[0][1]), d.pick((500, 1_000, 1_500, 2_000))
        counter = next(counter for counter, counted in lexicon.COUNTERS.items() if thing in counted)
        number = d.rng.randint(2, 9)
        en = f"{english.counted(number, thing.en)} cost {number * won:,} won"
        return f"{en}.", f"{thing.ko} {native(number)} {counter}은(는) {d.is_(f'{number * won:,}원')}."
    who, when = d.subject(), d.when("past")
    en = f"{d.says(who, 'buy', when)} the {thing.en} for {won:,} won {when.en}"
    end = d.end(predicate("사"), "past")
    return f"{en}.", f"{who.ko}은(는) {when.ko} {thing.ko}을(를) {won:,}원에 {end}."


# --- other numbers ---------------------------------------------------------------------------------------------------


@family(3)
def age(d: Draw) -> tuple[str, str]:
    who, number = d.subject(), d.rng.randint(2, 49)
    if d.chance(0.2):
        who = d.name()
        return f"how old is {who.en}?", f"{who.ko}은(는) 몇 {d.is_('살', question=True)}?"
    years = english.counted(number, "year")
    return f"{d.be(who)} {years} old.", f"{who.ko}은(는) {native(number)} {d.is_('살')}."


@family(7)
def on_floor(d: Draw) -> tuple[str, str]:
    floor = d.rng.randint(1, 6)
    nth, ko = english.ORDINALS[floor], f"{sino(floor)} 층"
    kind = d.pick(("where", "where", "go", "which"))
    if kind == "go":
        up = d.pick((Word("up", "올라가"), Word("down", "내려가")))
        return f"{please(d, f'go {up.en} to the {nth} floor')}.", f"{ko}(으)로 {directive(d.level, predicate(up.ko))}."
    if d.chance(0.6):
        whose, what = d.owner(), d.pick(words("office=사무실, room=방"))
        place = Word(f"{whose.en} {what.en}", f"{whose.ko} {what.ko}")
    else:
        place = d.pick([lexicon.PLACES[name] for name in ("café", "bookstore", "restaurant", "bank", "library")])
    if kind == "which":
        return f"which floor is {place.en} on?", f"{place.ko}은(는) 몇 층에 {d.end(EXISTS, 'present', question=True)}?"
    return f"{place.en} is on the {nth} floor.", f"{place.ko}은(는) {ko}에 {d.end(EXISTS, 'present')}."


@family(4)
def bus_number(d: Draw) -> tuple[str, str]:
    number, goal = d.rng.randint(1, 31), d.pick((*NEAR, *(c for c in lexicon.CITIES if c.en in OVERLAND)))
    kind = d.pick(("goes", "does", "take", "which"))
    to = f"{goal.ko}(으)로"
    if kind == "take":
        stop = d.pick(NEAR)
        ask = please(d, f"take bus {number} at {stop.en}")
        return f"{ask}.", f"{stop.ko}에서 {number}번 버스를 {directive(d.level, predicate('타'))}."
    if kind == "which":
        return f"which bus goes to {goal.en}?", f"어느 버스가 {to} {d.end(predicate('가'), 'present', question=True)}?"
    if kind == "does":
        end = d.end(predicate("가"), "present", question=True)
        return f"does bus {number} go to {goal.en}?", f"{number}번 버스는 {to} {end}?"
    return f"bus {number} goes to {goal.en}.", f"{number}번 버스는 {to} {d.end(predicate('가'), 'present')}."


@family(4)
def sums(d: Draw) -> tuple[str, str]:
    """Plus, minus, times, with particles after numerals: 삼 더하기 사는 칠이에요."""
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
    en = f"{english.number(one)} {sign.en} {english.number(other)}"
    ko = f"{sino(one)} {sign.ko} {sino(other)}은(는)"
    if d.chance(0.2):
        return f"what is {en}?", f"{ko} {d.is_('얼마', question=True)}?"
    return f"{en} is {english.number(result)}.", f"{ko} {d.is_(sino(result))}."
