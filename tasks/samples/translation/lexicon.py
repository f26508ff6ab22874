"""The lexicon of the sentence pairs and its collocations, read from `lexicon.toml` and `collocations.toml`."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tasks.samples.korean_morphology import Predicate

FOLDER = Path(__file__).parent
LEXICON = tomllib.loads((FOLDER / "lexicon.toml").read_text(encoding="utf-8"))
COLLOCATIONS = tomllib.loads((FOLDER / "collocations.toml").read_text(encoding="utf-8"))


class Word(NamedTuple):
    """An English word or phrase with its Korean translation."""

    en: str
    ko: str


NOTHING = Word("", "")  # stands for an optional part of a sentence that is left out


class Adjective(NamedTuple):
    """An English adjective with its Korean translation, which can be conjugated."""

    en: str
    ko: Predicate


class VerbPhrase(NamedTuple):
    """An English verb phrase in the base form with its Korean translation, which can be conjugated."""

    en: str
    ko: Predicate


class Action(NamedTuple):
    """A verb with its objects and the places where the action happens; intransitive verbs have no objects."""

    en: str
    ko: Predicate
    objects: list[Word]
    places: list[Word]


class Qualities(NamedTuple):
    """Things, the adjectives that describe them, and pairs of these adjectives, such as "small but heavy"."""

    things: list[Word]
    adjectives: list[Adjective]
    combinations: list[str]


class Prices(NamedTuple):
    """Things and what one of them costs, in won."""

    things: list[Word]
    won: list[int]


class Gathering(NamedTuple):
    """Things or living beings, the Korean counter for them, and places where they are counted."""

    things: list[Word]
    counter: str
    places: list[Word]


class Weather(NamedTuple):
    """Weather as an English clause in two tenses and a Korean predicate, and what people do in it."""

    past: str
    present: str
    ko: Predicate
    deeds: list[VerbPhrase]


class Circumstance(NamedTuple):
    """A state as an English clause and a Korean predicate, and what people do, or ask for, because of it."""

    en: str  # a person's state is a template with {be} or {have}
    ko: Predicate
    deeds: list[VerbPhrase]


class Product(NamedTuple):
    """What people do with things, and adjectives that describe the result."""

    verb: str
    ko: Predicate
    things: list[Word]
    adjectives: list[Adjective]


# --- looking words up -------------------------------------------------------------------------------------------------


def words(table: dict[str, str]) -> list[Word]:
    """Return the entries of a table of English words and their Korean translations."""
    return [Word(en, ko) for en, ko in table.items()]


def predicate(entry: str | dict[str, str], *, adjective: bool = False) -> Predicate:
    """Return the Korean predicate of an entry of the lexicon: a stem, or a table of the predicate's attributes."""
    return Predicate(**{"stem": entry} if isinstance(entry, str) else entry, adjective=adjective)


NOUNS = {en: ko for table in LEXICON["nouns"].values() for en, ko in table.items()}
VERBS = {en: predicate(entry) for en, entry in LEXICON["verbs"].items()}
VERB_PHRASES = {en: VerbPhrase(en, predicate(entry)) for en, entry in LEXICON["verb_phrases"].items()}
ADJECTIVES = {en: Adjective(en, predicate(entry, adjective=True)) for en, entry in LEXICON["adjectives"].items()}


def noun(phrase: str) -> Word:
    """Return the translation of the last noun of a phrase such as "the books", "in the park" or "cup of coffee"."""
    rest = phrase
    while rest:
        for form in (rest, rest.removesuffix("s")):
            if form in NOUNS:
                return Word(phrase, NOUNS[form])
        rest = rest.partition(" ")[2]
    raise KeyError(phrase)


def nouns(phrases: Iterable[str]) -> list[Word]:
    """Return the translation of each noun phrase."""
    return [noun(phrase) for phrase in phrases]


def noun_group(name: str) -> list[Word]:
    """Return a group of nouns of the collocations."""
    return nouns(COLLOCATIONS["noun_groups"][name])


def place(name: str) -> Word:
    """Return a place, with its article in English."""
    return noun(name if name == "home" else f"the {name}")


def place_group(name: str) -> list[Word]:
    """Return a group of places of the collocations."""
    return [place(entry) for entry in COLLOCATIONS["place_groups"][name]]


def adjectives(names: Iterable[str]) -> list[Adjective]:
    """Return the translation of each adjective."""
    return [ADJECTIVES[name] for name in names]


def adjective_group(name: str) -> list[Adjective]:
    """Return a group of adjectives of the collocations."""
    return adjectives(COLLOCATIONS["adjective_groups"][name])


def verb_phrases(names: Iterable[str]) -> list[VerbPhrase]:
    """Return the translation of each verb phrase."""
    return [VERB_PHRASES[name] for name in names]


def prices(entry: dict) -> Prices:
    """Read an entry of the collocations' prices, which lists the amounts or describes their range."""
    won = entry["won"]
    if isinstance(won, dict):
        won = list(range(won["first"], won["last"] + 1, won["step"]))
    return Prices(nouns(entry["things"]), won)


def circumstance(entry: dict, deeds: list[str]) -> Circumstance:
    """Read an entry of the collocations' situations, reasons or occasions."""
    return Circumstance(entry["english"], predicate(entry["korean"]), verb_phrases(deeds))


# --- people, places and times -----------------------------------------------------------------------------------------

MALE_NAMES, FEMALE_NAMES = words(LEXICON["names"]["he"]), words(LEXICON["names"]["she"])
KOREAN_NAMES = LEXICON["names"]["korean"]
BROTHERS, SISTERS = ([word] for word in words(LEXICON["nouns"]["relatives"]))
GRANDPARENTS = words(LEXICON["nouns"]["grandparents"])
JOBS = words(LEXICON["nouns"]["jobs"])
ANIMALS = words(LEXICON["nouns"]["animals"])
EVENTS = words(LEXICON["nouns"]["events"])
VEHICLES = words(LEXICON["nouns"]["vehicles"])
CITIES = words(LEXICON["nouns"]["cities"])
KOREAN_CITIES = [city for city in CITIES if city.en in COLLOCATIONS["place_groups"]["korean_cities"]]
PLACES_WITH_AT = [place(name) for name in LEXICON["nouns"]["places_with_at"]]
PLACES_WITH_IN = [place(name) for name in LEXICON["nouns"]["places_with_in"]]
DESTINATIONS = [*PLACES_WITH_AT, place("park")]  # in town

MONTHS = words(LEXICON["nouns"]["months"])
DAYS_OF_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
WEEKDAYS = words(LEXICON["nouns"]["weekdays"])
SEASONS = words(LEXICON["nouns"]["seasons"])

THIS_THAT = words(LEXICON["determiners"])  # before a noun
THIS_THAT_ONE = words(LEXICON["pronouns"])  # without a noun
ADVERBS = {name: words(table) for name, table in LEXICON["adverbs"].items()}
POSITIONS = {name: words(table) for name, table in LEXICON["positions"].items()}

# --- collocations -----------------------------------------------------------------------------------------------------

ACTIONS = [
    Action(
        entry["verb"],
        VERBS[entry["verb"]],
        nouns(entry["objects"]),
        [place(name) for name in entry["places"]],
    )
    for entry in COLLOCATIONS["actions"]
]
ACTION_GROUPS = COLLOCATIONS["action_groups"]
REQUESTS = [Action(verb, VERBS[verb], nouns(objects), []) for verb, objects in COLLOCATIONS["requests"].items()]
QUALITIES = [
    Qualities(nouns(entry["things"]), adjectives(entry["adjectives"]), entry["combinations"])
    for entry in COLLOCATIONS["qualities"]
]
COMPARISONS = [(nouns(entry["things"]), adjectives(entry["adjectives"])) for entry in COLLOCATIONS["comparisons"]]
COUNTERS = {counter: nouns(things) for counter, things in COLLOCATIONS["counters"].items()}
PRICES = [prices(entry) for entry in COLLOCATIONS["prices"]]
GATHERINGS = [
    Gathering(nouns(entry["things"]), entry["counter"], nouns(entry["places"])) for entry in COLLOCATIONS["gatherings"]
]
WEATHERS = [
    Weather(entry["past"], entry["present"], predicate(entry["korean"]), verb_phrases(entry["deeds"]))
    for entry in COLLOCATIONS["weather"]
]
SITUATIONS = [circumstance(entry, entry["requests"]) for entry in COLLOCATIONS["situations"]]
REASONS = [circumstance(entry, entry["deeds"]) for entry in COLLOCATIONS["reasons"]]
OCCASIONS = [circumstance(entry, COLLOCATIONS["deeds"][entry["deeds"]]) for entry in COLLOCATIONS["occasions"]]
PRODUCTS = [
    Product(entry["verb"], VERBS[entry["verb"]], nouns(entry["things"]), adjectives(entry["adjectives"]))
    for entry in COLLOCATIONS["products"]
]
