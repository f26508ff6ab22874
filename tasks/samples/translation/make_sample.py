"""Write the bundled sample of the translation task: English-Korean sentence pairs from a small grammar.

The modules beside this one hold the families of sentences; each makes an English sentence together with its Korean
translation.  Three properties make the sample a fair test of exact match:

* The English sentence alone decides the translation.  Speech levels, which Korean has and English has not, follow from
  who is addressed: "sir" and the like take 합니다체, a friend's name 반말, and all the rest 해요체.
* No sentence of either language occurs twice, within a split or across splits.
* Validation and test are made of words and word forms that are frequent in training.

``python -m tasks.samples.translation.make_sample`` writes ``train.csv``, ``validation.csv`` and ``test.csv`` beside
this file, byte-identical at each run.
"""

import random
import re
from collections import Counter
from pathlib import Path

from tasks.samples.tables import write_splits

# The families register themselves when they are imported.
from tasks.samples.translation import actions, counting, english, lexicon, links, times, world  # noqa: F401
from tasks.samples.translation.korean import Level, agree, vocative
from tasks.samples.translation.lexicon import Word
from tasks.samples.translation.scene import FAMILIES, Draw, Family

SEED = 20240601
SIZES = {"train": 20000, "validation": 500, "test": 1000}
FIRST = 10000  # Validation and test are drawn after so many, and take what is frequent in these.
LEVELS: dict[Level, float] = {"polite": 0.55, "formal": 0.2, "plain": 0.25}
WORDS = range(3, 15)  # in an English sentence
# How often at least an English word, and a Korean one, of validation and test occurs in training.
FREQUENT = 15
FREQUENT_KOREAN = 5

FRIENDS = [name for name in lexicon.HE + lexicon.SHE if name.en in lexicon.KOREAN_NAMES]


def draw_pair(rng: random.Random, family: Family | None = None) -> tuple[str, str]:
    """One sentence and its translation, of any family if none is given."""
    family = family or rng.choices(FAMILIES, [family.weight for family in FAMILIES])[0]
    d = Draw(rng, rng.choices(family.levels, [LEVELS[level] for level in family.levels])[0])
    friend = Word("my friend", "친구") if d.chance(0.25) else d.pick(FRIENDS)
    if d.level == "plain":
        d.friend = friend.en
    en, ko = family.make(d)
    body, mark = en[:-1], en[-1]
    if d.level == "plain":
        body, ko = f"{friend.en}, {body}", f"{vocative(friend.ko)}, {ko}"
    elif d.level == "formal":
        listener = d.pick(("sir", "professor", "all") if family.announced and mark == "." else ("sir", "professor"))
        if listener == "sir":
            body, ko = f"{body}, sir", f"선생님, {ko}"
        elif listener == "professor":
            body, ko = f"professor, {body}", f"교수님, {ko}"
        else:
            body, ko = f"ladies and gentlemen, {body}", f"여러분, {ko}"
    return english.sentence(body + mark), agree(ko)


def tokens(text: str) -> list[str]:
    """The words without capitals and punctuation; "forty-two" and "Tom's" count as two, and figures are words, too."""
    return re.findall(r"[a-z]*n't|'?[a-zé]+|[가-힣]+|\d+", text.lower())


def make_splits(seed: int = SEED) -> dict[str, list[tuple[str, str]]]:
    """``{split: [(english, korean), ...]}``."""
    rng = random.Random(seed)
    seen: set[str] = set()

    def fresh() -> tuple[str, str]:
        while True:
            en, ko = draw_pair(rng)
            if len(en.split()) in WORDS and en not in seen and ko not in seen:
                seen.update((en, ko))
                return en, ko

    splits = {"train": [fresh() for _ in range(FIRST)]}
    counts = [
        Counter(token for text in texts for token in tokens(text)) for texts in zip(*splits["train"], strict=True)
    ]

    def frequent(*pair: str) -> bool:
        sides = zip(pair, counts, (FREQUENT, FREQUENT_KOREAN), strict=True)
        return all(count[token] >= enough for text, count, enough in sides for token in tokens(text))

    for split in ("validation", "test"):
        rows = splits[split] = []
        while len(rows) < SIZES[split]:
            if frequent(*(pair := fresh())):
                rows.append(pair)
    splits["train"] += [fresh() for _ in range(SIZES["train"] - FIRST)]
    return splits


def write(folder) -> None:
    """Write ``train.csv``, ``validation.csv`` and ``test.csv`` into the folder."""
    write_splits(Path(folder), ("en", "ko"), make_splits())


if __name__ == "__main__":
    write(Path(__file__).parent)
