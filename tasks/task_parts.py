"""What a task hands to the shared code, besides its data and its predictors. Imports no TensorFlow."""

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class TrainingData(abc.ABC):
    """What a task prepared in a run's folder: vocabularies, and batches of ids.

    Attributes:
        steps_per_pass: Batches in a pass over the training data.
        tokens_per_pass: Tokens in a pass, padding not counted.
        summary: One line for the log: how much data, which classes or vocabularies.
    """

    steps_per_pass: int
    tokens_per_pass: int
    summary: str

    @abc.abstractmethod
    def training_batches(self, epoch: int, step: int) -> "tf.data.Dataset":
        """Return endless batches from a step of a pass on; a function of the seed, the pass and the step."""

    @abc.abstractmethod
    def validation_batches(self) -> "tf.data.Dataset":
        """Return the batches of one pass over the validation data."""


class LayerRate(NamedTuple):
    """Layers that are trained with a lower learning rate than the others, and from an epoch on.

    Attributes:
        layers: The layers.
        factor: Of the learning rate.
        first_epoch: The first epoch, counted from 0, in which they are trained.
    """

    layers: Sequence["keras.layers.Layer"]
    factor: float
    first_epoch: int = 0


class Network(NamedTuple):
    """An untrained network and how it is trained.

    Attributes:
        model: The model that is saved; shares its weights with `training_model`.
        training_model: The model that is fitted.
        loss: As for `keras.Model.compile`.
        metrics: As for `keras.Model.compile`.
        weighted_metrics: As for `keras.Model.compile`.
        sparse_learning_rates: Pairs of a layer with tables of which a batch uses few rows, and its learning rate.
            Adagrad trains these tables. See `tasks.training.optimizers.make_optimizer`.
        layer_rates: Layers with lower learning rates, trained from an epoch on.
        validation_metrics: Epoch, counted from 1 -> further validation metrics of the weights that are saved; None as
            a value if the epoch does not measure it.
        sample_texts: Returns texts that the weights that are saved generate; they are logged after each epoch.
        is_fitted: Whether the network is of use before it is trained: its weights are then validated first, as epoch 0,
            and kept if no epoch is better. Without a trainable variable there are no further epochs.
    """

    model: "keras.Model"
    training_model: "keras.Model"
    loss: Any
    metrics: Sequence[Any] = ()
    weighted_metrics: Sequence[Any] = ()
    sparse_learning_rates: Sequence[tuple["keras.layers.Layer", float]] = ()
    layer_rates: Sequence[LayerRate] = ()
    validation_metrics: Callable[[int], Mapping[str, float | None]] | None = None
    sample_texts: Callable[[], Sequence[str]] | None = None
    is_fitted: bool = False


class Exportable(NamedTuple):
    """What an exported model consists of.

    Attributes:
        model: The Keras model that the signatures use.
        signatures: Name -> a `tf.function` with an input signature; `serving_default` is one of them.
        resources: Other objects that the signatures use, each a `tf.Module`, such as a tokenizer.
        warmup: Name of each signature -> inputs by name, of one row each, that TensorFlow Serving answers when it loads
            the model. Inputs that are left out are zeros.
        inputs: Name of a signature -> name of an input -> the JSON Schema of the numbers that it accepts, with a
            default.
    """

    model: "keras.Model"
    signatures: Mapping[str, Callable]
    resources: Sequence[Any] = ()
    warmup: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType({})
    inputs: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType({})


@dataclass
class Outcome:
    """The outcome of running a model over a split; metrics are computed from it. Tasks add their own fields.

    Attributes:
        examples: Number of examples.
        seconds: Seconds of inference, without loading the model.
    """

    examples: int = field(kw_only=True)
    seconds: float = field(kw_only=True)
