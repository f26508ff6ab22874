"""English for the bundled sample: articles, plurals, number words, and the forms of verbs and adjectives."""

from collections.abc import Callable

ONES = [
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["", "", "twenty", "thirty", "forty", "fifty"]
ORDINALS = ["", "first", "second", "third", "fourth", "fifth", "sixth"]

PAST = {
    "buy": "bought", "drink": "drank", "eat": "ate", "get": "got", "give": "gave", "go": "went", "make": "made",
    "meet": "met", "read": "read", "see": "saw", "send": "sent", "sing": "sang", "swim": "swam", "take": "took",
    "write": "wrote",
}  # fmt: skip
DOUBLED = {"get", "swim"}  # getting, swimming


def number(value: int) -> str:
    """1 to 59 in words."""
    if value < 20:
        return ONES[value]
    tens, ones = divmod(value, 10)
    return TENS[tens] + (f"-{ONES[ones]}" if ones else "")


def indefinite(noun: str) -> str:
    """With "a" or "an"; none of the sample's words has a silent h or begins with the sound of "you"."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def plural(noun: str) -> str:
    """Of the head of the phrase: "cups of coffee"."""
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
    return f"{number(value)} {noun if value == 1 else plural(noun)}"


def _head(phrase: str, change: Callable[[str], str]) -> str:
    """The phrase with its first word changed: "waits for", "took photos"."""
    head, *rest = phrase.split(" ")
    return " ".join([change(head), *rest])


def past(phrase: str) -> str:
    def change(verb: str) -> str:
        if verb in PAST:
            return PAST[verb]
        if verb.endswith("e"):
            return verb + "d"
        return verb[:-1] + "ied" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "ed"

    return _head(phrase, change)


def third(phrase: str) -> str:
    def change(verb: str) -> str:
        if verb == "have":
            return "has"
        if verb.endswith(("s", "sh", "ch", "o")):
            return verb + "es"
        return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"

    return _head(phrase, change)


def ing(phrase: str) -> str:
    def change(verb: str) -> str:
        if verb in DOUBLED:
            return verb + verb[-1] + "ing"
        return verb.removesuffix("e") + "ing"

    return _head(phrase, change)


def comparative(adjective: str) -> str:
    return _degree(adjective, "er", "more")


def superlative(adjective: str) -> str:
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
    """ "9 AM", "3:30 PM"."""
    return f"{hour}:{minute:02} {half}" if minute else f"{hour} {half}"


def sentence(text: str) -> str:
    """With a capital letter at the beginning."""
    return text[0].upper() + text[1:]
