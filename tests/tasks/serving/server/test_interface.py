"""What the server has beside TensorFlow Serving's interface: its description, measurements, and streams."""

import json
import math
import threading

import jsonschema
import pytest
import requests

PREDICT = "/v1/models/small:predict"


# --- OpenAPI ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def validate(server):
    """Validates a value against a schema of the description."""
    description = server.get("/openapi.json").json()

    def check(schema: dict, value) -> None:
        jsonschema.validate(value, {**schema, "components": description["components"]}, jsonschema.Draft202012Validator)

    check.description = description
    return check


def operation(validate) -> dict:
    return validate.description["paths"][PREDICT]["post"]


def test_the_description_fits_the_examples_and_the_answers(server, validate):
    assert validate.description["openapi"] == "3.1.0"
    predict = operation(validate)
    content = predict["requestBody"]["content"]["application/json"]
    answers = predict["responses"]["200"]["content"]["application/json"]["schema"]
    assert {*content["examples"]} >= {"serving_default", "scale", "echo"}
    for name, example in content["examples"].items():
        validate(content["schema"], example["value"])
        answer = server.predict(example["value"])
        if name != "half":  # a type that JSON does not have
            assert answer.status_code == 200, answer.text
            validate(answers, answer.json())
    for path in ("/v1/models/small", "/v1/models/small/metadata", "/v1/models", "/readyz"):
        schema = validate.description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validate(schema, server.get(path).json())
    error = validate.description["components"]["schemas"]["Error"]
    validate(error, server.predict({}).json())


@pytest.mark.parametrize(
    "wrong",
    [
        *({}, {"instances": []}, {"instances": [1]}, {"inputs": {"txt": ["a"]}}),
        *({"signature_name": "scale", "inputs": {"x": [[1, 2]]}}, {"signature_name": "no", "instances": ["a"]}),
    ],
)
def test_the_description_does_not_fit_requests_that_are_refused(server, validate, wrong):
    schema = operation(validate)["requestBody"]["content"]["application/json"]["schema"]
    with pytest.raises(jsonschema.ValidationError):
        validate(schema, wrong)
    assert server.predict(wrong).status_code == 400


def test_streams_and_versions_are_in_the_description(server, validate):
    paths = validate.description["paths"]
    content = paths["/v1/models/small:stream"]["post"]["requestBody"]["content"]["application/json"]
    validate(content["schema"], {"prompt": "Once ", "seed": 1, "temperature": 0.5, "length": 10, "characters": 4})
    wrong = ({}, {"prompt": 3}, {"prompt": "a", "lenght": 3}, {"prompt": "a", "length": 0}, {"prompt": ["a"]})
    for one in (*wrong, {"prompt": "a", "temperature": "hot"}, {"prompt": "a", "generation_state": [[0]]}):
        with pytest.raises(jsonschema.ValidationError):
            validate(content["schema"], one)
        assert server.post("/v1/models/small:stream", one).status_code == 400
    assert paths["/v1/models/small/versions/{version}:predict"]["post"] == operation(validate)


def test_ranges_of_the_export_are_in_the_description_and_in_the_list(server, validate):
    [model] = server.get("/v1/models").json()["models"]
    signature = model["versions"][0]["signatures"]["continue"]
    assert signature["kind"] == "continue"
    assert signature["inputs"]["temperature"] == {
        **{"dtype": "float32", "shape": [-1], "type": "number", "minimum": 0.0, "default": 1.0},
    }
    assert '"minimum": 0.0' in json.dumps(operation(validate))


def test_ranges_that_json_cannot_express_leave_the_list_valid_json(serving, small_model, tmp_path):
    folder = small_model(tmp_path / "small")
    ranges = {"continue": {"temperature": {"type": "number", "minimum": 0.0, "maximum": math.inf, "default": 1.0}}}
    (folder / "assets.extra" / "inputs.json").write_text(json.dumps(ranges))

    def refuse(token):
        raise ValueError(token)

    with serving(tmp_path) as server:
        listed = json.loads(server.get("/v1/models").text, parse_constant=refuse)
    [version] = listed["models"][0]["versions"]
    assert version["signatures"]["continue"]["inputs"]["temperature"]["maximum"] is None


# --- measurements -----------------------------------------------------------------------------------------------------


def test_requests_rows_and_versions_are_measured(server):
    before = server.samples()
    labels = (("model", "small"), ("signature", "serving_default"), ("version", "1"))
    key = ("serving_requests_total", ("api", "rest"), labels[0], labels[1], ("status", "200"), labels[2])
    server.predict({"instances": ["a", "b", "c"]})
    server.post("/v1/models/nobody:predict", {"instances": ["a"]})
    after = server.samples()
    assert after[key] == before.get(key, 0) + 1
    rows = ("serving_batch_rows_sum", *labels)
    assert after[rows] == before[rows] + 3
    assert after["serving_version_available", ("model", "small"), ("version", "1")] == 1
    assert after["serving_queue_requests", *labels] == 0
    assert not any("nobody" in str(name) for name in after)  # what clients invent is no label
    assert server.get("/monitoring/prometheus/metrics").status_code == 200


# --- streams ----------------------------------------------------------------------------------------------------------


def events(answer: requests.Response) -> list[dict]:
    found = []
    for block in answer.iter_lines(delimiter=b"\n\n"):
        if block:
            found.append(json.loads(block.decode().partition("data: ")[2]))
    return found


def stream(server, content, **options) -> requests.Response:
    return requests.post(f"{server.url}/v1/models/small:stream", json=content, stream=True, **options)


def test_a_text_arrives_in_parts(server):
    answer = stream(server, {"prompt": "Once ", "length": 10, "characters": 4})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
    found = events(answer)
    assert [one.get("text") for one in found] == ["Once ", "abc", "defg", "hi", "j"]
    assert [one.get("pending") for one in found] == ["", "d", "h", "j", ""]
    assert [one["generated"] for one in found] == [0, 4, 8, 10, 10]
    assert found[0]["version"] == 1 and found[1]["candidates"] == ["é", "é"]
    assert found[1]["candidate_probabilities"] == [0.5, 0.5]
    assert found[-1]["done"] is True and found[-1]["finished"] is False
    # A text that ends by itself.
    found = events(stream(server, {"prompt": "", "characters": 20}))
    assert "".join(one["text"] for one in found) == "abcdefghijklmnopqrstuvwxyz"
    assert found[-1]["finished"] is True


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "Missing value: prompt"),
        ({"prompt": "a", "lenght": 3}, "Unknown value: lenght; a stream has prompt, seed, temperature, length and"),
        ({"prompt": 3}, "is not of expected type: string"),
        ({"prompt": "a", "length": 0}, "length: expected a whole number from 1 to 100,000, got 0"),
        ({"prompt": "a", "length": 1 << 40}, "length: expected a whole number"),
        ({"prompt": "a", "characters": True}, "characters: expected a whole number from 1 to 256, got true"),
        ({"prompt": "a", "temperature": "hot"}, "is not of expected type: float"),
        ({"prompt": "a", "generation_state": [[0]]}, "Unknown value: generation_state"),
        ({"prompt": ["a"]}, "has shape [1, 1]"),
    ],
)
def test_a_stream_that_cannot_begin_is_refused(server, content, message):
    answer = stream(server, content)
    assert answer.status_code == 400 and message in answer.json()["error"], answer.text


def test_an_error_within_a_stream_is_its_last_event(server):
    answer = stream(server, {"prompt": "a", "temperature": -1.0})
    lines = answer.text.strip().split("\n\n")
    assert lines[-1].startswith("event: error\n") and "temperature is negative" in lines[-1]
    assert server.post("/v1/models/other:stream", {"prompt": "a"}).status_code == 404


def test_a_client_that_leaves_a_stream_lets_go_of_the_version(server):
    endless = {"prompt": "a", "length": 100_000, "characters": 1, "temperature": 2.0}
    with stream(server, endless) as answer:
        next(answer.iter_lines())
    version = server.models.model("small").available[0]
    server.wait_for(lambda: version._users == 0)


def test_streams_run_side_by_side(server):
    found = {}

    def read(prompt: str) -> None:
        found[prompt] = "".join(one["text"] for one in events(stream(server, {"prompt": prompt, "length": 26})))

    threads = [threading.Thread(target=read, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {str(number): f"{number}abcdefghijklmnopqrstuvwxyz" for number in range(8)}
