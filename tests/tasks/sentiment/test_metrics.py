"""The metrics of an evaluation, worked out by hand."""

import numpy as np
import pytest

from tasks.sentiment import metrics
from tasks.sentiment.evaluate import Classifications


def classified(true, probabilities) -> Classifications:
    return Classifications(np.array(true), np.float32(probabilities), examples=len(true), seconds=1.0)


def test_calibration_error_is_that_computed_by_hand():
    probabilities = [[0.05, 0.95], [0.04, 0.96], [0.45, 0.55], [0.42, 0.58]]
    # Two bins of two: |mean confidence - share right| is |0.955 - 0.5| and |0.565 - 1|.
    outcome = classified([1, 0, 1, 1], probabilities)
    assert metrics.calibration_error(outcome) == pytest.approx((0.455 + 0.435) / 2)
    assert metrics.calibration_error(classified([1], [[0.0, 1.0]])) == 0.0


def test_metrics_of_three_classes_are_those_computed_by_hand():
    probabilities = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6]]
    outcome = classified([0, 1, 2, 2], probabilities)
    result = {metric.name: metric.compute(outcome) for metric in metrics.METRICS}
    assert result["accuracy"] == 0.75
    assert result["macro_f1"] == pytest.approx(np.mean([1.0, 2 / 3, 2 / 3]))
    assert result["log_loss"] == pytest.approx(-np.log([0.7, 0.8, 0.3, 0.6]).mean(), abs=1e-6)
    assert result["loss"] == result["log_loss"]
    # One against the rest: 1 for the first two classes; of the third, 0.3 and 0.6 against 0.1 and 0.1.
    assert result["roc_auc"] == pytest.approx(1.0)
