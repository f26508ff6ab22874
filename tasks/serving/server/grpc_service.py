"""TensorFlow Serving's gRPC interface: PredictionService and ModelService, of tensorflow_serving.apis."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tasks.errors import UserError
from tasks.serving.server.answering import answered
from tasks.serving.server.errors import CODES, RequestError, invalid
from tasks.serving.server.loading import LoadedVersion
from tasks.serving.server.measurements import Measurements
from tasks.serving.server.models import Models
from tasks.serving.server.signatures import Signature
from tasks.serving.server.versions import not_found

log = logging.getLogger(__name__)

# A message states the shape of a tensor, and its last value is repeated: elements that are not sent, at most.
MAX_REPEATED = 1 << 20
NO_EXAMPLES = "The signatures take no serialized tf.Example; use Predict"


class _Service:
    """What both services need.

    Args:
        models: The models.
        timeout: Seconds until a request is given up, unless the client gives it up earlier.
        measurements: What is measured.
    """

    def __init__(self, models: Models, timeout: float, measurements: Measurements):
        self.models, self._timeout, self._measurements = models, timeout, measurements

    async def respond(self, context: grpc.aio.ServicerContext, answer: Callable[[dict[str, str]], Awaitable]):
        """Return what a coroutine returns; end the call with the code of its error."""
        began, labels, error = time.monotonic(), {"model": "", "version": "", "signature": ""}, None
        try:
            return await answer(labels)
        except asyncio.CancelledError:  # the client has left, or its deadline has passed
            error = RequestError("CANCELLED", "The client cancelled the call")
            raise
        except RequestError as found:
            error = found
        except Exception:
            log.exception("a call of gRPC failed")
            error = RequestError("INTERNAL", "The server failed; its log has the reason")
        finally:
            code = "OK" if error is None else error.code
            self._measurements.request("grpc", labels, code, time.monotonic() - began)
        return await context.abort(grpc.StatusCode[error.code], str(error))

    def deadline(self, context: grpc.aio.ServicerContext) -> float:
        """Return when a request is given up, by `time.monotonic`."""
        left = context.time_remaining()
        return time.monotonic() + (self._timeout if left is None else min(left, self._timeout))


class PredictionService(_Service, prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata."""

    async def Predict(self, request, context):
        """Answer with the outputs of a signature."""

        async def answer(labels):
            spec = request.model_spec
            with self.models.using(*_target(spec)) as version:
                labels.update(model=version.name, version=str(version.number))
                name = spec.signature_name or "serving_default"
                if name not in version.signatures:
                    raise RequestError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
                labels["signature"] = name
                signature = version.signatures[name]
                chosen = _chosen_outputs(request, signature)
                inputs = read_inputs(request.inputs, signature, version.signature_protos[name].defaults)
                outputs = await answered(version, name, inputs, self.deadline(context))
                return _response(version, name, {key: outputs[key] for key in chosen})

        return await self.respond(context, answer)

    async def GetModelMetadata(self, request, context):
        """Answer with the signatures of a version."""

        async def answer(labels):
            if [*request.metadata_field] != ["signature_def"]:
                raise invalid(f"Metadata field {', '.join(request.metadata_field)} is not supported: signature_def is")
            with self.models.using(*_target(request.model_spec)) as version:
                labels.update(model=version.name, version=str(version.number))
                response = get_model_metadata_pb2.GetModelMetadataResponse()
                response.model_spec.name = version.name
                response.model_spec.version.value = version.number
                signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=version.signature_protos)
                response.metadata["signature_def"].Pack(signatures)
                return response

        return await self.respond(context, answer)

    async def Classify(self, request, context):
        """Refuse: no signature takes tf.Example."""
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, NO_EXAMPLES)

    Regress = MultiInference = Classify


class ModelService(_Service, model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus."""

    async def GetModelStatus(self, request, context):
        """Answer with the states of the versions of a model."""

        async def answer(labels):
            name, number = _target(request.model_spec)
            model = self.models.model(name)
            versions = [] if model is None else [one for one in model.status if number in (None, one.number)]
            if not versions:
                raise RequestError("NOT_FOUND", str(not_found(name, number)))
            labels["model"] = name
            response = get_model_status_pb2.GetModelStatusResponse()
            for one in versions:
                added = response.model_version_status.add()
                added.version = one.number
                added.state = get_model_status_pb2.ModelVersionStatus.State.Value(one.state)
                added.status.error_code = CODES.index("UNKNOWN") if one.error else 0
                added.status.error_message = one.error
            return response

        return await self.respond(context, answer)

    async def HandleReloadConfigRequest(self, request, context):
        """Refuse: models and versions are found in their folders."""
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED, "Models and versions are found in the folders that the server was given"
        )


def _target(spec) -> tuple[str, int | None]:
    if not spec.name:
        raise invalid("Missing ModelSpec: it names no model")
    if spec.version_label:
        raise invalid(f"Unrecognized servable version label: {spec.version_label}")
    return spec.name, spec.version.value if spec.HasField("version") else None


def _chosen_outputs(request, signature: Signature) -> list[str]:
    chosen = [*request.output_filter] or [*signature.outputs]
    for name in chosen:
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set "
                f"{{{', '.join(signature.outputs)}}}."
            )
    return chosen


def read_inputs(given: Mapping, signature: Signature, defaults: Mapping) -> dict[str, np.ndarray]:
    """Return the tensors of a request.

    Args:
        given: `TensorProto` by name.
        signature: The signature.
        defaults: `TensorProto` of the inputs that may be left out, by name.

    Raises:
        RequestError: If one is missing, unknown, or not what the signature needs.
    """
    extra = {*given} - {*signature.inputs}
    missing = {*signature.inputs} - {*given} - {*defaults}
    if extra or missing:
        raise invalid(
            f"input size does not match signature: {len(given)}!={len(signature.inputs)} len({{{_listed(given)}}}) != "
            f"len({{{_listed(signature.inputs)}}}). Sent extra: {{{_listed(extra)}}}. Missing but required: "
            f"{{{_listed(missing)}}}."
        )
    arrays = {}
    for name, one in signature.inputs.items():
        proto = given[name] if name in given else defaults[name]
        if proto.dtype != one.dtype.as_datatype_enum:
            raise invalid(f"Input {name} is of type {_type_name(proto.dtype)}, expected {one.dtype.name}")
        elements = math.prod(dimension.size for dimension in proto.tensor_shape.dim)
        if elements > max(MAX_REPEATED, proto.ByteSize()):
            raise invalid(f"Input {name} states {elements:,} elements, and the message does not have them")
        try:
            arrays[name] = np.asarray(tf.make_ndarray(proto))
        except (TypeError, ValueError) as error:
            raise invalid(f"Input {name} is no valid tensor: {error}") from None
    return arrays


def _type_name(number: int) -> str:
    try:
        return tf.as_dtype(number).name
    except TypeError:
        return str(number)


def _listed(names) -> str:
    return ",".join(sorted(names))


def _response(version: LoadedVersion, signature: str, outputs: Mapping[str, np.ndarray]) -> predict_pb2.PredictResponse:
    response = predict_pb2.PredictResponse()
    response.model_spec.name, response.model_spec.signature_name = version.name, signature
    response.model_spec.version.value = version.number
    for name, array in outputs.items():
        dtype = version.signatures[signature].outputs[name].dtype
        response.outputs[name].CopyFrom(tf.make_tensor_proto(array, dtype, array.shape))
    return response


async def start(
    address: tuple[str, int], models: Models, timeout: float, max_bytes: int, measurements: Measurements
) -> tuple[grpc.aio.Server, int]:
    """Start to listen.

    Args:
        address: Host and port; 0 is a free one.
        models: The models.
        timeout: Seconds until a request is given up.
        max_bytes: Maximum size of a request.
        measurements: What is measured.

    Returns:
        The server, and its port.

    Raises:
        UserError: If the port is in use.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", max_bytes),
            ("grpc.max_send_message_length", -1),
        ]
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models, timeout, measurements), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models, timeout, measurements), server)
    host, port = address
    try:
        port = server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except RuntimeError:
        port = 0
    if not port:
        raise UserError(f"--grpc-port {address[1]}: the port is in use ({host}); take another one, 0 for a free one")
    await server.start()
    return server, port
