"""Exported models as TensorFlow Serving loads them, and requests for each of their signatures.

As a program, for other versions of TensorFlow: answers the requests in a file, for each of a list of models, with the
session loader and with `tf.saved_model.load`.
"""

import pickle
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


class Served:
    """A model in the session that TensorFlow Serving loads it into, which knows the graph and no Python.

    Args:
        version: The folder of the version.
    """

    def __init__(self, version):
        self._graph = tf.Graph()
        with self._graph.as_default():
            self._session = tf.compat.v1.Session()
            found = tf.compat.v1.saved_model.load(self._session, ["serve"], str(version)).signature_def
        # Without the one that initializes the tables.
        self.signatures = {name: found[name] for name in found if not name.startswith("__")}

    def ask(self, signature: str, inputs: dict) -> dict[str, np.ndarray]:
        """The answer of a signature to inputs by name."""
        named = self.signatures[signature]
        feeds = {named.inputs[name].name: value for name, value in inputs.items()}
        return self._session.run({name: info.name for name, info in named.outputs.items()}, feeds)

    def ask_rows(self, signature: str, rows: list[dict]) -> dict[str, np.ndarray]:
        """The answer to rows in one batch, as "instances" are put together."""
        return self.ask(signature, stacked(rows))


def stacked(rows: list[dict]) -> dict[str, np.ndarray]:
    """The inputs of one request with several rows."""
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


TEXTS = ["The queen sold the bread.", "", "나그네가 책을 읽다"]
NUMBERS = [
    {"length": 12, "temperature": 0.9, "top_k": 5, "top_p": 0.8},
    {"length": 3, "temperature": 0.0, "top_k": 0, "top_p": 1.0},
    {"length": 0, "temperature": 2.0, "top_k": 0, "top_p": 0.5},
]
SEARCHES = [
    {"beam_size": 3, "length_penalty": 1.0},
    {"beam_size": 1, "length_penalty": 0.0},
    {"beam_size": 5, "length_penalty": 0.6},
]
PREFERRED = {"text": TEXTS, "prompt": TEXTS, "seed": [3, 4, 5], "ids": [1, 2, 3]}


def rows_for(served: Served, signature: str) -> list[dict]:
    """Three requests of one row each for a signature, each with other numbers."""
    names, state = served.signatures[signature].inputs, {}
    if signature in ("continue", "step"):
        state = served.ask("begin", {"prompt": TEXTS, "seed": [3, 4, 5]})
    numbers = SEARCHES if signature == "beam" else NUMBERS
    return [
        {name: (numbers[row] | {key: value[row] for key, value in (PREFERRED | state).items()})[name] for name in names}
        for row in range(3)
    ]


def loaded(version) -> dict:
    """The signatures of a model as `tf.saved_model.load` returns them: functions of arrays by name."""
    model = tf.saved_model.load(str(version))

    def answer(function, inputs: dict) -> dict[str, np.ndarray]:
        specs = function.structured_input_signature[1]
        out = function(**{name: tf.constant(value, specs[name].dtype) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in out.items()}

    signatures = model.signatures  # the model lives as long as its signatures are asked
    return {name: lambda inputs, name=name: answer(model.signatures[name], inputs) for name in signatures}


if __name__ == "__main__":
    if "text_ops" in sys.argv[1]:
        import tensorflow_text  # noqa: F401
    requests = pickle.loads(Path(sys.argv[2]).read_bytes())
    answers = []
    for path, asked in requests:
        served, functions = Served(path), loaded(path)
        answers.append(
            {name: (served.ask_rows(name, rows), functions[name](stacked(rows))) for name, rows in asked.items()}
        )
    Path(sys.argv[3]).write_bytes(pickle.dumps((tf.__version__, answers)))
