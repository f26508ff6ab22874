"""Records that a model writes by itself: how many are new, known from training, or repeated."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from models.interruptible import interruptible
from models.text_generator import TextGenerator
from tasks.chargen.generate import CHARACTERS_PER_BATCH, CharacterGenerator
from tasks.chargen.records import BOUNDARY
from tasks.serving.batched_inference import string_tensor

# Records that are generated at once, at most.
BATCH = 256
# Records of each temperature in samples.md.
SHOWN = 20


class RecordShares(NamedTuple):
    """Shares of generated records, which add up to 1.

    Attributes:
        new: Records that are neither in the training text nor generated before.
        known: Records of the training text.
        repeated: Records that were generated before and are not in the training text.
    """

    new: float
    known: float
    repeated: float

    @classmethod
    def of(cls, generated: Iterable[str], training_text: str) -> "RecordShares":
        """Compare generated records with the lines of the training text."""
        generated, training = list(generated), {*training_text.split(BOUNDARY)}
        known = sum(record in training for record in generated)
        new = len({*generated} - training)
        return cls(*(count / len(generated) for count in (new, known, len(generated) - known - new)))


def generate_records(predictor: CharacterGenerator, count: int, temperature: float) -> list[str]:
    """Generate records without a prompt; these are the ones that `generate --samples COUNT` writes."""
    generator, sampling = predictor.module, predictor.sampling
    scalars = tf.constant(temperature, tf.float32), tf.constant(sampling.top_k), tf.constant(sampling.top_p)
    length = tf.constant(sampling.length)
    records: list[str] = []
    size = max(1, min(BATCH, CHARACTERS_PER_BATCH // sampling.length))  # the random numbers are drawn in advance
    for start in range(0, count, size):
        seeds = sampling.sampling_seed + np.arange(start, min(start + size, count), dtype=np.int64)
        prompts = string_tensor([""] * len(seeds))
        arguments = (prompts, tf.constant(seeds), length, *scalars)
        texts = interruptible(lambda arguments=arguments: _texts(generator, *arguments))
        records += [text.decode() for text in texts]
    return records


def _texts(generator: TextGenerator, prompts: tf.Tensor, seeds: tf.Tensor, length: tf.Tensor, *scalars) -> np.ndarray:
    noise = generator.noise(prompts, seeds, length)
    ids, _ = generator.continue_generation(generator.initial_state(prompts), noise, *scalars)
    return generator.texts(prompts, generator.decode(ids))["continuation"].numpy()


def page(records: dict[float, list[str]], shares: dict[float, RecordShares]) -> str:
    """Return Markdown: the shares at each temperature, and the first records."""
    lines = []
    if shares:
        lines += ["| temperature | new | known from training | repeated |", "|---|---|---|---|"]
        lines += [
            f"| {temperature:g} | " + " | ".join(f"{s:.3f}" for s in of) + " |" for temperature, of in shares.items()
        ]
        lines.append("")
    for temperature, texts in records.items():
        lines += [f"## {min(SHOWN, len(texts))} of {len(texts):,} records, temperature {temperature:g}", "", "```text"]
        lines += [*texts[:SHOWN], "```", ""]
    lines += [""] if lines else []
    return "\n".join(lines)
