"""Generate the bundled sample of the translation task: English-Korean sentence pairs from a small grammar.

Each sentence pattern in `patterns/` makes an English sentence together with its Korean translation, from the words in
`lexicon.toml` and their combinations in `collocations.toml`. Three properties make exact match a fair measure:

- The English sentence determines its translation. Korean speech levels, which English lacks, follow from the person
  addressed: 합니다체 with "sir" and the like, 반말 with the name of a friend, and 해요체 without an address.
- No sentence of either language occurs twice, within or across splits.
- Validation and test consist of words and word forms that are frequent in training.

`python -m tasks.samples.translation.make_sample` writes `train.csv`, `validation.csv` and `test.csv` into this folder,
with the same bytes in every run.
"""

import random
import re
from collections import Counter
from pathlib import Path

from tasks.samples.korean_morphology import SpeechLevel, attach_particles, vocative
from tasks.samples.tables import write_splits
from tasks.samples.translation import english_morphology as english
from tasks.samples.translation import lexicon
from tasks.samples.translation.clauses import Draw, Pair
from tasks.samples.translation.lexicon import Word
from tasks.samples.translation.patterns import PATTERNS

FOLDER = Path(__file__).parent
SEED = 20240601
SIZES = {"train": 20000, "validation": 500, "test": 1000}
# Validation and test are drawn after this number of training pairs and consist of words that are frequent in these.
FIRST_TRAINING_PAIRS = 10000
SPEECH_LEVELS: dict[SpeechLevel, float] = {"polite": 0.55, "formal": 0.2, "plain": 0.25}  # probabilities
SENTENCE_LENGTHS = range(3, 15)  # number of words of an English sentence
# Minimum number of occurrences in training of each English and each Korean word of validation and test.
MIN_COUNTS = (15, 5)

FRIENDS = [name for name in lexicon.MALE_NAMES + lexicon.FEMALE_NAMES if name.en in lexicon.KOREAN_NAMES]


def draw_pair(rng: random.Random) -> Pair:
    """Draw a sentence pair, including the person addressed."""
    pattern = rng.choices(PATTERNS, [pattern.weight for pattern in PATTERNS])[0]
    d = Draw(rng, rng.choices(pattern.levels, [SPEECH_LEVELS[level] for level in pattern.levels])[0])
    friend = Word("my friend", "친구") if d.chance(0.25) else d.pick(FRIENDS)
    if d.level == "plain":
        d.friend = friend.en
    en, ko = pattern.make(d)
    body, mark = en[:-1], en[-1]
    if d.level == "plain":
        body, ko = f"{friend.en}, {body}", f"{vocative(friend.ko)}, {ko}"
    elif d.level == "formal":
        audience = pattern.to_audience and mark == "."
        listener = d.pick(("sir", "professor", "audience") if audience else ("sir", "professor"))
        if listener == "sir":
            body, ko = f"{body}, sir", f"선생님, {ko}"
        elif listener == "professor":
            body, ko = f"professor, {body}", f"교수님, {ko}"
        else:
            body, ko = f"ladies and gentlemen, {body}", f"여러분, {ko}"
    return english.capitalize(body + mark), attach_particles(ko)


def tokens(text: str) -> list[str]:
    """Return the words in lower case without punctuation; "forty-two" and "Tom's" count as two, figures as words."""
    return re.findall(r"[a-z]*n't|'?[a-zé]+|[가-힣]+|\d+", text.lower())


def make_splits(seed: int = SEED) -> dict[str, list[Pair]]:
    """Draw all sentence pairs.

    Args:
        seed: Seed of the random numbers.

    Returns:
        `{split: [(english, korean), ...]}`.
    """
    rng = random.Random(seed)
    seen: set[str] = set()

    def draw_new() -> Pair:
        while True:
            en, ko = draw_pair(rng)
            if len(en.split()) in SENTENCE_LENGTHS and en not in seen and ko not in seen:
                seen.update((en, ko))
                return en, ko

    splits = {"train": [draw_new() for _ in range(FIRST_TRAINING_PAIRS)]}
    counts = [
        Counter(token for text in texts for token in tokens(text)) for texts in zip(*splits["train"], strict=True)
    ]

    def is_frequent(pair: Pair) -> bool:
        sides = zip(pair, counts, MIN_COUNTS, strict=True)
        return all(count[token] >= min_count for text, count, min_count in sides for token in tokens(text))

    for split in ("validation", "test"):
        rows = splits[split] = []
        while len(rows) < SIZES[split]:
            if is_frequent(pair := draw_new()):
                rows.append(pair)
    splits["train"] += [draw_new() for _ in range(SIZES["train"] - FIRST_TRAINING_PAIRS)]
    return splits


def write(folder: Path) -> None:
    """Write `train.csv`, `validation.csv` and `test.csv` into the folder."""
    write_splits(folder, ("en", "ko"), make_splits())


if __name__ == "__main__":
    write(FOLDER)
