"""The clauses of a sentence pair: subjects, adverbials of time, and verbs in both languages."""

import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from tasks.samples.korean_morphology import Predicate, SpeechLevel, copula, ends_in_consonant
from tasks.samples.translation import english_morphology as english
from tasks.samples.translation import lexicon
from tasks.samples.translation.lexicon import NOTHING, Word

T = TypeVar("T")
Pair = tuple[str, str]  # an English sentence and its Korean translation

# Probability that English contracts "not" where the speech level leaves the choice.
CONTRACTED = 0.5


class Subject(NamedTuple):
    """The subject of a sentence.

    Attributes:
        en: The English noun phrase.
        ko: The Korean noun phrase, empty if Korean omits it.
        person: "I", "we", "you" or "third".
        pronoun: The English pronoun that refers to the subject.
        honorific: Whether the Korean verb takes the honorific.
    """

    en: str
    ko: str
    person: str
    pronoun: str
    honorific: bool = False


class TimeAdverbial(NamedTuple):
    """A tense and an adverbial of time in both languages.

    Attributes:
        tense: "past", "present", "progressive" or "future".
        en: The English adverbial, which may be empty.
        ko: The Korean adverbial, which may be empty.
        before_verb: Whether the English adverbial precedes the verb: "I often read", but "I read every day".
    """

    tense: str
    en: str = ""
    ko: str = ""
    before_verb: bool = False

    @property
    def en_after_verb(self) -> str:
        """The English adverbial if it stands after the verb, otherwise an empty string."""
        return "" if self.before_verb else self.en


PAST, PRESENT, FUTURE = (TimeAdverbial(tense) for tense in ("past", "present", "future"))


def phrase(*parts: str) -> str:
    """Join the parts that are not empty with spaces."""
    return " ".join(part for part in parts if part)


class Draw:
    """The random choices of one sentence pair, and the clauses that depend on its speech level.

    The English sentence determines the speech level of the Korean one by the person addressed. It also determines the
    Korean negation: a contracted "not" is 안 and the full form is -지 않다. Sentences to a friend contract it and
    sentences to a superior do not. Without an address, both occur where Korean has the two negations, and only the
    full form occurs where Korean has one (이/가 아니다, -지 마세요). Therefore no two English sentences have the same
    translation.

    Args:
        rng: Source of random numbers.
        level: The speech level.

    Attributes:
        plain: Whether the speech level is 반말, as between friends.
        short_negation: Whether "not" is contracted.
        friend: The English name of the friend addressed, who is not mentioned in the same sentence.
    """

    def __init__(self, rng: random.Random, level: SpeechLevel):
        self.rng = rng
        self.level = level
        self.plain = level == "plain"
        self.short_negation = self.plain or (level == "polite" and rng.random() < CONTRACTED)
        self.friend = ""

    def pick(self, choices: Sequence[T]) -> T:
        """Draw one of the choices."""
        return self.rng.choice(choices)

    def pick_two(self, choices: Sequence[T]) -> list[T]:
        """Draw two different choices."""
        return self.rng.sample(choices, 2)

    def chance(self, probability: float) -> bool:
        """Draw true with the given probability."""
        return self.rng.random() < probability

    # --- people ---

    def my(self) -> str:
        """Return the Korean for "my"."""
        return "내" if self.plain else "제"

    def person(self, *, other_than: str = "") -> Subject:
        """Draw a person with a name, other than the friend addressed and the person of the given English name."""
        pronoun = self.pick(("he", "she"))
        names = lexicon.MALE_NAMES if pronoun == "he" else lexicon.FEMALE_NAMES
        name = self.pick([name for name in names if name.en not in (self.friend, other_than)])
        return Subject(name.en, self.familiar_name(name), "third", pronoun)

    def familiar_name(self, name: Word) -> str:
        """Return the Korean name; between friends, one that ends in a consonant gets 이 before particles: 수진이는."""
        if self.plain and name.en in lexicon.KOREAN_NAMES and ends_in_consonant(name.ko):
            return name.ko + "이"
        return name.ko

    def subject(self, *, grandparents: bool = False) -> Subject:
        """Draw the subject of a statement: the speaker, a relative (grandparents only if wanted) or a person."""
        kind = self.rng.random()
        if kind < 0.2:
            return Subject("I", "나" if self.plain else "저", "I", "I")
        if kind < 0.3:
            return Subject("we", "저희" if self.level == "formal" else "우리", "we", "we")
        if grandparents and kind < 0.42:
            relative = self.pick(lexicon.GRANDPARENTS)
            pronoun = "she" if relative.en == "grandmother" else "he"
            return Subject(f"my {relative.en}", relative.ko, "third", pronoun, honorific=True)
        if kind < 0.55:
            pronoun = self.pick(("he", "she"))
            relative = self.pick(lexicon.BROTHERS if pronoun == "he" else lexicon.SISTERS)
            return Subject(f"my {relative.en}", f"{self.my()} {relative.ko}", "third", pronoun)
        return self.person()

    def you(self) -> Subject:
        """Return the person addressed, who takes the honorific unless it is a friend."""
        return Subject("you", "", "you", "you", honorific=not self.plain)

    def possessive(self, who: Subject) -> Word:
        """Return the possessive form of a subject: "my", "Tom's"."""
        if who.person == "I":
            return Word("my", self.my())
        return Word("our", who.ko) if who.person == "we" else Word(f"{who.en}'s", f"{who.ko}의")

    def owner(self) -> Word:
        """Draw a possessive."""
        return self.possessive(self.subject())

    def nominative(self, who: Subject) -> str:
        """Return the Korean subject with 이/가, which is irregular in two pronouns."""
        return {"저": "제가", "나": "내가"}.get(who.ko, f"{who.ko}이(가)")

    # --- times ---

    def time(self, *tenses: str) -> TimeAdverbial:
        """Draw one of the tenses and an adverbial that agrees with it."""
        tense = self.pick(tenses)
        if tense in ("past", "future") and self.chance(0.2):
            day = self.pick(lexicon.WEEKDAYS)
            en, ko = ("last", "지난주") if tense == "past" else ("next", "다음 주")
            return TimeAdverbial(tense, f"{en} {day.en}", f"{ko} {day.ko}에")
        if tense == "progressive":
            return TimeAdverbial(tense, *self.pick([Word("now", "지금"), NOTHING]))
        if tense == "present":
            if self.chance(0.4):
                return TimeAdverbial(tense, *self.pick(lexicon.ADVERBS["frequency"]), before_verb=True)
            return TimeAdverbial(tense, *self.pick(lexicon.ADVERBS["habit"]))
        return TimeAdverbial(tense, *self.pick(lexicon.ADVERBS[tense]))

    # --- clauses ---

    def be(self, who: Subject, tense: str = "present", *, negative: bool = False, short: bool = False) -> str:
        """Return the English subject with a form of "be": "Tom is", "I am not", "Jane wasn't"."""
        if tense == "past":
            verb = "was" if who.person in ("I", "third") else "were"
        else:
            verb = {"I": "am", "third": "is"}.get(who.person, "are")
        if not negative:
            return f"{who.en} {verb}"
        return f"{who.en} {verb}n't" if short and verb != "am" else f"{who.en} {verb} not"

    def clause(self, who: Subject, verb: str, when: TimeAdverbial, *, negative: bool = False) -> str:
        """Return the English subject and verb: "Tom often reads", "I did not read", "we will read"."""
        tense = when.tense
        if tense == "progressive":
            return f"{self.be(who)} {english.ing_form(verb)}"
        if tense == "future":
            auxiliary = ("won't" if self.short_negation else "will not") if negative else "will"
            return phrase(who.en, auxiliary, verb)
        if negative:
            auxiliary = "did" if tense == "past" else "does" if who.person == "third" else "do"
            return phrase(who.en, auxiliary + ("n't" if self.short_negation else " not"), verb)
        if tense == "past":
            return phrase(who.en, english.past(verb))
        adverb = when.en if when.before_verb else ""
        return phrase(who.en, adverb, english.third_person(verb) if who.person == "third" else verb)

    def question(self, who: Subject, verb: str, tense: str) -> str:
        """Return the English subject and verb of a question: "did Tom read"."""
        if tense == "progressive":
            return f"{'is' if who.person == 'third' else 'are'} {who.en} {english.ing_form(verb)}"
        auxiliary = {"past": "did", "future": "will", "present": "does" if who.person == "third" else "do"}[tense]
        return f"{auxiliary} {who.en} {verb}"

    def finite(
        self, verb: Predicate, tense: str, who: Subject | None = None, *, negative: bool = False, question: bool = False
    ) -> str:
        """Return the Korean verb or adjective in the form that ends the sentence."""
        honorific = who is not None and who.honorific
        if tense == "progressive":
            stem = (honorific and verb.honorific_stem) or verb.stem
            verb, tense = Predicate(f"{stem}고 있", honorific_stem=f"{stem}고 계시"), "present"
        if honorific and verb.honorific_stem:
            verb = verb.honorific()
        if negative:
            verb = verb.negative(short=self.short_negation)
        if honorific:
            verb = verb.honorific()
        return verb.finite(self.level, tense, question=question)

    def copula(self, noun: str, *, past: bool = False, negative: bool = False, question: bool = False) -> str:
        """Return the Korean noun with 이다 in the form that ends the sentence."""
        return copula(noun, self.level, past=past, negative=negative, question=question)
