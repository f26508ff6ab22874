"""A version of a model in memory: read, checked, warmed, and dropped after its last request."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tasks.data.stored_files import read_json, reading, verify
from tasks.errors import UserError
from tasks.serving import file_operations
from tasks.serving.export import CHECKSUMS
from tasks.serving.server import json_tensors
from tasks.serving.server.batching import Batcher
from tasks.serving.server.errors import RequestError, invalid
from tasks.serving.server.request_queue import Arrays, BatchingSettings, Reply
from tasks.serving.server.signatures import Signature

log = logging.getLogger(__name__)

REMEDY = "export the run again"
WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"
# The JSON Schemas of the numbers that signatures accept.
RANGES = Path("assets.extra") / "inputs.json"
# As in TensorFlow Serving.
MAX_WARMUP_RECORDS = 1000
# The signature that initializes tables; no client calls it.
INITIALIZER = "__saved_model_init_op"


class LoadedVersion:
    """A version of a model that answers requests.

    Args:
        name: The model's name.
        number: The version's number.
        folder: Its folder.
        settings: How requests are put together.
        observe: Returns for a signature the function that is called with the rows of each call of the model.
    """

    def __init__(
        self,
        name: str,
        number: int,
        folder: Path,
        settings: BatchingSettings,
        observe: Callable[[str], Callable[[int], None]] = lambda signature: lambda rows: None,
    ):
        self.name, self.number, self.folder = name, number, folder
        graph = read_graph(folder)
        self.signature_protos = dict(sorted(graph.signature_def.items()))
        ranges = read_ranges(folder)
        self.signatures = {
            key: Signature.of(key, proto, ranges.get(key, {}))
            for key, proto in self.signature_protos.items()
            if key != INITIALIZER
        }
        if uses_text_ops(graph):
            import tensorflow_text  # noqa: F401  registers the ops
        with reading(folder, REMEDY):
            # The functions do not keep the object of the model alive, and its variables with it.
            self._model = tf.saved_model.load(folder)
            functions = {key: self._model.signatures[key] for key in self.signatures}
        self._batchers = {
            key: Batcher(self.signatures[key], function, settings, observe(key)) for key, function in functions.items()
        }
        self._users, self._lock, self._closed = 0, threading.Lock(), False
        self.warm_signatures: set[str] = set()

    def signature(self, name: str) -> Signature:
        """Return a signature.

        Raises:
            RequestError: If there is none of this name.
        """
        if name not in self.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        return self.signatures[name]

    def submit(self, signature: str, arrays: Arrays, deadline: float = float("inf")) -> Future:
        """Queue a request; see `Batcher.submit`."""
        return self._batchers[signature].submit(self.signature(signature).checked(arrays), deadline)

    def queue(self, signature: str, arrays: Arrays, deadline: float, reply: Reply) -> None:
        """Queue a request whose answer something else than a future receives; see `Batcher.queue`."""
        self._batchers[signature].queue(self.signature(signature).checked(arrays), deadline, reply)

    def warm_up(self) -> None:
        """Answer the warm-up requests of the export, and an example for each signature that they leave out.

        Raises:
            UserError: If a request of the export fails; the version is then not served.
        """
        path = self.folder / WARMUP
        if path.exists():
            with reading(path, REMEDY, "has a request that the model does not answer"):
                for signature, arrays in warmup_requests(path):
                    self.submit(signature, arrays).result()
                    self.warm_signatures.add(signature)
        for key, signature in self.signatures.items():
            if key not in self.warm_signatures:
                try:
                    arrays, _ = json_tensors.read_inputs(signature.example, signature)
                    self.submit(key, arrays).result()
                    self.warm_signatures.add(key)
                except RequestError as error:  # of a model whose inputs have other ranges
                    log.info("%s, version %d: no example for signature %s: %s", self.name, self.number, key, error)

    def acquire(self) -> bool:
        """Note that a request uses the version; return False if it is no longer served."""
        with self._lock:
            self._users += not self._closed
            return not self._closed

    def release(self) -> None:
        """Note that a request is answered."""
        with self._lock:
            self._users -= 1

    def close(self) -> None:
        """Accept no further requests; those that were accepted are answered."""
        with self._lock:
            self._closed = True

    @property
    def is_unused(self) -> bool:
        """Whether no request uses the version, after `close`."""
        return self._closed and self._users == 0

    def drop(self) -> list[threading.Thread]:
        """Let go of the model; return the threads, which end after the last request."""
        self._model = None
        return [batcher.close() for batcher in self._batchers.values()]

    @property
    def waiting(self) -> dict[str, int]:
        """Number of waiting requests of each signature."""
        return {key: batcher.waiting for key, batcher in self._batchers.items()}


def load(
    name: str, number: int, folder: Path, settings: BatchingSettings, observe: Callable, trust: bool = False
) -> LoadedVersion:
    """Load a version of a model, and warm it.

    Raises:
        UserError: If it is damaged, does not answer its warm-up requests, or has operations on files and is not
            trusted.
    """
    began = time.monotonic()
    if (folder / CHECKSUMS).exists():
        verify(folder, read_json(folder / CHECKSUMS, REMEDY), REMEDY)
    if not trust:
        file_operations.check(folder)
    version = LoadedVersion(name, number, folder, settings, observe)
    loaded = time.monotonic()
    try:
        version.warm_up()
    except BaseException:
        version.drop()
        raise
    seconds = time.monotonic() - loaded
    log.info("%s, version %d: loaded in %.1f s, warmed in %.1f s", name, number, loaded - began, seconds)
    return version


def read_graph(folder: Path):
    """Return the `MetaGraphDef` of a SavedModel for serving.

    Raises:
        UserError: If it cannot be read, or has none.
    """
    path = folder / "saved_model.pb"
    with reading(path, REMEDY):
        saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    graphs = [one for one in saved_model.meta_graphs if "serve" in one.meta_info_def.tags]
    if len(graphs) != 1 or not {*graphs[0].signature_def} - {INITIALIZER}:
        raise UserError(f"{path} has no graph with signatures for serving; {REMEDY}")
    return graphs[0]


def read_ranges(folder: Path) -> dict[str, dict[str, dict]]:
    """Return the ranges of inputs that an export states: signature -> input -> JSON Schema.

    Raises:
        UserError: If the file cannot be read.
    """
    if not (folder / RANGES).exists():
        return {}
    found = read_json(folder / RANGES, REMEDY)
    if not isinstance(found, dict) or not all(
        isinstance(inputs, dict) and all(isinstance(one, dict) for one in inputs.values()) for inputs in found.values()
    ):
        raise UserError(f"{folder / RANGES} is damaged: it has no ranges of inputs; {REMEDY}")
    return found


def uses_text_ops(graph) -> bool:
    """Return whether a graph has ops of TensorFlow Text."""
    nodes = itertools.chain(graph.graph_def.node, *(one.node_def for one in graph.graph_def.library.function))
    return any(node.op.startswith("Sentencepiece") for node in nodes)


def warmup_requests(path: Path) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Return the requests of a warm-up file: signature, and inputs by name.

    Raises:
        ValueError: If it has a record of another kind, or too many.
    """
    from tensorflow_serving.apis import prediction_log_pb2

    requests = []
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        if not log.HasField("predict_log"):
            raise ValueError("a record is no predict request")
        request = log.predict_log.request
        arrays = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        requests.append((request.model_spec.signature_name or "serving_default", arrays))
    if len(requests) > MAX_WARMUP_RECORDS:
        raise ValueError(f"{len(requests)} records; the maximum is {MAX_WARMUP_RECORDS}")
    return requests
