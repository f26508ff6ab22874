"""Generated text by server-sent events, with the signatures `begin` and `continue` of an exported language model.

`begin` processes a prompt, and `continue` generates the next characters. All that it needs is among its inputs, so
texts of several clients are generated together, and a client that leaves costs nothing from then on.
"""

import json
import math
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from starlette.responses import StreamingResponse

from tasks.serving.server import json_tensors
from tasks.serving.server.answering import answered
from tasks.serving.server.errors import RequestError, invalid
from tasks.serving.server.loading import LoadedVersion
from tasks.serving.server.models import Models
from tasks.serving.server.rest import Target, check_label
from tasks.serving.server.signatures import Signature, TensorInfo

BEGIN, CONTINUE = "begin", "continue"
# Outputs of both signatures that are inputs of the next call under the same names, and are not shown to clients.
TEXTS = ("text", "pending", "candidates", "candidate_probabilities", "finished")
# Characters of an event, and of a text, where the request names no number.
CHARACTERS, LENGTH = 8, 200
MAX_CHARACTERS, MAX_LENGTH = 256, 100_000


class StreamRequest(NamedTuple):
    """What a client asks for.

    Attributes:
        inputs: Values of the inputs of both signatures, by name.
        length: Maximum number of characters of the text.
        characters: Maximum number of characters of an event.
    """

    inputs: Mapping[str, Any]
    length: int
    characters: int


def values(signatures: Mapping[str, Signature]) -> dict[str, tuple[TensorInfo, Mapping[str, Any]]]:
    """Return what a request has besides `length` and `characters`, with the range of each; nothing without a stream."""
    if not {BEGIN, CONTINUE} <= {*signatures}:
        return {}
    begin, go_on = signatures[BEGIN], signatures[CONTINUE]
    handed_on = {"length", *({*go_on.inputs} & {*begin.outputs})}
    found: dict[str, tuple[TensorInfo, Mapping[str, Any]]] = {}
    for signature in (begin, go_on):
        for name in [one for one in signature.inputs if one not in handed_on]:
            found.setdefault(name, (signature.inputs[name], signature.ranges.get(name, {})))
    return found


def parse(body: bytes, version: LoadedVersion) -> StreamRequest:
    """Return what a body asks for: `{"prompt": ..., "length": ..., "characters": ..., "temperature": ..., ...}`.

    Raises:
        RequestError: If the model has no signatures for it, or a value is missing, unknown or out of range.
    """
    known = values(version.signatures)
    if not known:
        raise invalid(f"{version.name} generates no text in parts: it has no signatures {BEGIN} and {CONTINUE}")
    given = dict(json_tensors.parse(body).document)
    length = _number(given, "length", LENGTH, MAX_LENGTH)
    characters = _number(given, "characters", CHARACTERS, MAX_CHARACTERS)
    unknown = [name for name in given if name not in known]
    if unknown:
        raise invalid(f"Unknown value: {unknown[0]}; a stream has {', '.join(known)}, length and characters")
    for name, (_, accepted) in known.items():
        if name not in given:
            if "default" not in accepted:
                raise invalid(f"Missing value: {name}")
            given[name] = accepted["default"]
    return StreamRequest(given, length, characters)


def _number(given: dict[str, Any], name: str, default: int, most: int) -> int:
    value = given.pop(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise invalid(f"{name}: expected a whole number from 1 to {most:,}, got {json.dumps(value)[:100]}")
    return value


def _inputs(values: Mapping[str, Any], signature: Signature) -> dict[str, np.ndarray]:
    """Return one row of the inputs of a signature, of those that are given."""
    given = {name: [values[name]] for name in signature.inputs if name in values}
    part = Signature(signature.name, {name: signature.inputs[name] for name in given}, {})
    return json_tensors.read_inputs({"inputs": given}, part)[0]


async def events(
    models: Models, target: Target, body: bytes, timeout: float, labels: dict[str, str]
) -> AsyncIterator[dict]:
    """Yield the parts of a text: the prompt, what follows it, and a last one with `done`.

    The version stays in memory until the text is complete, also if a newer one takes its place.

    Args:
        models: The models.
        target: The model.
        body: The body of the request.
        timeout: Seconds until a part is given up.
        labels: Receives version and signature.

    Raises:
        RequestError: If the request is wrong, or a part cannot be generated.
    """
    check_label(target)
    with models.using(target.model, target.version) as version:
        labels.update(version=str(version.number), signature=CONTINUE)
        asked = parse(body, version)
        begin, go_on = version.signatures[BEGIN], version.signatures[CONTINUE]
        fixed = _inputs(asked.inputs, go_on)
        outputs = await answered(version, BEGIN, _inputs(asked.inputs, begin), time.monotonic() + timeout)
        yield {"index": 0, "generated": 0, "model": version.name, "version": version.number, **_shown(outputs)}
        generated, index, finished = 0, 0, False
        while generated < asked.length and not finished:
            size = min(asked.characters, asked.length - generated)
            states = {name: outputs[name] for name in go_on.inputs if name in outputs}
            length = {"length": np.array([size], np.int32)}
            outputs = await answered(version, CONTINUE, states | fixed | length, time.monotonic() + timeout)
            generated, index, finished = generated + size, index + 1, bool(outputs["finished"][0])
            yield {"index": index, "generated": generated, **_shown(outputs)}
        # Nothing follows that could change the end of the text.
        end = _shown(outputs).get("pending", "")
        yield {"done": True, "finished": finished, "generated": generated, "text": end, "pending": ""}


def _shown(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the outputs that clients see, of the one row."""
    return {name: _value(outputs[name][0]) for name in TEXTS if name in outputs}


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_value(one) for one in value.tolist()]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


class EventResponse(StreamingResponse):
    """Server-sent events.

    Args:
        parts: The events.
        first: The one before them: an error in the request is then no event, but the answer.
    """

    def __init__(self, parts: AsyncIterator[dict], first: dict):
        async def written() -> AsyncIterator[str]:
            try:
                yield _event(first)
                async for part in parts:
                    yield _event(part)
            except RequestError as error:
                yield _event({"error": str(error)}, "error")
            finally:
                await parts.aclose()  # of a client that has left: let go of the version

        super().__init__(written(), media_type="text/event-stream", headers={"cache-control": "no-store"})


def _event(content: dict, kind: str | None = None) -> str:
    name = "" if kind is None else f"event: {kind}\n"
    return f"{name}data: {json.dumps(content, ensure_ascii=False)}\n\n"
