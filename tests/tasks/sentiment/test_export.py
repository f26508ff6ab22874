"""Exported models: their versions, and their answers in programs that have none of this project's code."""

import json
import re
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tasks.sentiment import export, predict
from tasks.serving import export as exporting

# Imports tensorflow and tensorflow_text alone, answers the texts of a JSON file, and then shows and runs the model with
# the tool that TensorFlow brings.
ALONE = """
import json, sys
import tensorflow as tf, tensorflow_text
model, texts = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
out = tf.saved_model.load(model).signatures["serving_default"](text=tf.constant(texts))
assert not [name for name in sys.modules if name.split(".")[0] in ("tasks", "models")]
out = {name: value.numpy() for name, value in out.items()}
types = {name: [str(value.dtype), list(value.shape)] for name, value in out.items()}
labels, classes = ([name.decode() for name in names] for names in (out["label"], out["classes"][0]))
answers = {"types": types, "classes": classes, "label": labels}
print(json.dumps(answers | {name: out[name].tolist() for name in ("probability", "probabilities")}))
"""


@pytest.fixture(scope="module")
def model(finished_run, tmp_path_factory) -> Path:
    return export.export(finished_run, tmp_path_factory.mktemp("saved_models") / "tiny")


@pytest.fixture(scope="module")
def answers(finished_run, reviews):
    classifier = predict.load(finished_run)
    return list(predict.predict(classifier.classify, [text for text, _ in reviews]))


@pytest.fixture(scope="module")
def signature(saved_model_cli, model):
    return saved_model_cli("show", model)


def test_each_export_is_the_next_version_and_appears_whole(sentiment, finished_run, tmp_path):
    folder = tmp_path / "saved_models" / "reviews"
    first = sentiment("export", "--run", finished_run, "--to", folder)
    assert (first.code, first.out) == (0, f"{folder}/1\n")
    (folder / "7").mkdir()
    (folder / ".writing-8").mkdir()
    (folder / "notes").mkdir()
    assert sentiment("export", "--run", finished_run, "--to", folder).out == f"{folder}/8\n"
    assert exporting.versions(folder) == [1, 7, 8]
    assert sorted(path.name for path in folder.iterdir()) == ["1", "7", "8", "notes"]
    assert (folder / "8" / "saved_model.pb").exists()


def test_without_a_folder_it_is_named_after_the_run(sentiment, finished_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sentiment("export", "--run", finished_run).out == "saved_models/tiny/1\n"


def test_a_program_with_only_tensorflow_gives_the_runs_own_predictions(process, model, reviews, answers, tmp_path):
    texts = [text for text, _ in reviews]
    assert len(texts) == 1000
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    started = process("-c", ALONE, model, tmp_path / "texts.json", cwd=tmp_path)
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    found = json.loads(out)
    assert found["types"] == {
        "label": ["object", [1000]],
        "probability": ["float32", [1000]],
        "probabilities": ["float32", [1000, 2]],
        "classes": ["object", [1000, 2]],
    }
    assert found["classes"] == ["negative", "positive"]
    for index, answer in enumerate(answers):
        assert found["probabilities"][index] == pytest.approx(list(answer["probabilities"].values()), abs=1e-5)
        assert found["probability"][index] == max(found["probabilities"][index])
        if abs(answer["probability"] - 0.5) > 1e-5:
            assert found["label"][index] == answer["label"]
    assert len(set(found["label"])) == 2


def test_saved_model_cli_shows_and_runs_it(saved_model_cli, model, signature, answers):
    for name in ("text", "label", "probability", "probabilities", "classes"):
        assert f"['{name}'] tensor_info" in signature
    answer = answers[0]
    out = saved_model_cli("run", model, "--input_exprs", f"text=[{answer['text']!r}, '']")
    assert f"[b'{answer['label']}' " in out.split("Result for output key label:\n")[1]
    probability = out.split("Result for output key probability:\n")[1]
    assert float(re.match(r"\[(\S+)", probability)[1]) == pytest.approx(answer["probability"], abs=1e-5)


def test_a_c_program_gives_the_same_labels(c_program, model, signature, answers):
    # Half of them Korean; without those so near to one half that rounding decides.
    chosen = [answer for answer in answers if abs(answer["probability"] - 0.5) > 1e-4]
    korean = [answer for answer in chosen if not answer["text"].isascii()]
    english = [answer for answer in chosen if answer["text"].isascii()]
    chosen = korean[:50] + english[:50]
    names = [
        re.search(rf"\['{key}'\] tensor_info:.*?name: (\S+)", signature, re.DOTALL)[1]
        for key in ("text", "label", "probability")
    ]
    lines = c_program(model, names, [answer["text"] for answer in chosen])
    assert [label for label, _ in lines] == [answer["label"] for answer in chosen]
    assert [float(value) for _, value in lines] == pytest.approx([a["probability"] for a in chosen], abs=1e-5)
    assert {label for label, _ in lines} == {"negative", "positive"} and korean and english


def test_settings_evaluation_and_warm_up_lie_in_assets_extra(sentiment, finished_run, tmp_path):
    assert sentiment("evaluate", "--run", finished_run).code == 0
    version = Path(sentiment("export", "--run", finished_run, "--to", tmp_path / "extras").out.strip())
    extra = version / "assets.extra"
    for name in ("settings.json", "evaluation.json"):
        assert (extra / name).read_bytes() == (finished_run / name).read_bytes()
    records = tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests"))
    requests = [prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request for record in records]
    assert requests and {request.model_spec.signature_name for request in requests} == {"serving_default"}
    classify = tf.saved_model.load(version).signatures["serving_default"]
    for request in requests:  # what the server will ask, the model answers
        texts = tf.make_ndarray(request.inputs["text"])
        assert classify(text=tf.constant(texts))["label"].shape == [len(texts)]
