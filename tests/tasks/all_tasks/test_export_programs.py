"""The answers of exported models in programs that have none of this project's code."""

import ast
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from models.characters import normalize
from tasks.serving.inference import load
from tasks.training.runs import Run
from tests.tasks.examples import QUICKLY, reviews, sentence_pairs

pytestmark = pytest.mark.slow

# --- a client with TensorFlow alone -----------------------------------------------------------------------------------

# Reads {"text_ops", "models", "calls": [[model, signature, {input: [values, type]}], ...], "greedy": [[model, ids]]},
# prints what the signatures return. `greedy`: the likeliest character after each id, step by step from zero states.
CLIENT = """
import json, sys
import tensorflow as tf
asked = json.load(open(sys.argv[1], encoding="utf-8"))
if asked["text_ops"]:
    import tensorflow_text
models = [tf.saved_model.load(path) for path in asked["models"]]  # side by side, each with its own vocabulary

def as_json(value):
    values = value.numpy()
    texts = values.dtype == object
    listed = [text.decode() for text in values.ravel()] if texts else values.ravel().tolist()
    return {"type": str(values.dtype), "shape": list(values.shape), "values": listed}

answers = {"signatures": [sorted(model.signatures) for model in models], "calls": [], "greedy": []}
for model, signature, inputs in asked["calls"]:
    inputs = {name: tf.constant(values, kind) for name, (values, kind) in inputs.items()}
    out = models[model].signatures[signature](**inputs)
    answers["calls"].append({name: as_json(value) for name, value in out.items()})
for model, ids in asked["greedy"]:
    step = models[model].signatures["step"]
    spec = step.structured_input_signature[1]
    states = {name: tf.zeros([1, *tensor.shape[1:]]) for name, tensor in spec.items() if name != "ids"}
    likeliest = []
    for index in ids:
        out = step(ids=tf.constant([index]), **states)
        states = {name: out[name] for name in states}
        likeliest.append(int(out["logits"][0, 1:].numpy().argmax()) + 1)
    answers["greedy"].append(likeliest)
own = {name.split(".")[0] for name in sys.modules}
assert not {"tasks", "models"} & own and ("tensorflow_text" in own) == asked["text_ops"]
print(json.dumps(answers))
"""


@pytest.fixture(scope="session")
def client(process, tmp_path_factory):
    """Asks exported models in a process that has no module of this project."""

    def ask(models: list[Path], calls: list, *, greedy=(), text_ops: bool = True) -> dict:
        folder = tmp_path_factory.mktemp("client")
        asked = {"text_ops": text_ops, "models": list(map(str, models)), "calls": calls, "greedy": list(greedy)}
        (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        started = process("-c", QUICKLY + CLIENT, folder / "asked.json", cwd=folder)
        out, err = started.communicate()
        assert started.returncode == 0, err.decode()
        return json.loads(out)

    return ask


def rows(output: dict) -> list:
    return np.reshape(np.array(output["values"], object), output["shape"]).tolist()


def predictions(small, texts, run: str = "tiny", **options) -> list[dict]:
    return list(load(small.task, small.run(run)).predict(texts, **options))


# --- in C -------------------------------------------------------------------------------------------------------------

# The tensors of text, answer and number in the signature.
TENSORS = {"sentiment": ("text", "label", "probability"), "translation": ("text", "translation", "score")}


@pytest.mark.parametrize("small", TENSORS, indirect=True)
def test_a_c_program_gives_the_same_answers(c_program, saved_model_cli, small):
    _, answer_name, number_name = TENSORS[small.name]
    if small.name == "sentiment":
        # Half of them Korean; without those so near to one half that rounding decides.
        found = predictions(small, [text for text, _ in reviews("test", 1000)])
        found = [one for one in found if abs(one["probability"] - 0.5) > 1e-4]
        korean, english = ([one for one in found if one["text"].isascii() == ascii_] for ascii_ in (False, True))
        found = korean[:50] + english[:50]
        assert korean and english and {one["label"] for one in found} == {"negative", "positive"}
    else:
        found = predictions(small, [source for source, _ in sentence_pairs("test", 200)])
    signature = saved_model_cli("show", small.model())
    names = [
        re.search(rf"\['{key}'\] tensor_info:.*?name: (\S+)", signature, re.DOTALL)[1] for key in TENSORS[small.name]
    ]
    lines = c_program(small.model(), names, [one["text"] for one in found])
    assert [answer for answer, _ in lines] == [one[answer_name] for one in found]
    tolerance = {"sentiment": 1e-5, "translation": 1e-4}[small.name]
    assert [float(number) for _, number in lines] == pytest.approx([one[number_name] for one in found], abs=tolerance)


# --- sentiment --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sentiment_task(small_tasks):
    return small_tasks["sentiment"]


def test_a_program_with_only_tensorflow_gives_the_runs_own_labels(client, sentiment_task):
    texts = [text for text, _ in reviews("test", 1000)]
    assert len(texts) == 1000
    [found] = client([sentiment_task.model()], [[0, "serving_default", {"text": [texts, "string"]}]])["calls"]
    assert {name: (out["type"], out["shape"]) for name, out in found.items()} == {
        "label": ("object", [1000]),
        "probability": ("float32", [1000]),
        "probabilities": ("float32", [1000, 2]),
        "classes": ("object", [1000, 2]),
    }
    label, probability, probabilities, classes = map(
        rows, (found[name] for name in ("label", "probability", "probabilities", "classes"))
    )
    assert classes[0] == ["negative", "positive"]
    for index, answer in enumerate(predictions(sentiment_task, texts)):
        assert probabilities[index] == pytest.approx(list(answer["probabilities"].values()), abs=1e-5)
        assert probability[index] == max(probabilities[index])
        if abs(answer["probability"] - 0.5) > 1e-5:
            assert label[index] == answer["label"]
    assert len(set(label)) == 2


def test_saved_model_cli_shows_and_runs_the_classifier(saved_model_cli, sentiment_task):
    signature = saved_model_cli("show", sentiment_task.model())
    for name in ("text", "label", "probability", "probabilities", "classes"):
        assert f"['{name}'] tensor_info" in signature
    [answer] = predictions(sentiment_task, [reviews("test", 1)[0][0]])
    out = saved_model_cli("run", sentiment_task.model(), "--input_exprs", f"text=[{answer['text']!r}, '']")
    assert f"[b'{answer['label']}' " in out.split("Result for output key label:\n")[1]
    probability = out.split("Result for output key probability:\n")[1]
    assert float(re.match(r"\[(\S+)", probability)[1]) == pytest.approx(answer["probability"], abs=1e-5)


# --- chargen ----------------------------------------------------------------------------------------------------------

PROMPTS = ["The queen", "", "나그네가 책을", "x☃"]
SAMPLING = {
    "length": (50, "int32"),
    "temperature": (0.9, "float32"),
    "top_k": (20, "int32"),
    "top_p": (0.95, "float32"),
    "seed": (11, "int64"),
}
SAMPLING_OPTIONS = {{"seed": "sampling_seed"}.get(name, name): value for name, (value, _) in SAMPLING.items()}


@pytest.fixture(scope="session")
def generator(small_tasks):
    return small_tasks["chargen"]


def written(generator, run: str, **sampling) -> list[str]:
    """What the run generates after each prompt on its own."""
    predictor = load(generator.task, generator.run(run))
    return [next(predictor.predict([prompt], **sampling))["text"] for prompt in PROMPTS]


def test_a_program_with_only_tensorflow_writes_and_scores_as_the_runs_do(client, generator, tmp_path):
    runs, calls, greedy = list(generator.example.runs), [], []
    for model, run in enumerate(runs):
        predictor = load(generator.task, generator.run(run))
        settings = Run(generator.run(run)).open_finished("chargen", generator.task.settings_class)
        source = generator.task.open_source(settings)
        known = predictor.characters
        read = normalize("The queen sold", known.normalization, known.hangul)
        greedy.append([model, [known.characters.index(character) + 1 for character in read]])
        together, *alone = (
            [
                model,
                "generate",
                {
                    "prompt": [prompts, "string"],
                    **{name: [[value] * len(prompts), kind] for name, (value, kind) in SAMPLING.items()},
                },
            ]
            for prompts in (PROMPTS, *([one] for one in PROMPTS))
        )
        calls += [[model, "serving_default", {"prompt": [PROMPTS, "string"]}], together, *alone]
        calls += [[model, "score", {"text": [[source.text("test"), "The moon"], "string"]}]]
    models = [generator.model(run) for run in runs]
    answers = client(models, calls, greedy=greedy, text_ops=False)
    size = len(calls) // len(runs)
    for model, run in enumerate(runs):
        default, together, *alone, score = answers["calls"][model * size : (model + 1) * size]
        assert default["text"]["values"] == written(generator, run)
        expected = written(generator, run, **SAMPLING_OPTIONS)
        assert together["text"]["values"] == expected
        assert [one["text"]["values"][0] for one in alone] == expected
        copy = shutil.copytree(generator.run(run), tmp_path / run)
        evaluated = generator.command("evaluate", "--run", copy, "--json")
        nats = json.loads(evaluated.out)["nats_per_character"]
        assert score["nats_per_character"]["values"][0] == pytest.approx(nats, abs=1e-4)
        # Step by step a client gets the logits of the run.
        step_model = load(generator.task, generator.run(run)).module.step_model
        states, likeliest = step_model.initial_states(1), []
        for index in greedy[model][1]:
            states = step_model.step(tf.constant([index]), states)
            likeliest.append(int(step_model.logits(states)[0, 1:].numpy().argmax()) + 1)
        assert answers["greedy"][model] == likeliest


@pytest.mark.parametrize("run", ["tiny", "jamo"])
def test_saved_model_cli_writes_what_generate_writes(saved_model_cli, generator, run, tmp_path):
    inputs = {
        "length": np.int32([40]),
        "temperature": np.float32([0.7]),
        "top_k": np.int32([0]),
        "top_p": np.float32([1.0]),
        "seed": np.int64([3]),
    }
    for name, value in inputs.items():
        np.save(tmp_path / f"{name}.npy", value)
    given = ";".join(f"{name}={tmp_path / name}.npy" for name in inputs)
    arguments = ("--input_exprs", "prompt=['The queen']", "--inputs", given)
    out = saved_model_cli("run", generator.model(run), *arguments, signature="generate", text_ops=False)
    [shown] = re.findall(r"Result for output key text:\n(\[.*?\])\n", out, re.DOTALL)
    options = ("--length", "40", "--temperature", "0.7", "--seed", "3", "--json")
    answer = generator.command("generate", "--run", generator.run(run), "The queen", *options)
    assert ast.literal_eval(shown) == [json.loads(answer.out)["text"].encode()]


def test_what_is_fixed_in_an_exported_generator_is_named(generator):
    message = generator.command("generate", "--model", generator.model(), "x", "--stop", "y").error()
    assert "--stop is fixed in an exported model" in message


# --- translation ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def translator(small_tasks):
    return small_tasks["translation"]


def test_a_program_with_only_tensorflow_translates_as_the_runs_do(client, translator):
    texts = [source for source, _ in sentence_pairs("test", 200)]
    assert len(texts) == 200
    beam = {"text": [texts[:20], "string"], "beam_size": [[3] * 20, "int32"], "length_penalty": [[1.0] * 20, "float32"]}
    calls = [
        [0, "serving_default", {"text": [texts, "string"]}],
        [0, "beam", beam],
        [1, "serving_default", {"text": [texts, "string"]}],
    ]
    found = client([translator.model("tiny"), translator.model("plain")], calls)
    first, several, second = found["calls"]
    answers = predictions(translator, texts)
    assert first["translation"]["values"] == [answer["translation"] for answer in answers]
    assert first["score"]["values"] == pytest.approx([answer["score"] for answer in answers], abs=1e-4)
    assert several["translations"]["shape"] == [20, 3]
    plain = predictions(translator, texts, "plain")
    assert second["translation"]["values"] == [answer["translation"] for answer in plain]
    assert found["signatures"] == [["align", "beam", "serving_default"], ["beam", "serving_default"]]


def test_saved_model_cli_shows_and_runs_each_signature_of_a_translator(saved_model_cli, translator, tmp_path):
    [answer] = predictions(translator, [sentence_pairs("test", 1)[0][0]])
    np.save(tmp_path / "text.npy", np.array([answer["text"].encode(), b""]))
    given = ("--inputs", f"text={tmp_path}/text.npy")
    out = saved_model_cli("run", translator.model(), *given)
    expected = str(answer["translation"].encode())[1:].strip("'\"")
    assert expected in out.split("output key translation:")[1]
    aligned = saved_model_cli("run", translator.model(), *given, signature="align")
    for name in ("source_pieces", "target_pieces", "attention", "translation"):
        assert f"output key {name}:" in aligned


def test_a_beam_that_cannot_be_is_refused_by_the_model_itself(translator):
    beam = tf.saved_model.load(translator.model()).signatures["beam"]
    for size, penalty, refused in (
        *((0, 1.0, "beam_size"), (10_000, 1.0, "beam_size")),
        *((2, -1.0, "length_penalty"), (2, float("nan"), "length_penalty"), (2, float("inf"), "length_penalty")),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"{refused}: expected a number that is"):
            beam(text=tf.constant(["A word."]), beam_size=tf.constant([size]), length_penalty=tf.constant([penalty]))


def test_no_sentence_at_all_gets_no_translation(translator):
    for name in translator.example.runs:
        model = tf.saved_model.load(translator.model(name))
        found = model.signatures["serving_default"](text=tf.constant([], tf.string))
        assert found["translation"].shape == found["score"].shape == [0]
