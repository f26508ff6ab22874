"""The verdict on each claim follows the numbers."""

import pytest

from tasks.memory.claims import check_claims, longest_remembered_lag
from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, STANDARD
from tasks.memory.settings import MemoryArguments
from tasks.memory.tables import Group, ResultTables


def verdict(study: str, *results: list[dict]) -> str:
    """The verdict on the claim of a study."""
    rows = [row for each in results for row in each]
    cells = ",".join(dict.fromkeys(row["cell"] for row in rows))
    arguments = MemoryArguments(studies=study, cells=cells, symbols=8, training_lags="uniform")
    return check_claims(ResultTables(rows), arguments)[study].verdict


def test_the_longest_remembered_lag_is_the_one_before_the_first_forgotten_lag(make_results):
    accuracies = {5: [1.0, 0.9], 10: [0.95, 0.87], 20: [1.0, 0.7], 50: [1.0, 1.0]}
    tables = ResultTables(make_results("gru", STANDARD, accuracies))
    assert longest_remembered_lag(tables, Group("gru", STANDARD, "uniform")) == 10


def test_the_verdict_on_memory(make_results):
    ten, hundred = {5: [1.0], 10: [1.0], 20: [0.3], 500: [0.1]}, {5: [1.0], 10: [1.0], 100: [1.0], 200: [0.3]}
    thousand, short = {100: [1.0], 1000: [1.0]}, {100: [1.0], 200: [0.2]}

    def memory(plain, lstm):
        return verdict("memory", make_results("simple_rnn", STANDARD, plain), make_results("lstm", STANDARD, lstm))

    assert memory(ten, thousand) == "holds"
    assert memory(hundred, short) == "does not hold"
    assert memory(ten, short) == "holds in part"
    assert memory({5: [0.2], 10: [0.1]}, short) == "does not hold"
    assert memory(hundred, {100: [1.0]}) == "does not hold"  # one part fails, the other one is inconclusive
    assert memory({5: [1.0], 10: [1.0]}, {50: [1.0], 100: [1.0]}) == "inconclusive"  # longer lags were not measured
    assert memory({5: [1.0], 100: [0.1]}, {100: [1.0], 1000: [0.1]}) == "inconclusive"  # nor those in between


@pytest.mark.parametrize(("study", "condition"), [("forget_bias", "no_forget_bias"), ("initializer", "glorot_uniform")])
def test_the_verdict_on_an_improvement(make_results, study, condition):
    good, bad = {20: [1.0, 0.98], 50: [0.9, 0.94]}, {20: [1.0, 0.99], 50: [0.4, 0.3]}

    def helps(standard, other, **values):
        other_results = make_results("lstm", condition, other, **values)
        return verdict(study, make_results("lstm", STANDARD, standard), other_results)

    assert helps(good, bad) == "holds"
    assert helps(bad, good) == "does not hold"
    assert helps(good, good) == "does not hold"
    assert helps(good, good, steps=200) == "holds"  # the same accuracy in half the steps
    assert helps({20: [0.1]}, {20: [0.1]}, steps=800) == "holds"
    diverged = make_results("lstm", STANDARD, {20: [0.1]}, steps=25, diverged=True)  # ended early: it saves no steps
    assert verdict(study, diverged, make_results("lstm", condition, {20: [0.1]}, steps=400)) == "does not hold"
    alternative = make_results("lstm", condition, {20: [0.1, 0.1, 0.1]}, steps=400)
    alternative[0] |= {"steps": 25, "diverged": True}
    slightly = make_results("lstm", STANDARD, {20: [0.1, 0.1, 0.1]}, steps=370)  # 7.5 % fewer steps
    assert verdict(study, slightly, alternative) == "does not hold"
    assert helps({20: [1.0, 0.5]}, {20: [0.2, 0.9]}) == "does not hold"  # the seeds differ more than the conditions


def test_the_verdict_on_clipping(make_results):
    right, wrong = {100: [0.99]}, {100: [0.2]}
    exploded = {"gradient_norm": [1e5], "update_norm": [1e4], "loss": [5.0] * 20}
    limited = {"gradient_norm": [1e5], "update_norm": [0.3], "loss": [0.1] * 20}

    def clipping(unclipped, clipped, standard=wrong, factor=0.5, **values):
        norms = [factor**step for step in range(101)]
        return verdict(
            "clipping",
            make_results("simple_rnn", STANDARD, standard, state_gradients_after=norms),
            make_results("simple_rnn", "unclipped", standard),
            make_results("simple_rnn", EXPLODING, unclipped, **exploded | values),
            make_results("simple_rnn", EXPLODING_CLIPPED, clipped, **limited | values),
        )

    assert clipping(wrong, right) == "holds"
    assert clipping(wrong, wrong, loss=[3.0] * 20) == "holds in part"  # clipping prevents nothing; gradients vanish
    assert clipping(wrong, wrong, loss=[3.0] * 20, factor=1.0) == "does not hold"
    assert clipping(right, right, standard=right, gradient_norm=[2.0]) == "inconclusive"  # nothing explodes or vanishes
