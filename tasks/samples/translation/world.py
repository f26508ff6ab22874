"""Sentence families of how things are: who and what, qualities, comparison, weather, places and the way there."""

from tasks.samples.translation import english, lexicon
from tasks.samples.translation.actions import NEAR, directive, please
from tasks.samples.translation.korean import Predicate
from tasks.samples.translation.lexicon import Adjective, Word, predicate, words
from tasks.samples.translation.scene import NO, PRESENT, Draw, When, family, phrase

EXISTS = predicate("있")


def is_or_not(what: str, *, tense: str = "present", negative: bool, short: bool) -> str:
    """ "This hat is", "the room wasn't"."""
    verb = "was" if tense == "past" else "is"
    return f"{what} {verb}" + (("n't" if short else " not") if negative else "")


# --- who and what ----------------------------------------------------------------------------------------------------


@family(5)
def job(d: Draw) -> tuple[str, str]:
    who, (one, other) = d.subject(), d.two(lexicon.JOBS)
    while who.person == "we":
        who = d.subject()
    kind = d.pick(("is", "is", "is not", "is not", "but", "is?"))
    if kind == "is?":
        who = d.name()
        return f"is {who.en} {english.indefinite(one.en)}?", f"{who.ko}은(는) {d.is_(one.ko, question=True)}?"
    if kind == "but":
        en = f"{who.en} {'am' if who.person == 'I' else 'is'} not {english.indefinite(one.en)}"
        return f"{en} but {english.indefinite(other.en)}.", f"{who.ko}은(는) {one.ko}이(가) 아니라 {d.is_(other.ko)}."
    past, negative = d.chance(0.5), kind == "is not"
    be = d.be(who, "past" if past else "present", negative=negative, short=d.friendly)
    en = f"{be} {english.indefinite(one.en)}"
    return f"{en}.", f"{who.ko}은(는) {d.is_(one.ko, past=past, negative=negative)}."


BELONGINGS = words(
    "hat=모자, umbrella=우산, bag=가방, chair=의자, book=책, dictionary=사전, "
    "bicycle=자전거, computer=컴퓨터, camera=카메라, key=열쇠, cup=컵, room=방"
)
THIS = words("this=이것, that=저것")


@family(5)
def whose(d: Draw) -> tuple[str, str]:
    this, thing, owner = d.pick(THIS), d.pick(BELONGINGS), d.owner()
    kind = d.pick(("is", "is", "is not", "is?", "whose"))
    if kind == "whose":
        return f"whose {thing.en} is {this.en}?", f"{this.ko}은 누구의 {d.is_(thing.ko, question=True)}?"
    noun = f"{owner.ko} {thing.ko}"
    if kind == "is?":
        return f"is {this.en} {owner.en} {thing.en}?", f"{this.ko}은 {d.is_(noun, question=True)}?"
    negative = kind == "is not"
    be = is_or_not(this.en, negative=negative, short=d.friendly)
    return f"{be} {owner.en} {thing.en}.", f"{this.ko}은 {d.is_(noun, negative=negative)}."


@family(3)
def home_town(d: Draw) -> tuple[str, str]:
    kind, city = d.pick(("live", "live", "from", "from", "live?", "from?")), d.pick(lexicon.CITIES)
    who = d.name() if kind.endswith("?") else d.subject()
    topic = f"{who.ko}은(는)"
    if kind == "live?":
        return f"where does {who.en} live?", f"{topic} 어디에 {d.end(predicate('살'), 'present', question=True)}?"
    if kind == "from?":
        return f"where is {who.en} from?", f"{topic} 어디에서 {d.end(predicate('오'), 'past', question=True)}?"
    if kind == "live":
        return (
            f"{d.says(who, 'live', PRESENT)} in {city.en}.",
            f"{topic} {city.ko}에 {d.end(predicate('살'), 'present')}.",
        )
    return f"{d.be(who)} from {city.en}.", f"{topic} {city.ko}에서 {d.end(predicate('오'), 'past')}."


# --- qualities -------------------------------------------------------------------------------------------------------


def may_negate(d: Draw, quality: Adjective) -> bool:
    """Whether the negation is natural: 맛있다 and 재미있다 do not take 안."""
    return not (d.short and quality.ko.stem.endswith("있"))


def degrees(how: Adjective) -> list[Word]:
    """What can stand before the adjective, nothing among it."""
    very, really, little, too = lexicon.DEGREES
    return [NO, very, really] + [little] * (how.en in lexicon.A_LITTLE) + [too] * (how.en in lexicon.TOO)


@family(7)
def quality(d: Draw) -> tuple[str, str]:
    things, qualities = d.pick(lexicon.QUALITIES)
    thing, how = d.pick(things), d.pick(qualities)
    this = d.pick(words("this=이, that=저"))
    tense = d.pick(("present", "present", "past"))
    if tense == "past":
        this = Word("the", "")
    what = phrase(this.ko, thing.ko)
    if d.chance(0.15):
        is_ = "was" if tense == "past" else "is"
        return f"{is_} {this.en} {thing.en} {how.en}?", f"{what}은(는) {d.end(how.ko, tense, question=True)}?"
    negative = may_negate(d, how) and d.chance(0.3)
    degree = NO if negative else d.pick(degrees(how))
    en = phrase(is_or_not(f"{this.en} {thing.en}", tense=tense, negative=negative, short=d.short), degree.en, how.en)
    return f"{en}.", phrase(f"{what}은(는)", degree.ko, d.end(how.ko, tense, negative=negative)) + "."


# What goes together, and what stands in contrast, for each group of things in lexicon.QUALITIES.
PAIRS = [
    "sweet and delicious, cheap and delicious, cheap and sweet, expensive but delicious, sweet but expensive",
    "pretty and light, cheap and pretty, big and heavy, small and light, expensive but pretty, small but heavy, "
    "pretty but expensive, cheap but heavy",
    "long and boring, short and interesting, long but interesting, short but boring, long and difficult, "
    "short and easy, difficult but interesting, easy but boring, long but easy, short but difficult",
    "clean and quiet, clean and warm, small and dirty, warm and quiet, big and clean, noisy and dirty, "
    "small but clean, big but dirty, clean but noisy, small but warm, quiet but dirty",
]


@family(4)
def two_qualities(d: Draw) -> tuple[str, str]:
    """-고 and -지만."""
    (things, qualities), pairs = d.pick(list(zip(lexicon.QUALITIES, PAIRS, strict=True)))
    thing, pair = d.pick(things), d.pick(pairs.split(", "))
    one, link, other = pair.split()
    first, last = (next(how.ko for how in qualities if how.en == en) for en in (one, other))
    this = d.pick(words("this=이, that=저"))
    ko = f"{this.ko} {thing.ko}은(는) {first.stem}{'고' if link == 'and' else '지만'} {d.end(last, 'present')}"
    return f"{this.en} {thing.en} is {pair}.", f"{ko}."


@family(8)
def described(d: Draw) -> tuple[str, str]:
    """A thing with its attribute: 예쁜 모자, 작고 빨간 가방."""
    kind = d.pick(("this is", "this is", "buy", "buy", "animal"))
    if kind == "animal":
        thing, how, color = d.pick(lexicon.ANIMALS), d.pick(SIZES), d.pick(COATS)
        place = d.pick(words("the park=공원, the hotel=호텔"))
        en, ko = described_as(thing, how, color)
        return f"there is {en} in {place.en}.", f"{place.ko}에 {ko}이(가) {d.end(EXISTS, 'present')}."
    if kind == "buy":
        thing, how, color = d.pick(lexicon.QUALITIES[1][0]), d.pick(lexicon.QUALITIES[1][1]), d.pick(lexicon.COLORS)
        en, ko = described_as(thing, how, color) if d.chance(0.5) else described_as(thing, d.pick((how, color)))
        who, when = d.subject(), d.when("past", "future")
        says, end = d.says(who, "buy", when), d.end(predicate("사"), when.tense)
        return f"{says} {en} {when.en}.", f"{who.ko}은(는) {when.ko} {ko}을(를) {end}."
    things, qualities = d.pick(lexicon.QUALITIES)
    thing, how, this = d.pick([thing for thing in things if thing.en not in MASS]), d.pick(qualities), d.pick(THIS)
    en, ko = described_as(thing, how)
    if d.chance(0.2):
        return f"is {this.en} {en}?", f"{this.ko}은 {d.is_(ko, question=True)}?"
    negative = d.chance(0.3)
    return (
        f"{is_or_not(this.en, negative=negative, short=d.friendly)} {en}.",
        f"{this.ko}은 {d.is_(ko, negative=negative)}.",
    )


MASS = {"soup", "bread"}  # without an article
SIZES = lexicon.adjectives("big=크, small=작, pretty=예쁘")
COATS = [color for color in lexicon.COLORS if color.en in ("white", "black")]


def described_as(thing: Word, how: Adjective, color: Adjective | None = None) -> tuple[str, str]:
    if color is None:
        return english.indefinite(f"{how.en} {thing.en}"), f"{how.ko.attributive()} {thing.ko}"
    en = english.indefinite(f"{how.en} {color.en} {thing.en}")
    return en, f"{how.ko.stem}고 {color.ko.attributive()} {thing.ko}"


@family(4)
def mood(d: Draw) -> tuple[str, str]:
    """How people are, the honorific among it: 할머니는 바쁘세요."""
    who, how = d.subject(elders=True), d.pick(lexicon.MOODS)
    lasting = how.en == "kind"
    tense = "present" if lasting or d.chance(0.5) else "past"
    time = NO if lasting else d.pick(words("today=오늘") if tense == "present" else lexicon.PAST_TIMES)
    negative, degree = d.chance(0.3), d.pick(degrees(how))
    if d.chance(0.2):
        who = d.name()
        be = "is" if tense == "present" else "was"
        en = phrase(be, who.en, how.en, time.en)
        return f"{en}?", phrase(f"{who.ko}은(는)", time.ko, d.end(how.ko, tense, question=True)) + "?"
    if negative:  # of others only: "I am not" cannot be contracted in the way that tells 안 from -지 않다
        who, degree = who if who.person == "third" else d.name(), NO
    en = phrase(d.be(who, tense, negative=negative, short=d.short), degree.en, how.en, time.en)
    end = d.end(how.ko, tense, who, negative=negative)
    return f"{en}.", phrase(f"{who.ko}은(는)", time.ko, degree.ko, end) + "."


# --- comparison ------------------------------------------------------------------------------------------------------


@family(13)
def comparison(d: Draw) -> tuple[str, str]:
    """보다 더, 만큼, 중에서 어느 것이."""
    things, qualities = d.pick(lexicon.RIVALS)
    (one, other), how = d.two(things), d.pick(qualities)
    more = english.comparative(how.en)
    if how.en in ("fast", "slow"):  # the truth, which is known for once
        one, other = sorted((one, other), key=things.index, reverse=how.en == "fast")
    kind = d.pick(("than", "than", "than", "as", "as", "which", "much"))
    if kind == "as":  # nothing is as far as another thing, or as slow
        how = d.pick([how for how in qualities if how.en not in ("far", "slow")])
    topic = f"{one.ko}은(는)"
    if kind == "as":
        negative = may_negate(d, how) and d.chance(0.5)
        end = d.end(how.ko, "present", negative=negative)
        return (
            f"{is_or_not(one.en, negative=negative, short=d.short)} as {how.en} as {other.en}.",
            f"{topic} {other.ko}만큼 {end}.",
        )
    if kind == "which":
        end = d.end(how.ko, "present", question=True)
        en = f"which is {more}, {one.en} or {other.en}"
        return f"{en}?", f"{one.ko}과(와) {other.ko} 중에서 어느 것이 더 {end}?"
    much = Word("much", "훨씬") if kind == "much" else NO
    en = phrase(one.en, "is", much.en, more, "than", other.en)
    return f"{en}.", phrase(topic, f"{other.ko}보다", much.ko, "더", d.end(how.ko, "present")) + "."


EXTREMES = {"cheap", "expensive", "big", "small", "interesting", "boring", "difficult"}


@family(4)
def superlative(d: Draw) -> tuple[str, str]:
    things, qualities = d.pick(lexicon.QUALITIES)
    thing, this = d.pick([thing for thing in things if thing.en not in MASS]), d.pick(THIS)
    how = d.pick([how for how in qualities if how.en in EXTREMES])
    noun = f"가장 {how.ko.attributive()} {thing.ko}"
    most = f"{english.superlative(how.en)} {thing.en}"
    if d.chance(0.3):
        return f"is {this.en} {most}?", f"{this.ko}은 {d.is_(noun, question=True)}?"
    return f"{this.en} is {most}.", f"{this.ko}은 {d.is_(noun)}."


@family(3)
def taller(d: Draw) -> tuple[str, str]:
    """Of people: the word that compares stands inside 키가 크다."""
    who = d.subject()
    other = d.name(but=who.en)
    how = d.pick(words("taller=키가 크, shorter=키가 작, busier=바쁘"))
    noun, _, stem = how.ko.rpartition(" ")
    end = d.end(Predicate(stem, adjective=True), "present")
    return f"{d.be(who)} {how.en} than {other.en}.", phrase(f"{who.ko}은(는) {other.ko}보다", noun, "더", end) + "."


# --- weather ---------------------------------------------------------------------------------------------------------

SKY = lexicon.adjectives("cold=춥 ㅂ, hot=덥 ㅂ, warm=따뜻하, cool=시원하")
CLIMATE = {"spring": {"warm", "cool"}, "summer": {"hot"}, "fall": {"cool", "warm"}, "winter": {"cold"}}
FALL = [("rain", predicate("비가_오")), ("snow", predicate("눈이_오"))]


@family(9)
def weather(d: Draw) -> tuple[str, str]:
    city = d.pick(lexicon.CITIES)
    kind = d.pick(("adjective", "adjective", "season", "falls", "falls", "often"))
    when = d.pick((When("present", "today", "오늘"), d.when("past"), d.when("future")))
    if kind == "season":
        season = d.pick(lexicon.SEASONS)
        how = d.pick([how for how in SKY if how.en in CLIMATE[season.en]])
        degree = d.pick(degrees(how))
        en = phrase("it is", degree.en, how.en, f"in {city.en} in {season.en}")
        return f"{en}.", phrase(f"{city.ko}은(는) {season.ko}에", degree.ko, d.end(how.ko, "present")) + "."
    if kind == "adjective":
        how = d.pick(SKY)
        degree = d.pick(degrees(how))
        is_ = {"past": "was", "present": "is", "future": "will be"}[when.tense]
        en = phrase("it", is_, degree.en, how.en, f"in {city.en}", when.en)
        return f"{en}.", phrase(when.ko, f"{city.ko}은(는)", degree.ko, d.end(how.ko, when.tense)) + "."
    verb, ko = d.pick(FALL)
    if kind == "often":
        often = d.pick(words("often=자주, sometimes=가끔"))
        season = d.pick([season for season in lexicon.SEASONS if verb == "rain" or season.en == "winter"])
        sky, fall = ko.stem.split(" ")
        en = f"it {often.en} {verb}s in {city.en} in {season.en}"
        return f"{en}.", f"{city.ko}에는 {season.ko}에 {sky} {often.ko} {d.end(predicate(fall), 'present')}."
    if when.tense == "present":
        when = When("progressive", "now", "지금")
    if d.chance(0.25):
        be = {"past": "did it {}", "progressive": "is it {}ing", "future": "will it {}"}[when.tense].format(verb)
        return f"{be} in {city.en} {when.en}?", f"{when.ko} {city.ko}에 {d.end(ko, when.tense, question=True)}?"
    be = {"past": "it {}ed", "progressive": "it is {}ing", "future": "it will {}"}[when.tense].format(verb)
    return f"{be} in {city.en} {when.en}.", f"{when.ko} {city.ko}에 {d.end(ko, when.tense)}."


# --- places and the way ----------------------------------------------------------------------------------------------

BUILDINGS = [place for place in NEAR if place.en != "the beach"]
SPOTS = words("next to=옆, in front of=앞, behind=뒤, across from=맞은편, near=근처")
CORNERS = words("on=위, under=아래, behind=뒤, next to=옆, in front of=앞")
FURNITURE = words("the chair=의자, the door=문, the box=상자, the computer=컴퓨터")
LOST = words("cat=고양이, bag=가방, hat=모자, key=열쇠, camera=카메라, dictionary=사전, umbrella=우산")


@family(8, announced=True)
def location(d: Draw) -> tuple[str, str]:
    (place, other), spot = d.two(BUILDINGS), d.pick(SPOTS)
    kind = d.pick(("is", "is", "is?", "a", "where"))
    at = f"{other.ko} {spot.ko}에"
    if kind == "where":
        return f"where is {place.en}?", f"{place.ko}은(는) 어디에 {d.end(EXISTS, 'present', question=True)}?"
    end = d.end(EXISTS, "present", question=kind in ("is?", "a"))
    if kind == "is?":
        return f"is {place.en} {spot.en} {other.en}?", f"{place.ko}은(는) {at} {end}?"
    if kind == "a":
        a = english.indefinite(place.en.removeprefix("the "))
        return f"is there {a} {spot.en} {other.en}?", f"{at} {place.ko}이(가) {end}?"
    return f"{place.en} is {spot.en} {other.en}.", f"{place.ko}은(는) {at} {end}."


@family(4)
def lost_and_found(d: Draw) -> tuple[str, str]:
    thing, corner, where = d.pick(LOST), d.pick(CORNERS), d.pick(FURNITURE)
    whose = d.pick((Word("the", ""), Word("my", d.my())))
    what = Word(f"{whose.en} {thing.en}", phrase(whose.ko, thing.ko))
    if d.chance(0.2):
        return f"where is {what.en}?", f"{what.ko}은(는) 어디에 {d.end(EXISTS, 'present', question=True)}?"
    question = d.chance(0.2)
    ko = f"{what.ko}은(는) {where.ko} {corner.ko}에 {d.end(EXISTS, 'present', question=question)}"
    if question:
        return f"is {what.en} {corner.en} {where.en}?", f"{ko}?"
    return f"{what.en} is {corner.en} {where.en}.", f"{ko}."


SIDES = words("left=왼쪽, right=오른쪽")


@family(7)
def the_way(d: Draw) -> tuple[str, str]:
    (place, goal), side = d.two(NEAR), d.pick(SIDES)
    kind = d.pick(("turn", "straight", "off", "if", "if", "how", "both"))
    if kind == "if":
        sees = f"{goal.ko}이(가) {d.end(predicate('보이'), 'future')}"
        en, ko = f"turn {side.en} at {place.en}", f"{side.ko}으로 돌면"
        if d.chance(0.3):
            en, ko = f"go straight from {place.en}", "똑바로 가면"
        return f"if you {en}, you will see {goal.en}.", f"{place.ko}에서 {ko} {sees}."
    if kind == "how":
        line = d.pick((*lexicon.LINES[:3], NO))
        en = phrase(f"how do I get to {goal.en}", f"by {line.en}" if line.en else "")
        by = f"{line.ko}(으)로" if line.en else ""
        return f"{en}?", phrase(f"{goal.ko}에", by, "어떻게", d.end(predicate("가"), "present", question=True)) + "?"
    turn, go, off = (directive(d.level, predicate(stem)) for stem in ("돌", "가", "내리"))
    if kind == "turn":
        return f"{please(d, f'turn {side.en} at {place.en}')}.", f"{place.ko}에서 {side.ko}으로 {turn}."
    if kind == "straight":
        return f"{please(d, f'go straight to {goal.en}')}.", f"{goal.ko}까지 똑바로 {go}."
    if kind == "off":
        return f"{please(d, f'get off at {place.en}')}.", f"{place.ko}에서 {off}."
    en = f"go straight and turn {side.en} at {place.en}"
    return f"{please(d, en)}.", f"똑바로 가서 {place.ko}에서 {side.ko}으로 {turn}."
