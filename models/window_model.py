"""A language model on windows of text, as it is trained: with the state carried from one window to the next."""

import keras
import tensorflow as tf

from models.network import Network, PaddedInputs
from models.sampled_softmax import SampledLogits


@keras.saving.register_keras_serializable("models")
class WindowModel(PaddedInputs, keras.Model):
    """A language model on windows of text, with the states carried from one batch to the next.

    This corresponds to Keras's `stateful=True`, but the states are outside of the layers, so a batch can have any size:
    row i continues row i of the batch before, and rows that a smaller batch lacks keep their states. The data says
    which windows begin a text, so no call is needed to reset the states. Gradients do not cross window boundaries:
    truncated backpropagation through time (Williams and Peng 1990, "An Efficient Gradient-Based Algorithm for On-Line
    Training of Recurrent Network Trajectories").

    The targets of `fit` and `evaluate` are the next ids, int32 `(batch, timesteps)`. With `last_only`, a training uses
    the last ones; with `sampled_logits` it replaces them by zeros, the position of the target among the logits, and
    a metric of the training counts among the samples.

    Args:
        model: The `LanguageModel`, whose weights are shared.
        last_only: Whether to return, in training, the logits of the last timestep of each window only.
        sampled_logits: `models.sampled_softmax.SampledLogits`: in training, logits of the targets and of sampled ids
            are returned in place of all logits. The targets are then a third input.
        **kwargs: Arguments of `keras.Model`.

    Attributes:
        model: The language model.
        carried_states: List of `tf.Variable` `(rows, units)`: the states after the last batch of the training. They are
            saved with the model, but are no weights.
        evaluation_states: The same of an evaluation, which may come in the middle of a pass over the training text.
    """

    def __init__(self, model: Network, last_only: bool = False, sampled_logits: SampledLogits | None = None, **kwargs):
        super().__init__(**kwargs)
        self.model, self.last_only = model, last_only
        self.sampled_logits, self._to_features = sampled_logits, None
        if sampled_logits is not None:
            self._to_features = keras.Model(model.inputs, [model.features, *model.outputs[1:]])
        # Not Keras's variables, whose shape is fixed: these have as many rows as the largest batch so far.
        self.carried_states, self.evaluation_states = (
            [
                tf.Variable(
                    tf.zeros((0, state.shape[-1]), self.variable_dtype),
                    shape=(None, state.shape[-1]),
                    trainable=False,
                    name=prefix + state.name,
                )
                for state in model.inputs[1:]
            ]
            for prefix in ("", "evaluation_")
        )
        self.supports_jit = False  # XLA has no variables that change their shape; Keras warns, and does without it
        self.built = True  # all weights are those of the language model, so a file of weights can be loaded

    def call(self, inputs, training=None):
        """Compute the logits of a batch of windows.

        Args:
            inputs: (ids, begins): ids int32 `(batch, timesteps)`; begins bool `(batch,)`, True where a text begins.
                With `sampled_logits` (ids, begins, targets): targets int32 `(batch, timesteps)`.
            training: Whether the model is being trained.

        Returns:
            Logits `(batch, timesteps, vocabulary_size)`; in training `(batch, 1, vocabulary_size)` with `last_only`,
            or `(batch, timesteps, 1 + samples)` with `sampled_logits`, the target first.

        Raises:
            ValueError: If an input is missing.
        """
        parts = ["ids", "begins", "targets"][: 3 if training and self.sampled_logits is not None else 2]
        if not isinstance(inputs, tuple | list) or len(inputs) < len(parts):
            raise ValueError(f"{self.name}: expected the inputs ({', '.join(parts)}); see WindowModel.call")
        ids, begins, *targets = inputs
        carried = self.carried_states if training else self.evaluation_states
        rows = ids.shape[0] or tf.shape(ids)[0]
        before = [_with_rows(variable.read_value(), rows) for variable in carried]
        continues = tf.logical_not(tf.cast(begins, tf.bool))[:, None]
        states = [tf.where(continues, state[:rows], tf.zeros_like(state[:rows])) for state in before]
        states = [tf.cast(state, self.compute_dtype) for state in states]
        if training and self.sampled_logits is not None:
            features, *states = self._to_features([ids, *states], training=training)
            logits = self.sampled_logits(features, targets[0], *self._output_weights())
        else:
            logits, *states = self.model([ids, *states], training=training)
        for variable, state, old in zip(carried, states, before, strict=True):
            variable.assign(tf.concat([tf.cast(state, variable.dtype), old[rows:]], axis=0))
        return logits[:, -1:] if training and self.last_only else logits

    def train_step(self, data):
        """Train on a batch, with the targets that belong to the logits of the training."""
        return super().train_step(self.with_training_targets(data))

    def with_training_targets(self, data):
        """Return a batch with the targets, and the weights, that belong to the logits of the training."""
        x, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
        if self.sampled_logits is not None:
            targets = tf.zeros_like(targets)
        if self.last_only:
            targets = targets[:, -1:]
            weights = weights[:, -1:] if weights is not None and len(weights.shape) > 1 else weights
        return x, targets, weights

    def _output_weights(self) -> tuple:
        """Return the output vector of each id, `(vocabulary_size, size)`, and the biases, if there are any."""
        model = self.model
        if model.output_layer is None:
            return model.embedding.embeddings, None if model.output_bias is None else model.output_bias.bias
        return keras.ops.transpose(model.output_layer.kernel), model.output_layer.bias

    def save_own_variables(self, store):
        """Save the states."""
        for number, variable in enumerate([*self.carried_states, *self.evaluation_states]):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store):
        """Load the states."""
        for number, variable in enumerate([*self.carried_states, *self.evaluation_states]):
            variable.assign(store[str(number)])

    def get_config(self):
        """Return the constructor's arguments, with the language model's config."""
        parts = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in ("model", "sampled_logits")}
        return {"last_only": self.last_only, "name": self.name, "dtype": self.dtype_policy.name, **parts}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build the model from `get_config`."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("model", "sampled_logits")
        }
        return cls(**{**config, **parts})


def _with_rows(state: tf.Tensor, rows) -> tf.Tensor:
    """Append rows of zeros to a state `(rows before, units)` that has fewer."""
    missing = tf.maximum(rows - tf.shape(state)[0], 0)
    return tf.concat([state, tf.zeros([missing, state.shape[1]], state.dtype)], axis=0)
