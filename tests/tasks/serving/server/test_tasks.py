"""`python -m tasks.serving` with the exports of all tasks: a table of requests, and the life of the process."""

import json
import signal
import subprocess
import threading
import time

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tasks.cli.main import run_single
from tasks.commands import Command
from tasks.serving.inference import load
from tasks.serving.server.loading import read_graph, read_ranges
from tasks.serving.server.settings import ServeArguments
from tasks.serving.server.signatures import Signature

pytestmark = pytest.mark.slow

TEXTS = {
    "sentiment": ["A good film.", "지루한 영화였다.", ""],
    "chargen": ["The queen", "나그네가", ""],
    "translation": ["Please close the door.", "I saw him.", ""],
}
# task, signature -> the names of its outputs
OUTPUTS = {
    ("sentiment", "serving_default"): {"classes", "label", "probabilities", "probability"},
    ("sentiment", "explain"): {"label", "tokens", "contributions"},
    ("chargen", "serving_default"): {"text", "continuation"},
    ("chargen", "generate"): {"text", "continuation"},
    ("chargen", "begin"): {"text", "pending", "candidates", "generation_state"},
    ("chargen", "continue"): {"text", "pending", "finished", "generation_state"},
    ("chargen", "step"): {"logits"},
    ("chargen", "score"): {"nats_per_character"},
    ("translation", "serving_default"): {"translation", "score", "truncated", "unknown"},
    ("translation", "beam"): {"translations", "scores", "truncated", "unknown"},
    ("translation", "align"): {"translation", "attention", "source_pieces", "target_pieces"},
}


def test_health_and_the_list_of_models(tasks_server):
    for path in ("/healthz", "/readyz"):
        answer = requests.get(tasks_server.url + path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    listed = requests.get(f"{tasks_server.url}/v1/models").json()["models"]
    assert [one["name"] for one in listed] == ["chargen", "sentiment", "translation"]
    for task, signature in OUTPUTS:
        [version] = next(one["versions"] for one in listed if one["name"] == task)
        assert {*version["signatures"][signature]["outputs"]} >= OUTPUTS[task, signature]
    assert requests.get(f"{tasks_server.url}/v1/models", headers={"host": "evil.example"}).status_code == 403
    page = requests.get(tasks_server.url)
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")


def test_signatures_that_generate_are_answered_together(exports):
    for task, names in (("chargen", ("generate", "continue", "step")), ("translation", ("serving_default", "beam"))):
        folder = exports / task / "1"
        protos, ranges = read_graph(folder).signature_def, read_ranges(folder)
        assert all(Signature.of(name, protos[name], ranges.get(name, {})).is_batchable for name in names)


@pytest.mark.parametrize(("task", "signature"), OUTPUTS)
def test_every_signature_answers_its_example_in_every_form(tasks_server, task, signature):
    example = requests.get(f"{tasks_server.url}/examples/{task}/{signature}").json()
    for path in (f"/v1/models/{task}:predict", f"/v1/models/{task}/versions/1:predict"):
        answer = requests.post(tasks_server.url + path, json=example)
        assert answer.status_code == 200, answer.text
        [(key, rows)] = answer.json().items()
        assert key == {"instances": "predictions", "inputs": "outputs"}[[*example][-1]]
        if key == "predictions" and len(OUTPUTS[task, signature]) > 1:
            assert len(rows) == 1 and {*rows[0]} >= OUTPUTS[task, signature]


@pytest.mark.parametrize("task", TEXTS)
def test_answers_are_those_of_predict(tasks_server, small_tasks, task):
    small = small_tasks[task]
    expected = list(load(small.task, small.model()).predict(TEXTS[task]))
    url = f"{tasks_server.url}/v1/models/{task}:predict"
    rows = requests.post(url, json={"instances": TEXTS[task]}).json()["predictions"]
    [name] = {"sentiment": ["text"], "chargen": ["prompt"], "translation": ["text"]}[task]
    columns = requests.post(url, json={"inputs": {name: TEXTS[task]}}).json()["outputs"]
    for index, (row, answer) in enumerate(zip(rows, expected, strict=True)):
        assert row == {key: values[index] for key, values in columns.items()}
        if task == "sentiment":
            assert row["label"] == answer["label"]
            assert row["probability"] == pytest.approx(answer["probability"], abs=1e-5)
            assert row["classes"] == [*answer["probabilities"]]
        elif task == "chargen":
            assert (row["text"], row["continuation"]) == (answer["text"], answer["continuation"])
        else:
            assert row["translation"] == answer["translation"]
            assert row["score"] == pytest.approx(answer["score"], abs=1e-5)


@pytest.mark.parametrize("task", TEXTS)
def test_grpc_gives_the_answers_of_rest(tasks_server, task):
    name = "prompt" if task == "chargen" else "text"
    request = predict_pb2.PredictRequest()
    request.model_spec.name = task
    request.inputs[name].CopyFrom(tf.make_tensor_proto(TEXTS[task]))
    with grpc.insecure_channel(tasks_server.grpc) as channel:
        found = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=60)
    url = f"{tasks_server.url}/v1/models/{task}:predict"
    columns = requests.post(url, json={"inputs": {name: TEXTS[task]}}).json()["outputs"]
    assert {*found.outputs} == {*columns}
    for key, values in columns.items():
        array = tf.make_ndarray(found.outputs[key])
        if array.dtype.kind == "f":
            np.testing.assert_allclose(array, values, atol=1e-5)
        else:
            decoded = np.vectorize(lambda one: one.decode() if isinstance(one, bytes) else one)(array)
            assert decoded.tolist() == values


BEAM = {"text": "I saw him.", "beam_size": 2, "length_penalty": 1.0}
GENERATE = {"prompt": "The", "length": 12, "temperature": 0.5, "top_k": 0, "top_p": 1.0, "seed": 3}
# task, request, status, part of the answer
REQUESTS = [
    ("sentiment", {"instances": [{"text": "Fine."}]}, 200, '"label"'),
    ("sentiment", {"inputs": "Fine."}, 200, '"outputs"'),
    ("sentiment", {"instances": [{"b64": "RmluZS4="}]}, 200, '"label"'),
    ("sentiment", {"instances": [3]}, 400, "is not of expected type: string"),
    ("sentiment", {"instances": [{"txt": "Fine."}]}, 400, "does not have named input: txt"),
    ("sentiment", {"signature_name": "generate", "instances": ["a"]}, 400, 'name: \\"generate\\" not found'),
    ("sentiment", {"instances": ["x" * 100_000]}, 200, '"label"'),
    ("chargen", {"instances": [{"prompt": "The"}]}, 200, '"continuation"'),
    ("chargen", {"signature_name": "score", "inputs": ["The queen", ""]}, 200, '"outputs": ['),
    ("chargen", {"signature_name": "generate", "instances": [GENERATE, GENERATE]}, 200, '"continuation"'),
    ("chargen", {"signature_name": "generate", "instances": [GENERATE | {"top_p": 2.0}]}, 400, "top_p: expected a"),
    ("chargen", {"signature_name": "generate", "instances": [GENERATE | {"length": 1 << 30}]}, 400, "length: expected"),
    (
        "chargen",
        {"signature_name": "generate", "instances": [GENERATE | {"length": 3.0}]},
        400,
        "of expected type: int",
    ),
    ("chargen", {"signature_name": "generate", "inputs": {"prompt": ["a"]}}, 400, "Missing named input: length"),
    ("chargen", {"signature_name": "generate", "instances": ["a"]}, 400, "instances is a plain list"),
    ("translation", {"instances": ["I saw him.", "Close the door."]}, 200, '"translation"'),
    ("translation", {"signature_name": "align", "instances": ["I saw him."]}, 200, '"attention"'),
    ("translation", {"signature_name": "beam", "instances": [BEAM]}, 200, '"translations"'),
    ("translation", {"signature_name": "beam", "instances": [BEAM | {"beam_size": 0}]}, 400, "beam_size: expected"),
    ("translation", {"inputs": {"text": [["a"]]}}, 400, "Input text has shape [1, 1], expected [?]"),
]


@pytest.mark.parametrize(("task", "request_", "status", "part"), REQUESTS, ids=range(len(REQUESTS)))
def test_requests(tasks_server, task, request_, status, part):
    answer = requests.post(f"{tasks_server.url}/v1/models/{task}:predict", json=request_)
    assert (answer.status_code, part in answer.text) == (status, True), answer.text


@pytest.mark.parametrize("task", TEXTS)
def test_status_and_metadata(tasks_server, task):
    status = requests.get(f"{tasks_server.url}/v1/models/{task}").json()
    assert status["model_version_status"] == [
        {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    ]
    found = requests.get(f"{tasks_server.url}/v1/models/{task}/metadata").json()
    assert found["model_spec"] == {"name": task, "signature_name": "", "version": "1"}
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert {signature for name, signature in OUTPUTS if name == task} <= {*signatures}


def test_the_parts_of_a_stream_are_the_text_that_generate_returns(tasks_server):
    for prompt in ("The queen", "", "나그네가"):
        row = GENERATE | {"prompt": prompt, "length": 50}
        request = {"signature_name": "generate", "instances": [row]}
        [whole] = requests.post(f"{tasks_server.url}/v1/models/chargen:predict", json=request).json()["predictions"]
        answer = requests.post(
            f"{tasks_server.url}/v1/models/chargen:stream", json=row | {"characters": 7}, stream=True
        )
        parts = [json.loads(line.partition(b"data: ")[2]) for line in answer.iter_lines() if line]
        assert "".join(part["text"] for part in parts) == whole["text"]
        assert len(parts) == 1 + 8 + 1 and len(parts[1]["candidates"]) == 10
    wrong = requests.post(f"{tasks_server.url}/v1/models/chargen:stream", json={"prompt": "a", "temperature": -1.0})
    assert "event: error" in wrong.text and "temperature: expected a number" in wrong.text
    wrong = requests.post(f"{tasks_server.url}/v1/models/sentiment:stream", json={"prompt": "a"})
    assert wrong.status_code == 400 and "no signatures begin and continue" in wrong.json()["error"]


def test_the_printed_commands_work_when_pasted(tasks_server):
    commands = []
    while len(commands) < len(OUTPUTS):
        line = tasks_server.process.stdout.readline().decode()
        commands += [line.strip()] if line.startswith("curl ") else []
    assert any("/examples/" in line for line in commands)
    for line in commands:
        answered = subprocess.run(["sh", "-c", line], capture_output=True, check=True)
        assert {*json.loads(answered.stdout)} <= {"predictions", "outputs"}, line


def serve(*arguments) -> int:
    command = Command("tasks.serving.server.serve:main", ServeArguments)
    return run_single("serving", command, [str(argument) for argument in arguments])


def test_wrong_arguments_are_explained(tasks_server, exports, tmp_path, capfd):
    port = tasks_server.url.rpartition(":")[2]
    (tmp_path / "models" / "broken" / "1").mkdir(parents=True)
    asked = [
        ((exports, "--port", port), f"--port {port}: "),
        ((exports, "--host", "no.such.host.invalid"), "--host no.such.host.invalid: "),
        ((tmp_path / "missing",), "does not exist; name a folder that export has written"),
        ((tmp_path,), "has no exported model: expected saved_models/NAME/VERSION"),
        ((tmp_path / "models", "--port", "0"), "no model can be loaded; broken: "),
        ((exports, "--max-batch-size", "0"), "--max-batch-size"),
        ((exports, "--port", "0", "--grpc-port", port), f"--grpc-port {port}: the port is in use"),
        ((exports, "--prot", "1"), "did you mean --port?"),
    ]
    for arguments, message in asked:
        assert serve(*arguments) == 2
        error = capfd.readouterr().err
        assert message in error and "Traceback" not in error, error


def test_sigterm_under_load_answers_every_accepted_request(server_process, exports):
    with server_process(exports / "sentiment") as server:
        found, began = [], threading.Barrier(9)

        def ask() -> None:
            began.wait()
            with requests.Session() as session:
                while True:
                    try:
                        answer = session.post(f"{server.url}/v1/models/sentiment:predict", json={"instances": ["a"]})
                    except requests.ConnectionError as error:
                        found.append(str(error))
                        return
                    found.append(answer.status_code)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        began.wait()
        time.sleep(1.0)
        code, err = server.stop()
        for thread in threads:
            thread.join()
    assert code == 0 and "Traceback" not in err, err
    assert found.count(200) > 8
    # After the end, connections are refused; none was cut off before its answer.
    errors = [one for one in found if one != 200]
    assert len(errors) == 8 and all("refused" in one for one in errors), errors


def test_ctrl_c_ends_the_server_while_it_loads(process, exports):
    started = process("-u", "-m", "tasks.serving", exports, "--port", "0")
    for line in started.stderr:
        if b"loaded in" in line:
            break
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 0 and b"Traceback" not in err and not out, err
