"""The sizes that are computed from the settings are those of the networks that Keras builds."""

import numpy as np
import pytest

from models.classifier import Classifier, build_classifier
from models.language_model import build_language_model
from models.network_settings import ClassifierSettings, LanguageModelSettings, TranslatorSettings
from models.network_sizes import classifier_parts, language_model_parts, translator_parts
from models.recurrent_settings import CELLS, RecurrentSettings
from models.translator import build_translator

STACKS = [
    {},
    {"layers": 2, "use_bias": False},
    {"layers": 2, "bidirectional": True, "return_sequences": True},
    {"bidirectional": True, "merge_mode": "sum", "return_sequences": True},
]


def parameters(parts) -> int:
    return sum(part.parameters for part in parts)


CLASSIFIERS = [
    *(("lstm", stack, {}) for stack in STACKS),
    *(("gru", STACKS[-1], {"pooling": "mean"}), ("simple_rnn", STACKS[-2], {"pooling": "attention"})),
    ("lstm", STACKS[-1], {"ngram_size": 2}),
]


@pytest.mark.parametrize(("cell", "stack", "options"), CLASSIFIERS)
def test_classifier(cell, stack, options):
    recurrent = RecurrentSettings(cell=cell, units=5, **stack)
    settings = ClassifierSettings(embedding_size=3, ngrams=3, wide_ngrams=2, **options)
    keys = np.arange(4, dtype=np.int32)
    model = build_classifier(
        settings,
        recurrent,
        vocabulary_size=30,
        classes=3,
        ngram_keys=keys,
        wide_keys=keys[:2],
        wide_counts=np.ones((3, 3), np.float32),
    )
    assert parameters(classifier_parts(settings, recurrent, 30, 3, 4, 2)) == model.count_params()


def test_classifier_with_a_linear_model_that_is_fitted_before():
    recurrent = RecurrentSettings(units=5)
    settings = ClassifierSettings(embedding_size=3, wide_ngrams=2, wide_features="tf_idf")
    model = Classifier(settings, recurrent, 30, 3, wide_count=2)
    assert parameters(classifier_parts(settings, recurrent, 30, 3, wide_count=2)) == model.count_params()


@pytest.mark.parametrize(
    ("cell", "tied", "units"), [*((cell, False, 5) for cell in CELLS), ("gru", True, 5), ("gru", True, 3)]
)
def test_language_model(cell, tied, units):
    recurrent = RecurrentSettings(cell=cell, units=units, layers=2)
    settings = LanguageModelSettings(embedding_size=3, tied_embeddings=tied)
    model = build_language_model(settings, recurrent, 30)
    assert parameters(language_model_parts(settings, recurrent, 30)) == model.count_params()


def test_gru_without_reset_after():
    recurrent = RecurrentSettings(cell="gru", units=5, reset_after=False)
    model = build_language_model(LanguageModelSettings(embedding_size=3), recurrent, 30)
    parts = language_model_parts(LanguageModelSettings(embedding_size=3), recurrent, 30)
    assert parameters(parts) == model.count_params()


TRANSLATORS = [
    ("lstm", {}),
    ("gru", {"attention_score": "general", "decoder_units": 7}),
    ("simple_rnn", {"attention": "additive", "attention_units": 4, "tied_embeddings": True}),
    ("gru", {"attention": "additive", "input_feeding": True, "tied_embeddings": True}),
    ("lstm", {"attention": None, "tied_embeddings": True}),
    ("gru", {"attend_embeddings": False, "bridge": None}),
    ("gru", {"bridge": "copy", "attention": None}),
    ("gru", {"attention": "additive", "decoder_cell": "lstm", "decoder_layers": 3}),
]


@pytest.mark.parametrize(("cell", "options"), TRANSLATORS)
def test_translator(cell, options):
    recurrent = RecurrentSettings(cell=cell, units=5, layers=2, bidirectional=True, return_sequences=True)
    settings = TranslatorSettings(embedding_size=3, **options)
    model = build_translator(settings, recurrent, 30, 20)
    assert parameters(translator_parts(settings, recurrent, 30, 20)) == model.count_params()
