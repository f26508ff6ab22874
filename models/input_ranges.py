"""Ranges of the numbers that a caller of an exported signature sends with each text, checked in the graph."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from models.recurrent_settings import Settings

# The part of a JSON Schema that describes a number.
KEYWORDS = ("type", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def input_schema(settings: Settings, name: str, **changes: Any) -> dict[str, Any]:
    """Return the JSON Schema of an input that is a setting, with the setting's value as its default.

    Args:
        settings: A group of settings.
        name: The setting.
        **changes: Keywords that differ from those of the setting, such as `maximum`.
    """
    schema = type(settings).model_json_schema()["properties"][name]
    kept = {keyword: schema[keyword] for keyword in KEYWORDS if keyword in schema}
    return {**kept, "default": getattr(settings, name), **changes}


def checked(name: str, values: tf.Tensor, texts: tf.Tensor, schema: Mapping[str, Any]) -> tf.Tensor:
    """Return the values of an input; the graph fails with a message where they are not what the schema says.

    NaN is in no range. A server reports the message to the client as an invalid argument.

    Args:
        name: The input.
        values: int or float `(batch,)`.
        texts: `(batch, ...)`, the input of which each row needs a value.
        schema: From `input_schema`.
    """
    is_valid, words = tf.fill(tf.shape(values), True), []
    for keyword, accepts, word in (
        ("minimum", tf.greater_equal, "at least"),
        ("exclusiveMinimum", tf.greater, "above"),
        ("maximum", tf.less_equal, "at most"),
        ("exclusiveMaximum", tf.less, "below"),
    ):
        # A bound beyond the range of the type, such as 2 ** 31, says nothing.
        if keyword in schema and values.dtype.min <= schema[keyword] <= values.dtype.max:
            is_valid &= accepts(values, tf.constant(schema[keyword], values.dtype))
            words.append(f"{word} {schema[keyword]:g}" if values.dtype.is_floating else f"{word} {schema[keyword]:d}")
    expected = f"{name}: expected a number that is {' and '.join(words)}; got"
    of_each = tf.debugging.Assert(
        tf.equal(tf.size(values), tf.shape(texts)[0]), [f"{name}: expected a number for each text; got", values]
    )
    with tf.control_dependencies([of_each]):
        in_range = tf.debugging.Assert(tf.reduce_all(is_valid), [expected, tf.boolean_mask(values, ~is_valid)])
    with tf.control_dependencies([in_range]):  # a length that is too large is refused before memory is taken for it
        return tf.identity(values)
