"""A prompt in, text out, in one graph; this is what an export of the language model contains."""

import tensorflow as tf

from models.characters import REPLACEMENT, UNKNOWN, CharacterText
from models.generation_settings import SamplingSettings
from models.graph_methods import graph_method
from models.language_model import StepModel
from models.pieces import PieceText
from models.sampling import NO_ID, GenerationState, Sampling, generate, uniform_noise


class TextGenerator(tf.Module):
    """Text generation with a language model.

    Args:
        step_model: The network. With a boundary, the text of a prompt begins after its last boundary, or with it, and
            ends before the next one, which is not part of the output.
        text: The conversion between text and ids.
        settings: Settings of `generate_default`. The repetition penalty and the stops apply to `generate` as well.

    Example:
        ```python
        generator = TextGenerator(step_model, CharacterText(characters), SamplingSettings(temperature=0.7))
        print(generator.generate_default(tf.constant(["ROMEO:"]))["text"].numpy()[0].decode())
        ```
    """

    def __init__(self, step_model: StepModel, text: CharacterText | PieceText, settings: SamplingSettings):
        super().__init__()
        self.step_model, self.text, self.settings = step_model, text, settings
        self._boundary = step_model.boundary
        stops = text.ids(tf.constant(settings.stop, tf.string, [len(settings.stop)])).to_list()
        stops += [] if self._boundary is None else [[self._boundary]]
        self._fixed = {
            "repetition_penalty": settings.repetition_penalty,
            "repetition_window": settings.repetition_window,
            "stops": tuple(map(tuple, stops)),
        }
        counts = tf.constant(text.characters.counts, tf.float32)
        # The distribution of a text's first character is the frequency of the characters. One is added to the count
        # of unknown characters, which most training texts do not contain, so that their probability is not 0.
        counts += tf.one_hot(UNKNOWN, len(text.characters))
        self._first_logits = tf.math.log(counts / tf.reduce_sum(counts))
        self._unwritten_mask = tf.add_n([self._mask(index) for index in text.unwritten])
        states = [tf.TensorSpec([None, step_model.units], step_model.dtype, name) for name in step_model.state_names]
        # Wrapped here and not by a decorator, because the number of states depends on the model.
        ids = tf.TensorSpec([None], tf.int32, "ids")
        self.step = tf.function(self._step, input_signature=[ids, *states], autograph=False)
        state = GenerationState(
            tf.TensorSpec([None, len(text.characters)], tf.float32),
            [tf.TensorSpec([None, step_model.units], step_model.dtype) for _ in states],
            tf.TensorSpec([None, Sampling(**self._fixed).history_size], tf.int32),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([None], tf.bool),
        )
        # With these shapes the function is traced once for parts of any length.
        noise = tf.TensorSpec([None, None], tf.float32)
        scalars = [tf.TensorSpec([], dtype) for dtype in (tf.float32, tf.int32, tf.float32)]
        self.continue_generation = tf.function(
            self._continue_generation, input_signature=[state, noise, *scalars], autograph=False
        )

    @graph_method(input_signature=[tf.TensorSpec([None], tf.string, name="prompt")])
    def generate_default(self, prompt):
        """Generate text after prompts, with the generator's settings.

        Args:
            prompt: string `(batch,)`.

        Returns:
            A dict of

            - `text`: string `(batch,)`, the prompt and the generated text;
            - `continuation`: string `(batch,)`, the generated text.
        """
        settings = self.settings
        seeds = tf.fill([tf.size(prompt)], tf.constant(settings.sampling_seed, tf.int64))
        return self._generate(prompt, seeds, settings.length, settings.temperature, settings.top_k, settings.top_p)

    @graph_method(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="prompt"),
            tf.TensorSpec([], tf.int32, name="length"),
            tf.TensorSpec([], tf.float32, name="temperature"),
            tf.TensorSpec([], tf.int32, name="top_k"),
            tf.TensorSpec([], tf.float32, name="top_p"),
            tf.TensorSpec([], tf.int64, name="seed"),
        ],
    )
    def generate(self, prompt, length, temperature, top_k, top_p, seed):
        """Generate text after prompts, with the caller's settings.

        Args:
            prompt: string `(batch,)`.
            length: int32 `()`, maximum number of characters to generate.
            temperature: float32 `()`, see `SamplingSettings`.
            top_k: int32 `()`, see `SamplingSettings`.
            top_p: float32 `()`, see `SamplingSettings`.
            seed: int64 `()`. Equal prompts with equal seeds get equal texts, different prompts independent ones.

        Returns:
            A dict as from `generate_default`.
        """
        return self._generate(prompt, tf.fill([tf.size(prompt)], seed), length, temperature, top_k, top_p)

    def _step(self, ids, *states):
        """Run the network for one timestep.

        Args:
            ids: int32 `(batch,)`.
            *states: The states before `ids`, `(batch, units)` each, zeros at the start of a text.

        Returns:
            A dict of `logits`, float32 `(batch, vocabulary_size)`, of the character after `ids`, and of the states
            after `ids` by their names.
        """
        after = self.step_model.step(ids, list(states))
        return {"logits": self.step_model.logits(after), **dict(zip(self.step_model.state_names, after, strict=True))}

    @graph_method(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def score(self, text):
        """Compute the mean of -ln p(character | all characters before it).

        The p of the first character is its frequency in the training text. Characters are counted in composed form:
        jamo count as the syllables that they compose. With a boundary, the p of the first character is that after a
        boundary, and the boundary at the end of a text counts as a character.

        Args:
            text: string `(batch,)`.

        Returns:
            A dict of `nats_per_character`, float32 `(batch,)`; 0 for an empty text.
        """
        ids, characters, first_logits = self.text.ids(text), self.text.lengths(text), self._first_logits
        if self._boundary is not None:
            first_logits = self.step_model.logits(self.step_model.initial_states(1))[0]
            ended = tf.equal(ids[:, -1:], self._boundary).to_tensor(False, shape=[None, 1])[:, 0]
            ends = tf.RaggedTensor.from_tensor(tf.fill([tf.size(text), 1], self._boundary))
            ids = tf.concat([ids, tf.ragged.boolean_mask(ends, ~ended[:, None])], axis=1)
            characters += tf.cast(~ended, tf.int32)
        log_probability = self.step_model.log_probability(ids, first_logits)
        characters = tf.cast(tf.maximum(characters, 1), tf.float64)
        return {"nats_per_character": tf.cast(tf.abs(log_probability) / characters, tf.float32)}

    # --- generation in parts

    @graph_method(input_signature=[tf.TensorSpec([None], tf.string)])
    def initial_state(self, prompts) -> GenerationState:
        """Run the network over prompts, string `(batch,)`, and return the state after them."""
        return self._initial_state(self.text.ids(prompts))

    def _initial_state(self, ids) -> GenerationState:
        batch = tf.cast(ids.nrows(), tf.int32)
        states = self.step_model.read(ids, self.step_model.initial_states(batch))
        logits = self.logits(states)
        if self._boundary is None:
            is_empty = tf.equal(ids.row_lengths(), 0)[:, None]
            logits = tf.where(is_empty, self._first_logits[None] + self._unwritten_mask, logits)
        else:
            # No text is empty: the first character after a boundary is another one.
            begins = tf.equal(ids[:, -1:], self._boundary).to_tensor(True, shape=[None, 1])
            logits = tf.where(begins, logits + self._mask(self._boundary), logits)
        size = Sampling(**self._fixed).history_size
        recent = tf.concat([tf.fill([batch, size], NO_ID), ids], axis=1)[:, -size:].to_tensor(shape=[None, size])
        return GenerationState(logits, states, recent, tf.constant(0), tf.fill([batch], False))

    def noise(self, prompts, seeds, length) -> tf.Tensor:
        """Draw the random numbers that the texts after prompts are sampled with.

        They depend on the seed and on the ids of the prompt. With the seed alone, the texts of all prompts would meet
        sooner or later: where two texts agree, the same numbers keep them equal.

        Args:
            prompts: string `(batch,)`.
            seeds: int `(batch,)`.
            length: int `()`, number of characters to generate.

        Returns:
            float32 `(batch, length)` in [0, 1). A row does not depend on the other rows of the batch.
        """
        return self._noise(self.text.ids(prompts), seeds, length)

    def _noise(self, ids, seeds, length) -> tf.Tensor:
        # The text of the ids is hashed: its hash has the same value on every machine, and does not depend on padding.
        keys = tf.strings.to_hash_bucket_fast(self.text.text(ids), tf.int64.max)
        return uniform_noise(seeds, length, keys)

    def _continue_generation(self, state: GenerationState, noise, temperature, top_k, top_p):
        """Generate the next characters.

        Args:
            state: From `initial_state` or from the call before.
            noise: float32 `(batch, length)`, from `noise`.
            temperature: See `SamplingSettings`.
            top_k: See `SamplingSettings`.
            top_p: See `SamplingSettings`.

        Returns:
            The ids and the state after them, as from `models.sampling.generate`.
        """
        return self._generate_ids(state, noise, temperature, top_k, top_p)

    def decode(self, ids) -> tf.Tensor:
        """Convert ids to texts.

        Args:
            ids: int32 `(batch, length)`, NO_ID after the end of a row.

        Returns:
            string `(batch,)`, without a boundary, in which jamo are not composed yet.
        """
        kept = ids != NO_ID
        if self._boundary is not None:
            kept &= ids != self._boundary
        return self.text.text(tf.ragged.boolean_mask(ids, kept))

    def logits(self, states) -> tf.Tensor:
        """Compute the logits that characters are sampled from.

        Args:
            states: The network's states, `(batch, units)` each.

        Returns:
            float32 `(batch, vocabulary_size)`, -inf for ids that are never generated.
        """
        return self.step_model.logits(states) + self._unwritten_mask

    def _mask(self, index: int) -> tf.Tensor:
        """Return what is added to logits so that an id is not generated: float32 `(vocabulary_size,)`."""
        return tf.one_hot(index, len(self.text.characters), -float("inf"), 0.0)

    def _generate_ids(self, state, noise, temperature, top_k, top_p):
        sampling = Sampling(temperature, top_k, top_p, **self._fixed)
        return generate(self.step_model.step, self.logits, state, noise, sampling)

    def _generate(self, prompts, seeds, length, temperature, top_k, top_p):
        # The prompt is part of the output, which must be valid UTF-8.
        prompts = tf.strings.unicode_transcode(
            prompts, "UTF-8", "UTF-8", errors="replace", replacement_char=REPLACEMENT
        )
        read = self.text.ids(prompts)
        noise = self._noise(read, seeds, tf.maximum(length, 1))
        ids, _ = self._generate_ids(self._initial_state(read), noise, temperature, top_k, top_p)
        return self.texts(prompts, self.decode(ids[:, : tf.maximum(length, 0)]))

    def texts(self, prompts, continuations) -> dict[str, tf.Tensor]:
        """Join prompts and their continuations.

        Args:
            prompts: string `(batch,)`, valid UTF-8.
            continuations: string `(batch,)`, from `decode`.

        Returns:
            A dict as from `generate_default`.
        """
        boundary = "" if self._boundary is None else self.text.characters.symbols[self._boundary]
        if boundary:
            prompts = tf.strings.regex_replace(prompts, f"(?s)^.*{boundary}", "")
        return dict(zip(("text", "continuation"), self.text.joined(prompts, continuations), strict=True))
