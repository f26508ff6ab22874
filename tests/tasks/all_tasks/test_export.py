"""Exported models: their files, their versions, and the answers of the command."""

import json
import shutil

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tasks.serving import export
from tests.tasks.examples import QUICKLY

pytestmark = pytest.mark.slow


def test_settings_vocabulary_and_warm_up_lie_in_assets_extra_and_the_model_answers_the_warm_up(small):
    for name in small.example.runs:
        extra, run = small.model(name) / "assets.extra", small.run(name)
        assert (extra / "settings.json").read_bytes() == (run / "settings.json").read_bytes()
        for file in small.example.vocabulary:
            assert (extra / file).read_bytes() == (run / "vocabulary" / file).read_bytes()
        records = tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests"))
        logs = [prediction_log_pb2.PredictionLog.FromString(record.numpy()) for record in records]
        requests = [log.predict_log.request for log in logs]
        model = tf.saved_model.load(small.model(name))
        assert {request.model_spec.signature_name for request in requests} == {*model.signatures}
        for request in requests:  # what the server will ask, the model answers
            inputs = {key: tf.constant(tf.make_ndarray(value)) for key, value in request.inputs.items()}
            # A server may accept no more than one row at once.
            assert {len(value) for value in inputs.values()} == {1}
            answer = model.signatures[request.model_spec.signature_name](**inputs)
            assert {len(out) for out in answer.values()} == {1}


# Texts for each task, and options of the command that answers them.
ANSWERED = {
    "sentiment": ("A good film.", "지루한 영화였다.", ""),
    "chargen": ("The queen", "나그네가", "--samples", "2", "--seed", "4", "--temperature", "1.1"),
    "translation": ("Please close the door.", "", "I saw him."),
}


def test_the_command_answers_from_the_export_as_from_the_run(small):
    for name in small.example.runs:
        from_export, from_run = (
            small.command(small.predict_command, *where, *ANSWERED[small.name])
            for where in (("--model", small.model(name)), ("--run", small.run(name)))
        )
        assert from_export.code == from_run.code == 0, (from_export, from_run)
        assert from_export.out == from_run.out


# Imports tensorflow alone; prints for each SavedModel the ops that it does not know.
UNKNOWN_OPS = """
import json, sys
import tensorflow
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry
for path in sys.argv[1:]:
    graph = saved_model_pb2.SavedModel.FromString(open(path, "rb").read()).meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    used = set(node.op for node in nodes) - set(function.signature.name for function in graph.library.function)
    print(json.dumps(sorted(op for op in used if op_def_registry.get(op) is None)))
"""
# Ops from outside TensorFlow's core: TensorFlow Serving includes these.
OPS = {
    "sentiment": ["SentencepieceIdToStringOp", "SentencepieceOp", "SentencepieceTokenizeOp"],
    "chargen": [],
    "translation": ["SentencepieceDetokenizeOp", "SentencepieceOp", "SentencepieceTokenizeWithOffsetsOp"],
}


def test_only_sentencepiece_is_from_outside_the_core(process, small_tasks):
    started = process("-c", QUICKLY + UNKNOWN_OPS, *(small_tasks[name].model() / "saved_model.pb" for name in OPS))
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    assert dict(zip(OPS, map(json.loads, out.splitlines()), strict=True)) == OPS


# --- versions: the same code for every task ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sentiment_task(small_tasks):
    return small_tasks["sentiment"]


def test_each_export_is_the_next_version_and_appears_whole(sentiment_task, tmp_path):
    folder, run = tmp_path / "saved_models" / "reviews", sentiment_task.run()
    first = sentiment_task.command("export", "--run", run, "--to", folder)
    assert (first.code, first.out) == (0, f"{folder}/1\n")
    (folder / "7").mkdir()
    (folder / ".writing-8").mkdir()
    (folder / "notes").mkdir()
    assert sentiment_task.command("export", "--run", run, "--to", folder).out == f"{folder}/8\n"
    assert export.versions(folder) == [1, 7, 8]
    assert sorted(path.name for path in folder.iterdir()) == ["1", "7", "8", "notes"]
    assert (folder / "8" / "saved_model.pb").exists()


def test_an_evaluation_lies_beside_the_model_and_without_a_folder_it_is_named_after_the_run(
    sentiment_task, tmp_path, monkeypatch
):
    run = shutil.copytree(sentiment_task.run(), tmp_path / "runs" / "tiny")
    assert not (sentiment_task.model() / "assets.extra" / "evaluation.json").exists()
    assert sentiment_task.command("evaluate", "--run", run).code == 0
    monkeypatch.chdir(tmp_path)
    assert sentiment_task.command("export", "--run", run).out == "saved_models/tiny/1\n"
    exported = tmp_path / "saved_models" / "tiny" / "1" / "assets.extra" / "evaluation.json"
    assert exported.read_bytes() == (run / "evaluation.json").read_bytes()
