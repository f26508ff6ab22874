"""Cross-entropy with smoothed labels."""

import keras
import numpy as np

from models.losses import SmoothedCrossentropy

random = np.random.default_rng(0)
LOGITS = random.normal(size=(2, 3, 5)).astype(np.float32)
IDS = np.array([[1, 4, 0], [2, 0, 0]])
WEIGHTS = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], np.float32)


def test_it_is_keras_own_with_smoothed_one_hot_targets_and_the_mean_over_what_counts():
    for smoothing in (0.0, 0.1):
        own = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
        each = own(np.eye(5)[IDS], LOGITS).numpy()
        expected = (each * WEIGHTS).sum() / WEIGHTS.sum()
        assert np.isclose(SmoothedCrossentropy(smoothing)(IDS, LOGITS, sample_weight=WEIGHTS), expected, atol=1e-6)
