"""Exported models, held against what TensorFlow Serving asks of them."""

import importlib
import math

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tasks.training.checkpoint import load_model
from tasks.training.runs import Run

pytestmark = pytest.mark.slow


def ops(version) -> set[str]:
    """The operations of an exported model, those in its functions included."""
    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    return {node.op for node in [*graph.node, *(node for one in graph.library.function for node in one.node_def)]}


def test_a_model_that_is_exported_beside_a_gpu_has_no_operation_that_needs_one(small, tmp_path, monkeypatch):
    asked = importlib.import_module("keras.src.backend.tensorflow.rnn")
    monkeypatch.setattr(asked, "_is_gpu_available", lambda: True)
    exported = small.command("export", "--run", small.untrained_run, "--to", tmp_path / "model")
    assert exported.code == 0, exported.err
    assert not [op for op in ops(tmp_path / "model" / "1") if "Cudnn" in op]
    answered = small.command(small.predict_command, "--model", tmp_path / "model", "A miller saw the moon.")
    assert answered.code == 0, answered.err


def test_every_weight_is_stored_once(small):
    for name in small.example.runs:
        stored = tf.train.list_variables(str(small.model(name) / "variables" / "variables"))
        # The object graph is a string beside the weights.
        sizes = [math.prod(shape) for key, shape in stored if key != "_CHECKPOINTABLE_OBJECT_GRAPH"]
        # The states of random numbers are not part of an export: dropout does nothing there.
        weights = [
            weight for weight in load_model(Run(small.run(name))).weights if weight.name != "seed_generator_state"
        ]
        assert sorted(sizes) == sorted(math.prod(weight.shape) for weight in weights)
