"""Texts of any length, generated in parts: with bounded memory, and progress on a terminal."""

import tensorflow as tf
from tqdm import tqdm

from models.generation_settings import SamplingSettings
from models.text_generator import TextGenerator

# Characters of a part. The loop in the graph keeps a tensor for each character until it ends.
PART = 10_000


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
    noise = generator.noise(prompts, tf.fill([len(prompts)], tf.constant(seed, tf.int64)), tf.constant(sampling.length))
    state, parts = generator.initial_state(prompts), []
    # Without a terminal the bar does not appear.
    with tqdm(total=sampling.length, unit=" characters", leave=False, disable=None) as bar:
        for start in range(0, sampling.length, PART):
            ids, state = generator.continue_generation(state, noise[:, start : start + PART], *scalars)
            parts.append(generator.decode(ids))
            bar.update(min(PART, sampling.length - start))
            if tf.reduce_all(state.finished):
                break
    return generator.texts(prompts, tf.strings.join(parts))
