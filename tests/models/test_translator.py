"""A translator computes the same for whole sentences as one decoder step at a time."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from models.network_settings import TranslatorSettings
from models.recurrent_settings import RecurrentSettings
from models.translator import StepTranslator, build_translator

SOURCE_SIZE, TARGET_SIZE = 20, 30
random = np.random.default_rng(0)
SOURCE = np.zeros((3, 7), np.int32)
SOURCE[0], SOURCE[1, :4], SOURCE[2, 0] = random.integers(4, 20, 7), random.integers(4, 20, 4), 3
TARGET = random.integers(4, 30, (3, 5)).astype(np.int32)

NETWORKS = [
    {},
    {"attention": "additive", "attention_units": 5},
    {"attention": None},
    {"attention": None, "tied_embeddings": True, "bridge": "copy"},
    {"attention_score": "general", "decoder_units": 24, "tied_embeddings": True},
    {"input_feeding": True, "layer_dropout": 0.3, "decoder_layers": 2},
    {"input_feeding": True, "attention": "additive", "attend_embeddings": False, "bridge": None},
    {"decoder_layers": 3, "residual": True, "layer_dropout": 0.3, "decoder_cell": "gru"},
    {"decoder_cell": "lstm", "decoder_layers": 2, "embedding_dropout": 0.3},
]
STACKS = [
    {"cell": "lstm", "bidirectional": True, "dropout": 0.2, "recurrent_dropout": 0.2},
    {"cell": "gru", "bidirectional": True, "merge_mode": "concat", "reset_after": False},
    {"cell": "simple_rnn", "bidirectional": True, "layers": 2, "go_backwards": True},
]


def build(network: dict, stack: dict):
    settings = TranslatorSettings(embedding_size=8, **network)
    recurrent = RecurrentSettings(units=16, return_sequences=True, **stack)
    return build_translator(settings, recurrent, SOURCE_SIZE, TARGET_SIZE)


# Every network with one of the stacks, and every stack with one of the networks.
CASES = [(network, STACKS[number % 3]) for number, network in enumerate(NETWORKS)] + [
    ({}, stack) for stack in STACKS[1:]
]


@pytest.mark.slow
@pytest.mark.parametrize(("network", "stack"), CASES, ids=lambda case: "-".join(map(str, case)) or "default")
def test_decoder_steps_compute_the_same_as_whole_sentences(network, stack, tmp_path):
    keras.utils.set_random_seed(0)
    model = build(network, stack)
    # Eagerly, since a graph takes ten times as long to build as two steps take.
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    before = model.get_weights()
    model.fit([SOURCE, TARGET], TARGET, verbose=0, epochs=2)
    unchanged = [
        weight.path
        for weight, old in zip(model.weights, before, strict=True)
        if np.array_equal(weight, old) and "seed" not in weight.path
    ]
    assert not unchanged  # every weight has a part in the loss
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    whole = model([SOURCE, TARGET], training=False)
    assert np.array_equal(loaded([SOURCE, TARGET], training=False), whole)

    steps = StepTranslator(loaded)

    @tf.function(autograph=False)
    def all_steps():
        memory, states = steps.initial_states(tf.constant(SOURCE))
        # Two hypotheses side by side: the target, and another one that must not disturb it.
        states, logits, weights = [tf.repeat(state[:, None], 2, axis=1) for state in states], [], []
        for time in range(TARGET.shape[1]):
            ids = tf.stack([TARGET[:, time], TARGET[::-1, time]], axis=1)
            found, states, attention = steps.decode_step(ids, states, memory)
            logits.append(found[:, 0])
            weights.append(attention[:, 0] if steps.attends else tf.zeros([3, 7]))
        return tf.stack(logits, axis=1), tf.stack(weights, axis=1)

    logits, weights = all_steps()
    assert np.allclose(logits, whole, atol=1e-5)
    if steps.attends:
        assert np.allclose(tf.reduce_sum(weights, axis=-1), 1.0, atol=1e-5)
        assert not weights.numpy()[:, :, 1:][2].any()  # padding


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
@pytest.mark.parametrize("network", [NETWORKS[0], NETWORKS[5], NETWORKS[6]], ids=("default", "fed", "fed additive"))
def test_a_loaded_model_keeps_its_dtype_policy(network, policy, tmp_path):
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = build(network, STACKS[1])
        model.save(tmp_path / "model.keras")
        whole = model([SOURCE, TARGET], training=False)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    steps = StepTranslator(keras.saving.load_model(tmp_path / "model.keras", compile=False))
    memory, states = steps.initial_states(tf.constant(SOURCE))
    states = [state[:, None] for state in states]
    for time in range(3):
        logits, states, _ = steps.decode_step(tf.constant(TARGET[:, time : time + 1]), states, memory)
        assert np.allclose(logits[:, 0], whole[:, time], atol=0.1 if policy == "mixed_bfloat16" else 1e-5)


@pytest.mark.slow
def test_the_training_model_shares_the_weights_and_keeps_the_optimizer(tmp_path):
    model = build(NETWORKS[0], STACKS[0])
    fitted = model.training_model()
    assert fitted.name == "translator_training"
    assert [id(weight) for weight in fitted.weights] == [id(weight) for weight in model.weights]
    fitted.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    before = np.asarray(model([SOURCE, TARGET]))
    fitted.train_on_batch([SOURCE, TARGET], TARGET)
    assert not np.allclose(model([SOURCE, TARGET]), before)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert not loaded.compiled
    assert np.array_equal(loaded([SOURCE, TARGET]), model([SOURCE, TARGET]))


def test_the_decoder_may_have_fewer_layers_than_the_encoder():
    model = build({"attention": None, "decoder_layers": 1}, {"cell": "gru", "layers": 2})
    assert len(model.encoder.recurrent_layers) == 2 and len(model.decoder.recurrent_layers) == 1
    assert set(model.encoder.recurrent_layers) <= set(model.encoder.layers)


@pytest.mark.slow
def test_padding_changes_nothing():
    for network in NETWORKS:
        model = build(network, STACKS[0])
        alone = model([SOURCE[1:2, :4], TARGET[1:2]], training=False)
        assert np.allclose(model([SOURCE, TARGET], training=False)[1], alone[0], atol=1e-5)


def test_with_go_backwards_the_keys_are_in_the_order_of_the_pieces():
    """The key of a timestep belongs to its piece; the weights let each output depend on that piece only."""
    settings = TranslatorSettings(embedding_size=16)
    for backwards in (False, True):
        recurrent = RecurrentSettings(cell="simple_rnn", units=16, go_backwards=backwards, return_sequences=True)
        model = build_translator(settings, recurrent, SOURCE_SIZE, TARGET_SIZE)
        (layer,) = model.encoder.recurrent_layers
        layer.set_weights([np.eye(16), np.zeros((16, 16)), np.zeros(16)])  # each output is tanh of its own input
        embedding = model.encoder.embedding
        keys = model.encoder(SOURCE)[0].numpy()
        expected = np.tanh(embedding(SOURCE).numpy())
        assert np.allclose(keys[0], expected[0], atol=1e-6)
        assert np.allclose(keys[1, :4], expected[1, :4], atol=1e-6)


def test_without_attention_the_encoder_returns_its_last_state_only():
    model = build({"attention": None}, STACKS[1])
    encoder = model.encoder
    assert [tuple(output.shape) for output in encoder.outputs] == [(None, 32)]
    assert not encoder.recurrent_layers[0].return_sequences


@pytest.mark.parametrize(
    ("network", "stack", "message"),
    [
        ({}, {"return_sequences": False}, "attention=multiplicative needs the encoder's output of every step"),
        ({"decoder_units": 16}, {"bidirectional": True}, "of size 32, with the decoder's, of size 16"),
        ({"bridge": "copy", "decoder_units": 24, "attention_score": "general"}, {"bidirectional": True}, "size 32"),
        ({"bridge": "copy", "decoder_cell": "gru"}, {}, "one cell for both"),
        ({}, {"bidirectional": True, "merge_mode": None}, "merge_mode=None"),
        ({}, {"stateful": True}, "stateful=True"),
        ({}, {"unroll": True}, "unroll=True"),
        ({"input_feeding": True}, {"activity_regularizer": "l2(0.1)"}, "does not go with input_feeding=True"),
        ({}, {"return_state": True}, "return_state=True"),
        ({}, {"time_major": True}, "time_major=True"),
    ],
)
def test_options_that_contradict_each_other_are_refused(network, stack, message):
    settings = TranslatorSettings(**network)
    with pytest.raises(ValueError, match=message):
        settings.check_recurrent(RecurrentSettings(**({"units": 16, "return_sequences": True} | stack)))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"attention": None, "input_feeding": True}, "input_feeding=True does not go with attention=none"),
        ({"attention": None, "attention_score": "dot"}, "attention_score=dot"),
        (
            {"attention": "additive", "attention_score": "dot"},
            "dot does not go with attention=additive",
        ),
        ({"attention_units": 8}, "attention_units=8 does not go with attention=multiplicative"),
        ({"attention": None, "bridge": None}, "know nothing of the source"),
    ],
)
def test_options_of_another_attention_are_refused(network, message):
    with pytest.raises(ValidationError, match=message):
        TranslatorSettings(**network)
