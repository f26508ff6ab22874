"""The accuracy of a classifier's paths, also after saving and loading."""

import keras
import numpy as np
import pytest

from models.losses import PathCrossentropy
from models.metrics import PathAccuracy

CLASSES = 3
IDS = np.array([[4, 5, 6, 4], [5, 6, 0, 0], [7, 0, 0, 0]], np.int32)
LABELS = np.array([0, 1, 2], np.int32)


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("paths", [1, 2])
def test_accuracy_is_that_of_the_average(paths):
    labels = np.random.default_rng(0).integers(0, CLASSES, 60)
    logits = noise(60, paths, CLASSES)
    mixed = logits[:, 0] if paths == 1 else 0.8 * logits[:, 0] + 0.2 * logits[:, 1]
    right = mixed.argmax(axis=-1) == labels
    assert 0.1 < right.mean() < 0.9
    metric = PathAccuracy(wide_share=0.2)
    metric.update_state(labels[:40], logits[:40])
    metric.update_state(labels[40:], logits[40:])
    assert float(metric.result()) == pytest.approx(right.mean())
    weights = np.random.default_rng(1).random(60).astype(np.float32)
    metric.reset_state()
    metric.update_state(labels, logits, sample_weight=weights)
    assert float(metric.result()) == pytest.approx((right * weights).sum() / weights.sum())


def test_the_metric_comes_back_from_its_config():
    metric = PathAccuracy(0.3, name="mine", paths=2)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is PathAccuracy
    expected = {"wide_share": 0.3, "name": "mine", "dtype": "float32", "paths": 2}
    assert again.get_config() == metric.get_config() == expected


def test_higher_is_better():
    monitor = keras.callbacks.EarlyStopping(monitor="val_accuracy", mode="auto")
    inputs = keras.Input((2, CLASSES))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile(loss=PathCrossentropy(), metrics=[PathAccuracy(0.5)])
    model.evaluate(noise(3, 2, CLASSES), LABELS, verbose=0)
    monitor.set_model(model)
    monitor._set_monitor_op()
    assert monitor.monitor_op is keras.ops.greater


@pytest.mark.slow
@pytest.mark.parametrize("wide", [{}, {"wide_ngrams": 2, "wide_share": 0.3}], ids=["one path", "two paths"])
def test_a_compiled_training_model_is_saved_and_loaded(random_classifier, wide, tmp_path):
    model = random_classifier(IDS, 10, CLASSES, embedding_dropout=0.0, output_dropout=0.0, **wide)
    training_model = model.training_model()
    inputs = (IDS, LABELS) if wide else IDS
    training_model.compile("adam", PathCrossentropy(0.1), metrics=[PathAccuracy(0.3)], jit_compile=False)
    training_model.train_on_batch(inputs, LABELS)
    training_model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected = training_model.evaluate(inputs, LABELS, verbose=0, return_dict=True)
    assert set(expected) == {"loss", "accuracy"}
    assert loaded.evaluate(inputs, LABELS, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-6)
    (metric,) = (one for one in loaded.metrics[-1].metrics if isinstance(one, PathAccuracy))
    assert metric.wide_share == 0.3
    loaded.train_on_batch(inputs, LABELS)  # with its optimizer
    training_model.train_on_batch(inputs, LABELS)
    for one, other in zip(loaded.get_weights(), training_model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
