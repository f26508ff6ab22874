"""What the sentence families of the bundled sample draw from: a speech level, people, times, and clauses."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from tasks.samples.translation import english, lexicon
from tasks.samples.translation.korean import Level, Predicate, closed, copula
from tasks.samples.translation.lexicon import Word

T = TypeVar("T")

# How often English contracts "not" where the speech level leaves the choice.
CONTRACTED = 0.5


class Subject(NamedTuple):
    en: str
    ko: str  # empty if Korean leaves it out
    person: str  # "I", "we", "you" or "third"
    pronoun: str
    elder: bool = False  # takes the honorific


class When(NamedTuple):
    tense: str  # "past", "present", "progressive" or "future"
    en: str
    ko: str
    before_verb: bool = False  # "I often read", against "I read every day"


NO = Word("", "")  # stands for what is left out
PAST, PRESENT, FUTURE = (When(tense, "", "") for tense in ("past", "present", "future"))


def phrase(*pieces: str) -> str:
    """The pieces that are not empty, with spaces between."""
    return " ".join(piece for piece in pieces if piece)


class Draw:
    """The draws for one sentence.

    The speech level decides how Korean ends, and all it takes to tell the level stands in the English sentence: who is
    addressed.  "Not" too: what English contracts is 안 in Korean, and the full form is -지 않다.  Friends contract, and
    nobody does before a professor; without an address both occur where Korean has the two negations, and the full form
    alone where it has one (이/가 아니다, -지 마세요), so that no two English sentences share a translation.
    """

    def __init__(self, rng: random.Random, level: Level):
        self.rng = rng
        self.level = level
        self.friendly = level == "plain"
        self.short = self.friendly or (level == "polite" and rng.random() < CONTRACTED)
        self.friend = ""  # the name of the friend addressed, who is not spoken about in the same sentence

    def pick(self, choices: Sequence[T]) -> T:
        return self.rng.choice(choices)

    def two(self, choices: Sequence[T]) -> list[T]:
        return self.rng.sample(choices, 2)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # --- people ---

    def my(self) -> str:
        return "내" if self.friendly else "제"

    def name(self, *, but: str = "") -> Subject:
        """Somebody else than the friend addressed and, with `but`, than the one of that name."""
        pronoun = self.pick(("he", "she"))
        people = lexicon.HE if pronoun == "he" else lexicon.SHE
        person = self.pick([person for person in people if person.en not in (self.friend, but)])
        return Subject(person.en, self.familiar(person), "third", pronoun)

    def familiar(self, person: Word) -> str:
        """Among friends a Korean name that ends in a consonant gets an 이 before any particle: 수진이는."""
        if self.friendly and person.en in lexicon.KOREAN_NAMES and closed(person.ko):
            return person.ko + "이"
        return person.ko

    def subject(self, *, elders: bool = False) -> Subject:
        kind = self.rng.random()
        if kind < 0.2:
            return Subject("I", "나" if self.friendly else "저", "I", "I")
        if kind < 0.3:
            return Subject("we", "저희" if self.level == "formal" else "우리", "we", "we")
        if elders and kind < 0.42:
            person = self.pick(lexicon.ELDERS)
            pronoun = "she" if person.en == "grandmother" else "he"
            return Subject(f"my {person.en}", person.ko, "third", pronoun, elder=True)
        if kind < 0.55:
            pronoun = self.pick(("he", "she"))
            person = self.pick(lexicon.RELATIVES[pronoun])
            return Subject(f"my {person.en}", f"{self.my()} {person.ko}", "third", pronoun)
        return self.name()

    def you(self) -> Subject:
        """Whom one asks politely is an elder to the verb."""
        return Subject("you", "", "you", "you", elder=not self.friendly)

    def owner(self) -> Word:
        """Whose: "my", "Tom's"."""
        who = self.subject()
        if who.person == "I":
            return Word("my", self.my())
        return Word("our", who.ko) if who.person == "we" else Word(f"{who.en}'s", f"{who.ko}의")

    def nominative(self, who: Subject) -> str:
        """With 이/가, which two pronouns take in a form of their own."""
        return {"저": "제가", "나": "내가"}.get(who.ko, f"{who.ko}이(가)")

    # --- times ---

    def when(self, *tenses: str) -> When:
        """A tense and an adverbial that tells it."""
        tense = self.pick(tenses)
        if tense == "past":
            if self.chance(0.2):
                day = self.pick(lexicon.WEEKDAYS)
                return When(tense, f"last {day.en}", f"지난주 {day.ko}에")
            time = self.pick(lexicon.PAST_TIMES)
        elif tense == "future":
            if self.chance(0.2):
                day = self.pick(lexicon.WEEKDAYS)
                return When(tense, f"next {day.en}", f"다음 주 {day.ko}에")
            time = self.pick(lexicon.FUTURE_TIMES)
        elif tense == "present":
            if self.chance(0.4):
                return When(tense, *self.pick(lexicon.FREQUENCIES), before_verb=True)
            time = self.pick(lexicon.HABITS)
        else:
            time = self.pick([Word("now", "지금"), NO])
        return When(tense, time.en, time.ko)

    # --- clauses ---

    def be(self, who: Subject, tense: str = "present", *, negative: bool = False, short: bool = False) -> str:
        """ "Tom is", "I am not", "Jane wasn't"."""
        if tense == "past":
            verb = "was" if who.person in ("I", "third") else "were"
        else:
            verb = {"I": "am", "third": "is"}.get(who.person, "are")
        if not negative:
            return f"{who.en} {verb}"
        return f"{who.en} {verb}n't" if short and verb != "am" else f"{who.en} {verb} not"

    def says(self, who: Subject, verb: str, when: When, *, negative: bool = False) -> str:
        """Subject and verb in English: "Tom often reads", "I did not read", "we will read"."""
        tense = when.tense
        often = when.en if when.before_verb else ""
        if tense == "progressive":
            return f"{self.be(who)} {english.ing(verb)}"
        if tense == "future":
            auxiliary = ("won't" if self.short else "will not") if negative else "will"
            return phrase(who.en, auxiliary, verb)
        if negative:
            auxiliary = "did" if tense == "past" else "does" if who.person == "third" else "do"
            return phrase(who.en, auxiliary + ("n't" if self.short else " not"), verb)
        if tense == "past":
            return phrase(who.en, english.past(verb))
        return phrase(who.en, often, english.third(verb) if who.person == "third" else verb)

    def asks(self, who: Subject, verb: str, tense: str) -> str:
        """The same as a question, without its mark: "did Tom read"."""
        if tense == "progressive":
            return f"{'is' if who.person == 'third' else 'are'} {who.en} {english.ing(verb)}"
        auxiliary = {"past": "did", "future": "will", "present": "does" if who.person == "third" else "do"}[tense]
        return f"{auxiliary} {who.en} {verb}"

    def end(
        self, verb: Predicate, tense: str, who: Subject | None = None, *, negative: bool = False, question: bool = False
    ) -> str:
        """The end of the Korean sentence."""
        elder = who is not None and who.elder
        if tense == "progressive":
            stem = (elder and verb.suppletive) or verb.stem
            verb, tense = Predicate(f"{stem}고 있", suppletive=f"{stem}고 계시"), "present"
        if elder and verb.suppletive:
            verb = verb.honorific()
        if negative:
            verb = verb.negative(short=self.short)
        if elder:
            verb = verb.honorific()
        return verb.end(self.level, tense, question=question)

    def is_(self, noun: str, *, past: bool = False, negative: bool = False, question: bool = False) -> str:
        """The noun with 이다 at the end of the Korean sentence."""
        return copula(noun, self.level, past=past, negative=negative, question=question)


class Family(NamedTuple):
    """A family of sentences: what makes one, how often, and at which speech levels."""

    make: Callable[[Draw], tuple[str, str]]
    weight: float
    levels: tuple[Level, ...]
    announced: bool  # fit for "ladies and gentlemen"


FAMILIES: list[Family] = []


def family(weight: float = 1, *, levels: str = "polite formal plain", announced: bool = False) -> Callable:
    """Registers a function that makes an English sentence and its translation, ended by "." or "?" both."""

    def register(make: Callable) -> Callable:
        FAMILIES.append(Family(make, weight, tuple(levels.split()), announced))
        return make

    return register
