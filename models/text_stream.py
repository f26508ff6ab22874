"""Text generation in parts, for clients that show a text while it is generated: part of an exported language model."""

import tensorflow as tf

from models.characters import valid_utf8
from models.input_ranges import checked
from models.pieces import ends_in_blank
from models.sampling import GenerationState, uniform_noise_from
from models.text_generator import TextGenerator

# The most probable next characters that are returned, at most.
CANDIDATES = 10
# What `generation_state` begins with: the number of characters generated so far, whether a stop has been generated,
# whether the text ends in a blank, and the seed and the key of the random numbers, two numbers each. JavaScript would
# round an int64.
GENERATED, FINISHED, AFTER_BLANK, RANDOM_STATE, RECENT = 0, 1, 2, 3, 7


class TextStream(tf.Module):
    """Text generation that goes on where the call before stopped.

    The parts of a text, joined, are what `TextGenerator.generate` returns for the same prompt, seed and numbers. All
    that a call depends on is among its inputs, so that any server with the model can answer the next one.

    Args:
        generator: The generator.

    Attributes:
        begin: `tf.function`, see `_begin`.
        go_on: `tf.function`, see `_go_on`.
        inputs: The JSON Schema of each number that `go_on` accepts.

    Example:
        >>> import collections
        >>> from models.characters import Characters, CharacterText
        >>> from models.generation_settings import SamplingSettings
        >>> from models.language_model import StepModel, build_language_model
        >>> from models.network_settings import LanguageModelSettings
        >>> from models.recurrent_settings import RecurrentSettings
        >>> characters = Characters.learned(collections.Counter("to be or not to be"))
        >>> network = build_language_model(
        ...     LanguageModelSettings(embedding_size=4), RecurrentSettings(units=4), len(characters)
        ... )
        >>> generator = TextGenerator(StepModel(network), CharacterText(characters), SamplingSettings())
        >>> stream = TextStream(generator)
        >>> text, out = "", stream.begin(tf.constant(["to"]), tf.constant([0], tf.int64))
        >>> for _ in range(10):  # 16 characters each
        ...     states = [out[name] for name in generator.step_model.state_names]
        ...     out = stream.go_on(out["generation_state"], out["pending"], [16], [0.8], [0], [1.0], *states)
        ...     text += out["text"].numpy()[0].decode()
        >>> len(text)
        160
    """

    def __init__(self, generator: TextGenerator):
        super().__init__()
        self._generator = generator
        self.inputs = {name: generator.inputs[name] for name in ("length", "temperature", "top_k", "top_p")}
        prompt = [tf.TensorSpec([None], tf.string, "prompt"), tf.TensorSpec([None], tf.int64, "seed")]
        self.begin = tf.function(self._begin, input_signature=prompt, autograph=False)
        state = [
            tf.TensorSpec([None, RECENT + generator.history_size], tf.int32, "generation_state"),
            tf.TensorSpec([None], tf.string, "pending"),
        ]
        types = {"length": tf.int32, "temperature": tf.float32, "top_k": tf.int32, "top_p": tf.float32}
        numbers = [tf.TensorSpec([None], dtype, name) for name, dtype in types.items()]
        signature = [*state, *numbers, *generator.state_specs]
        self.go_on = tf.function(self._go_on, input_signature=signature, autograph=False)

    def _begin(self, prompt, seed):
        """Process prompts.

        Args:
            prompt: string `(batch,)`.
            seed: int64 `(batch,)`, as for `TextGenerator.generate`.

        Returns:
            A dict of

            - `text`: string `(batch,)`, the beginning of the text: the prompt without `pending`;
            - `pending`: string `(batch,)`, the end of the text, which the next character may change: a Hangul syllable
              of a model that generates jamo. A client that shows it replaces it by the next part;
            - `candidates`: string `(batch, candidates)`, the most probable next characters, and
              `candidate_probabilities`: float32, their probabilities at temperature 1;
            - `generation_state`: int32 `(batch, size)`, and the states of the network by name, float32
              `(batch, units)`: with `pending`, inputs of `go_on`.
        """
        generator = self._generator
        prompts = valid_utf8(prompt)
        ids = generator.text.ids(prompts)
        random_state = tf.stack([checked("seed", seed, prompt, {}), generator.noise_keys(ids)], axis=1)
        visible = generator.visible_prompts(prompts)
        nothing = tf.fill(tf.shape(prompts), "")
        text, pending, _ = generator.text.joined_part(nothing, visible, tf.fill(tf.shape(prompts), False))
        state = generator.state_after(ids)
        return {"text": text, **self._outputs(state, random_state, pending, ends_in_blank(visible))}

    def _go_on(self, generation_state, pending, length, temperature, top_k, top_p, *states):
        """Generate the next characters.

        Args:
            generation_state: int32 `(batch, size)`, from the call before.
            pending: string `(batch,)`, from the call before.
            length: int32 `(batch,)`, number of characters to generate.
            temperature: float32 `(batch,)`, see `SamplingSettings`.
            top_k: int32 `(batch,)`, see `SamplingSettings`.
            top_p: float32 `(batch,)`, see `SamplingSettings`.
            *states: float32 `(batch, units)` each, from the call before.

        Returns:
            A dict as from `begin`, in which `text` follows the `text` of the call before, and `finished`, bool
            `(batch,)`, whether the text has ended with a stop; at the end of a text comes its `pending`.

        Raises:
            tf.errors.InvalidArgumentError: If a number is outside its range (`inputs`).
        """
        generator = self._generator
        numbers = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p}
        numbers = generator.checked(numbers, generation_state)
        length = numbers.pop("length")
        generated = checked("generated", generation_state[:, GENERATED], generation_state, {"minimum": 0})
        pairs = tf.reshape(generation_state[:, RANDOM_STATE:RECENT], [-1, 2, 2])
        random_state = tf.bitcast(pairs, tf.int64)
        states = [tf.cast(state, generator.step_model.dtype) for state in states]
        recent = generation_state[:, RECENT:]
        finished = generation_state[:, FINISHED] > 0
        state = GenerationState(generator.next_logits(states, recent), states, recent, generated, finished)
        noise = uniform_noise_from(random_state, generated, tf.maximum(tf.reduce_max(length), 1))
        ids, state = generator.generate_ids(state, noise, **numbers, lengths=length)
        text, pending, after_blank = generator.text.joined_part(
            pending, generator.decode(ids), generation_state[:, AFTER_BLANK] > 0
        )
        outputs = self._outputs(state, random_state, pending, after_blank)
        return {"text": text, "finished": state.finished, **outputs}

    def _outputs(self, state: GenerationState, random_state, pending, after_blank) -> dict[str, tf.Tensor]:
        """Return what both functions return."""
        generator = self._generator
        probabilities = tf.nn.softmax(generator.next_logits(state.states, state.recent))
        top = tf.math.top_k(probabilities, min(CANDIDATES, len(generator.text.characters)))
        head = [tf.cast(part, tf.int32)[:, None] for part in (state.generated, state.finished, after_blank)]
        halves = tf.reshape(tf.bitcast(random_state, tf.int32), [-1, RECENT - RANDOM_STATE])
        return {
            "pending": pending,
            "candidates": tf.gather(tf.constant(generator.text.characters.symbols), top.indices),
            "candidate_probabilities": top.values,
            "generation_state": tf.concat([*head, halves, state.recent], axis=1),
            **generator.named_states(state.states),
        }
