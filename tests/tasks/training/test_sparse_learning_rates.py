"""Adagrad trains the tables of n-grams: a rule that trains nothing is an error."""

import keras
import pytest

from tasks.settings import TrainingSettings
from tasks.training import fit
from tasks.training.optimizers import make_optimizer
from tests.tasks.examples import TRAINED_WIDE_PATH


def optimizer_of(optimizer, variable):
    """The optimizer that trains a variable."""
    return next(one for one in optimizer.optimizers if any(own is variable for own in one._trainable_variables))


def test_a_rule_for_a_layer_that_is_not_trained_is_an_error():
    used, unused = keras.layers.Dense(1, name="used"), keras.layers.Dense(1, name="unused")
    model = keras.Sequential([keras.Input((2,)), used])
    unused.build((None, 2))
    make = lambda layer: make_optimizer(  # noqa: E731
        TrainingSettings(), 10, variables=model.trainable_variables, sparse_learning_rates=[(layer, 0.1)]
    )
    optimizer = make(used)
    optimizer.build(model.trainable_variables)
    assert {type(optimizer_of(optimizer, one)) for one in used.variables} == {keras.optimizers.Adagrad}
    with pytest.raises(ValueError, match=r"0\.1 for the layer unused matches no variable that is trained"):
        make(unused)
    used.trainable = False
    with pytest.raises(ValueError, match="layer used matches no variable"):
        make(used)


@pytest.mark.slow
def test_adagrad_trains_the_tables_of_a_classifier_and_nothing_else(small_tasks, tmp_path, monkeypatch):
    """Of the optimizer of a whole training, as `python -m tasks.sentiment train` builds it."""
    networks, whole_fit = [], fit.fit

    def noted_fit(network, *arguments, **named):
        networks.append(network)
        return whole_fit(network, *arguments, **named)

    monkeypatch.setattr(fit, "fit", noted_fit)
    small = small_tasks["sentiment"]
    options = ("--ngrams", "2", *TRAINED_WIDE_PATH, "--epochs", "1", "--ngram-learning-rate", "0.05")
    answer = small.train(tmp_path / "run", *options)
    assert answer.code == 0, answer.err
    [network] = networks
    model, optimizer = network.model, network.training_model.optimizer
    adam, *adagrads = sorted(optimizer.optimizers, key=lambda one: type(one) is keras.optimizers.Adagrad)
    assert type(adam) is keras.optimizers.Adam and len(adagrads) == 2
    for layer, learning_rate in ((model.ngrams, 0.05), (model.wide, 0.1)):
        [own] = [one for one in adagrads if one._trainable_variables == layer.trainable_variables]
        assert type(own) is keras.optimizers.Adagrad and own._learning_rate.peak == learning_rate
        for accumulator in own._accumulators:  # it was near zero before the first step
            assert float(keras.ops.max(accumulator)) > 1e-6
    tables = {id(variable) for one in adagrads for variable in one._trainable_variables}
    assert tables == {id(one) for one in (*model.ngrams.trainable_variables, *model.wide.trainable_variables)}
    assert len(adam._trainable_variables) + len(tables) == len(network.training_model.trainable_variables)
