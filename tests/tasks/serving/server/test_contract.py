"""The REST interface of TensorFlow Serving, request by request, with a model of a few ops."""

import base64
import gzip
import json
import math

import numpy as np
import pytest

from tasks.serving.server.json_answers import number

SERVED = [{"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]
NOT_FOUND = "Servable not found for request: "

# method, path, status, answer or the error that it has
PATHS = [
    ("GET", "/v1/models/small", 200, {"model_version_status": SERVED}),
    ("GET", "/v1/models/small/versions/1", 200, {"model_version_status": SERVED}),
    ("GET", "/V1/Models/small/Versions/1", 200, {"model_version_status": SERVED}),
    ("GET", "/v1/models/small/labels/stable", 200, {"model_version_status": SERVED}),
    ("GET", "/v1/models/small/versions/7", 404, "Could not find version 7 of model small"),
    ("GET", "/v1/models/other", 404, "Could not find any versions of model other"),
    ("GET", "/v1/models/other/metadata", 404, f"{NOT_FOUND}Latest(other)"),
    ("GET", "/v1/models/small/versions/7/metadata", 404, f"{NOT_FOUND}Specific(small, 7)"),
    ("GET", "/v1/models/small/labels/stable/metadata", 400, "Unrecognized servable version label: stable"),
    ("GET", "/v1/models/small/versions/" + "9" * 30, 400, f"Failed to convert version: {'9' * 20} to numeric."),
    ("GET", "/v1/models/small/versions/001", 200, {"model_version_status": SERVED}),
    ("GET", f"/v1/models/small/versions/{'0' * 5000}1", 200, {"model_version_status": SERVED}),
    ("GET", "/v1/models/small/versions/-1", 400, "Malformed request: GET /v1/models/small/versions/-1"),
    ("POST", "/v1/models/small:predict/", 400, "Malformed request: POST /v1/models/small:predict/"),
    ("POST", "/v1/MODELS/other:PREDICT", 404, f"{NOT_FOUND}Latest(other)"),
    ("GET", "/v1/models/small/versions/x", 400, "Malformed request: GET /v1/models/small/versions/x"),
    ("GET", "/v1/models/small:predict", 400, "Malformed request: GET /v1/models/small:predict"),
    ("GET", "/v1/models/small/", 400, "Malformed request: GET /v1/models/small/"),
    ("GET", "/v1/", 400, "Malformed request: GET /v1/"),
    ("POST", "/v1/models/small", 400, "Malformed request: POST /v1/models/small"),
    ("DELETE", "/v1/models/small", 400, "Malformed request: DELETE /v1/models/small"),
    ("POST", "/v1/models/other:predict", 404, f"{NOT_FOUND}Latest(other)"),
    ("POST", "/v1/models/small/versions/7:predict", 404, f"{NOT_FOUND}Specific(small, 7)"),
    ("POST", "/v1/models/small/labels/stable:predict", 400, "Unrecognized servable version label: stable"),
    ("POST", "/v1/models/small:classify", 400, "No signature of small takes serialized tf.Example"),
    ("POST", "/v1/models/other:regress", 404, f"{NOT_FOUND}Latest(other)"),
]


@pytest.mark.parametrize(("method", "path", "status", "expected"), PATHS)
def test_paths(server, method, path, status, expected):
    answer = server.post(path, {"instances": ["a"]}) if method == "POST" else server.get(path)
    if method == "DELETE":
        answer = server._session.delete(server.url + path)
    assert answer.headers["content-type"] == "application/json"
    assert answer.status_code == status, answer.text
    if isinstance(expected, str):
        [(key, message)] = answer.json().items()
        assert key == "error" and message.startswith(expected)
    else:
        assert answer.json() == expected


def test_outside_of_v1_there_is_nothing(server):
    for path in ("/v2/models", "/models/small", "/v1"):
        assert server.get(path).status_code == 404


def measured(*texts: str, rows: int | None = None) -> list[dict]:
    size = rows or len(texts)
    return [{"length": len(text), "rows": size, "text": text, "version": 1} for text in texts]


B64 = {"b64": base64.b64encode("é".encode()).decode()}
ECHOED = {"bool": True, "int8": -3, "int64": 1 << 40, "uint32": 7, "float64": 0.1, "raw_bytes": B64}
SCALE = {"signature_name": "scale"}
# request, answer
ANSWERED = [
    ({"instances": ["a", "bc"]}, {"predictions": measured("a", "bc")}),
    ({"instances": [{"text": "a"}]}, {"predictions": measured("a")}),
    ({"instances": [B64, "é"]}, {"predictions": measured("é", "é")}),
    ({"instances": [{"text": B64}]}, {"predictions": measured("é")}),
    ({"signature_name": "serving_default", "instances": ["한국어"]}, {"predictions": measured("한국어")}),
    ({"signature_name": "", "instances": [""]}, {"predictions": measured("")}),
    (
        {"inputs": ["a", "bc"]},
        {"outputs": {"length": [1, 2], "rows": [2, 2], "text": ["a", "bc"], "version": [1, 1]}},
    ),
    (
        {"inputs": {"text": ["a"], "ignored": 1}},
        {"outputs": {"length": [1], "rows": [1], "text": ["a"], "version": [1]}},
    ),
    ({"inputs": "a"}, {"outputs": {"length": [1], "rows": [1], "text": ["a"], "version": [1]}}),
    ({"inputs": []}, {"outputs": {"length": [], "rows": [], "text": [], "version": []}}),
    (
        {**SCALE, "inputs": {"x": [[1, 0.5], [2, 3]], "factor": 3}},
        {"outputs": {"scaled": [[3.0, 1.5], [6.0, 9.0]], "rows": [2, 2]}},
    ),
    ({"signature_name": "split", "instances": ["a", "bc"]}, {"predictions": [["a", ""], ["b", "c"]]}),
    ({"signature_name": "split", "inputs": ["bc"]}, {"outputs": [["b", "c"]]}),
    ({"signature_name": "echo", "instances": [ECHOED]}, {"predictions": [ECHOED]}),
    (
        {"signature_name": "echo", "inputs": {name: [value] for name, value in ECHOED.items()}},
        {"outputs": {name: [value] for name, value in ECHOED.items()}},
    ),
]


@pytest.mark.parametrize(("request_", "expected"), ANSWERED)
def test_answers(server, request_, expected):
    answer = server.predict(request_)
    assert (answer.status_code, answer.json()) == (200, expected)


ROW = "Failed to process element: "
X = {"x": [[1, 2]], "factor": 1}
# request, as JSON or bytes; the beginning of the error
REFUSED = [
    (b"", "JSON Parse error: The document is empty"),
    (b"{", "JSON Parse error: "),
    (b'{"instances": ["a"', "JSON Parse error: "),
    (b"\xff\xfe", "JSON Parse error: the body is not UTF-8"),
    (b'{"instances": [' + b"[" * 100_000, "JSON Parse error: the values are nested too deeply"),
    (b'{"instances": [' + b"9" * 5000 + b"]}", "JSON Parse error: a number is too large"),
    (b'{"instances": ["\\ud800"]}', f"{ROW}0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: "),
    (b'{"signature_name": "\\ud800", "instances": ["a"]}', 'Serving signature name: "?" not found in signature def'),
    (b'{"instances": [{"\\ud800": "a"}]}', f"{ROW}0 key: ? of 'instances' list."),
    ([], "JSON Value: [] Is not object"),
    ("text", 'JSON Value: "text" Is not object'),
    ({}, "Missing 'inputs' or 'instances' key"),
    ({"instances": ["a"], "inputs": ["a"]}, 'JSON Value: {"instances": ["a"], "inputs": ["a"]} Not formatted'),
    ({"instances": "a"}, 'JSON Value: {"instances": "a"} Excepting \'instances\' to be an list/array'),
    ({"instances": []}, "JSON Value: {\"instances\": []} No values in 'instances' array"),
    ({"signature_name": 3, "instances": ["a"]}, "JSON Value: "),
    ({"signature_name": "no", "instances": ["a"]}, 'Serving signature name: "no" not found in signature def'),
    ({"signature_name": "__saved_model_init_op", "inputs": {}}, "Serving signature name: "),
    ({"instances": [None]}, f"{ROW}0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: null Type: Null is"),
    ({"instances": [1]}, f"{ROW}0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 1 Type: Number is not of"),
    ({"instances": [{"txt": "a"}]}, f"{ROW}0 key: txt of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does"),
    ({"instances": [{"text": "a", "more": 1}]}, f"{ROW}0 key: more of 'instances' list."),
    ({"instances": [{}]}, f"{ROW}0 of 'instances' list. JSON object: {{}} keys must be equal to: text"),
    ({"instances": ["a", {"text": "b"}]}, "Expecting value/list but got object at item 1 of input list"),
    ({"instances": [{"text": "b"}, "a"]}, "Expecting object but got list at item 1 of input list"),
    ({"instances": ["a", ["b"]]}, f"{ROW}1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [] but got"),
    ({"instances": [["a"]]}, "Input text has shape [1, 1], expected [?]"),
    ({"instances": [{"b64": "?"}]}, f"{ROW}0 of 'instances' list. Error: INVALID_ARGUMENT: Unable to base64 decode"),
    ({"inputs": {"text": {"b64": "YQ==", "more": 1}}}, "JSON Value: "),
    ({"inputs": {"txt": ["a"]}}, "Missing named input: text in 'inputs' object."),
    ({"inputs": [["a", "b"], ["c"]]}, "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
    ({"inputs": ["a", ["b"]]}, "Encountered list at unexpected level: 1 expected < 1"),
    ({"inputs": [["a"], "b"]}, 'JSON Value: "b" found at incorrect level: 2 in the JSON DOM. Expected at level: 2'),
    ({"inputs": json.loads("[" * 50 + "]" * 50)}, "The lists are nested 50 deep, the maximum is 16"),
    ({**SCALE, "inputs": [1]}, "inputs is a plain value/list, but expecting an object"),
    ({**SCALE, "instances": [1]}, "instances is a plain list, but expecting list of objects"),
    ({**SCALE, "instances": [{"x": [1, 2], "factor": 1}]}, "Input factor has shape [1], expected []; 'instances'"),
    ({**SCALE, "inputs": X | {"factor": 2.0}}, "JSON Value: 2.0 Type: Number is not of expected type: int32"),
    (
        {**SCALE, "inputs": X | {"factor": 1 << 31}},
        "JSON Value: 2147483648 Type: Number is not of expected type: int32",
    ),
    ({**SCALE, "inputs": X | {"factor": True}}, "JSON Value: true Type: True is not of expected type: int32"),
    ({**SCALE, "inputs": X | {"x": [["1", 2]]}}, 'JSON Value: "1" Type: String is not of expected type: float'),
    ({**SCALE, "inputs": X | {"x": [[1, 2, 3]]}}, "Input x has shape [1, 3], expected [?, 2]"),
    ({**SCALE, "inputs": X | {"x": [[1 << 25, 2]]}}, "Cannot convert JSON value: 33554432 to float without loss of"),
    ({**SCALE, "inputs": X | {"x": [[1e39, 2]]}}, "Cannot convert JSON value: 1e+39 to float without loss of"),
    ({"instances": ["a", "bad"]}, "assertion failed: [bad is no text]"),
]


@pytest.mark.parametrize(("request_", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refused_requests(server, request_, message):
    answer = server.predict(request_)
    [(key, found)] = answer.json().items()
    assert (answer.status_code, key) == (400, "error")
    assert found.startswith(message) and len(found) <= 1024 and "Traceback" not in found


def test_types_without_json_are_not_implemented(server):
    answer = server.predict({"signature_name": "half", "instances": [1.0]})
    assert answer.status_code == 501 and "to type: float16" in answer.json()["error"]


def test_inputs_have_equal_numbers_of_rows(server):
    columns = {name: [value] * (2 if name == "bool" else 1) for name, value in ECHOED.items()}
    answer = server.predict({"signature_name": "echo", "inputs": columns})
    assert answer.status_code == 400 and "different numbers of rows (bool: 2, float64: 1" in answer.json()["error"]


def test_nan_and_infinity_are_tokens_and_text_after_the_object_is_ignored(server):
    body = b' {"signature_name": "scale", "inputs": {"x": [[NaN, -Infinity]], "factor": 2}} and more'
    answer = server.predict(body)
    assert answer.text == '{"outputs": {"rows": [1], "scaled": [[NaN, -Infinity]]}}'


def test_the_content_type_is_ignored_and_gzip_is_read(server):
    body = json.dumps({"instances": ["a" * 1000]}).encode()
    plain = server.predict(body, headers={"content-type": "text/csv"})
    packed = server.predict(gzip.compress(body), headers={"content-encoding": "gzip"})
    assert plain.json() == packed.json() == {"predictions": measured("a" * 1000)}
    for broken in (body, gzip.compress(body)[:-9]):
        answer = server.predict(broken, headers={"content-encoding": "gzip"})
        assert answer.status_code == 400 and "gzip" in answer.json()["error"]


def test_a_text_that_is_not_utf_8_is_answered_with_valid_json(server):
    value = {"b64": base64.b64encode(b"a\xff").decode()}
    assert server.predict({"instances": [value]}).json()["predictions"][0]["text"] == "a\ufffd"


def test_metadata_has_the_signatures_as_protocol_buffers_write_them(server):
    found = server.get("/v1/models/small/metadata").json()
    assert found["model_spec"] == {"name": "small", "signature_name": "", "version": "1"}
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "scale", "__saved_model_init_op"} <= {*signatures}
    x = signatures["scale"]["inputs"]["x"]
    assert x["dtype"] == "DT_FLOAT"
    assert x["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}],
        "unknown_rank": False,
    }
    assert signatures["scale"]["method_name"] == "tensorflow/serving/predict"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0, "0.0"), (1.0, "1.0"), (0.2, "0.2"), (9e6, "9e+06"), (3e-5, "3e-05"), (1 / 3, "0.333333343")),
        *((0.71590865, "0.715908647"), (-12345678.0, "-12345678.0"), (math.nan, "NaN"), (-math.inf, "-Infinity")),
    ],
)
def test_numbers_have_the_digits_that_float32_needs(value, text):
    value = float(np.float32(value))
    assert number(value, "float32") == text
    assert math.isnan(value) or np.float32(text.replace("Infinity", "inf")) == np.float32(value)
