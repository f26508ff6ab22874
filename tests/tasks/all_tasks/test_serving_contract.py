"""Exported models, held against what TensorFlow Serving asks of them."""

import importlib
import json
import math
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from models.text_translator import NO_SCORE
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tests.tasks.served import Served, rows_for, stacked

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


def test_the_graph_has_each_vocabulary_and_each_signature_once(small):
    saved = saved_model_pb2.SavedModel.FromString((small.model() / "saved_model.pb").read_bytes())
    library = saved.meta_graphs[0].graph_def.library.function
    nodes = [*saved.meta_graphs[0].graph_def.node, *(node for one in library for node in one.node_def)]
    vocabularies = [node.attr["model"].s for node in nodes if node.op == "SentencepieceOp"]
    expected = [(small.model() / "assets.extra" / name).read_bytes() for name in small.example.vocabulary]
    assert sorted(vocabularies) == sorted(
        one for one in expected if small.example.text_ops and not one.startswith(b"[")
    )
    traced = [
        re.sub(r"_\d+$", "", one.signature.name) for one in library if one.signature.name.startswith("__inference_")
    ]
    traced = [name for name in traced if not re.search("wrapper|initializer|creator|destroyer", name)]
    assert traced and len({*traced}) == len(traced)


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


# --- rows, as the server puts them together -----------------------------------------------------------


def test_rows_in_one_batch_are_answered_as_alone_by_every_signature(small):
    for run in small.example.runs:
        served = Served(small.model(run))
        for signature in served.signatures:
            for info in (*(named := served.signatures[signature]).inputs.values(), *named.outputs.values()):
                assert info.tensor_shape.dim and info.tensor_shape.dim[0].size == -1, (signature, info.name)
            rows = rows_for(served, signature)
            together = served.ask_rows(signature, rows)
            for index, row in enumerate(rows):
                for name, alone in served.ask_rows(signature, [row]).items():
                    found = together[name][index : index + 1]
                    own = tuple(map(slice, alone.shape))  # a batch is padded to its longest row
                    if alone.dtype == np.float32:
                        np.testing.assert_allclose(
                            found[own], alone, rtol=1e-4, atol=1e-5, err_msg=f"{signature} {name}"
                        )
                        assert np.isfinite(found).all()
                    else:
                        np.testing.assert_array_equal(found[own], alone, f"{signature} {name}")
                    padding = found.copy()
                    padding[own] = np.zeros_like(alone) if alone.dtype != object else b""
                    assert {*padding.ravel().tolist()} <= {b"", 0, NO_SCORE}, (signature, name)
            none = served.ask(signature, {name: values[:0] for name, values in stacked(rows).items()})
            assert {len(value) for value in none.values()} == {0}


def test_the_export_states_the_numbers_that_its_signatures_accept(small):
    for run in small.example.runs:
        stated = json.loads((small.model(run) / "assets.extra" / "inputs.json").read_text())
        served = Served(small.model(run))
        for signature, inputs in stated.items():
            good = rows_for(served, signature)[0]
            for name, schema in inputs.items():
                kind = served.signatures[signature].inputs[name].dtype
                assert schema["type"] == ("number" if tf.as_dtype(kind).is_floating else "integer")
                below = schema.get("minimum", schema.get("exclusiveMinimum", 1) + 1) - 1
                bad = [below, *([schema["maximum"] + 1] if "maximum" in schema else [])] if name != "seed" else []
                for value in [*bad, *([float("nan")] if schema["type"] == "number" else [])]:
                    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{name}: expected a number that is"):
                        served.ask_rows(signature, [{**good, name: value}])
                served.ask_rows(signature, [{**good, name: schema["default"]}])
            missing = {**{name: [value] for name, value in good.items()}, next(iter(inputs)): []}
            with pytest.raises(tf.errors.InvalidArgumentError, match="expected a number for each text"):
                served.ask(signature, missing)


@pytest.mark.parametrize("small", ["chargen", "translation"], indirect=True)
def test_an_export_of_a_former_version_with_other_inputs_is_named(small, tmp_path):
    version = shutil.copytree(small.model(), tmp_path / "model" / "1")
    (version / "assets.extra" / "checksums.json").unlink()
    former = tf.Module()
    former.answer = tf.function(lambda text: {"text": text}, input_signature=[tf.TensorSpec([None], tf.string, "text")])
    tf.saved_model.save(former, str(version), dict.fromkeys(("serving_default", "generate", "beam"), former.answer))
    message = small.command(small.predict_command, "--model", version.parent, "A text").error()
    assert "was exported by another version; export the run again" in message
