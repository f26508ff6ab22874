"""Patterns of places: where somebody lives, the weather, where things are and the way to them."""

from tasks.samples.korean_morphology import Predicate
from tasks.samples.translation import english_morphology as english
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import PRESENT, Draw, Pair, TimeAdverbial, phrase
from tasks.samples.translation.lexicon import NOTHING, Word
from tasks.samples.translation.patterns.descriptions import degrees
from tasks.samples.translation.patterns.phrases import EXIST, GO, imperative, please

SKY = lexicon.adjective_group("weather")
CLIMATE = lexicon.COLLOCATIONS["climate"]
PRECIPITATION = lexicon.verb_phrases(("rain", "snow"))
BUILDINGS = [place for place in lexicon.DESTINATIONS if place.en != "the beach"]
FURNITURE, LOST_THINGS = lexicon.noun_group("furniture"), lexicon.noun_group("lost_things")


def home_town(d: Draw) -> Pair:
    """Say or ask where somebody lives or comes from."""
    kind, city = d.pick(("live", "live", "from", "from", "live?", "from?")), d.pick(lexicon.CITIES)
    who = d.person() if kind.endswith("?") else d.subject()
    topic = f"{who.ko}은(는)"
    if kind == "live?":
        return (
            f"where does {who.en} live?",
            f"{topic} 어디에 {d.finite(lexicon.VERBS['live'], 'present', question=True)}?",
        )
    if kind == "from?":
        return f"where is {who.en} from?", f"{topic} 어디에서 {d.finite(Predicate('오'), 'past', question=True)}?"
    if kind == "live":
        return (
            f"{d.clause(who, 'live', PRESENT)} in {city.en}.",
            f"{topic} {city.ko}에 {d.finite(lexicon.VERBS['live'], 'present')}.",
        )
    return f"{d.be(who)} from {city.en}.", f"{topic} {city.ko}에서 {d.finite(Predicate('오'), 'past')}."


def weather(d: Draw) -> Pair:
    """Say or ask how the weather is."""
    city = d.pick(lexicon.CITIES)
    kind = d.pick(("adjective", "adjective", "season", "falls", "falls", "often"))
    when = d.pick((TimeAdverbial("present", "today", "오늘"), d.time("past"), d.time("future")))
    if kind == "season":
        season = d.pick(lexicon.SEASONS)
        how = d.pick([how for how in SKY if how.en in CLIMATE[season.en]])
        degree = d.pick(degrees(how))
        en = phrase("it is", degree.en, how.en, f"in {city.en} in {season.en}")
        return f"{en}.", phrase(f"{city.ko}은(는) {season.ko}에", degree.ko, d.finite(how.ko, "present")) + "."
    if kind == "adjective":
        how = d.pick(SKY)
        degree = d.pick(degrees(how))
        is_ = {"past": "was", "present": "is", "future": "will be"}[when.tense]
        en = phrase("it", is_, degree.en, how.en, f"in {city.en}", when.en)
        return f"{en}.", phrase(when.ko, f"{city.ko}은(는)", degree.ko, d.finite(how.ko, when.tense)) + "."
    verb, ko = d.pick(PRECIPITATION)
    if kind == "often":
        often = d.pick([adverb for adverb in lexicon.ADVERBS["frequency"] if adverb.en in ("often", "sometimes")])
        season = d.pick([season for season in lexicon.SEASONS if verb == "rain" or season.en == "winter"])
        sky, fall = ko.stem.split(" ")
        en = f"it {often.en} {verb}s in {city.en} in {season.en}"
        return f"{en}.", f"{city.ko}에는 {season.ko}에 {sky} {often.ko} {d.finite(Predicate(fall), 'present')}."
    if when.tense == "present":
        when = TimeAdverbial("progressive", "now", "지금")
    if d.chance(0.25):
        be = {"past": "did it {}", "progressive": "is it {}ing", "future": "will it {}"}[when.tense].format(verb)
        return f"{be} in {city.en} {when.en}?", f"{when.ko} {city.ko}에 {d.finite(ko, when.tense, question=True)}?"
    be = {"past": "it {}ed", "progressive": "it is {}ing", "future": "it will {}"}[when.tense].format(verb)
    return f"{be} in {city.en} {when.en}.", f"{when.ko} {city.ko}에 {d.finite(ko, when.tense)}."


def location(d: Draw) -> Pair:
    """Say or ask where a building is."""
    (place, other), spot = d.pick_two(BUILDINGS), d.pick(lexicon.POSITIONS["between_buildings"])
    kind = d.pick(("is", "is", "is?", "a", "where"))
    at = f"{other.ko} {spot.ko}에"
    if kind == "where":
        return f"where is {place.en}?", f"{place.ko}은(는) 어디에 {d.finite(EXIST, 'present', question=True)}?"
    end = d.finite(EXIST, "present", question=kind in ("is?", "a"))
    if kind == "is?":
        return f"is {place.en} {spot.en} {other.en}?", f"{place.ko}은(는) {at} {end}?"
    if kind == "a":
        a = english.indefinite(place.en.removeprefix("the "))
        return f"is there {a} {spot.en} {other.en}?", f"{at} {place.ko}이(가) {end}?"
    return f"{place.en} is {spot.en} {other.en}.", f"{place.ko}은(는) {at} {end}."


def lost_thing(d: Draw) -> Pair:
    """Say or ask where a thing is."""
    thing, corner, where = d.pick(LOST_THINGS), d.pick(lexicon.POSITIONS["at_furniture"]), d.pick(FURNITURE)
    whose = d.pick((Word("the", ""), Word("my", d.my())))
    what = Word(f"{whose.en} {thing.en}", phrase(whose.ko, thing.ko))
    if d.chance(0.2):
        return f"where is {what.en}?", f"{what.ko}은(는) 어디에 {d.finite(EXIST, 'present', question=True)}?"
    question = d.chance(0.2)
    ko = f"{what.ko}은(는) {where.ko} {corner.ko}에 {d.finite(EXIST, 'present', question=question)}"
    if question:
        return f"is {what.en} {corner.en} {where.en}?", f"{ko}?"
    return f"{what.en} is {corner.en} {where.en}.", f"{ko}."


def directions(d: Draw) -> Pair:
    """Give directions, or ask for them."""
    (place, goal), side = d.pick_two(lexicon.DESTINATIONS), d.pick(lexicon.POSITIONS["sides"])
    kind = d.pick(("turn", "straight", "off", "if", "if", "how", "both"))
    if kind == "if":
        sees = f"{goal.ko}이(가) {d.finite(Predicate('보이'), 'future')}"
        en, ko = f"turn {side.en} at {place.en}", f"{side.ko}으로 돌면"
        if d.chance(0.3):
            en, ko = f"go straight from {place.en}", "똑바로 가면"
        return f"if you {en}, you will see {goal.en}.", f"{place.ko}에서 {ko} {sees}."
    if kind == "how":
        line = d.pick((*lexicon.VEHICLES[:3], NOTHING))
        en = phrase(f"how do I get to {goal.en}", f"by {line.en}" if line.en else "")
        by = f"{line.ko}(으)로" if line.en else ""
        return f"{en}?", phrase(f"{goal.ko}에", by, "어떻게", d.finite(GO, "present", question=True)) + "?"
    turn, go, off = (imperative(d.level, Predicate(stem)) for stem in ("돌", "가", "내리"))
    if kind == "turn":
        return f"{please(d, f'turn {side.en} at {place.en}')}.", f"{place.ko}에서 {side.ko}으로 {turn}."
    if kind == "straight":
        return f"{please(d, f'go straight to {goal.en}')}.", f"{goal.ko}까지 똑바로 {go}."
    if kind == "off":
        return f"{please(d, f'get off at {place.en}')}.", f"{place.ko}에서 {off}."
    en = f"go straight and turn {side.en} at {place.en}"
    return f"{please(d, en)}.", f"똑바로 가서 {place.ko}에서 {side.ko}으로 {turn}."
