"""The figures of a comparison's runs in its table and plots."""

import numpy as np
import pytest

from tasks.chargen.task import CHARGEN
from tasks.comparison import plots, table
from tasks.comparison.settings import CompareArguments, Comparison
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT


def result(column, values, metric=("accuracy", 0.5), seconds=10.0, diverged=False):
    """The figures of a run: its history with one validation metric, and one metric of `evaluate`."""
    history = [
        {"epoch": n + 1.0, column: value, "seconds": seconds, "passes": n + 1.0, "tokens_per_second": 100.0}
        for n, value in enumerate(values)
    ]
    trained = {"history": history, "parameters": 7, "peak_memory": 2**20, "diverged": diverged}
    return {"trained": trained, "evaluated": {"validation": {metric[0]: metric[1]}}}


def test_the_table_has_mean_spread_and_the_seconds_to_the_quality_that_all_reach():
    comparison = Comparison(SENTIMENT, CompareArguments(cells="lstm,gru"), {})
    results = {
        "lstm": [result("val_accuracy", [0.6, 0.9, 0.8], ("accuracy", 0.8)), result("val_accuracy", [0.8, 0.9, 0.95])],
        "gru": [result("val_accuracy", [0.5, 0.6, 0.7], seconds=5.0), result("val_accuracy", [None, 0.7, 0.75])],
    }
    lstm, gru = table.rows(comparison, results)
    assert lstm["accuracy"] == pytest.approx(0.65)
    assert lstm["spread"] == pytest.approx(0.3 / 2**0.5)  # standard deviation of two values
    assert lstm["quality"] == gru["quality"] == 0.7
    assert lstm["seconds_to_quality"] == (20.0 + 10.0) / 2
    assert gru["seconds_to_quality"] == (15.0 + 20.0) / 2
    assert lstm["seconds_per_pass"] == 10.0
    assert "0.6500 ± 0.2121" in table.as_text([lstm, gru])


def test_the_table_and_the_plot_name_the_part_of_the_network_that_was_validated(tmp_path, monkeypatch):
    comparison = Comparison(SENTIMENT, CompareArguments(cells="lstm"), {})
    results = {"lstm": [result("val_accuracy", [0.5, 0.6])]}
    for settings, part in (({"wide_features": "tf_idf"}, " (recurrent path alone)"), ({"wide_ngrams": 0}, "")):
        network = SentimentSettings(network={"wide_ngrams": 2, "wide_features": "tf_idf"} | settings)
        results["lstm"][0]["trained"]["validated_part"] = SENTIMENT.validated_part(network)
        header = table.as_text(table.rows(comparison, results)).splitlines()[0]
        assert header.rstrip(" |").endswith(f"s to val_accuracy 0.6{part}")
        drawn = []
        monkeypatch.setattr(plots, "save", lambda figure, path, drawn=drawn: drawn.append(figure))
        plots.quality_against_time(results, "val_accuracy", tmp_path / "picture.png")
        assert drawn[0].axes[0].get_ylabel() == f"validation accuracy{part}"


def test_a_comparison_of_networks_of_which_other_parts_were_validated_says_so(tmp_path, monkeypatch):
    comparison = Comparison(SENTIMENT, CompareArguments(cells="lstm,gru"), {})
    results = {"lstm": [result("val_accuracy", [0.5, 0.6])], "gru": [result("val_accuracy", [0.6, 0.7])]}
    results["gru"][0]["trained"]["validated_part"] = "recurrent path alone"
    text = table.as_text(table.rows(comparison, results))
    assert text.endswith("val_accuracy of gru is that of the recurrent path alone")
    assert text.splitlines()[0].rstrip(" |").endswith("s to val_accuracy 0.6")
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    plots.quality_against_time(results, "val_accuracy", tmp_path / "picture.png")
    (panel,) = drawn[0].axes
    assert panel.get_ylabel() == "validation accuracy"
    assert panel.get_legend_handles_labels()[1] == ["lstm", "gru (recurrent path alone)"]


def test_a_varied_value_may_contain_dollar_signs(tmp_path):
    comparison = Comparison(SENTIMENT, CompareArguments(cells="lstm", vary=("data=a$x_^$b.csv,c.csv",)), {})
    results = {name: [result("val_accuracy", [0.6])] for name in comparison.arguments.variations}
    rows = table.rows(comparison, results)
    assert plots.quality_against_parameters(rows, "accuracy", tmp_path / "picture.png").exists()


def test_the_speed_does_not_include_the_first_epoch():
    history = [
        {"epoch": 1.0, "seconds": 60.0, "passes": 1.0, "tokens_per_second": 10.0},
        {"epoch": 2.0, "seconds": 10.0, "passes": 2.0, "tokens_per_second": 90.0},
        {"epoch": 3.0, "seconds": 30.0, "passes": 3.0, "tokens_per_second": 30.0},
    ]
    assert table._speed(history) == (20.0, pytest.approx(1800 / 40))
    assert table._speed(history[:1]) == (60.0, 10.0)
    fitted = {"epoch": 0.0, "seconds": 0.0, "passes": 0.0, "tokens_per_second": None}  # validated before the training
    assert table._speed([fitted, *history]) == table._speed(history)
    assert table._speed([fitted]) == (None, None)


def test_the_plot_shows_mean_and_spread_over_the_seeds(tmp_path, monkeypatch):
    """One seed diverged before its first validation, and one variation has no value of the metric."""
    results = {
        "lstm": [result("val_accuracy", [0.5, 0.7]), result("val_accuracy", [0.7, 0.8]), result("val_accuracy", [])],
        "gru": [result("val_loss", [1.0])],
    }
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    plots.quality_against_time(results, "val_accuracy", tmp_path / "picture.png")
    (panel,) = drawn[0].axes
    ((seconds, mean),) = [line.get_data() for line in panel.get_lines()]
    np.testing.assert_allclose(seconds, [10.0, 20.0])
    np.testing.assert_allclose(mean, [0.6, 0.75])
    (band,) = panel.collections
    heights = sorted({round(y, 6) for x, y in band.get_paths()[0].vertices if x == 10.0})
    spread = 0.2 / 2**0.5  # standard deviation of two values
    np.testing.assert_allclose([heights[0], heights[-1]], [0.6 - spread, 0.6 + spread], atol=1e-5)


def test_a_metric_that_is_better_when_lower_is_compared_in_its_direction():
    comparison = Comparison(CHARGEN, CompareArguments(cells="lstm,gru", quality=1.5), {})
    metric = ("nats_per_character", 1.0)
    results = {
        "lstm": [result("val_loss", [2.0, 1.5], metric), result("val_loss", [2.0, 1.6], metric)],
        "gru": [result("val_loss", [1.4, 1.9], metric, diverged=True)],
    }
    lstm, gru = table.rows(comparison, results)
    assert (lstm["seconds_to_quality"], lstm["reached"], gru["seconds_to_quality"]) == (20.0, 1, 10.0)
    text = table.as_text([lstm, gru])
    assert "20 (1 of 2)" in text and "diverged" in text
