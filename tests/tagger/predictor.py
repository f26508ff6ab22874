"""The numbers in texts, from a run or from an exported model; and the outcome of an evaluation."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from models.characters import CharacterText
from tasks.data.records import Record
from tasks.predictor import Predictor
from tasks.serving.batched_inference import WINDOW, Window, length_sorted_batches, string_tensor
from tasks.task_parts import Exportable, Outcome
from tests.tagger.data import tags_of


class TextTagger(tf.Module):
    """Text in, a string of tags out."""

    def __init__(self, model, text: CharacterText):
        super().__init__()
        self.model, self.text = model, text

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def tag(self, text):
        """Returns tags: string (batch,), a 0 or a 1 for each character; probabilities: float32 (batch, timesteps)."""
        ids = self.text.ids(text)
        padded = (ids + 1).to_tensor(0)
        padded = tf.pad(padded, [[0, 0], [0, tf.cast(tf.equal(tf.shape(padded)[1], 0), tf.int32)]])
        probabilities = tf.sigmoid(self.model(padded)[..., 0])
        digits = tf.where(padded > 0, tf.where(probabilities > 0.5, "1", "0"), "")
        return {"tags": tf.strings.reduce_join(digits, axis=1), "probabilities": probabilities}


class TaggerPredictor(Predictor):
    """A tagger of a run or of an export."""

    def __init__(self, tag, *, owner=None, module: TextTagger | None = None):
        self._tag, self._owner, self.module = tag, owner, module

    def predict(self, texts, *, window: int | Window = WINDOW) -> Iterator[dict]:
        """Yields {"text": str, "tags": str, "numbers": [str, ...]} for each text."""
        return length_sorted_batches(self._answers, texts, window=window)

    def _answers(self, texts: list[str]) -> list[dict]:
        rows = [tags.decode() for tags in self._tag(text=string_tensor(texts))["tags"].numpy()]
        return [
            {"text": text, "tags": tags, "numbers": [text[slice(*m.span())] for m in re.finditer("1+", tags)]}
            for text, tags in zip(texts, rows, strict=True)
        ]


def exportable(predictor: TaggerPredictor) -> Exportable:
    """Returns the signature `serving_default`."""
    tagger = predictor.module
    return Exportable(
        tagger.model,
        {"serving_default": tagger.tag},
        resources=[tagger.text],
        warmup={"serving_default": [{"text": ["a 1"]}]},
    )


@dataclass
class Taggings(Outcome):
    """The tagged texts of a split: the right tags and the found ones of all characters, and the texts with mistakes."""

    true: np.ndarray
    found: np.ndarray
    mistakes: list[str]


def run_inference(predictor: TaggerPredictor, records: Iterator[Record]) -> Taggings:
    """Tags the records."""
    records = list(records)
    start = time.monotonic()
    found = [[int(tag) for tag in answer["tags"]] for answer in predictor.predict(r.values[0] for r in records)]
    seconds = time.monotonic() - start
    true = [tags_of(record) for record in records]
    return Taggings(
        true=np.concatenate(true),
        found=np.concatenate(found),
        mistakes=[r.values[0] for r, one, two in zip(records, true, found, strict=True) if one != two],
        examples=len(records),
        seconds=seconds,
    )
