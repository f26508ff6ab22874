"""TensorFlow Serving's REST interface: paths, and the answers to them.

Source: tensorflow_serving/model_servers/http_rest_api_util.cc and http_rest_api_handler.cc.
"""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from google.protobuf import json_format

from tasks.serving.server import json_answers, json_tensors
from tasks.serving.server.answering import answered
from tasks.serving.server.errors import RequestError, invalid
from tasks.serving.server.folders import version_number
from tasks.serving.server.loading import LoadedVersion
from tasks.serving.server.models import Models
from tasks.serving.server.versions import not_found

_MODEL = r"/v1/models/([^/:]+)(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?"
_POST = re.compile(_MODEL + r":(classify|regress|predict|stream)", re.IGNORECASE)
_GET = re.compile(_MODEL + r"(/metadata)?", re.IGNORECASE)
_LIST = re.compile(r"/v1/models", re.IGNORECASE)
# Requests and answers above this number of bytes are converted in a thread, so that others are answered meanwhile.
LARGE = 1 << 16


class Target(NamedTuple):
    """What a path names.

    Attributes:
        action: predict, classify, regress, stream, status, metadata or list.
        model: The model's name.
        version: The version, None for the newest one.
        label: The label of a version, None if there is none.
    """

    action: str
    model: str = ""
    version: int | None = None
    label: str | None = None


def parse_path(method: str, path: str) -> Target:
    """Return what a request asks for.

    Args:
        method: The method of HTTP.
        path: The path, with its percent signs.

    Raises:
        RequestError: If there is nothing at the path.
    """
    found = (_POST if method == "POST" else _GET).fullmatch(path) if method in ("POST", "GET") else None
    if found is None:
        if method == "GET" and _LIST.fullmatch(path):
            return Target("list")
        raise invalid(f"Malformed request: {method} {path}")
    name, version, label, action = found.groups()
    number = None if version is None else version_number(version)
    if version is not None and number is None:
        raise invalid(f"Failed to convert version: {version[:20]} to numeric.")
    action = action.lower() if method == "POST" else "metadata" if action else "status"
    return Target(action, unquote(name), number, None if label is None else unquote(label))


def check_label(target: Target) -> None:
    """Raise `RequestError` if a path names a label: no version has one."""
    if target.label is not None:
        raise invalid(f"Unrecognized servable version label: {target.label}")


async def predict(models: Models, target: Target, body: bytes, timeout: float) -> tuple[bytes, LoadedVersion, str]:
    """Answer a predict request.

    Args:
        models: The models.
        target: What the path names.
        body: The body of the request.
        timeout: Seconds until the request is given up.

    Returns:
        The body of the answer, the version that answered, and the name of the signature.

    Raises:
        RequestError: If it cannot be answered.
    """
    check_label(target)
    deadline = time.monotonic() + timeout
    request = await _converted(len(body), json_tensors.parse, body)
    with models.using(target.model, target.version) as version:
        signature = version.signature(request.signature_name)
        inputs, in_rows = await _converted(len(body), json_tensors.read_inputs, request.document, signature)
        outputs = await answered(version, signature.name, inputs, deadline)
        size = sum(array.nbytes for array in outputs.values())
        return await _converted(size, json_answers.answer, outputs, in_rows), version, signature.name


async def _converted(size: int, convert: Callable, *arguments: Any) -> Any:
    """Call a function that converts `size` bytes; in a thread if they are many, so that others are answered."""
    return await asyncio.to_thread(convert, *arguments) if size > LARGE else convert(*arguments)


def listed(models: Models) -> dict:
    """Return all models with their versions and signatures; TensorFlow Serving has no such list."""
    return {
        "models": [
            {
                "name": model.name,
                "versions": [
                    version.described | ({} if version.loaded is None else _signatures(version.loaded))
                    for version in model.status
                ],
            }
            for model in models.all
        ]
    }


def _signatures(version: LoadedVersion) -> dict:
    return {"signatures": {name: signature.described for name, signature in version.signatures.items()}}


def status(models: Models, target: Target) -> dict:
    """Return the states of the versions of a model; by label, those of all versions.

    Raises:
        RequestError: If there is no such model or version.
    """
    model = models.model(target.model)
    versions = [] if model is None else model.status
    if not versions:
        raise RequestError("NOT_FOUND", f"Could not find any versions of model {target.model}")
    if target.version is not None:
        versions = [one for one in versions if one.number == target.version]
        if not versions:
            raise RequestError("NOT_FOUND", f"Could not find version {target.version} of model {target.model}")
    return {"model_version_status": [one.described for one in versions]}


def metadata(models: Models, target: Target) -> dict:
    """Return the signatures of a version, as TensorFlow Serving writes them.

    Raises:
        RequestError: If there is no such model or version.
    """
    check_label(target)
    with models.using(target.model, target.version) as version:
        signatures = {
            name: json_format.MessageToDict(
                proto, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
            for name, proto in version.signature_protos.items()
        }
        return {
            "model_spec": {"name": version.name, "signature_name": "", "version": str(version.number)},
            "metadata": {"signature_def": {"signature_def": signatures}},
        }


def example(models: Models, name: str, signature: str) -> dict:
    """Return the example of a request of a signature.

    Raises:
        RequestError: If there is no such model or signature.
    """
    with models.using(name) as version:
        return version.signature(signature).example


def not_classified(models: Models, target: Target) -> RequestError:
    """Return the answer to `:classify` and `:regress`, which need a signature that takes tf.Example."""
    model = models.model(target.model)
    if model is None or not model.available:
        return not_found(target.model, target.version)
    return invalid(f"No signature of {target.model} takes serialized tf.Example; use :predict, not :{target.action}")
