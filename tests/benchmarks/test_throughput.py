"""Training tokens per second on IMDB: batches of similar length, and the common pipeline, for the same network.

The common pipeline shuffles the texts, pads 64 of them to the length of the longest, and prefetches. Padding does not
count as tokens. The pipelines take turns.
"""

import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tasks import sentiment
from tasks.cli.settings_files import read_settings
from tasks.data.sequence_store import SequenceStore
from tasks.errors import UserError
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.training import fit
from tasks.training.optimizers import make_optimizer
from tasks.training.runs import Run

RECIPE = Path(sentiment.__file__).parent / "recipes" / "imdb.toml"


@pytest.fixture
def imdb(tmp_path):
    # The lengths and batches of the recipe, and the recurrent path of its network: only this path has padding.
    recipe = read_settings(RECIPE, "sentiment", SentimentSettings).model_dump()
    recipe["data"]["data"] = "tfds:imdb_reviews"
    recipe["network"] |= {"ngrams": 1, "wide_ngrams": 0}
    settings = SentimentSettings.model_validate(recipe)
    run = Run(tmp_path)
    try:
        SENTIMENT.prepare(settings, run)
    except UserError as error:
        pytest.skip(str(error))
    return settings, run


def bucketed(settings, run, tokens_per_batch):
    training = settings.training.model_copy(update={"tokens_per_batch": tokens_per_batch})
    return SENTIMENT.open_data(settings.model_copy(update={"training": training}), run).training_batches(0, 0)


def common(run):
    store = SequenceStore(run.checkpoint / "train")
    ids = tf.ragged.constant([store[index] for index in range(len(store))], dtype=tf.int32)
    dataset = tf.data.Dataset.from_tensor_slices((ids, store.columns["label"])).shuffle(len(store), seed=0).repeat()
    return dataset.ragged_batch(64).map(lambda rows, labels: (rows.to_tensor(), labels)).prefetch(tf.data.AUTOTUNE)


def test_training_throughput_with_buckets_and_with_the_common_pipeline(imdb, rounds, steps, report):
    settings, run = imdb
    fit.set_up(settings.training)
    padded_tokens = 64 * settings.network.max_tokens  # of a batch of the common pipeline
    ways = {
        "similar length, the recipe's tokens": iter(bucketed(settings, run, settings.training.tokens_per_batch)),
        "similar length, the common tokens": iter(bucketed(settings, run, padded_tokens)),
        "the common pipeline": iter(common(run)),
    }
    models = {}
    for name in ways:
        network = SENTIMENT.build(settings, SENTIMENT.open_data(settings, run), run)
        optimizer = make_optimizer(settings.training, 1)
        network.training_model.compile(optimizer=optimizer, loss=network.loss, jit_compile=False)
        models[name] = network.training_model

    def train(name: str, number: int) -> tuple[int, int, float]:
        """Takes this number of steps; returns tokens, tokens with padding, and seconds with those of the pipeline."""
        real = every = 0
        began = time.monotonic()
        for _ in range(number):
            ids, *rest = next(ways[name])
            models[name].train_on_batch(ids, *rest)
            ids = ids.numpy()
            real, every = real + np.count_nonzero(ids), every + ids.size
        return real, every, time.monotonic() - began

    for name in ways:
        train(name, 10)  # builds the graph
    rates = {name: [] for name in ways}
    for round_ in range(rounds):
        for name in ways:
            real, every, seconds = train(name, steps)
            rates[name].append(real / seconds)
            report(
                f"round {round_ + 1}: {name:<36} {real / seconds:>9,.0f} tokens/s "
                f"({real:,} tokens, {1 - real / every:.0%} padding, {seconds:.1f} s)"
            )
    medians = {name: float(np.median(rates[name])) for name in ways}
    common_median = medians.pop("the common pipeline")
    for name, median in medians.items():
        factor = median / common_median
        report(f"median, {name}: {median:,.0f} and {common_median:,.0f} tokens/s: {factor:.2f} times")
        assert median > 0 and common_median > 0
    keras.backend.clear_session()
