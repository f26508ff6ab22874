"""English morphology for the generator: articles, plurals, numerals, and the forms of verbs and adjectives."""

from collections.abc import Callable

ONES = [
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["", "", "twenty", "thirty", "forty", "fifty"]
ORDINALS = ["", "first", "second", "third", "fourth", "fifth", "sixth"]

IRREGULAR_PAST = {
    "buy": "bought", "drink": "drank", "eat": "ate", "get": "got", "give": "gave", "go": "went", "make": "made",
    "meet": "met", "read": "read", "see": "saw", "send": "sent", "sing": "sang", "swim": "swam", "take": "took",
    "write": "wrote",
}  # fmt: skip
DOUBLED_CONSONANT = {"get", "swim"}  # getting, swimming


def numeral(value: int) -> str:
    """Return the numeral for 1 to 59."""
    if value < 20:
        return ONES[value]
    tens, ones = divmod(value, 10)
    return TENS[tens] + (f"-{ONES[ones]}" if ones else "")


def indefinite(noun: str) -> str:
    """Add "a" or "an". No word of the lexicon has a silent h or begins with the sound of "you"."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def plural(noun: str) -> str:
    """Return the plural of a noun or of the head of a phrase: "cups of coffee"."""
    head, of, rest = noun.partition(" of ")
    if head == "child":
        head = "children"
    elif head.endswith(("x", "s")):
        head += "es"
    elif head.endswith("y") and head[-2] not in "aeiou":
        head = head[:-1] + "ies"
    else:
        head += "s"
    return head + of + rest


def counted(value: int, noun: str) -> str:
    """Return the numeral with the noun in the singular or plural: "three apples"."""
    return f"{numeral(value)} {noun if value == 1 else plural(noun)}"


def _inflect_head(phrase: str, change: Callable[[str], str]) -> str:
    """Change the first word of the phrase: "waits for", "took photos"."""
    head, *rest = phrase.split(" ")
    return " ".join([change(head), *rest])


def past(phrase: str) -> str:
    """Return the verb phrase in the past tense."""

    def change(verb: str) -> str:
        if verb in IRREGULAR_PAST:
            return IRREGULAR_PAST[verb]
        if verb.endswith("e"):
            return verb + "d"
        return verb[:-1] + "ied" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "ed"

    return _inflect_head(phrase, change)


def third_person(phrase: str) -> str:
    """Return the verb phrase in the third person singular of the present tense."""

    def change(verb: str) -> str:
        if verb == "have":
            return "has"
        if verb.endswith(("s", "sh", "ch", "o")):
            return verb + "es"
        return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"

    return _inflect_head(phrase, change)


def ing_form(phrase: str) -> str:
    """Return the verb phrase with its -ing form."""

    def change(verb: str) -> str:
        if verb in DOUBLED_CONSONANT:
            return verb + verb[-1] + "ing"
        return verb.removesuffix("e") + "ing"

    return _inflect_head(phrase, change)


def comparative(adjective: str) -> str:
    """Return the comparative: "bigger", "more boring"."""
    return _degree(adjective, "er", "more")


def superlative(adjective: str) -> str:
    """Return the superlative with its article: "the biggest", "the most expensive"."""
    return "the " + _degree(adjective, "est", "most")


def _degree(adjective: str, suffix: str, word: str) -> str:
    if adjective == "far":
        return "farth" + suffix
    if len(adjective) > 6 or adjective == "boring":
        return f"{word} {adjective}"
    if adjective == "big":
        return adjective + adjective[-1] + suffix
    if adjective.endswith("e"):
        return adjective + suffix[1:]
    if adjective.endswith("y"):
        return adjective[:-1] + "i" + suffix
    return adjective + suffix


def clock(hour: int, minute: int, half: str) -> str:
    """Return a time of day: "9 AM", "3:30 PM"."""
    return f"{hour}:{minute:02} {half}" if minute else f"{hour} {half}"


def capitalize(text: str) -> str:
    """Capitalize the first letter."""
    return text[0].upper() + text[1:]
