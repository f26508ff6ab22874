"""The description of the interface in OpenAPI 3.1, made from the signatures of the models."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import tensorflow as tf

from tasks.serving.server import streaming
from tasks.serving.server.models import Models
from tasks.serving.server.signatures import Signature, TensorInfo

ERROR = {"$ref": "#/components/responses/Error"}
ERRORS = dict.fromkeys(("400", "404", "413", "429", "504"), ERROR)
VERSION = {"name": "version", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
COMPONENTS = {
    "schemas": {
        "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
        "Text": {
            "description": "A text, or bytes in base64.",
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "required": ["b64"],
                    "properties": {"b64": {"type": "string", "contentEncoding": "base64"}},
                    "additionalProperties": False,
                },
            ],
        },
        "Status": {
            "type": "object",
            "properties": {
                "model_version_status": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "version": {"type": "string"},
                            "state": {"enum": ["START", "LOADING", "AVAILABLE", "UNLOADING", "END"]},
                            "status": {
                                "type": "object",
                                "properties": {"error_code": {"type": "string"}, "error_message": {"type": "string"}},
                            },
                        },
                    },
                }
            },
        },
    },
    "responses": {
        "Error": {
            "description": "What is wrong with the request.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    },
}


def description(models: Models) -> dict:
    """Return the description of the newest version of each model."""
    paths: dict[str, Any] = {
        "/v1/models": {"get": _get("List the models with their signatures.", {"type": "object"})},
        "/healthz": {"get": _get("Whether the process lives.", {"type": "object"})},
        "/readyz": {"get": _get("Whether every model is loaded and warmed.", {"type": "object"})},
    }
    for model in models.all:
        base = f"/v1/models/{quote(model.name, safe='')}"
        paths[base] = {"get": _get("The states of the versions.", {"$ref": "#/components/schemas/Status"})}
        for version in model.available[:1]:
            signatures = version.signatures
            paths[f"{base}:predict"] = {"post": _predict(model.name, signatures)}
            paths[f"{base}/versions/{{version}}:predict"] = paths[f"{base}:predict"] | {"parameters": [VERSION]}
            if values := streaming.values(signatures):
                paths[f"{base}:stream"] = {"post": _stream(model.name, values)}
            paths[f"{base}/metadata"] = {"get": _get("The signatures, as protocol buffers.", {"type": "object"})}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Exported models", "version": "1"},
        "paths": paths,
        "components": COMPONENTS,
    }


def _get(summary: str, schema: dict) -> dict:
    answer = {"description": "The answer.", "content": {"application/json": {"schema": schema}}}
    return {"summary": summary, "responses": {"200": answer, **ERRORS}}


def _predict(model: str, signatures: Mapping[str, Signature]) -> dict:
    requests = [_request(one) for one in signatures.values()]
    answers = [answer for one in signatures.values() for answer in _answers(one)]
    content = {
        "schema": {"anyOf": requests},
        "examples": {name: {"value": one.example} for name, one in signatures.items()},
    }
    # Any media type is accepted; the body is JSON.
    return {
        "summary": f"Call a signature of {model}.",
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": {"anyOf": answers}}}},
            **ERRORS,
        },
    }


def _stream(model: str, values: Mapping[str, tuple[TensorInfo, Mapping[str, Any]]]) -> dict:
    def number(default: int, maximum: int) -> dict:
        return {"type": "integer", "minimum": 1, "maximum": maximum, "default": default}

    schema = {
        "type": "object",
        "properties": {
            **{name: _schema(one, accepted)["items"] for name, (one, accepted) in values.items()},
            "length": number(streaming.LENGTH, streaming.MAX_LENGTH),
            "characters": number(streaming.CHARACTERS, streaming.MAX_CHARACTERS),
        },
        "required": [name for name, (_, accepted) in values.items() if "default" not in accepted],
        "additionalProperties": False,
    }
    answer = {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    return {
        "summary": f"Generate text with {model}, in parts.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": answer, **ERRORS},
    }


def _request(signature: Signature) -> dict:
    """Return the schema of a request, in rows or columns."""
    columns = {name: _schema(one, signature.ranges.get(name, {})) for name, one in signature.inputs.items()}
    rows = {name: column.get("items", column) for name, column in columns.items()}
    forms = [{"required": ["inputs"], "properties": {"inputs": _values(columns)}}]
    if signature.takes_rows:
        items = {"type": "array", "minItems": 1, "items": _values(rows)}
        forms.append({"required": ["instances"], "properties": {"instances": items}})
    name = {"type": "string", "const": signature.name}
    required = [] if signature.name == "serving_default" else ["signature_name"]
    return {
        "title": signature.name,
        "type": "object",
        "properties": {"signature_name": name},
        "required": required,
        "anyOf": forms,
    }


def _values(schemas: Mapping[str, dict]) -> dict:
    """Return the schema of named values; a single one may stand without its name."""
    named = {"type": "object", "properties": dict(schemas), "required": [*schemas]}
    return {"anyOf": [named, *schemas.values()]} if len(schemas) == 1 else named


def _answers(signature: Signature) -> list[dict]:
    columns = {name: _schema(one, {}) for name, one in signature.outputs.items()}
    rows = {name: column.get("items", column) for name, column in columns.items()}
    single = len(columns) == 1

    def values(schemas: Mapping[str, dict]) -> dict:
        return next(iter(schemas.values())) if single else _values(schemas)

    return [
        {
            "title": signature.name,
            "type": "object",
            "required": ["predictions"],
            "properties": {"predictions": {"type": "array", "items": values(rows)}},
        },
        {
            "title": signature.name,
            "type": "object",
            "required": ["outputs"],
            "properties": {"outputs": values(columns)},
        },
    ]


def _schema(one: TensorInfo, accepted: Mapping[str, Any]) -> dict:
    """Return the schema of a tensor."""
    if one.dtype == tf.string:
        schema: dict[str, Any] = {"$ref": "#/components/schemas/Text"}
    elif one.dtype == tf.bool:
        schema = {"type": "boolean"}
    else:
        schema = {"type": "integer" if one.dtype.is_integer else "number", **accepted}
    for size in reversed(one.shape or ()):
        sizes = {} if size is None else {"minItems": size, "maxItems": size}
        schema = {"type": "array", "items": schema, **sizes}
    return schema
