"""Generate the bundled sample of the character-generation task: a book of comic ballads.

Each ballad tells one of eight stories about the people and the animals of a village. Its title is in capitals; its
stanzas are quatrains of two rhyming couplets in iambic tetrameter, with every second line indented. The third stanza
is a refrain about the people and things of the title, and the refrain is repeated at the end. Direct speech opens and
closes within its couplet and has a speaker. This regular form is easy to check in the text that a model generates.

The words are in `words.toml` and the couplets in `stories/*.txt`:

- A paragraph lists the couplets that may stand at one place of the story: lines that begin a couplet and, indented,
  lines that end it. A first and a second line of the same group make a couplet when they rhyme.
- Two paragraphs make a stanza. The last two paragraphs make the refrain. A stanza whose first paragraph begins with
  "? " is left out of half of the ballads.
- `@name` stands for the couplets of `stories/name.txt`, `[this|that]` for a free choice, `<name>` for a choice listed
  in `words.toml`, and `{role}` for a name or pronoun that stays the same throughout the ballad (see `draw_cast`).

`python -m tasks.samples.chargen.make_sample` writes `verse.txt` into this folder, with the same bytes in every run.
"""

import random
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
SEED = 20240615
BALLADS_PER_STORY = 34
INDENT = " " * 4
REFRAIN_AFTER = 2  # number of stanzas before the first refrain
# How many couplets to draw in search of one without a line that the book already has. After that, a line is repeated.
MAX_DRAWS = 30

PRONOUNS = {"men": ("he", "his", "him"), "women": ("she", "her", "her")}

WORDS = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))
PEOPLE = [*WORDS["people"]["men"], *WORDS["people"]["women"]]
RHYME_CLASSES = [line.split() for line in WORDS["rhymes"]["classes"]]
RHYME_CLASS = {word: number for number, rhymes in enumerate(RHYME_CLASSES) for word in rhymes}

Stanza = tuple[str, ...]
Ballad = tuple[str, list[Stanza]]  # title and stanzas


class LineGroup(NamedTuple):
    """Lines of which a first and a second one make a couplet when they rhyme."""

    first_lines: list[str]
    second_lines: list[str]


class Paragraph(NamedTuple):
    """The couplets that may stand at one place of a story."""

    optional: bool
    groups: list[LineGroup]


@dataclass(frozen=True)
class Story:
    """A kind of ballad: its titles, its couplets (the refrain last) and who may take part."""

    titles: list[str]
    paragraphs: list[Paragraph]
    heroes: list[str]
    friends: list[str]
    animals: list[str]
    foods: list[str]


def read_couplets(name: str) -> list[Paragraph]:
    """Read `stories/name.txt`."""
    paragraphs = []
    for text in (FOLDER / "stories" / f"{name}.txt").read_text(encoding="utf-8").strip().split("\n\n"):
        groups: list[LineGroup] = []
        for line in text.split("\n"):
            if line.startswith("@"):
                groups += read_couplets(line[1:])[0].groups
            elif line.startswith(" "):
                groups[-1].second_lines.append(line.strip())
            else:
                if not groups or groups[-1].second_lines:
                    groups.append(LineGroup([], []))
                groups[-1].first_lines.append(line.removeprefix("? "))
        paragraphs.append(Paragraph(text.startswith("? "), groups))
    return paragraphs


def read_story(entry: dict) -> Story:
    """Build a story from its entry in `words.toml`."""
    people = {**WORDS["people"], "all": PEOPLE}
    return Story(
        entry["titles"],
        read_couplets(entry["couplets"]),
        [name for name in people[entry.get("heroes", "all")] if name not in entry.get("heroes_without", ())],
        people[entry.get("friends", "all")],
        entry.get("animals", list(WORDS["animals"])),
        WORDS["foods"][entry.get("foods", "baked")],
    )


STORIES = [read_story(entry) for entry in WORDS["stories"]]


def last_word(line: str) -> str:
    """Return the last word of a line, which carries the rhyme."""
    return re.findall("[a-z]+", line.lower())[-1]


def draw_cast(rng: random.Random, story: Story) -> dict[str, str]:
    """Draw who and what the `{roles}` of a ballad stand for.

    Args:
        rng: Source of random numbers.
        story: The story of the ballad.

    Returns:
        A dictionary from role to word: `hero` with the pronouns `he`, `his`, `him` and `He`; `friend` and `neighbor`
        with `friend_he`, `neighbor_his` and so on; two animals, `animal` of the color `animal_color` and `rival`; a
        `thing` of the look `look`; and a `food`.
    """
    cast = {"hero": rng.choice(story.heroes)}
    cast["friend"] = rng.choice([name for name in story.friends if name != cast["hero"]])
    cast["neighbor"] = rng.choice([name for name in PEOPLE if name not in cast.values()])
    for role, prefix in (("hero", ""), ("friend", "friend_"), ("neighbor", "neighbor_")):
        forms = PRONOUNS["women" if cast[role] in WORDS["people"]["women"] else "men"]
        cast.update((prefix + pronoun, form) for pronoun, form in zip(PRONOUNS["men"], forms, strict=True))
    cast["He"] = cast["he"].capitalize()  # for a sentence that begins within a line
    cast["animal"], cast["rival"] = rng.sample(story.animals, 2)
    cast["animal_color"] = rng.choice(WORDS["animals"][cast["animal"]])
    cast["look"], cast["thing"] = rng.choice(WORDS["things"]["names"]).split()
    cast["food"] = rng.choice(story.foods)
    return cast


def fill(rng: random.Random, template: str, cast: dict[str, str]) -> str:
    """Return the line with all choices made, the roles filled in, and a capital letter at the beginning."""
    text = re.sub(r"\[([^]]*)\]", lambda match: rng.choice(match[1].split("|")), template)
    text = re.sub(r"<(\w+)>", lambda match: rng.choice(WORDS["choices"][match[1]]), text)
    text = re.sub(r"\{(\w+)\}", lambda match: cast[match[1]], text)
    text = re.sub(r"\b([Aa])(?= [aeiou])", r"\1n", text)
    return re.sub(r"[A-Za-z]", lambda match: match[0].upper(), text, count=1)


def draw_couplet(rng: random.Random, groups: list[LineGroup], cast: dict[str, str]) -> tuple[str, str]:
    """Draw two lines of one group that rhyme on two different words."""
    while True:
        group = rng.choices(groups, [len(group.first_lines) for group in groups])[0]
        first = fill(rng, rng.choice(group.first_lines), cast)
        end = last_word(first)
        rhymes = [line for line in (fill(rng, second, cast) for second in group.second_lines) if last_word(line) != end]
        rhymes = [line for line in rhymes if RHYME_CLASS[last_word(line)] == RHYME_CLASS[end]]
        if rhymes:
            return first, rng.choice(rhymes)


def draw_stanza(
    rng: random.Random, places: tuple[Paragraph, Paragraph], cast: dict[str, str], used: set[str]
) -> Stanza:
    """Draw a stanza of two couplets on different rhymes, with as few used lines as `MAX_DRAWS` draws can find."""
    stanza: Stanza = ()
    for paragraph in places:
        first_rhyme = RHYME_CLASS[last_word(stanza[0])] if stanza else None
        best = None
        for _ in range(MAX_DRAWS):
            couplet = draw_couplet(rng, paragraph.groups, cast)
            if RHYME_CLASS[last_word(couplet[0])] == first_rhyme:
                continue
            if best is None or len(used.intersection(couplet)) < len(used.intersection(best)):
                best = couplet
            if not used.intersection(best):
                break
        stanza += best
    return stanza


def draw_ballad(rng: random.Random, story: Story, used: set[str]) -> Ballad:
    """Draw a ballad: its title and its stanzas, with the refrain at both of its places."""
    cast = draw_cast(rng, story)
    title = re.sub(r"\{(\w+)\}", lambda match: cast[match[1]].upper(), rng.choice(story.titles))
    stanzas = []
    for places in zip(story.paragraphs[::2], story.paragraphs[1::2], strict=True):
        if not places[0].optional or rng.random() < 0.5:
            stanzas.append(draw_stanza(rng, places, cast, used))
    refrain = stanzas.pop()
    return title, [*stanzas[:REFRAIN_AFTER], refrain, *stanzas[REFRAIN_AFTER:], refrain]


def make_ballads(seed: int = SEED) -> list[Ballad]:
    """Draw all ballads of the book.

    Args:
        seed: Seed of the random numbers.

    Returns:
        The ballads as `(title, stanzas)`. No title occurs twice, and no stanza except a refrain within its ballad.
    """
    rng = random.Random(seed)
    stories = STORIES * BALLADS_PER_STORY
    rng.shuffle(stories)
    ballads, titles, used, seen = [], set(), set(), set()
    for story in stories:
        while True:
            title, stanzas = draw_ballad(rng, story, used)
            if title not in titles and not seen.intersection(stanzas):
                break
        titles.add(title)
        seen.update(stanzas)
        used.update(line for stanza in stanzas for line in stanza)
        ballads.append((title, stanzas))
    return ballads


def render(ballads: list[Ballad]) -> str:
    """Return the text of the book: one blank line before each stanza, two before each title but the first."""
    texts = []
    for title, stanzas in ballads:
        texts.append(title + "\n")
        for stanza in stanzas:
            texts[-1] += "".join("\n" + INDENT * (row % 2) + line for row, line in enumerate(stanza)) + "\n"
    return "\n\n".join(texts)


def write(folder: Path) -> None:
    """Write `verse.txt` into the folder."""
    (folder / "verse.txt").write_text(render(make_ballads()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(FOLDER)
