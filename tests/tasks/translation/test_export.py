"""Exported translators, in programs that have none of this project's code."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tasks.translation import export, translate

# Imports tensorflow and tensorflow_text alone, and loads the models whose folders it is given.
ALONE = """
import json, sys
import tensorflow as tf, tensorflow_text
texts, answers = tf.constant(json.load(open(sys.argv[1], encoding="utf-8"))), []
models = [tf.saved_model.load(path) for path in sys.argv[2:]]
assert not [name for name in sys.modules if name.split(".")[0] in ("tasks", "models")]
for model in models:
    best = model.signatures["serving_default"](text=texts)
    many = model.signatures["beam"](text=texts[:20], beam_size=tf.constant(3), length_penalty=tf.constant(1.0))
    answers.append({
        "translations": [text.decode() for text in best["translation"].numpy()],
        "scores": best["score"].numpy().tolist(),
        "beam": [[text.decode() for text in row] for row in many["translations"].numpy()],
        "signatures": sorted(model.signatures),
    })
print(json.dumps(answers))
"""

# Imports tensorflow alone; prints the ops of a SavedModel that it does not know.
OUTSIDE = """
import json, sys
import tensorflow
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry
graph = saved_model_pb2.SavedModel.FromString(open(sys.argv[1], "rb").read()).meta_graphs[0].graph_def
own = {function.signature.name for function in graph.library.function}
used = {node.op for node in graph.node} | {node.op for f in graph.library.function for node in f.node_def}
print(json.dumps(sorted(op for op in used - own if op_def_registry.get(op) is None)))
"""


@pytest.fixture(scope="module")
def models(finished_run, plain_run, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("saved_models")
    return [export.export(run, folder / run.name) for run in (finished_run, plain_run)]


@pytest.fixture(scope="module")
def answers(finished_run, pairs):
    translator = translate.load(finished_run)
    return list(translate.translations(translator.translate, [source for source, _ in pairs]))


def test_a_program_with_only_tensorflow_translates_as_the_run_does(
    process, models, answers, plain_run, pairs, tmp_path
):
    texts = [source for source, _ in pairs]
    assert len(texts) == 200
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    started = process("-c", ALONE, tmp_path / "texts.json", *models, cwd=tmp_path)
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    first, second = json.loads(out)  # two models with vocabularies of their own, side by side
    assert first["translations"] == [answer["translation"] for answer in answers]
    assert first["scores"] == pytest.approx([answer["score"] for answer in answers], abs=1e-4)
    assert first["signatures"] == ["align", "beam", "serving_default"]
    assert {len(row) for row in first["beam"]} == {3}
    plain = translate.load(plain_run)
    assert second["translations"] == [
        answer["translation"] for answer in translate.translations(plain.translate, texts)
    ]
    assert second["signatures"] == ["beam", "serving_default"]


def test_a_c_program_translates_as_the_run_does(c_program, saved_model_cli, models, answers):
    signature = saved_model_cli("show", models[0])
    names = [
        re.search(rf"\['{key}'\] tensor_info:.*?name: (\S+)", signature, re.DOTALL)[1]
        for key in ("text", "translation", "score")
    ]
    lines = c_program(models[0], names, [answer["text"] for answer in answers])
    assert [translation for translation, _ in lines] == [answer["translation"] for answer in answers]
    assert [float(score) for _, score in lines] == pytest.approx([answer["score"] for answer in answers], abs=1e-4)


def test_saved_model_cli_shows_and_runs_each_signature(saved_model_cli, models, answers, tmp_path):
    np.save(tmp_path / "text.npy", np.array([answers[0]["text"].encode(), b""]))
    given = ("--inputs", f"text={tmp_path}/text.npy")
    out = saved_model_cli("run", models[0], *given)
    expected = str(answers[0]["translation"].encode())[1:].strip("'\"")
    assert expected in out.split("output key translation:")[1]
    for name in ("source_pieces", "target_pieces", "attention", "translation"):
        assert f"output key {name}:" in saved_model_cli("run", models[0], *given, signature="align")


def test_only_sentencepiece_is_from_outside_the_core(process, models):
    """Asked in a process that knows the core's ops alone."""
    started = process("-c", OUTSIDE, models[0] / "saved_model.pb")
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    assert json.loads(out) == ["SentencepieceDetokenizeOp", "SentencepieceOp", "SentencepieceTokenizeOp"]


def test_settings_vocabularies_and_warm_up_lie_in_assets_extra(finished_run, models):
    extra = models[0] / "assets.extra"
    assert (extra / "settings.json").read_bytes() == (finished_run / "settings.json").read_bytes()
    for name in ("source.model", "target.model"):
        assert (extra / name).read_bytes() == (finished_run / "vocabulary" / name).read_bytes()
    records = tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests"))
    requests = [prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request for record in records]
    assert requests and {request.model_spec.signature_name for request in requests} == {"serving_default"}


def test_a_beam_that_cannot_be_is_refused_by_the_model_itself(models):
    beam = tf.saved_model.load(models[0]).signatures["beam"]
    for size in (0, 10_000):
        with pytest.raises(tf.errors.InvalidArgumentError, match="beam_size is"):
            beam(text=tf.constant(["A word."]), beam_size=tf.constant(size), length_penalty=tf.constant(1.0))
    with pytest.raises(tf.errors.InvalidArgumentError, match="length_penalty is"):
        beam(text=tf.constant(["A word."]), beam_size=tf.constant(2), length_penalty=tf.constant(-1.0))


def test_no_sentence_at_all_gets_no_translation(models):
    for model in models:
        found = tf.saved_model.load(model).signatures["serving_default"](text=tf.constant([], tf.string))
        assert found["translation"].shape == found["score"].shape == [0]
