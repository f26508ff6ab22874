"""A language model on windows of text, as it is trained: with the state carried from one window to the next."""

import keras

from models.language_model import LanguageModel
from models.sampled_softmax import SampledLogits


@keras.saving.register_keras_serializable("models")
class WindowModel(keras.Model):
    """A language model on windows of text, with the states carried from one batch to the next.

    This corresponds to Keras's `stateful=True`, but the states are outside of the layers, so the layers have no fixed
    batch size. The data says which windows begin a text, so no call is needed to reset the states. Gradients do not
    cross window boundaries: truncated backpropagation through time (Williams and Peng 1990, "An Efficient
    Gradient-Based Algorithm for On-Line Training of Recurrent Network Trajectories").

    Args:
        model: The language model, whose weights are shared.
        batch_size: Maximum size of a batch.
        last_only: Whether to return, in training, the logits of the last timestep of each window only.
        sampled_logits: `models.sampled_softmax.SampledLogits`: in training, logits of the targets and of sampled ids
            are returned in place of all logits. The targets are then a third input.
        **kwargs: Arguments of `keras.Model`.
    """

    def __init__(self, model: LanguageModel, batch_size: int, last_only: bool = False, sampled_logits=None, **kwargs):
        super().__init__(**kwargs)
        self.model, self.batch_size, self.last_only = model, batch_size, last_only
        self.sampled_logits, self._to_features = sampled_logits, None
        if sampled_logits is not None:
            self._to_features = keras.Model(model.inputs, [model.features, *model.outputs[1:]])
        # A validation may come in the middle of a pass over the training text, so it has its own states.
        self.carried_states, self.evaluation_states = (
            [
                self.add_weight(
                    shape=(batch_size, state.shape[-1]), initializer="zeros", trainable=False, name=prefix + state.name
                )
                for state in model.inputs[1:]
            ]
            for prefix in ("", "evaluation_")
        )

    def call(self, inputs, training=None):
        """Compute the logits of a batch of windows.

        Args:
            inputs: (ids, begins): ids int32 `(batch, timesteps)`; begins bool `(batch,)`, True where a text begins.
                With `sampled_logits` (ids, begins, targets): targets int32 `(batch, timesteps)`.
            training: Whether the model is being trained.

        Returns:
            Logits `(batch, timesteps, vocabulary_size)`; in training `(batch, 1, vocabulary_size)` with `last_only`,
            or `(batch, timesteps, 1 + samples)` with `sampled_logits`, the target first.
        """
        ids, begins, *targets = inputs
        carried = self.carried_states if training else self.evaluation_states
        rows = ids.shape[0] or keras.ops.shape(ids)[0]
        continues = keras.ops.logical_not(begins)[:, None]
        states = [keras.ops.where(continues, state[:rows], keras.ops.zeros_like(state[:rows])) for state in carried]
        if training and self.sampled_logits is not None:
            features, *states = self._to_features([ids, *states], training=training)
            logits = self.sampled_logits(features, targets[0], *self._output_weights())
        else:
            logits, *states = self.model([ids, *states], training=training)
        for variable, state in zip(carried, states, strict=True):
            state = keras.ops.cast(state, variable.dtype)
            if ids.shape[0] != self.batch_size:  # the other rows keep their states
                state = keras.ops.concatenate([state, variable[rows:]], axis=0)
            variable.assign(state)
        return logits[:, -1:] if training and self.last_only else logits

    def _output_weights(self) -> tuple:
        """Return the output vector of each id, `(vocabulary_size, size)`, and the biases, if there are any."""
        model = self.model
        if model.output_layer is None:
            return model.embedding.embeddings, None if model.output_bias is None else model.output_bias.bias
        return keras.ops.transpose(model.output_layer.kernel), model.output_layer.bias

    def get_config(self):
        """Return the constructor's arguments, with the language model's config."""
        config = {name: getattr(self, name) for name in ("batch_size", "last_only", "name")}
        parts = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in ("model", "sampled_logits")}
        return {**config, "dtype": self.dtype_policy.name, **parts}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build the model from `get_config`."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("model", "sampled_logits")
        }
        return cls(**{**config, **parts})


def training_model(model: LanguageModel, batch_size: int, sampled_logits: SampledLogits | None = None) -> WindowModel:
    """Return a model that shares the weights and is trained on windows of text.

    Args:
        model: The language model. Without `return_sequences` only the last timestep of each window is trained.
        batch_size: Maximum size of a batch.
        sampled_logits: See `WindowModel`.
    """
    return WindowModel(model, batch_size, last_only=not model.recurrent.return_sequences, sampled_logits=sampled_logits)
