"""A model with a few ops, which is written in a moment."""

import json
from pathlib import Path

import tensorflow as tf


class SmallModel(tf.Module):
    """Signatures that show which version answered, how many rows it answered together, and that refuse a text.

    Args:
        number: What the answers show.
    """

    def __init__(self, number: int):
        super().__init__()
        self.number = tf.Variable(number)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def measure(self, text):
        with tf.control_dependencies([tf.debugging.assert_none_equal(text, "bad", message="bad is no text")]):
            lengths = tf.strings.length(text, "UTF8_CHAR")
        return {
            "length": lengths,
            "text": text,
            "rows": tf.fill([tf.size(text)], tf.size(text)),
            "version": tf.fill([tf.size(text)], self.number),
        }

    @tf.function(
        input_signature=[tf.TensorSpec([None, 2], tf.float32, "x"), tf.TensorSpec([], tf.int32, "factor")],
        autograph=False,
    )
    def scale(self, x, factor):
        return {"scaled": x * tf.cast(factor, tf.float32), "rows": tf.fill([tf.shape(x)[0]], tf.shape(x)[0])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def split(self, text):
        return {"characters": tf.strings.unicode_split(text, "UTF-8").to_tensor("")}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, "text"), tf.TensorSpec([None], tf.int32, "times")],
        autograph=False,
    )
    def repeat(self, text, times):
        """Copies of each text, padded to those of the others; and the number of texts that were answered together."""
        is_copy = tf.sequence_mask(times)
        return {"copies": tf.where(is_copy, text[:, None], ""), "rows": tf.fill([tf.size(text)], tf.size(text))}

    @tf.function(
        input_signature=[
            *(tf.TensorSpec([None], dtype, dtype.name) for dtype in (tf.bool, tf.int8, tf.int64, tf.uint32)),
            tf.TensorSpec([None], tf.float64, "float64"),
            tf.TensorSpec([None], tf.string, "raw_bytes"),
        ],
        autograph=False,
    )
    def echo(self, bool, int8, int64, uint32, float64, raw_bytes):
        given = {"bool": bool, "int8": int8, "int64": int64, "uint32": uint32, "float64": float64}
        return {name: tf.identity(value) for name, value in {**given, "raw_bytes": raw_bytes}.items()}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float16, name="half")], autograph=False)
    def half(self, half):
        return {"half": half}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="steps")], autograph=False)
    def count(self, steps):
        """Takes about a second for 1,000,000 steps."""
        total = tf.while_loop(lambda i: i < tf.reduce_max(steps), lambda i: (i + 1,), [tf.constant(0)])
        return {"steps": tf.fill([tf.size(steps)], total[0])}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, "prompt"), tf.TensorSpec([None], tf.int64, "seed")],
        autograph=False,
    )
    def begin(self, prompt, seed):
        return {"text": prompt, **self._state(tf.zeros_like(seed, tf.int32), tf.fill(tf.shape(prompt), ""))}

    @tf.function(
        input_signature=[
            *(tf.TensorSpec([None, 1], tf.int32, "generation_state"), tf.TensorSpec([None], tf.string, "pending")),
            *(tf.TensorSpec([None], tf.int32, "length"), tf.TensorSpec([None], tf.float32, "temperature")),
        ],
        autograph=False,
    )
    def go_on(self, generation_state, pending, length, temperature):
        """Generates the alphabet, again and again above temperature 1; each part keeps its last letter for the next."""
        generated = generation_state[:, 0]
        with tf.control_dependencies(
            [tf.debugging.assert_non_negative(temperature, message="temperature is negative")]
        ):
            letters = tf.strings.substr(tf.fill(tf.shape(pending), LETTERS), generated % len(LETTERS), length)
        text = tf.strings.join([pending, tf.strings.substr(letters, 0 * length, tf.strings.length(letters) - 1)])
        after = generated + length
        return {
            "text": text,
            "finished": (after >= len(LETTERS)) & (temperature <= 1),
            **self._state(after, tf.strings.substr(letters, -1, 1)),
        }

    def _state(self, generated, pending):
        candidates = tf.fill([tf.size(pending), 2], "é")
        return {
            "pending": pending,
            "candidates": candidates,
            "candidate_probabilities": tf.fill(tf.shape(candidates), 0.5),
            "generation_state": generated[:, None],
        }


LETTERS = "abcdefghijklmnopqrstuvwxyz"
# What an export states about its inputs.
RANGES = {
    "repeat": {"times": {"type": "integer", "default": 2, "x-sizes": ["copies"]}},
    "begin": {"seed": {"type": "integer", "default": 0}},
    "continue": {"temperature": {"type": "number", "minimum": 0.0, "default": 1.0}},
}


def write_model(folder: Path, number: int) -> Path:
    """Writes a version of a small model; it appears whole."""
    model, hidden = SmallModel(number), folder / f".writing-{number}"
    names = {"serving_default": "measure"} | {
        name: name for name in ("scale", "split", "echo", "half", "count", "repeat")
    }
    names |= {"begin": "begin", "continue": "go_on"}
    signatures = {name: getattr(model, method) for name, method in names.items()}
    tf.saved_model.save(model, str(hidden), signatures)
    (hidden / "assets.extra").mkdir()
    (hidden / "assets.extra" / "inputs.json").write_text(json.dumps(RANGES))
    return hidden.rename(folder / str(number))
