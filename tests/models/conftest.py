"""Fixtures that the tests of several models share."""

from collections.abc import Callable

import numpy as np
import pytest

from models.classifier import build_classifier
from models.linear_ngrams import LinearModel
from models.network_settings import ClassifierSettings
from models.ngram_counts import frequent_ngrams
from models.recurrent_settings import RecurrentSettings


def _random_classifier(ids, pieces, classes, cell="lstm", recurrent=(), seed=1, **settings):
    settings = ClassifierSettings(embedding_size=6, **settings)
    wide = {}
    if settings.wide_ngrams:
        wide["wide_keys"] = frequent_ngrams([ids], 1, settings.wide_ngrams, min_count=1, max_size=20)
        shape, random = (len(wide["wide_keys"]) + 1, classes), np.random.default_rng(seed)
        if settings.wide_features == "tf_idf":
            values = random.uniform(1.0, 3.0, shape[0]), random.normal(size=shape), random.normal(size=classes)
            wide["wide_model"] = LinearModel(*(value.astype(np.float32) for value in values))
        else:
            wide["wide_counts"] = random.integers(1, 5, shape).astype(np.float32)
    model = build_classifier(
        settings,
        RecurrentSettings(**{"cell": cell, "units": 5, **dict(recurrent)}),
        vocabulary_size=pieces,
        classes=classes,
        ngram_keys=frequent_ngrams([ids], 2, settings.ngrams, min_count=1, max_size=20)
        if settings.ngrams > 1
        else None,
        **wide,
    )
    for index, weight in enumerate(model.trainable_weights):
        noise = np.random.default_rng(seed + index).normal(size=weight.shape)
        weight.assign(0.5 * noise.astype(np.float32))
    return model


@pytest.fixture(scope="session")
def random_classifier() -> Callable:
    """Build a small classifier whose weights are all random, also those that are zero before training.

    Its arguments are the ids that the n-grams are from, the numbers of pieces and classes, and the settings.
    """
    return _random_classifier
