"""Networks in other people's Keras code: callbacks, files, copies, batches of any size, XLA; the page about it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.classifier import build_classifier
from models.language_model import build_language_model
from models.linear_ngrams import LinearModel
from models.losses import PathCrossentropy, SmoothedCrossentropy, TokenCrossentropy
from models.metrics import PathAccuracy, PathMacroF1
from models.network_settings import ClassifierSettings, LanguageModelSettings, TranslatorSettings
from models.ngram_counts import frequent_ngrams, ngram_class_counts
from models.piece_characters import character_table
from models.recurrent_settings import RecurrentSettings
from models.sampled_softmax import SampledLogits
from models.translator import build_translator

ROOT = Path(__file__).parents[2]
ROWS, SIZE, CLASSES = 11, 20, 3
RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(4, SIZE, (ROWS, 6)).astype(np.int32)
IDS[:5, 4:] = 0
LABELS = RANDOM.integers(0, CLASSES, ROWS).astype(np.int32)
PIECES = ["<pad>", "<unk>", "<s>", "</s>", *(letter + "e" * (ord(letter) % 3) for letter in "abcdefghijklmnop")]


def classifier(recurrent=(), adversarial_epsilon=0.0, **settings):
    """The training model of a classifier, with everything that `build_classifier` needs; inputs; targets."""
    settings, tables = ClassifierSettings(embedding_size=6, **settings), {}
    if settings.ngrams > 1:
        tables["ngram_keys"] = frequent_ngrams([IDS], 2, settings.ngrams, min_count=1, max_size=20)
    if settings.wide_ngrams:
        tables["wide_keys"] = keys = frequent_ngrams([IDS], 1, settings.wide_ngrams, min_count=1, max_size=20)
        tables["wide_counts"] = ngram_class_counts([(IDS, LABELS)], keys, 1, settings.wide_ngrams, CLASSES)
        rows = len(keys) + 1
        weights = np.linspace(-1.0, 1.0, rows * CLASSES, dtype=np.float32).reshape(rows, CLASSES)
        tables["wide_model"] = LinearModel(np.ones(rows, np.float32), weights, np.zeros(CLASSES, np.float32))
        tables["piece_characters"] = character_table(PIECES)
    model = build_classifier(
        settings, RecurrentSettings(units=5, **dict(recurrent)), vocabulary_size=SIZE, classes=CLASSES, **tables
    ).training_model(adversarial_epsilon)
    paths = model.model.trained_paths
    metrics = [PathAccuracy(settings.wide_share, paths=paths), PathMacroF1(settings.wide_share, CLASSES, paths=paths)]
    model.compile("adam", PathCrossentropy(), metrics=metrics, run_eagerly=True)
    return model, (IDS, LABELS) if len(model.inputs) > 1 else IDS, LABELS


def language_model(recurrent=(), samples=None, **settings):
    recurrent = RecurrentSettings(**{"units": 5, "return_sequences": True, **dict(recurrent)})
    network = build_language_model(LanguageModelSettings(embedding_size=6, **settings), recurrent, SIZE, timesteps=6)
    model = network.training_model(samples and SampledLogits(np.arange(SIZE), samples, name="sampled"))
    model.compile("adam", TokenCrossentropy(), run_eagerly=True)
    begins = np.ones(ROWS, bool)
    return model, (IDS, begins, IDS) if samples else (IDS, begins), IDS


def translator(recurrent=(), **settings):
    recurrent = RecurrentSettings(**{"units": 5, "return_sequences": True, **dict(recurrent)})
    model = build_translator(TranslatorSettings(embedding_size=6, **settings), recurrent, SIZE, SIZE).training_model()
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile("adam", SmoothedCrossentropy(0.1), weighted_metrics=[accuracy], run_eagerly=True)
    return model, (IDS, IDS), IDS


NETWORKS = {
    "classifier, wide": lambda: classifier({"cell": "simple_rnn"}, ngrams=2, wide_ngrams=2, pool_size=2),
    "classifier, characters": lambda: classifier({}, wide_ngrams=2, wide_units="characters", wide_features="tf_idf"),
    "classifier, separate directions": lambda: classifier(
        {"cell": "gru", "bidirectional": True, "return_sequences": True}, separate_directions=True
    ),
    "classifier, adversarial": lambda: classifier({"cell": "lstm"}, 0.02, ngrams=2, wide_ngrams=2),
    "classifier, adversarial, separate directions": lambda: classifier(
        {"bidirectional": True, "return_sequences": True}, 0.02, ngrams=2, separate_directions=True
    ),
    "language model, stateful": lambda: language_model({"cell": "lstm", "stateful": True}),
    "language model, last only": lambda: language_model({"cell": "gru", "return_sequences": False}),
    "language model, sampled": lambda: language_model(
        {"cell": "simple_rnn"}, samples=7, tied_embeddings=True, output_bias=True
    ),
    "translator": lambda: translator({"cell": "lstm", "bidirectional": True}, attention="additive"),
    "translator, input feeding": lambda: translator({"cell": "gru"}, input_feeding=True, layer_dropout=0.1),
}


def first(rows, inputs):
    return keras.tree.map_structure(lambda values: values[:rows], inputs)


def assert_same(model, other, inputs):
    one, two = (np.asarray(each(first(4, inputs), training=False)) for each in (model, other))
    np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # a file of weights has no optimizer
def test_a_training_model_goes_through_callbacks_files_copies_and_other_batch_sizes(name, tmp_path):
    model, inputs, targets = NETWORKS[name]()
    whole, weights = tmp_path / "whole.keras", tmp_path / "only.weights.h5"
    callbacks = [
        keras.callbacks.ModelCheckpoint(whole, monitor="loss"),
        keras.callbacks.ModelCheckpoint(weights, monitor="loss", save_weights_only=True),
    ]
    model.fit(first(4, inputs), first(4, targets), batch_size=4, verbose=0, callbacks=callbacks)
    loaded = keras.models.load_model(whole)
    assert_same(loaded, model, inputs)
    assert type(loaded.model) is type(model.model)
    assert loaded.optimizer.iterations == 1
    again, copy = NETWORKS[name]()[0], keras.models.clone_model(model)
    for other in (again, copy):
        other.load_weights(weights)
        assert_same(other, model, inputs)
    copy.set_weights(model.get_weights())
    loaded.fit(inputs, targets, batch_size=ROWS, verbose=0)
    one, other = (loaded.evaluate(inputs, targets, batch_size=size, verbose=0, return_dict=True) for size in (6, ROWS))
    assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)


def test_rows_of_a_smaller_or_a_larger_batch_keep_their_states():
    network = language_model()[0].model
    windows, whole = network.training_model(), network.training_model()
    every = np.ones(ROWS, bool)
    expected = np.concatenate([whole((IDS, every)), whole((IDS, ~every))], axis=1)
    for rows in (slice(0, 2), slice(0, ROWS)):
        parts = [windows((IDS[rows], begins[rows])) for begins in (every, ~every)]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), expected[rows], atol=1e-6)
    windows((IDS, every))
    windows((IDS[:3], every[:3]))  # the other rows keep their states
    np.testing.assert_allclose(windows((IDS, ~every))[3:], expected[3:, 6:], atol=1e-6)


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
def test_frozen_layers_stay_frozen_in_copies_and_files(tmp_path):
    model, _, _ = classifier()
    model.model.embedding.trainable = False
    model.save(tmp_path / "model.keras")
    for other in (keras.models.clone_model(model), keras.saving.load_model(tmp_path / "model.keras")):
        assert [layer.name for layer in other._flatten_layers() if not layer.trainable] == ["embedding"]
        assert len(other.trainable_variables) == len(model.trainable_variables)


@pytest.mark.slow
def test_xla_trains_input_feeding_to_the_same_weights():
    trained = []
    for jit_compile in (True, False):
        keras.utils.set_random_seed(1)
        dropouts = {"embedding_dropout": 0.0, "output_dropout": 0.0}
        model, inputs, targets = translator({"cell": "simple_rnn"}, input_feeding=True, **dropouts)
        model.compile("sgd", model.loss, jit_compile=jit_compile)
        assert model.jit_compile == jit_compile
        model.train_on_batch(first(4, inputs), targets[:4])
        trained.append(model.get_weights())
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("name", ["classifier, characters", "language model, sampled"])
def test_networks_that_xla_cannot_compile_do_without_it_and_say_so(name):
    model, _, _ = NETWORKS[name]()
    model = model if "language" in name else model.model
    with pytest.warns(UserWarning, match="Model doesn't support `jit_compile=True`"):
        model.compile("sgd", "mse", jit_compile=True)
    assert not model.jit_compile


@pytest.mark.parametrize("build", [classifier, language_model, translator])
@pytest.mark.parametrize("is_network", [True, False])
def test_ragged_ids_are_an_error_that_names_the_remedy(build, is_network):
    model, inputs, _ = build()
    model = model.model if is_network else model
    ragged = tf.ragged.constant([[4, 5, 6], [7]], dtype=tf.int32)
    inputs = ragged if build is classifier else (ragged, *inputs[1:])
    with pytest.raises(ValueError, match=r"an input is ragged; expected int32 ids .* Use ids.to_tensor\(0\)"):
        model(inputs)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[4, 5], [6]], r"a list of Python objects; .* Use keras.utils.pad_sequences\(ids, padding=\"post\"\)"),
        (np.array([[4, 5], [6]], dtype=object), "a list of Python objects"),
        (np.array(["a text", "another"]), "text; .* Use keras.layers.TextVectorization"),
        (tf.constant(["a text", "another"]), "text; .* Use keras.layers.TextVectorization"),
        (["a text", "another"], "text; .* Use keras.layers.TextVectorization"),
    ],
    ids=["lists", "array of lists", "array of texts", "tensor of texts", "texts"],
)
def test_lists_and_texts_are_errors_that_name_the_remedy(ids, message):
    model, _, labels = classifier()
    for call in (model, model.predict, model.evaluate, lambda ids: model.fit(ids, labels[:2])):
        with pytest.raises(ValueError, match=f"classifier_training: an input is {message}"):
            call(ids)


def test_missing_inputs_of_a_language_model_are_named():
    for samples, training, parts in ((None, False, "ids, begins"), (5, True, "ids, begins, targets")):
        model, _, _ = language_model(samples=samples)
        for inputs in (IDS, (IDS, np.ones(ROWS, bool)))[: 1 if samples is None else 2]:
            with pytest.raises(ValueError, match=rf"expected the inputs \({parts}\)"):
                model(inputs, training=training)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ngrams": 3}, "ngrams=3 needs the argument ngram_keys, see models.ngram_counts.frequent_ngrams"),
        ({"wide_ngrams": 2}, "wide_ngrams=2 needs the argument wide_keys"),
    ],
)
def test_missing_ngrams_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        build_classifier(ClassifierSettings(**settings), RecurrentSettings(), vocabulary_size=SIZE, classes=2)


def test_other_missing_tables_of_the_wide_path_are_named():
    keys = np.arange(1, 5, dtype=np.int32)
    counts = np.ones((5, 2), np.float32)
    for settings, given, message in (
        ({}, {}, "wide_ngrams=1 needs the argument wide_counts, see models.ngram_counts.ngram_class_counts"),
        ({"wide_features": "tf_idf"}, {}, "wide_features=tf_idf needs the argument wide_model"),
        ({"wide_units": "characters"}, {"wide_counts": counts}, "wide_units=characters needs the argument piece_char"),
    ):
        settings = ClassifierSettings(wide_ngrams=1, **settings)
        with pytest.raises(ValueError, match=message):
            build_classifier(settings, RecurrentSettings(), vocabulary_size=9, classes=2, wide_keys=keys, **given)


PROGRAM = """
import json, sys
import keras
import models.serialization

print(json.dumps({path: type(keras.saving.load_model(path)).__name__ for path in sys.argv[1:]}))
"""


@pytest.mark.slow
def test_the_programs_of_the_page_run_and_another_process_loads_what_they_save(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    shared, programs = {}, 0
    for section in re.split(r"^##+ ", page, flags=re.MULTILINE):
        for code in re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            programs += ".fit(" in code or "GradientTape" in code
            keras.utils.set_random_seed(1)
            names = {} if "training_model()" in code else shared
            exec(compile(code, f"models/README.md: {section.splitlines()[0]}", "exec"), names)
    assert programs == 3
    output = capsys.readouterr().out
    assert "[1 0]" in output and "(1, 20, 32)" in output
    losses = [float(loss) for loss in re.findall(r"([\d.]+) nats per character", output)]
    assert losses[-1] < 0.3 * losses[0]
    accuracies = [float(value) for value in re.findall(r"val_accuracy: ([\d.]+)", output)]
    assert accuracies[-1] > 0.9
    files = ["best.keras", "language_model.keras", "translator.keras"]
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, *(str(tmp_path / name) for name in files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert list(json.loads(found.stdout).values()) == ["TrainingModel", "LanguageModel", "Translator"]
