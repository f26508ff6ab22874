"""Saved networks: another process loads them with their parts, their dtype policy and the same output."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from models.classifier import Classifier, build_classifier
from models.decoder import Decoder
from models.encoder import Encoder
from models.language_model import LanguageModel, StepModel, build_language_model
from models.network import Network, global_dtype_policy
from models.network_settings import ClassifierSettings, LanguageModelSettings, TranslatorSettings
from models.recurrent_settings import RecurrentSettings
from models.translator import StepTranslator, Translator, build_translator

POLICIES = ["float32", "mixed_bfloat16", "float64"]
IDS = np.array([[4, 5, 6, 7, 4], [5, 6, 0, 0, 0], [7, 0, 0, 0, 0]], np.int32)
TARGET = np.array([[2, 4, 5, 6], [2, 7, 0, 0], [2, 5, 8, 0]], np.int32)
SIZE, UNITS = 12, 6


def classifier():
    settings = ClassifierSettings(embedding_size=5, ngrams=2, wide_ngrams=1, pool_size=2, pooling="attention")
    recurrent = RecurrentSettings(cell="gru", units=UNITS, layers=2, bidirectional=True, return_sequences=True)
    keys = np.arange(1, 8, dtype=np.int32)
    counts = np.arange(16, dtype=np.float32).reshape(8, 2)
    return build_classifier(
        settings,
        recurrent,
        vocabulary_size=SIZE,
        classes=2,
        ngram_keys=keys,
        wide_keys=keys,
        wide_counts=counts,
    )


def language_model():
    settings = LanguageModelSettings(embedding_size=5, tied_embeddings=True, layer_dropout=0.1)
    return build_language_model(settings, RecurrentSettings(units=UNITS, layers=2, return_sequences=True), SIZE)


def translator():
    settings = TranslatorSettings(embedding_size=5, attention="additive", attention_units=4)
    recurrent = RecurrentSettings(cell="simple_rnn", units=UNITS, bidirectional=True, return_sequences=True, seed=3)
    return build_translator(settings, recurrent, SIZE, SIZE + 1)


def translator_with_input_feeding():
    settings = TranslatorSettings(
        embedding_size=5, attention_score="general", decoder_units=4, decoder_layers=2, input_feeding=True
    )
    return build_translator(settings, RecurrentSettings(cell="gru", units=UNITS, return_sequences=True), SIZE, SIZE)


def translator_without_attention():
    settings = TranslatorSettings(embedding_size=5, attention=None, tied_embeddings=True, bridge="copy")
    return build_translator(settings, RecurrentSettings(units=UNITS), SIZE, SIZE)


NETWORKS = [classifier, language_model, translator, translator_with_input_feeding, translator_without_attention]


def inputs_of(model):
    if isinstance(model, Classifier):
        return IDS
    if isinstance(model, LanguageModel):
        return [IDS, *(np.ones((len(IDS), UNITS), state.dtype) for state in model.inputs[1:])]
    return [IDS, TARGET]


def output_of(model):
    return np.asarray(keras.tree.flatten(model(inputs_of(model), training=False))[0])


def step_output_of(model):
    """The output of the first timestep, by the parts of the model."""
    if isinstance(model, LanguageModel):
        steps = StepModel(model)
        return np.asarray(steps.logits(steps.step(IDS[:, 0], steps.initial_states(len(IDS)))))
    if isinstance(model, Translator):
        steps = StepTranslator(model)
        memory, states = steps.initial_states(IDS)
        return np.asarray(steps.decode_step(TARGET[:, :1], [state[:, None] for state in states], memory)[0])
    path = model.training_model()((IDS, np.zeros(len(IDS), np.int32)), training=False)
    return np.asarray(path)


def described(value):
    """What an attribute is, in a form that another process can be compared with."""
    if isinstance(value, Network):
        return {"class": type(value).__name__, **attributes_of(value)}
    if isinstance(value, keras.layers.Layer):
        return [type(value).__name__, value.name, value.dtype_policy.name, [list(w.shape) for w in value.weights]]
    if isinstance(value, list | tuple):
        return [described(one) for one in value]
    if isinstance(value, keras.KerasTensor):
        return ["tensor", *map(str, value.shape)]
    return str(value)


PARTS = {
    Classifier: "settings recurrent vocabulary_size classes timesteps embedding ngrams token_vectors "
    "directions recurrent_layers recurrent_logits wide wide_ids piece_characters",
    LanguageModel: "settings recurrent vocabulary_size timesteps state_names embedding recurrent_layers projection "
    "output_layer",
    Encoder: "settings recurrent vocabulary_size embedding recurrent_layers key_projection bridge",
    Decoder: "settings recurrent vocabulary_size stack embedding recurrent_layers attention attentional input_feeding "
    "projection output_layer",
    Translator: "settings recurrent encoder decoder",
}


def attributes_of(model):
    return {name: described(getattr(model, name)) for name in ("name", "dtype_policy", *PARTS[type(model)].split())}


PROGRAM = """
import json, sys
from pathlib import Path
import keras
import numpy as np
import models.classifier, models.language_model, models.translator

folder = Path(sys.argv[1])
loaded = {path.stem: keras.saving.load_model(path, compile=False) for path in sorted(folder.glob("*.keras"))}
sys.path.insert(0, sys.argv[2])
import test_network

for name, model in loaded.items():
    np.save(folder / f"{name}.npy", test_network.output_of(model).astype(np.float64))
    np.save(folder / f"{name}.step.npy", test_network.step_output_of(model).astype(np.float64))
    (folder / f"{name}.json").write_text(json.dumps(test_network.attributes_of(model)))
assert keras.config.dtype_policy().name == "float32"
"""


@pytest.mark.slow
def test_another_process_loads_the_parts_the_policy_and_the_output(tmp_path):
    expected = {}
    for policy in POLICIES:
        for build in NETWORKS:
            name = f"{build.__name__}-{policy}"
            with global_dtype_policy(policy):
                keras.utils.set_random_seed(1)
                model = build()
            assert model.dtype_policy.name == policy
            model.save(tmp_path / f"{name}.keras")
            expected[name] = (attributes_of(model), output_of(model), step_output_of(model))
    folder = Path(__file__).parent
    subprocess.run([sys.executable, "-c", PROGRAM, tmp_path, folder], cwd=folder.parents[1], check=True)
    for name, (attributes, output, step_output) in expected.items():
        assert json.loads((tmp_path / f"{name}.json").read_text()) == attributes
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), output.astype(np.float64), err_msg=name)
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.step.npy"), step_output.astype(np.float64))


@pytest.mark.parametrize("build", NETWORKS)
def test_parts_are_the_layers_of_the_model(build):
    model = build()
    layers = [*model._flatten_layers()]
    for network in (model, *([model.encoder, model.decoder] if isinstance(model, Translator) else [])):
        for name in PARTS[type(network)].split():
            for part in keras.tree.flatten(getattr(network, name)):
                assert not isinstance(part, keras.layers.Layer) or part in layers, name


def test_a_loaded_model_has_the_policy_of_its_making_under_any_global_one(tmp_path):
    model = classifier()
    model.save(tmp_path / "model.keras")
    with global_dtype_policy("mixed_bfloat16"):
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert {layer.dtype_policy.name for layer in loaded._flatten_layers()} == {"float32"}
    np.testing.assert_array_equal(output_of(loaded), output_of(model))


def test_the_global_policy_is_restored_after_an_error():
    with pytest.raises(ZeroDivisionError), global_dtype_policy("float64"):
        assert keras.config.floatx() == "float32" and keras.config.dtype_policy().name == "float64"
        1 / 0  # noqa: B018
    assert keras.config.dtype_policy().name == "float32"


def test_settings_of_a_subclass_are_saved_as_those_of_the_network(tmp_path):
    class Wider(ClassifierSettings, defaults={"embedding_size": 7}):
        extra: int = 3

    model = build_classifier(Wider(), RecurrentSettings(units=UNITS), vocabulary_size=SIZE, classes=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.settings == ClassifierSettings(embedding_size=7)
    np.testing.assert_array_equal(output_of(loaded), output_of(model))


def test_a_window_model_is_saved_with_its_states_and_its_language_model(tmp_path):
    windows = language_model().training_model()
    begins = np.array([True, True, True])
    windows((IDS, begins))
    windows.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded((IDS, ~begins)), windows((IDS, ~begins)))
    assert loaded.last_only is False
