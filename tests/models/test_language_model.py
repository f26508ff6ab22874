"""Three models with one set of weights: whole sequences, windows with a carried state, and single steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.language_model import StepModel, build_language_model
from models.network_settings import LanguageModelSettings
from models.recurrent_settings import RecurrentSettings

SIZE = 11
CELLS = ["lstm", "gru", "simple_rnn"]
IDS = tf.constant(np.random.default_rng(0).integers(0, SIZE, (3, 7)).astype(np.int32))


def build(settings=None, **recurrent):
    keras.utils.set_random_seed(0)
    settings = LanguageModelSettings(**(settings or {"embedding_size": 6}))
    recurrent = RecurrentSettings(**({"units": 8, "bias_initializer": "random_uniform"} | recurrent))
    return build_language_model(settings, recurrent, SIZE)


def zeros(model, batch):
    return [tf.zeros((batch, state.shape[-1])) for state in model.inputs[1:]]


OPTIONS = [{"layers": 1}, {"layers": 2}, {"layers": 3, "residual": True}, {"tied_embeddings": True}]


@pytest.mark.parametrize(
    ("cell", "options"),
    [*((cell, options) for cell in CELLS for options in OPTIONS), ("gru", {"reset_after": False})],
    ids=str,
)
def test_steps_compute_the_same_as_the_sequence(cell, options):
    network = {name: value for name, value in options.items() if name in LanguageModelSettings.model_fields}
    recurrent = {name: value for name, value in options.items() if name not in network}
    model = build({"embedding_size": 6, **network}, cell=cell, **recurrent)
    logits, *states = model([IDS, *zeros(model, 3)])
    steps = StepModel(model)
    found, stepped = [], steps.initial_states(3)
    for time in range(IDS.shape[1]):
        stepped = steps.step(IDS[:, time], stepped)
        found.append(steps.logits(stepped))
    np.testing.assert_allclose(np.stack(found, 1), logits, atol=1e-5)
    for one, two in zip(stepped, states, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_tied_embeddings_have_no_output_matrix():
    tied = build({"embedding_size": 8, "tied_embeddings": True})
    untied = build({"embedding_size": 8})
    assert untied.count_params() - tied.count_params() == 8 * SIZE + SIZE


@pytest.mark.parametrize("cell", CELLS)
def test_windows_carry_the_state_and_reset_it_where_a_text_begins(cell):
    model = build(cell=cell, return_sequences=True)
    windows = model.training_model()
    whole, *_ = model([IDS, *zeros(model, 3)])
    begins, continues = tf.fill([3], True), tf.fill([3], False)
    parts = [windows((IDS[:, :4], begins)), windows((IDS[:, 4:], continues))]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-5)
    # Row 1 alone begins a text: its state is reset, the others are not.
    windows((IDS[:, :4], begins))
    mixed = windows((IDS[:, 4:], tf.constant([False, True, False])))
    restarted, *_ = model([IDS[:, 4:], *zeros(model, 3)])
    np.testing.assert_allclose(mixed[1], restarted[1], atol=1e-5)
    np.testing.assert_allclose(mixed[0], whole[0, 4:], atol=1e-5)


def test_without_return_sequences_only_the_end_of_a_window_is_trained():
    model = build(return_sequences=False)
    windows = model.training_model()
    whole, *_ = model([IDS, *zeros(model, 3)])
    begins = tf.fill([3], True)
    np.testing.assert_allclose(windows((IDS, begins), training=True), whole[:, -1:], atol=1e-6)
    assert windows((IDS, begins), training=False).shape == whole.shape


def test_no_gradient_crosses_a_window_boundary():
    model = build(return_sequences=True)
    windows = model.training_model()
    with tf.GradientTape() as tape:
        windows((IDS[:, :4], tf.fill([3], True)), training=True)
        loss = tf.reduce_sum(windows((IDS[:, 4:], tf.fill([3], False)), training=True))
    gradient = tape.gradient(loss, model.embedding.trainable_variables[0])
    touched = set(np.unique(tf.convert_to_tensor(gradient.indices)))
    assert touched == set(np.unique(IDS.numpy()[:, 4:]))


def test_rows_of_different_lengths_do_not_depend_on_each_other():
    model = build(cell="lstm", layers=2)
    steps = StepModel(model)
    rows = [[1, 2, 3, 4, 5], [], [6], [7, 8, 9]]
    ids = tf.ragged.constant(rows, tf.int32)
    together = steps.read(ids, steps.initial_states(4))
    first = tf.math.log(tf.fill([SIZE], 1 / SIZE))
    scores = steps.log_probability(ids, first).numpy()
    for index, row in enumerate(rows):
        single = tf.ragged.constant([row], tf.int32, ragged_rank=1)
        alone = steps.read(single, steps.initial_states(1))
        for one, two in zip(together, alone, strict=True):
            np.testing.assert_allclose(one[index], two[0], atol=1e-6)
        np.testing.assert_allclose(scores[index], steps.log_probability(single, first)[0], atol=1e-5)
    assert scores[1] == 0.0


def test_log_probability_is_the_sum_over_the_sequence_model():
    model = build(cell="gru")
    logits, *_ = model([IDS, *zeros(model, 3)])
    first = np.log(np.arange(1, SIZE + 1) / np.arange(1, SIZE + 1).sum()).astype(np.float32)
    log_probabilities = tf.nn.log_softmax(logits)[:, :-1].numpy()
    expected = [
        first[row[0]] + sum(log_probabilities[index, time, row[time + 1]] for time in range(len(row) - 1))
        for index, row in enumerate(IDS.numpy())
    ]
    found = StepModel(model).log_probability(tf.RaggedTensor.from_tensor(IDS), tf.constant(first))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "value"), [("bidirectional", True), ("go_backwards", True), ("return_state", True), ("time_major", True)]
)
def test_options_that_make_no_sense_are_refused_with_the_reason(name, value):
    with pytest.raises(ValueError, match=f"{name}=True makes no sense for a language model: "):
        build(**{name: value})


def test_dropout_is_applied_in_training_only():
    options = dict.fromkeys(("embedding_dropout", "layer_dropout", "output_dropout"), 0.5)
    model = build({"embedding_size": 6, **options}, layers=2, dropout=0.5, recurrent_dropout=0.5)
    inference = [model([IDS, *zeros(model, 3)], training=False)[0] for _ in range(2)]
    training = [model([IDS, *zeros(model, 3)], training=True)[0] for _ in range(2)]
    np.testing.assert_array_equal(*inference)
    assert not np.allclose(*training) and not np.allclose(training[0], inference[0])


def test_an_unrolled_network_takes_windows_of_its_length():
    keras.utils.set_random_seed(0)
    recurrent = RecurrentSettings(units=8, unroll=True)
    model = build_language_model(LanguageModelSettings(embedding_size=6), recurrent, SIZE, timesteps=7)
    rolled = build(unroll=False)
    rolled.set_weights(model.get_weights())
    np.testing.assert_allclose(model([IDS, *zeros(model, 3)])[0], rolled([IDS, *zeros(model, 3)])[0], atol=1e-5)


def test_a_validation_in_the_middle_of_a_text_does_not_change_the_states_of_the_training():
    model = build_language_model(LanguageModelSettings(embedding_size=4), RecurrentSettings(units=5), 10)
    windows = model.training_model()
    ids, others = (np.random.default_rng(seed).integers(1, 10, (2, 6)).astype(np.int32) for seed in (0, 1))
    first, later = np.ones(2, bool), np.zeros(2, bool)
    windows((ids, first), training=True)
    undisturbed = windows((ids, later), training=True)
    windows((ids, first), training=True)
    windows((others, first), training=False)
    np.testing.assert_array_equal(windows((ids, later), training=True), undisturbed)
