"""Texts of any length, generated in parts: with bounded memory, and progress on a terminal."""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from models.characters import Characters, compose_jamo, normalize
from models.generation_settings import SamplingSettings
from models.interruptible import interruptible
from models.pieces import Pieces
from models.text_generator import MAX_LENGTH, TextGenerator
from tasks.reports.progress import progress_bar
from tasks.serving.batched_inference import string_tensor

# Characters of a part.
PART = MAX_LENGTH


def generate_in_parts(
    generator: TextGenerator, prompts: tf.Tensor, sampling: SamplingSettings, seed: int
) -> dict[str, tf.Tensor]:
    """Generate what `TextGenerator.generate` does, in parts.

    Args:
        generator: The generator.
        prompts: string `(batch,)`.
        sampling: How characters are drawn, and how many.
        seed: Of each prompt.

    Returns:
        A dict as from `TextGenerator.generate`.
    """
    scalars = (
        tf.constant(sampling.temperature, tf.float32),
        tf.constant(sampling.top_k, tf.int32),
        tf.constant(sampling.top_p, tf.float32),
    )
    seeds, length = tf.fill([len(prompts)], tf.constant(seed, tf.int64)), tf.constant(sampling.length)
    noise = interruptible(lambda: generator.noise(prompts, seeds, length))
    state, parts = interruptible(lambda: generator.initial_state(prompts)), []  # of ids
    with progress_bar(total=sampling.length, unit=" characters", leave=False) as bar:
        for start in range(0, sampling.length, PART):
            part = (state, noise[:, start : start + PART], *scalars)
            ids, state = interruptible(lambda part=part: generator.continue_generation(*part))
            parts.append(ids)
            bar.update(min(PART, sampling.length - start))
            if tf.reduce_all(state.finished):
                break
    # Decoded together: what is written for a piece depends on the one before it.
    return generator.texts(prompts, generator.decode(tf.concat(parts, axis=1)))


def continue_in_parts(
    signatures: Mapping[str, Callable],
    prompts: Sequence[str],
    sampling: SamplingSettings,
    seed: int,
    characters: Characters | Pieces,
) -> list[dict[str, str]]:
    """Generate what the signature `generate` of an exported model does, with the signatures `begin` and `continue`.

    Args:
        signatures: The signatures of the model.
        prompts: The prompts.
        sampling: How characters are drawn, and how many.
        seed: Of each prompt.
        characters: The vocabulary.

    Returns:
        {"text": str, "continuation": str} for each prompt.
    """
    count, go_on = len(prompts), signatures["continue"]
    begin = {"prompt": string_tensor(prompts), "seed": tf.fill([count], tf.constant(seed, tf.int64))}
    out = interruptible(lambda: signatures["begin"](**begin))
    beginnings, parts = tf.strings.join([out["text"], out["pending"]]).numpy(), [out["text"]]
    with progress_bar(total=sampling.length, unit=" characters", leave=False) as bar:
        for start in range(0, sampling.length, PART):
            length = min(PART, sampling.length - start)
            numbers = sampling_inputs(sampling, count, length)
            state = {name: out[name] for name in go_on.structured_input_signature[1] if name not in numbers}
            out = interruptible(lambda arguments=state | numbers: go_on(**arguments))
            parts.append(out["text"])
            bar.update(length)
            if tf.reduce_all(out["finished"]):
                break
    answers = []
    for beginning, text in zip(beginnings, tf.strings.join([*parts, out["pending"]]).numpy(), strict=True):
        # A generated jamo may be part of the last syllable of the prompt.
        beginning, whole = (normalize(one.decode(), "identity", characters.hangul) for one in (beginning, text))
        continuation = compose_jamo(whole[len(beginning) :], characters.hangul)
        answers.append({"text": text.decode(), "continuation": continuation})
    return answers


def sampling_inputs(sampling: SamplingSettings, count: int, length: int) -> dict[str, tf.Tensor]:
    """Return the inputs of a signature for `count` prompts: `length`, `temperature`, `top_k` and `top_p`."""
    values = {
        "length": tf.constant(length, tf.int32),
        "temperature": tf.constant(sampling.temperature, tf.float32),
        "top_k": tf.constant(sampling.top_k, tf.int32),
        "top_p": tf.constant(sampling.top_p, tf.float32),
    }
    return {name: tf.fill([count], value) for name, value in values.items()}
