"""The gRPC interface, asked with the stubs of tensorflow_serving.apis."""

import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as opened:
        yield opened


@pytest.fixture
def predict(channel):
    """Calls Predict: signature, inputs by name -> outputs by name, and the response."""
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def ask(signature: str = "", inputs=None, *, model="small", version=None, label="", outputs=(), **options):
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name, request.model_spec.signature_name = model, signature
        if version is not None:
            request.model_spec.version.value = version
        if label:
            request.model_spec.version_label = label
        for name, value in (inputs or {}).items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        response = stub.Predict(request, timeout=20, **options)
        return {name: tf.make_ndarray(value) for name, value in response.outputs.items()}, response

    return ask


def test_predict_returns_the_outputs_and_says_which_version_answered(predict):
    found, response = predict("", {"text": ["a", "é"]})
    assert {name: value.tolist() for name, value in found.items()} == {
        "length": [1, 1],
        "text": [b"a", "é".encode()],
        "rows": [2, 2],
        "version": [1, 1],
    }
    spec = response.model_spec
    assert (spec.name, spec.signature_name, spec.version.value) == ("small", "serving_default", 1)
    found, _ = predict("scale", {"x": np.ones([2, 2], np.float32), "factor": np.int32(3)}, version=1)
    assert found["scaled"].tolist() == [[3.0, 3.0], [3.0, 3.0]] and found["scaled"].dtype == np.float32
    found, _ = predict("half", {"half": np.array([0.5], np.float16)})  # a type that JSON does not have
    assert found["half"].dtype == np.float16 and found["half"].tolist() == [0.5]


def test_an_output_filter_picks_outputs(predict):
    assert [*predict("", {"text": ["a"]}, outputs=["length"])[0]] == ["length"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"model": ""}, "INVALID_ARGUMENT", "Missing ModelSpec"),
        ({"model": "other"}, "NOT_FOUND", "Servable not found for request: Latest(other)"),
        ({"version": 7}, "NOT_FOUND", "Servable not found for request: Specific(small, 7)"),
        ({"label": "stable"}, "INVALID_ARGUMENT", "Unrecognized servable version label: stable"),
        ({"signature": "no"}, "FAILED_PRECONDITION", 'Serving signature key "no" not found.'),
        ({"inputs": {}}, "INVALID_ARGUMENT", "input size does not match signature: 0!=1"),
        ({"inputs": {"text": ["a"], "more": [1]}}, "INVALID_ARGUMENT", "Sent extra: {more}"),
        ({"inputs": {"text": [1]}}, "INVALID_ARGUMENT", "Input text is of type int32, expected string"),
        ({"inputs": {"text": [["a"]]}}, "INVALID_ARGUMENT", "Input text has shape [1, 1], expected [?]"),
        ({"inputs": {"text": ["bad"]}}, "INVALID_ARGUMENT", "bad is no text"),
        ({"outputs": ["no"]}, "INVALID_ARGUMENT", "output tensor alias not found in signature: no"),
    ],
)
def test_errors_have_the_codes_of_tensorflow_serving(predict, options, code, message):
    with pytest.raises(grpc.RpcError) as error:
        predict(**{"inputs": {"text": ["a"]}, **options})
    assert error.value.code() == grpc.StatusCode[code]
    assert message in error.value.details() and "Traceback" not in error.value.details()


def test_the_deadline_of_the_client_is_kept(channel, server):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "small", "count"
    request.inputs["steps"].CopyFrom(tf.make_tensor_proto([100_000]))
    with pytest.raises(grpc.RpcError) as error:
        stub.Predict(request, timeout=0.05)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert server.predict({"instances": ["a"]}).status_code == 200


def test_a_call_that_its_client_cancels_is_measured_as_cancelled(channel, server):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "small", "count"
    request.inputs["steps"].CopyFrom(tf.make_tensor_proto([5_000_000]))

    def calls() -> dict[str, float]:
        """The number of calls of this signature by status."""
        return {
            dict(labels)["status"]: value
            for (name, *labels), value in server.samples().items()
            if name == "serving_requests_total" and {("api", "grpc"), ("signature", "count")} <= {*labels}
        }

    before = calls()
    call = stub.Predict.future(request)
    time.sleep(0.6)
    assert call.cancel()
    end = time.monotonic() + 20
    while (after := calls()) == before and time.monotonic() < end:
        time.sleep(0.1)
    assert after == before | {"CANCELLED": before.get("CANCELLED", 0) + 1}


def test_a_message_that_is_too_large_is_refused(predict):
    with pytest.raises(grpc.RpcError) as error:
        predict("", {"text": ["a" * 10_000_000]})
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_message_that_states_more_elements_than_it_has_is_refused(channel):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "small"
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(["a"]))
    request.inputs["text"].tensor_shape.dim[0].size = 1 << 33  # 64 GiB, of a message of a few bytes
    with pytest.raises(grpc.RpcError, match="states 8,589,934,592 elements") as error:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=20)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_metadata_and_status(channel):
    prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "small"
    found = prediction.GetModelMetadata(request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert found.metadata["signature_def"].Unpack(signatures)
    assert {*signatures.signature_def["scale"].inputs} == {"x", "factor"}
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "small"
    [status] = models.GetModelStatus(request).model_version_status
    assert (status.version, status.state, status.status.error_code) == (1, status.AVAILABLE, 0)
    request.model_spec.name = "other"
    with pytest.raises(grpc.RpcError, match="other"):
        models.GetModelStatus(request)


def test_calls_that_the_server_does_not_have_are_refused(channel):
    prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    with pytest.raises(grpc.RpcError, match="use Predict"):
        prediction.Classify(classification_pb2.ClassificationRequest())
    with pytest.raises(grpc.RpcError, match="found in the folders"):
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest())
