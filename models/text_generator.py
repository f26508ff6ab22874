"""A prompt in, text out, in one graph; this is what an export of the language model contains."""

import tensorflow as tf

from models.characters import UNKNOWN, CharacterText, valid_utf8
from models.generation_settings import SamplingSettings
from models.graph_methods import graph_method
from models.input_ranges import checked, input_schema
from models.language_model import StepModel
from models.pieces import PieceText
from models.sampling import NO_ID, GenerationState, Sampling, generate, uniform_noise

# Characters that one call generates, at most: the loop in the graph keeps a tensor for each until it ends.
MAX_LENGTH = 10_000


class TextGenerator(tf.Module):
    """Text generation with a language model.

    Args:
        step_model: The network. With a boundary, the text of a prompt begins after its last boundary, or with it, and
            ends before the next one, which is not part of the output.
        text: The conversion between text and ids.
        settings: Settings of `generate_default`. The repetition penalty and the stops apply to `generate` as well.

    Attributes:
        step_model, text, settings: As given.
        inputs: The JSON Schema of each number that `generate` accepts.
        history_size: Number of previous characters that generation depends on.
        first_logits: Float32 `(vocabulary_size,)`, logits of the first character of a text without a boundary.
    """

    def __init__(self, step_model: StepModel, text: CharacterText | PieceText, settings: SamplingSettings):
        super().__init__()
        self.step_model, self.text, self.settings = step_model, text, settings
        self.inputs = {name: input_schema(settings, name) for name in ("temperature", "top_k", "top_p")}
        self.inputs["length"] = input_schema(settings, "length", minimum=0, maximum=max(MAX_LENGTH, settings.length))
        self.inputs["seed"] = {"type": "integer", "default": settings.sampling_seed}
        self._boundary = step_model.boundary
        stops = text.ids(tf.constant(settings.stop, tf.string, [len(settings.stop)])).to_list()
        stops += [] if self._boundary is None else [[self._boundary]]
        self._fixed = {
            "repetition_penalty": settings.repetition_penalty,
            "repetition_window": settings.repetition_window,
            "stops": tuple(map(tuple, stops)),
        }
        self.history_size = Sampling(**self._fixed).history_size
        counts = tf.constant(text.characters.counts, tf.float32)
        # The distribution of a text's first character is the frequency of the characters. One is added to the count
        # of unknown characters, which most training texts do not contain, so that their probability is not 0.
        counts += tf.one_hot(UNKNOWN, len(text.characters))
        self.first_logits = tf.math.log(counts / tf.reduce_sum(counts))
        self._unwritten_mask = tf.add_n([self._mask(index) for index in text.unwritten])
        # float32 also where the network computes in half precision: JSON has no such numbers.
        shape = [None, step_model.units]
        self.state_specs = [tf.TensorSpec(shape, tf.float32, name) for name in step_model.state_names]
        # Wrapped here and not by a decorator, because the number of states depends on the model.
        ids = tf.TensorSpec([None], tf.int32, "ids")
        self.step = tf.function(self._step, input_signature=[ids, *self.state_specs], autograph=False)
        state = GenerationState(
            tf.TensorSpec([None, len(text.characters)], tf.float32),
            [tf.TensorSpec(shape, step_model.dtype) for _ in self.state_specs],
            tf.TensorSpec([None, self.history_size], tf.int32),
            tf.TensorSpec([None], tf.int32),
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
        numbers = {name: getattr(self.settings, name) for name in ("length", "temperature", "top_k", "top_p")}
        seed = tf.fill([tf.size(prompt)], tf.constant(self.settings.sampling_seed, tf.int64))
        return self._generate(prompt, **numbers, seed=seed)

    @graph_method(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="prompt"),
            tf.TensorSpec([None], tf.int32, name="length"),
            tf.TensorSpec([None], tf.float32, name="temperature"),
            tf.TensorSpec([None], tf.int32, name="top_k"),
            tf.TensorSpec([None], tf.float32, name="top_p"),
            tf.TensorSpec([None], tf.int64, name="seed"),
        ],
    )
    def generate(self, prompt, length, temperature, top_k, top_p, seed):
        """Generate text after prompts, with the caller's settings.

        Args:
            prompt: string `(batch,)`.
            length: int32 `(batch,)`, maximum number of characters to generate.
            temperature: float32 `(batch,)`, see `SamplingSettings`.
            top_k: int32 `(batch,)`, see `SamplingSettings`.
            top_p: float32 `(batch,)`, see `SamplingSettings`.
            seed: int64 `(batch,)`. Equal prompts with equal seeds get equal texts, different prompts independent ones.

        Returns:
            A dict as from `generate_default`. A row does not depend on the other rows of the batch.

        Raises:
            tf.errors.InvalidArgumentError: If a number is outside its range (`inputs`).
        """
        numbers = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
        return self._generate(prompt, **self.checked(numbers, prompt))

    def checked(self, numbers, texts) -> dict[str, tf.Tensor]:
        """Return the numbers of a request by name; the graph fails where one is outside its range, see `inputs`."""
        return {name: checked(name, values, texts, self.inputs[name]) for name, values in numbers.items()}

    def _step(self, ids, *states):
        """Run the network for one timestep.

        Args:
            ids: int32 `(batch,)`.
            *states: The states before `ids`, float32 `(batch, units)` each, zeros at the start of a text.

        Returns:
            A dict of `logits`, float32 `(batch, vocabulary_size)`, of the character after `ids`, and of the states
            after `ids` by their names.
        """
        after = self.step_model.step(ids, [tf.cast(state, self.step_model.dtype) for state in states])
        return {"logits": self.step_model.logits(after), **self.named_states(after)}

    def named_states(self, states) -> dict[str, tf.Tensor]:
        """Return states of the network by their names, in float32."""
        return {spec.name: tf.cast(state, tf.float32) for spec, state in zip(self.state_specs, states, strict=True)}

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
        ids, characters, first_logits = self.text.ids(text), self.text.lengths(text), self.first_logits
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
        return self.state_after(self.text.ids(prompts))

    def state_after(self, ids) -> GenerationState:
        """Return the state after ids, int32 `(batch, None)`."""
        batch, size = tf.cast(ids.nrows(), tf.int32), self.history_size
        states = self.step_model.read(ids, self.step_model.initial_states(batch))
        recent = tf.concat([tf.fill([batch, size], NO_ID), ids], axis=1)[:, -size:].to_tensor(shape=[None, size])
        generated, finished = tf.zeros([batch], tf.int32), tf.fill([batch], False)
        return GenerationState(self.next_logits(states, recent), states, recent, generated, finished)

    def next_logits(self, states, recent) -> tf.Tensor:
        """Compute `logits` at any place of a text, its beginning included.

        Args:
            states: The network's states, `(batch, units)` each.
            recent: int32 `(batch, history_size)`, the last ids of the text.
        """
        logits, last = self.logits(states), recent[:, -1:]
        if self._boundary is None:
            return tf.where(last == NO_ID, self.first_logits[None] + self._unwritten_mask, logits)
        # No text is empty: the first character after a boundary is another one.
        begins = (last == NO_ID) | (last == self._boundary)
        return tf.where(begins, logits + self._mask(self._boundary), logits)

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
        return uniform_noise(seeds, length, self.noise_keys(ids))

    def noise_keys(self, ids) -> tf.Tensor:
        """Return what the random numbers depend on besides the seeds: int64 `(batch,)`, from ids `(batch, None)`."""
        # The text of the ids is hashed: its hash has the same value on every machine, and does not depend on padding.
        return tf.strings.to_hash_bucket_fast(self.text.text(ids), tf.int64.max)

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
        return self.generate_ids(state, noise, temperature, top_k, top_p)

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

    def generate_ids(self, state: GenerationState, noise, temperature, top_k, top_p, lengths=None):
        """Generate the next characters; see `models.sampling.generate`."""
        sampling = Sampling(temperature, top_k, top_p, **self._fixed)
        return generate(self.step_model.step, self.logits, state, noise, sampling, lengths)

    def _generate(self, prompts, length, temperature, top_k, top_p, seed):
        prompts = valid_utf8(prompts)
        read, length = self.text.ids(prompts), tf.convert_to_tensor(length)
        noise = self._noise(read, seed, tf.maximum(tf.reduce_max(length), 1))  # the maximum of no row is negative
        ids, _ = self.generate_ids(self.state_after(read), noise, temperature, top_k, top_p)
        if length.shape.rank:
            ids = tf.where(tf.range(tf.shape(ids)[1]) < length[:, None], ids, NO_ID)
        return self.texts(prompts, self.decode(ids))

    def texts(self, prompts, continuations) -> dict[str, tf.Tensor]:
        """Join prompts and their continuations.

        Args:
            prompts: string `(batch,)`, valid UTF-8.
            continuations: string `(batch,)`, from `decode`.

        Returns:
            A dict as from `generate_default`.
        """
        joined = self.text.joined(self.visible_prompts(prompts), continuations)
        return dict(zip(("text", "continuation"), joined, strict=True))

    def visible_prompts(self, prompts) -> tf.Tensor:
        """Return the part of prompts, string `(batch,)`, that is part of the text: what follows the last boundary."""
        boundary = "" if self._boundary is None else self.text.characters.symbols[self._boundary]
        return tf.strings.regex_replace(prompts, f"(?s)^.*{boundary}", "") if boundary else prompts
