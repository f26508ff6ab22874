"""Values of the settings that are "auto", from the number, the length and the script of the training texts."""

from typing import NamedTuple

from tasks.data.records import is_blank, resolve_splits
from tasks.data.scripts import ScriptCounts, largest_ngram, ngram_units
from tasks.sentiment.settings import SentimentSettings, SentimentTrainingSettings
from tasks.sentiment.source import open_labelled_texts

# Number of texts whose length and script are looked at; the others are counted.
MAX_TEXTS = 50_000
# Up to this number of texts logistic regression is fitted in seconds; with more, the other features are better.
MAX_FITTED_TEXTS = 20_000
# From this number of texts on there is enough to learn from the order of neighbouring pieces in long texts.
POOLED_LESS = 5_000
# From this number of texts on the layers of a language model are trained too. With 3,000 reviews of NSMC that took five
# times as long as the classifier on the frozen language model, and was not better on other texts (one draw).
FINE_TUNED = 10_000
# The layers of a language model, which are trained already, overfit with the learning rate of untrained ones.
LEARNING_RATES = {"off": 4e-3, "gradual": 1e-3}
# From this mean number of characters on, texts are long.
LONG = 500
# Of a longer text this number of characters counts: one document among short texts does not make them long.
LONGEST = 10_000
# Characters in a piece of the other scripts, on average.
PIECE_LENGTH = 3.5
STEPS, MIN_EPOCHS, MAX_EPOCHS = 400, 2, 14
# In 19 trainings (300 to 10,000 texts of NSMC and IMDB), after two epochs without a lower validation loss no later loss
# was lower. One more, because at first the loss may not fall for some epochs.
PATIENCE = 3
BATCHES_PER_PASS, MIN_TOKENS_PER_BATCH, MAX_TOKENS_PER_BATCH = 25, 512, 16_384


class TextStatistics(NamedTuple):
    """What is known of the training texts.

    Attributes:
        count: About their number.
        characters: Mean number of characters of the first ones, at most `LONGEST` of each.
        character_script_share: See `tasks.data.scripts.ScriptCounts`.
    """

    count: int
    characters: float
    character_script_share: float


def resolve(settings: SentimentSettings) -> tuple[SentimentSettings, str]:
    """Replace each setting that is "auto"; see `tasks.task.Task.resolve`.

    `wide_share` is chosen after the training, by `tasks.sentiment.wide_share`; until then it is one half.
    """
    groups, reasons = ("vocabulary", "network", "training"), []
    if settings.training.patience == "auto":  # follows from other settings alone
        patience = _patience(settings.training)
        settings = settings.model_copy(update={"training": settings.training.model_copy(update={"patience": patience})})
        reasons = [] if patience is None else [f"patience={patience}"]
    automatic = [(group, name) for group in groups for name, value in getattr(settings, group) if value == "auto"]
    if not automatic:
        return settings, ""
    statistics = _statistics(settings)
    values = _values(settings, statistics)
    chosen = {
        group: getattr(settings, group).model_copy(update={name: values[name] for of, name in automatic if of == group})
        for group in groups
    }
    hidden = {"wide_share"} if settings.training.pretrained else {"wide_share", "fine_tuning"}
    reasons = [f"{name}={values[name]}" for _, name in automatic if name not in hidden] + reasons
    reason = f"chosen for {_describe(statistics)}: {', '.join(reasons)}" if reasons else ""
    return settings.model_copy(update=chosen), reason


def _patience(training: SentimentTrainingSettings) -> int | None:
    """Return the patience of "auto"."""
    if training.epochs != "auto" or training.steps_per_epoch or training.monitor != "loss":
        return None
    return None if training.pretrained else PATIENCE  # its layers are unfrozen one by one; the loss may rise first


def _statistics(settings: SentimentSettings) -> TextStatistics:
    source = open_labelled_texts(settings)
    resolve_splits("train", source.stored, source.location)
    fractions = {"validation": settings.data.validation_fraction, "test": settings.data.test_fraction}
    drawn = sum(fractions[split] for split in source.splits if split not in source.stored)
    count, characters, scripts = 0, 0, ScriptCounts()
    for record in source.stored["train"]():  # as it is in the data: nothing has to be drawn
        if source.problem(record) is not None or is_blank(record.values[0]):
            continue  # `prepare` reports it
        text, count = record.values[0], count + 1
        if count > MAX_TEXTS:
            continue
        characters += min(len(text), LONGEST)
        scripts.add(text)
    read = max(1, min(count, MAX_TEXTS))
    return TextStatistics(round(count * (1.0 - drawn)), characters / read, scripts.character_script_share)


def _describe(statistics: TextStatistics) -> str:
    return f"about {statistics.count:,} training texts of {statistics.characters:.0f} characters on average"


def _values(settings: SentimentSettings, statistics: TextStatistics) -> dict[str, str | int | float]:
    """Return a value for each setting that can be "auto"; those that are given count as they are."""

    def given(group: str, name: str, value):
        asked = getattr(getattr(settings, group), name)
        return value if asked == "auto" else asked

    vocabulary_type = given(
        "vocabulary", "vocabulary_type", "char" if statistics.character_script_share > 0.5 else "unigram"
    )
    wide_units = given("network", "wide_units", ngram_units(vocabulary_type, statistics.character_script_share))
    last = largest_ngram(vocabulary_type, wide_units)
    by_character = vocabulary_type == "char"
    few = statistics.count <= MAX_FITTED_TEXTS
    long = statistics.characters > LONG and not settings.recurrent.unroll
    max_tokens = given("network", "max_tokens", 1_000 if long else 400)
    pieces = min(statistics.characters / (1.0 if by_character else PIECE_LENGTH), max_tokens)
    tokens = max(1.0, statistics.count * pieces)
    batch = MIN_TOKENS_PER_BATCH
    while batch * 2 * BATCHES_PER_PASS <= tokens and batch < MAX_TOKENS_PER_BATCH:
        batch *= 2
    tokens_per_batch = given("training", "tokens_per_batch", batch)
    # Further losses and n-gram vectors are of use to a fine-tuning alone.
    further = settings.training.lm_loss_weight + settings.training.adversarial_epsilon
    tuned = settings.training.pretrained is not None and (
        statistics.count >= FINE_TUNED or further > 0 or settings.network.ngrams > 1
    )
    fine_tuning = given("training", "fine_tuning", "gradual" if tuned else "off")
    pool_size = 1  # a language model reads each piece
    if long and not settings.network.separate_directions:
        pool_size = 4 if statistics.count < POOLED_LESS else 2
    steps_per_epoch = settings.training.steps_per_epoch or max(1.0, tokens / tokens_per_batch)
    epochs = round(STEPS / steps_per_epoch)
    return {
        "vocabulary_type": vocabulary_type,
        "max_tokens": max_tokens,
        "pool_size": pool_size,
        "wide_units": wide_units,
        "wide_ngrams": 3 if last == 2 and not few else last,
        "wide_features": "tf_idf" if few else "log_count_ratios",
        "wide_min_texts": 1 if statistics.count <= 2_000 else 2,
        "wide_share": 0.5,
        "tokens_per_batch": tokens_per_batch,
        "fine_tuning": fine_tuning,
        "learning_rate": LEARNING_RATES[fine_tuning],
        "epochs": min(max(epochs, MIN_EPOCHS), MAX_EPOCHS),
    }
