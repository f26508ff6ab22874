"""Training tokens a second on IMDB: batches of like length, against the same model fed by the common pipeline.

The common pipeline shuffles texts, pads 64 of them to the longest among them, and prefetches. Both ways train the same
network on the same texts; only real tokens count, so padding is time and no result. The two take turns.
"""

import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import classifier
from tasks import sentiment
from tasks.cli.settings_files import read_settings
from tasks.data import bucketing as batching
from tasks.errors import UserError
from tasks.sentiment import data
from tasks.sentiment.settings import SentimentSettings
from tasks.training import fit as training
from tasks.training import optimizers
from tasks.training.runs import Run

RECIPE = Path(sentiment.__file__).parent / "recipes" / "imdb.toml"


@pytest.fixture
def imdb(tmp_path):
    # The recipe's lengths and batches; of its network the recurrent path, since only that has steps to pad.
    recipe = read_settings(RECIPE, "sentiment", SentimentSettings).model_dump()
    recipe["data"]["data"] = "tfds:imdb_reviews"
    recipe["classifier"] |= {"ngrams": 1, "wide_ngrams": 0}
    settings = SentimentSettings.model_validate(recipe)
    run = Run(tmp_path)
    try:
        data.prepare(settings, run)
    except UserError as error:
        pytest.skip(str(error))
    return settings, batching.SequenceStore(run.checkpoint / "train")


def bucketed(store, tokens_per_batch):
    buckets = batching.length_buckets(store.lengths, tokens_per_batch)
    return data.training_batches(
        store, buckets, np.ones(2, np.float32), seed=0, epoch=0, step=0, length=None, with_labels=False
    )


def common(store):
    ids = tf.ragged.constant([store[index] for index in range(len(store))], dtype=tf.int32)
    dataset = tf.data.Dataset.from_tensor_slices((ids, store.labels)).shuffle(len(store), seed=0).repeat()
    return dataset.ragged_batch(64).map(lambda rows, labels: (rows.to_tensor(), labels)).prefetch(tf.data.AUTOTUNE)


def test_training_throughput_against_the_common_pipeline(imdb, rounds, steps, report):
    settings, store = imdb
    training.set_up(settings.training)
    common_tokens = 64 * settings.classifier.max_tokens  # about what a batch of the common pipeline holds, padded
    ways = {
        "like length, as many texts": iter(bucketed(store, settings.training.tokens_per_batch)),
        "like length, as many tokens": iter(bucketed(store, common_tokens)),
        "the common pipeline": iter(common(store)),
    }
    models = {}
    for name in ways:
        model = classifier.build_classifier(
            settings.classifier, settings.recurrent, vocabulary_size=settings.vocabulary.vocabulary_size, classes=2
        )
        model = classifier.training_view(model)
        model.compile(
            optimizer=optimizers.make_optimizer(settings.training, 1),
            loss=classifier.PathCrossentropy(),
            jit_compile=False,
        )
        models[name] = model

    def train(name: str, number: int) -> tuple[int, int, float]:
        """Takes so many steps, the pipeline's own time included; gives real tokens, all tokens and seconds."""
        real = every = 0
        began = time.monotonic()
        for _ in range(number):
            ids, *rest = next(ways[name])
            models[name].train_on_batch(ids, *rest)
            ids = ids.numpy()
            real, every = real + np.count_nonzero(ids), every + ids.size
        return real, every, time.monotonic() - began

    for name in ways:
        train(name, 10)  # traces, and warms up
    rates = {name: [] for name in ways}
    for round_ in range(rounds):
        for name in ways:
            real, every, seconds = train(name, steps)
            rates[name].append(real / seconds)
            report(
                f"round {round_ + 1}: {name:<28} {real / seconds:>9,.0f} tokens/s "
                f"({real:,} tokens, {1 - real / every:.0%} padding, {seconds:.1f} s)"
            )
    medians = {name: float(np.median(rates[name])) for name in ways}
    theirs = medians.pop("the common pipeline")
    for name, ours in medians.items():
        report(f"median, {name}: {ours:,.0f} against {theirs:,.0f} tokens/s: {ours / theirs:.2f} times")
        assert ours > 0 and theirs > 0
    keras.backend.clear_session()
