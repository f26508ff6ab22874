"""Patterns of two clauses: reasons, conditions, sequence, contrast and relative clauses."""

from tasks.samples.korean_morphology import Predicate
from tasks.samples.translation import english_morphology as english
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import FUTURE, PAST, PRESENT, Draw, Pair, phrase
from tasks.samples.translation.lexicon import NOTHING, Word
from tasks.samples.translation.patterns.phrases import GO, accusative, draw_action, please, request_form

MANNERS = [adverb for adverb in lexicon.ADVERBS["request"] if adverb.en in ("first", "quickly")]
CAUSES = lexicon.noun_group("causes")
VALUABLES = lexicon.noun_group("valuables")
LIKABLE = [lexicon.nouns(names) for names in lexicon.COLLOCATIONS["noun_groups"]["likable"]]
SEQUENTIAL_ACTIONS = [action for action in lexicon.ACTIONS if action.en in lexicon.ACTION_GROUPS["in_sequence"]]


def past_time(d: Draw) -> Word:
    """Draw an adverbial of the past, or nothing."""
    return d.pick([NOTHING, *lexicon.ADVERBS["past"]])


def reason(d: Draw) -> Pair:
    """Give a clause as the reason: "Tom took a taxi because it was raining", -아/어서."""
    who, time = d.subject(), past_time(d)
    if d.chance(0.5):
        because, _, ko, deeds = d.pick(lexicon.WEATHERS)
    else:
        state, ko, deeds = d.pick(lexicon.REASONS)
        be = "was" if who.person != "we" else "were"
        because = f"{who.pronoun} {state.format(be=be, have='had')}"
    # Hunger does not keep anybody from going somewhere.
    if "고프" not in ko.stem and d.chance(0.3):
        goal = d.pick(lexicon.DESTINATIONS)
        says, end = d.clause(who, f"go to {goal.en}", PAST, negative=True), d.finite(GO, "past", negative=True)
        end = f"{goal.ko}에 {end}"
    else:
        deed, verb = d.pick(deeds)
        says, end = d.clause(who, deed, PAST), d.finite(verb, "past")
    en = phrase(says, time.en, f"because {because}")
    return f"{en}.", phrase(f"{who.ko}은(는)", time.ko, f"{ko.infinitive()}서", end) + "."


def cause(d: Draw) -> Pair:
    """Give a noun as the reason: 때문에."""
    who, noun = d.subject(), d.pick(CAUSES)
    # A cold is no reason to stay away from the hospital.
    goal = d.pick([place for place in lexicon.DESTINATIONS if place.en != "the hospital"])
    if d.chance(0.5):
        time = past_time(d)
        says, end = d.clause(who, "go", PAST, negative=True), d.finite(GO, "past", negative=True)
    else:
        time = d.pick([NOTHING, *lexicon.ADVERBS["future"]])
        says, end = f"{who.en} cannot go", f"{GO.eu_form('ㄹ')} 수 {Predicate('없').finite(d.level)}"
    en = phrase(says, f"to {goal.en}", time.en, f"because of {noun.en}")
    return f"{en}.", phrase(f"{who.ko}은(는)", time.ko, f"{noun.ko} 때문에", f"{goal.ko}에", end) + "."


def conditional_request(d: Draw) -> Pair:
    """Ask for something in a situation: "it is cold, so please" with -(으)니까, "if it is cold" with -(으)면."""
    case, ko, deeds = d.pick(lexicon.SITUATIONS)
    deed, verb = d.pick(deeds)
    adverb = d.pick([NOTHING, NOTHING, *MANNERS])
    objects, _, bare = verb.stem.rpartition(" ")
    end = request_form(d.level, Predicate(phrase(objects, adverb.ko, bare), verb.irregular))
    asked = please(d, phrase(deed, adverb.en))
    if d.chance(0.5):
        return f"{case}, so {asked}.", f"{ko.eu_form('니까')} {end}."
    return f"if {case}, {asked}.", f"{ko.eu_form('면')} {end}."


def weather_condition(d: Draw) -> Pair:
    """Say what somebody will do in case of some weather: -(으)면."""
    (_, case, ko, deeds), who = d.pick(lexicon.WEATHERS), d.subject()
    time = d.pick(lexicon.ADVERBS["future"])
    deed, verb = d.pick(deeds)
    en = f"if {case} {time.en}, {d.clause(who, deed, FUTURE)}"
    return f"{en}.", f"{time.ko} {ko.eu_form('면')} {who.ko}은(는) {d.finite(verb, 'future')}."


def means_condition(d: Draw) -> Pair:
    """Say what somebody will do with enough time or money: -(으)면."""
    who, time = d.subject(), d.pick([NOTHING, *lexicon.ADVERBS["future"]])
    means = d.pick(lexicon.nouns(("time", "money")))
    verb, thing, _ = draw_action(d, place=0, objects=True)
    if means.en == "money":
        verb = next(verb for verb in lexicon.ACTIONS if verb.en == "buy")
        thing = d.pick(VALUABLES)
    has = d.clause(who, f"have {means.en}", PRESENT)
    en = f"if {phrase(has, time.en)}, {who.pronoun} will {verb.en} {thing.en}"
    ko = phrase(f"{who.ko}은(는)", time.ko, f"{means.ko}이(가) 있으면", accusative(thing), d.finite(verb.ko, "future"))
    return f"{en}.", f"{ko}."


def occasion(d: Draw) -> Pair:
    """Say what somebody does whenever something is the case: -(으)ㄹ 때."""
    who = d.subject()
    if d.chance(0.4):
        _, case, ko, deeds = d.pick(lexicon.WEATHERS)
    else:
        state, ko, deeds = d.pick(lexicon.OCCASIONS)
        be = {"I": "am", "we": "are"}.get(who.person, "is")
        case = f"{who.pronoun} {state.format(be=be, have='has' if who.person == 'third' else 'have')}"
    deed, verb = d.pick(deeds)
    says = d.clause(who, deed, PRESENT)
    return f"{says} when {case}.", f"{who.ko}은(는) {ko.eu_form('ㄹ')} 때 {d.finite(verb, 'present')}."


def sequence(d: Draw) -> Pair:
    """Say what somebody did one after the other: -고, -기 전에, -(으)ㄴ 후에."""
    who, link = d.subject(), d.pick(("and", "before", "after"))
    verb, other = d.pick_two(SEQUENTIAL_ACTIONS)
    while verb.en == other.en:
        verb, other = d.pick_two(SEQUENTIAL_ACTIONS)
    thing, other_thing = d.pick(verb.objects), d.pick(other.objects)
    while thing.ko == other_thing.ko:
        other_thing = d.pick(other.objects)
    time = past_time(d)
    says = f"{d.clause(who, verb.en, PAST)} {thing.en}"
    body, end = accusative(thing), d.finite(verb.ko, "past")
    if link == "and":
        says = phrase(says, "and", english.past(other.en), other_thing.en, time.en)
        first = f"{body} {verb.ko.stem}고"
        body, end = accusative(other_thing), d.finite(other.ko, "past")
    else:
        says = phrase(says, link, english.ing_form(other.en), other_thing.en, time.en)
        form = f"{other.ko.stem}기 전에" if link == "before" else f"{other.ko.attributive(past=True)} 후에"
        first = f"{accusative(other_thing)} {form}"
    return f"{says}.", phrase(f"{who.ko}은(는)", time.ko, first, body, end) + "."


def relative_clause(d: Draw) -> Pair:
    """Describe a thing by a relative clause: "the cake that Jane made was delicious"."""
    verb, ko, things, qualities = d.pick(lexicon.PRODUCTS)
    who, thing, quality = d.subject(), d.pick(things), d.pick(qualities)
    time = d.pick([NOTHING, NOTHING, *lexicon.ADVERBS["past"][:2]])
    tense = d.pick(("past", "present"))
    says = phrase(d.clause(who, verb, PAST), time.en)
    modifier = phrase(d.nominative(who), time.ko, ko.attributive(past=True))
    en = f"the {thing.en} that {says} {'was' if tense == 'past' else 'is'} {quality.en}"
    return f"{en}.", f"{modifier} {thing.ko}은(는) {d.finite(quality.ko, tense)}."


def preference(d: Draw) -> Pair:
    """Say what somebody likes more than something else."""
    who, (one, two) = d.subject(), d.pick_two(d.pick(LIKABLE))
    likes = d.clause(who, "like", PRESENT)
    end = d.finite(lexicon.VERBS["like"], "present")
    kind = d.pick(("more", "but not", "others"))
    if kind == "more":
        return f"{likes} {one.en} more than {two.en}.", f"{who.ko}은(는) {two.ko}보다 {one.ko}을(를) 더 {end}."
    if kind == "but not":
        no = d.clause(who, "like", PRESENT, negative=True).removeprefix(f"{who.en} ")
        end = d.finite(lexicon.VERBS["like"], "present", negative=True)
        return f"{likes} {one.en} but {no} {two.en}.", f"{who.ko}은(는) {one.ko}은(는) 좋아하지만 {two.ko}은(는) {end}."
    other = d.person(other_than=who.en)
    en = f"{likes} {one.en}, but {d.clause(other, 'like', PRESENT)} {two.en}"
    return f"{en}.", f"{who.ko}은(는) {one.ko}을(를) 좋아하지만 {other.ko}은(는) {two.ko}을(를) {end}."
