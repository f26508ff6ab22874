"""Exported models, in programs that have none of this project's code and nothing but TensorFlow."""

import ast
import json
import re
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from models.characters import as_read
from tasks.chargen import data, export, generate
from tasks.chargen.settings import DataSettings
from tasks.training.runs import Run

ALONE = """
import json, sys
import tensorflow as tf
model, asked = tf.saved_model.load(sys.argv[1]), json.load(open(sys.argv[2], encoding="utf-8"))
call = lambda name, **inputs: {key: value.numpy() for key, value in model.signatures[name](**inputs).items()}
decoded = lambda values: [value.decode() for value in values]
out = {"default": decoded(call("serving_default", prompt=tf.constant(asked["prompts"]))["text"])}
inputs = {"length": 50, "temperature": 0.9, "top_k": 20, "top_p": 0.95}
inputs = {key: tf.constant(value) for key, value in inputs.items()} | {"seed": tf.constant(11, tf.int64)}
out["generate"] = decoded(call("generate", prompt=tf.constant(asked["prompts"]), **inputs)["text"])
out["alone"] = [decoded(call("generate", prompt=tf.constant([p]), **inputs)["text"])[0] for p in asked["prompts"]]
out["score"] = call("score", text=tf.constant(asked["texts"]))["nats_per_character"].tolist()
spec = model.signatures["step"].structured_input_signature[1]
states = {name: tf.zeros([1, *tensor.shape[1:]]) for name, tensor in spec.items() if name != "ids"}
greedy = []
for index in asked["ids"]:
    step = model.signatures["step"](ids=tf.constant([index]), **states)
    states = {name: step[name] for name in states}
    greedy.append(int(step["logits"][0, 1:].numpy().argmax()) + 1)
out["greedy"] = greedy
assert not [name for name in sys.modules if name.split(".")[0] in ("tasks", "models", "tensorflow_text")]
print(json.dumps(out))
"""
PROMPTS = ["The queen", "", "나그네가 책을", "x☃"]


@pytest.fixture(scope="module", params=["finished_run", "jamo_run"])
def run(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def model(run, tmp_path_factory):
    return export.export(run, tmp_path_factory.mktemp("saved_models") / "tiny")


@pytest.fixture(scope="module")
def asked(run, text_file):
    known = generate.load(run).text.characters
    read = as_read("The queen sold", known.normalization, known.hangul)
    texts = [data.open_text(DataSettings(data=str(text_file))).text("test"), "The moon"]
    ids = [known.characters.index(character) + 1 for character in read]
    return {"prompts": PROMPTS, "texts": texts, "ids": ids}


@pytest.fixture(scope="module")
def answers(process, model, asked, tmp_path_factory):
    path = tmp_path_factory.mktemp("asked") / "asked.json"
    path.write_text(json.dumps(asked))
    started = process("-c", ALONE, model, path, cwd="/")
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    return json.loads(out)


def test_it_writes_what_generate_writes(chargen, run, answers):
    def written(*options):
        return [
            json.loads(chargen("generate", "--run", run, prompt, "--json", *options).out)["text"] for prompt in PROMPTS
        ]

    assert answers["default"] == written()
    options = ("--length", "50", "--temperature", "0.9", "--top-k", "20", "--top-p", "0.95", "--seed", "11")
    assert answers["generate"] == answers["alone"] == written(*options)


def test_score_is_what_evaluate_says(chargen, run, answers):
    found = json.loads(chargen("evaluate", "--run", run, "--json").out)
    assert answers["score"][0] == pytest.approx(found["nats_per_character"], abs=1e-4)


def test_step_by_step_a_client_gets_the_same_logits(run, answers, asked):
    generator = generate.load(run)
    states, greedy = generator.step_model.initial_states(1), []
    for index in asked["ids"]:
        states = generator.step_model.advance(tf.constant([index]), states)
        greedy.append(int(generator.step_model.logits(states)[0, 1:].numpy().argmax()) + 1)
    assert answers["greedy"] == greedy


def test_saved_model_cli_runs_it(process, model, chargen, run, tmp_path):
    tool = (
        "import sys\nfrom tensorflow.python.tools import saved_model_cli\nsys.argv[0] = 'cli'\nsaved_model_cli.main()"
    )
    inputs = {
        "length": np.int32(40),
        "temperature": np.float32(0.7),
        "top_k": np.int32(0),
        "top_p": np.float32(1.0),
        "seed": np.int64(3),
    }
    for name, value in inputs.items():
        np.save(tmp_path / f"{name}.npy", value)
    given = ";".join(f"{name}={tmp_path / name}.npy" for name in inputs)
    fixed = ["--dir", model, "--tag_set", "serve", "--signature_def", "generate"]
    started = process(
        *("-c", tool, "run", *fixed, "--input_exprs", "prompt=['The queen']", "--inputs", given),
        stderr=subprocess.STDOUT,
    )
    out, _ = started.communicate()
    assert started.returncode == 0, out.decode()
    [shown] = re.findall(r"Result for output key text:\n(\[.*?\])\n", out.decode(), re.DOTALL)
    options = ("--length", "40", "--temperature", "0.7", "--seed", "3")
    row = json.loads(chargen("generate", "--run", run, "The queen", "--json", *options).out)
    assert ast.literal_eval(shown) == [row["text"].encode()]


def test_generate_from_the_export_is_generate_from_the_run(chargen, run, model):
    options = ("The queen", "나그네가", "--samples", "2", "--seed", "4", "--temperature", "1.1")
    assert chargen("generate", "--model", model, *options).out == chargen("generate", "--run", run, *options).out
    message = chargen("generate", "--model", model, "x", "--stop", "y").error()
    assert "--stop is fixed in an exported model" in message


def test_what_a_client_needs_lies_beside_it(model, run):
    extra = model / "assets.extra"
    assert json.loads((extra / "settings.json").read_text())["task"] == "chargen"
    assert (extra / "characters.json").read_bytes() == (Run(run).vocabulary / "characters.json").read_bytes()
    assert (extra / "tf_serving_warmup_requests").stat().st_size > 0


def test_an_export_of_another_task_is_refused(chargen, tmp_path):
    tf.saved_model.save(tf.Module(), tmp_path / "other")
    assert "no signature `generate`" in chargen("generate", "--model", tmp_path / "other", "x").error()
