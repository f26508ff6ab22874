"""A metric that is better if it is lower selects the epoch with its lowest value."""

import pytest

from tasks.cli.registry import all_tasks
from tasks.metrics import Metric

# Values by epoch; None was not measured. The best epoch if lower is better, and if higher is better.
HISTORIES = [
    ([90.0, 40.5, 60.0], 2, 1),
    ([None, 70.0, 65.0, None, 65.0], 3, 2),
    ([0.0, -1.0], 2, 1),
    ([None, None], 1, 1),
]


def best_epoch(metric: Metric, values: list[float | None]) -> int:
    return metric.best_epoch([{"epoch": epoch, metric.column: value} for epoch, value in enumerate(values, start=1)])


@pytest.mark.parametrize(("values", "lowest", "highest"), HISTORIES)
def test_perplexity_and_ter_select_the_lowest_and_bleu_the_highest_value(values, lowest, highest):
    for name in ("perplexity", "ter", "loss"):
        assert best_epoch(Metric(name, higher_is_better=False), values) == lowest
    for name in ("bleu", "accuracy"):
        assert best_epoch(Metric(name, higher_is_better=True), values) == highest


def test_the_best_value_ignores_epochs_that_did_not_measure_it():
    assert Metric("ter", higher_is_better=False).best([None, 3.0, 1.0, 2.0]) == 1.0
    assert Metric("bleu", higher_is_better=True).best([None, 3.0, 1.0]) == 3.0
    assert Metric("bleu", higher_is_better=True).best([None]) is None


def test_each_metric_of_each_task_has_its_direction():
    directions = {
        metric.name: metric.higher_is_better
        for task in all_tasks()
        for metric in (*task.validation_metrics, *task.evaluation_metrics)
    }
    assert {name for name, higher in directions.items() if higher} >= {
        "accuracy",
        "macro_f1",
        "roc_auc",
        "bleu",
        "chrf",
    }
    lower = {name for name, higher in directions.items() if higher is False}
    assert lower >= {"loss", "log_loss", "calibration_error", "perplexity", "nats_per_character", "ter"}
