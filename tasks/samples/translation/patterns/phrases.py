"""Phrases that several patterns share: actions with their arguments, places, vehicles and requests."""

from tasks.samples.korean_morphology import Predicate, SpeechLevel, replace_last
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import Draw
from tasks.samples.translation.lexicon import NOTHING, Action, Word

GO, EXIST = lexicon.VERBS["go"], Predicate("있")

BY_VEHICLE = {line.en: Word(f"by {line.en}", f"{line.ko}(으)로") for line in lexicon.VEHICLES}
BY_LAND = [BY_VEHICLE[name] for name in ("bus", "train", "car")]
BY_AIR = [BY_VEHICLE["plane"]]
IN_TOWN = [*(BY_VEHICLE[name] for name in ("bus", "subway", "taxi", "car", "bicycle")), Word("on foot", "걸어서")]


def english_place(place: Word) -> str:
    """Return the English place with its preposition."""
    if not place.en:
        return ""
    return ("in " if place in lexicon.PLACES_WITH_IN + lexicon.CITIES else "at ") + place.en


def korean_place(place: Word) -> str:
    """Return the Korean place with its particle 에서."""
    return f"{place.ko}에서" if place.ko else ""


def accusative(thing: Word) -> str:
    """Return the Korean noun with its object particle."""
    return f"{thing.ko}을(를)" if thing.ko else ""


def draw_action(d: Draw, *, place: float = 0.6, objects: bool = False) -> tuple[Action, Word, Word]:
    """Draw an action.

    Args:
        d: The draws of the sentence.
        place: Probability of a place. Intransitive verbs always have one.
        objects: Whether to draw a transitive verb.

    Returns:
        The action, its object and its place; the last two may be `NOTHING`.
    """
    verb = d.pick([verb for verb in lexicon.ACTIONS if verb.objects or not objects])
    thing = d.pick(verb.objects) if verb.objects else NOTHING
    here = d.pick(verb.places) if verb.places and (not verb.objects or d.chance(place)) else NOTHING
    return verb, thing, here


def imperative(level: SpeechLevel, verb: Predicate) -> str:
    """Return the verb as an instruction: 가세요, 가십시오, 가."""
    if level == "formal":
        return replace_last(verb.honorific().stem, final="ㅂ") + "시오"
    return verb.honorific().finite("polite") if level == "polite" else verb.infinitive()


def request_form(level: SpeechLevel, verb: Predicate) -> str:
    """Return the verb as a request: 열어 주세요, 열어 주십시오, 열어 줘."""
    return verb.infinitive() + {"polite": " 주세요", "formal": " 주십시오", "plain": " 줘"}[level]


def please(d: Draw, english_request: str) -> str:
    """Add "please" to an English request, except to a friend."""
    return english_request if d.plain else f"please {english_request}"
