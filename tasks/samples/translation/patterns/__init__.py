"""The sentence patterns of the generator."""

from collections.abc import Callable
from typing import NamedTuple

from tasks.samples.korean_morphology import SpeechLevel
from tasks.samples.translation.clauses import Draw, Pair
from tasks.samples.translation.patterns import (
    complex_sentences,
    descriptions,
    modality,
    places,
    quantities,
    statements,
    times,
)


class Pattern(NamedTuple):
    """A sentence pattern.

    Attributes:
        make: Draws an English sentence with its translation. Both end in "." or both in "?".
        weight: Relative frequency.
        levels: Speech levels at which the pattern is used.
        to_audience: Whether "ladies and gentlemen" may be addressed.
    """

    make: Callable[[Draw], Pair]
    weight: int
    levels: tuple[SpeechLevel, ...] = ("polite", "formal", "plain")
    to_audience: bool = False


# The order matters: the random draws depend on it.
PATTERNS = [
    Pattern(statements.statement, 22),
    Pattern(statements.yes_no_question, 4),
    Pattern(statements.wh_question, 5),
    Pattern(statements.going, 5),
    Pattern(modality.request, 6),
    Pattern(modality.permission, 5),
    Pattern(modality.prohibition, 4, to_audience=True),
    Pattern(modality.wish, 5),
    Pattern(modality.ability, 4),
    Pattern(modality.obligation, 4),
    Pattern(modality.proposal, 4, levels=("polite", "plain")),
    Pattern(statements.hobby, 4),
    Pattern(statements.experience, 5),
    Pattern(quantities.existence, 9),
    Pattern(quantities.possession, 3),
    Pattern(quantities.counted_objects, 9),
    Pattern(quantities.order, 6),
    Pattern(quantities.indirect_object, 5),
    Pattern(quantities.price, 9),
    Pattern(quantities.age, 3),
    Pattern(quantities.floor, 7),
    Pattern(quantities.bus_number, 4),
    Pattern(quantities.arithmetic, 4),
    Pattern(complex_sentences.reason, 6),
    Pattern(complex_sentences.cause, 4),
    Pattern(complex_sentences.conditional_request, 5),
    Pattern(complex_sentences.weather_condition, 4),
    Pattern(complex_sentences.means_condition, 3),
    Pattern(complex_sentences.occasion, 4),
    Pattern(complex_sentences.sequence, 5),
    Pattern(complex_sentences.relative_clause, 5),
    Pattern(complex_sentences.preference, 5),
    Pattern(times.on_a_date, 7, to_audience=True),
    Pattern(times.date_question, 3),
    Pattern(times.birthday, 4),
    Pattern(times.trip_on_a_date, 2),
    Pattern(times.timetable, 9, to_audience=True),
    Pattern(times.schedule, 5),
    Pattern(times.duration, 5),
    Pattern(times.travel_time, 5),
    Pattern(descriptions.job, 5),
    Pattern(descriptions.ownership, 5),
    Pattern(places.home_town, 3),
    Pattern(descriptions.predicative_adjective, 7),
    Pattern(descriptions.coordinated_adjectives, 4),
    Pattern(descriptions.attributive_adjective, 8),
    Pattern(descriptions.state_of_person, 4),
    Pattern(descriptions.comparison, 13),
    Pattern(descriptions.superlative, 4),
    Pattern(descriptions.comparison_of_people, 3),
    Pattern(places.weather, 9),
    Pattern(places.location, 8, to_audience=True),
    Pattern(places.lost_thing, 4),
    Pattern(places.directions, 7),
]
