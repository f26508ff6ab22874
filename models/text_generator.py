"""A prompt in, text out, in one graph: what is exported, and what generates."""

import tensorflow as tf

from models.characters import REPLACEMENT, UNKNOWN, CharacterText
from models.language_model import StepModel
from models.network_settings import SamplingSettings
from models.sampling import NONE, Sampling, Writing, uniforms, write


class TextGenerator(tf.Module):
    """Text <-> ids around a `StepModel`, and the loop that writes.

    Args:
      step_model: the network.
      text: the characters.
      sampling: the settings of `write_default`; its penalty and its stops hold for `generate` too.
    """

    def __init__(self, step_model: StepModel, text: CharacterText, sampling: SamplingSettings):
        super().__init__()
        self.step_model, self.text, self.settings = step_model, text, sampling
        stops = text.ids(tf.constant(sampling.stop, tf.string, [len(sampling.stop)])).to_list()
        self._constants = {
            "repetition_penalty": sampling.repetition_penalty,
            "repetition_window": sampling.repetition_window,
            "stops": tuple(map(tuple, stops)),
        }
        counts = tf.constant(text.characters.counts, tf.float32)
        # What a text begins with is told by how frequent the characters are. Unknown ones have not been seen at all
        # in most training texts, and may come yet.
        counts += tf.one_hot(UNKNOWN, len(text.characters))
        self._first_logits = tf.math.log(counts / tf.reduce_sum(counts))
        self._not_unknown = tf.one_hot(UNKNOWN, len(text.characters), -float("inf"), 0.0)
        states = [tf.TensorSpec([None, step_model.units], step_model.dtype, name) for name in step_model.state_names]
        # A function of its own, since the number of states is the model's.
        self.step = tf.function(self._step, input_signature=[tf.TensorSpec([None], tf.int32, "ids"), *states])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="prompt")])
    def write_default(self, prompt):
        """Prompts, string (batch,), -> a dict of

        - text: string (batch,), the prompt and what the model writes after it;
        - continuation: string (batch,), what it writes.
        """
        chosen = self.settings
        seeds = tf.fill([tf.size(prompt)], tf.constant(chosen.sampling_seed, tf.int64))
        return self._written(prompt, seeds, chosen.length, chosen.temperature, chosen.top_k, chosen.top_p)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="prompt"),
            tf.TensorSpec([], tf.int32, name="length"),
            tf.TensorSpec([], tf.float32, name="temperature"),
            tf.TensorSpec([], tf.int32, name="top_k"),
            tf.TensorSpec([], tf.float32, name="top_p"),
            tf.TensorSpec([], tf.int64, name="seed"),
        ]
    )
    def generate(self, prompt, length, temperature, top_k, top_p, seed):
        """As `write_default`, with settings of the caller's. Equal prompts get equal texts: vary the seed."""
        return self._written(prompt, tf.fill([tf.size(prompt)], seed), length, temperature, top_k, top_p)

    def _step(self, ids, *states):
        """int32 (batch,) and states (batch, units), zeros at first -> a dict of

        - logits: float32 (batch, vocabulary_size), of the character after `ids`;
        - the states after it, by their names.
        """
        after = self.step_model.advance(ids, list(states))
        return {"logits": self.step_model.logits(after), **dict(zip(self.step_model.state_names, after, strict=True))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def score(self, text):
        """Texts, string (batch,), -> {nats_per_character: float32 (batch,)}; 0 for an empty text.

        The mean of -ln p(character | all characters before it); the first one's p is its frequency. Characters are
        counted in composed form, jamo as the syllables that they make.
        """
        log_probability = self.step_model.log_probability(self.text.ids(text), self._first_logits)
        characters = tf.cast(tf.maximum(self.text.lengths(text), 1), tf.float64)
        return {"nats_per_character": tf.cast(tf.abs(log_probability) / characters, tf.float32)}

    # --- writing in parts

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def begin(self, prompts) -> Writing:
        """Reads prompts, string (batch,)."""
        ids = self.text.ids(prompts)
        batch = tf.size(prompts)
        states = self.step_model.read(ids, self.step_model.initial_states(batch))
        empty = tf.equal(ids.row_lengths(), 0)[:, None]
        logits = tf.where(empty, self._first_logits[None] + self._not_unknown, self.logits(states))
        memory = Sampling(**self._constants).memory
        before = tf.concat([tf.fill([batch, memory], NONE), ids], axis=1)[:, -memory:].to_tensor(shape=[None, memory])
        return Writing(logits, states, before, tf.constant(0), tf.fill([batch], False))

    @tf.function(reduce_retracing=True)
    def go_on(self, writing: Writing, uniform, temperature, top_k, top_p):
        """Writes as many characters as `uniform` (batch, length) has columns; as `models.sampling.write`."""
        return self._write(writing, uniform, temperature, top_k, top_p)

    def shown(self, ids) -> tf.Tensor:
        """int32 (batch, length), NONE after a row's end -> string (batch,), jamo not joined yet."""
        return self.text.text(tf.ragged.boolean_mask(ids, ids != NONE))

    def _write(self, writing, uniform, temperature, top_k, top_p):
        sampling = Sampling(temperature, top_k, top_p, **self._constants)
        return write(self.step_model.advance, self.logits, writing, uniform, sampling)

    def logits(self, states) -> tf.Tensor:
        """The states -> float32 (batch, vocabulary_size), of the next character; -inf for the unknown symbol."""
        return self.step_model.logits(states) + self._not_unknown

    def _written(self, prompts, seeds, length, temperature, top_k, top_p):
        # What is not valid UTF-8 must not come out again.
        prompts = tf.strings.unicode_transcode(
            prompts, "UTF-8", "UTF-8", errors="replace", replacement_char=REPLACEMENT
        )
        uniform = uniforms(seeds, tf.maximum(length, 1))
        ids, _ = self._write(self.begin(prompts), uniform, temperature, top_k, top_p)
        written = self.shown(ids[:, : tf.maximum(length, 0)])
        return {
            "text": self.text.joined(tf.strings.join([prompts, written])),
            "continuation": self.text.joined(written),
        }
