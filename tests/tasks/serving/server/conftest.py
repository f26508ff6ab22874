"""Servers of exported models: of models with a few ops, in this process, and of the tasks' exports, in another one."""

import asyncio
import contextlib
import gc
import json
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import tensorflow as tf

from tasks.serving.server import grpc_service
from tasks.serving.server.batching import BatchingSettings
from tasks.serving.server.connections import ClosingMiddleware, HTTPServer, bound_socket
from tasks.serving.server.http import Application, Limits
from tasks.serving.server.measurements import Measurements
from tasks.serving.server.models import Models


class SmallModel(tf.Module):
    """Signatures that show which version answered, how many rows it answered together, and that refuse a text.

    Args:
        number: What the answers show.
    """

    def __init__(self, number: int):
        super().__init__()
        self.number = tf.Variable(number)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def measure(self, text):
        with tf.control_dependencies([tf.debugging.assert_none_equal(text, "bad", message="bad is no text")]):
            lengths = tf.strings.length(text, "UTF8_CHAR")
        return {
            "length": lengths,
            "text": text,
            "rows": tf.fill([tf.size(text)], tf.size(text)),
            "version": tf.fill([tf.size(text)], self.number),
        }

    @tf.function(
        input_signature=[tf.TensorSpec([None, 2], tf.float32, "x"), tf.TensorSpec([], tf.int32, "factor")],
        autograph=False,
    )
    def scale(self, x, factor):
        return {"scaled": x * tf.cast(factor, tf.float32), "rows": tf.fill([tf.shape(x)[0]], tf.shape(x)[0])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def split(self, text):
        return {"characters": tf.strings.unicode_split(text, "UTF-8").to_tensor("")}

    @tf.function(
        input_signature=[
            *(tf.TensorSpec([None], dtype, dtype.name) for dtype in (tf.bool, tf.int8, tf.int64, tf.uint32)),
            tf.TensorSpec([None], tf.float64, "float64"),
            tf.TensorSpec([None], tf.string, "raw_bytes"),
        ],
        autograph=False,
    )
    def echo(self, bool, int8, int64, uint32, float64, raw_bytes):
        given = {"bool": bool, "int8": int8, "int64": int64, "uint32": uint32, "float64": float64}
        return {name: tf.identity(value) for name, value in {**given, "raw_bytes": raw_bytes}.items()}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float16, name="half")], autograph=False)
    def half(self, half):
        return {"half": half}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="steps")], autograph=False)
    def count(self, steps):
        """Takes about a second for 1,000,000 steps."""
        total = tf.while_loop(lambda i: i < tf.reduce_max(steps), lambda i: (i + 1,), [tf.constant(0)])
        return {"steps": tf.fill([tf.size(steps)], total[0])}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, "prompt"), tf.TensorSpec([None], tf.int64, "seed")],
        autograph=False,
    )
    def begin(self, prompt, seed):
        return {"text": prompt, **self._state(tf.zeros_like(seed, tf.int32), tf.fill(tf.shape(prompt), ""))}

    @tf.function(
        input_signature=[
            *(tf.TensorSpec([None, 1], tf.int32, "generation_state"), tf.TensorSpec([None], tf.string, "pending")),
            *(tf.TensorSpec([None], tf.int32, "length"), tf.TensorSpec([None], tf.float32, "temperature")),
        ],
        autograph=False,
    )
    def go_on(self, generation_state, pending, length, temperature):
        """Generates the alphabet, again and again above temperature 1; each part keeps its last letter for the next."""
        generated = generation_state[:, 0]
        with tf.control_dependencies(
            [tf.debugging.assert_non_negative(temperature, message="temperature is negative")]
        ):
            letters = tf.strings.substr(tf.fill(tf.shape(pending), LETTERS), generated % len(LETTERS), length)
        text = tf.strings.join([pending, tf.strings.substr(letters, 0 * length, tf.strings.length(letters) - 1)])
        after = generated + length
        return {
            "text": text,
            "finished": (after >= len(LETTERS)) & (temperature <= 1),
            **self._state(after, tf.strings.substr(letters, -1, 1)),
        }

    def _state(self, generated, pending):
        candidates = tf.fill([tf.size(pending), 2], "é")
        return {
            "pending": pending,
            "candidates": candidates,
            "candidate_probabilities": tf.fill(tf.shape(candidates), 0.5),
            "generation_state": generated[:, None],
        }


LETTERS = "abcdefghijklmnopqrstuvwxyz"
# What an export states about its inputs.
RANGES = {
    "begin": {"seed": {"type": "integer", "default": 0}},
    "continue": {"temperature": {"type": "number", "minimum": 0.0, "default": 1.0}},
}


def write_model(folder: Path, number: int) -> Path:
    """Writes a version of a small model; it appears whole."""
    model, hidden = SmallModel(number), folder / f".writing-{number}"
    names = {"serving_default": "measure"} | {name: name for name in ("scale", "split", "echo", "half", "count")}
    names |= {"begin": "begin", "continue": "go_on"}
    signatures = {name: getattr(model, method) for name, method in names.items()}
    tf.saved_model.save(model, str(hidden), signatures)
    (hidden / "assets.extra").mkdir()
    (hidden / "assets.extra" / "inputs.json").write_text(json.dumps(RANGES))
    return hidden.rename(folder / str(number))


@pytest.fixture(scope="session")
def small_model(tmp_path_factory) -> Callable[[Path, int], Path]:
    """Copies a small model to FOLDER/NUMBER; each number is written once."""
    written = tmp_path_factory.mktemp("small_models")

    def copy(folder: Path, number: int = 1) -> Path:
        if not (written / str(number)).exists():
            write_model(written, number)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(written / str(number), folder / f".writing-{number}")
        return (folder / f".writing-{number}").rename(folder / str(number))

    return copy


class Server:
    """A server in a thread of this process.

    Args:
        paths: The models.
        limits: Limits of a request.
        names: The names that it answers to; None for all.
        batching: How requests are put together.
        **options: Further ones of `Models`.
    """

    def __init__(self, *paths: Path, limits: Limits | None = None, batching=None, names=None, **options):
        metrics = Measurements()
        self.models = Models(
            tuple(map(str, paths)),
            poll_seconds=0.05,
            batching=batching or BatchingSettings(),
            observe=metrics.rows,
            **options,
        )
        self.application = Application(self.models, limits or Limits(), metrics)
        self._socket = bound_socket("127.0.0.1", 0)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = ClosingMiddleware(self.application.asgi(False, names), lambda: self.application.stopping)
        self.http = HTTPServer(app, self._stopping, 30.0)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._session = requests.Session()

    def _stopping(self) -> None:
        self.application.stopping = True

    async def _serve(self) -> None:
        limits = self.application.limits
        grpc_server, self.grpc_port = await grpc_service.start(
            ("127.0.0.1", 0), self.models, limits.timeout, limits.max_body_bytes, self.application.measurements
        )
        await self.http.serve(sockets=[self._socket])
        await grpc_server.stop(1.0)

    def __enter__(self) -> "Server":
        # The server collects garbage when it unloads a version: of many tests before, that takes minutes.
        gc.collect()
        gc.freeze()
        self._thread.start()
        self.models.start()
        assert self.models.loaded.wait(60)
        return self

    def __exit__(self, *_) -> None:
        self.models.stop()
        self._session.close()
        self.http.should_exit = True
        self._thread.join()

    def get(self, path: str) -> requests.Response:
        return self._session.get(self.url + path)

    def post(self, path: str, content, **options) -> requests.Response:
        """Sends JSON, or bytes as they are."""
        named = {"data": content} if isinstance(content, bytes) else {"json": content}
        return requests.post(self.url + path, **named, **options)

    def predict(self, content, model: str = "small", **options) -> requests.Response:
        return self.post(f"/v1/models/{model}:predict", content, **options)

    def states(self, model: str = "small") -> dict[str, str]:
        """Version -> its state and the message, if it has one."""
        found = self.get(f"/v1/models/{model}").json()["model_version_status"]
        return {one["version"]: f"{one['state']} {one['status']['error_message']}".strip() for one in found}

    def wait_for(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < end, self.states()
            time.sleep(0.02)


@pytest.fixture(scope="session")
def serving() -> type[Server]:
    """`with serving(FOLDER) as server:` starts a server in this process."""
    return Server


@pytest.fixture(scope="session")
def server(small_model, tmp_path_factory) -> Iterator[Server]:
    """A server of a small model, shared by tests that change nothing."""
    folder = tmp_path_factory.mktemp("served")
    small_model(folder / "small")
    with Server(folder) as running:
        yield running


class ServerProcess:
    """`python -m tasks.serving ARGUMENTS`, with a free port.

    Args:
        process: Starts `python ARGUMENTS`.
        *arguments: Of the command.
    """

    def __init__(self, process, *arguments):
        self.process = process("-u", "-m", "tasks.serving", *arguments, "--port", "0", "--poll-seconds", "0.2")
        self.lines: list[str] = []
        self.url = self.grpc = ""
        for line in self.process.stdout:
            self.lines.append(line.decode())
            if line.startswith(b"Serving at "):
                self.url = line.decode().split()[-1].rstrip("/")
            elif line.startswith(b"gRPC at "):
                self.grpc = line.decode().split()[-1]
            elif self.url:
                break

    def stop(self) -> tuple[int, str]:
        """Sends SIGTERM; returns the exit code, and what is on standard error."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=60)
        self.lines += out.decode().splitlines(keepends=True)
        return self.process.returncode, err.decode()


@pytest.fixture(scope="session")
def server_process(process) -> Callable[..., contextlib.AbstractContextManager[ServerProcess]]:
    """`with server_process(FOLDER, "--option", ...) as server:` starts the command; it is killed at the end."""

    @contextlib.contextmanager
    def start(*arguments):
        started = ServerProcess(process, *arguments)
        try:
            yield started
        finally:
            started.process.kill()
            started.process.communicate()

    return start


@pytest.fixture(scope="session")
def exports(small_tasks, tmp_path_factory) -> Path:
    """A folder with an exported model of each task."""
    folder = tmp_path_factory.mktemp("exports")
    for name, small in small_tasks.items():
        shutil.copytree(small.model(), folder / name / "1")
    return folder


@pytest.fixture(scope="session")
def tasks_server(server_process, exports) -> Iterator[ServerProcess]:
    """A server of the exported models of all tasks."""
    with server_process(exports, "--grpc-port", "0") as started:
        assert started.url, started.process.stderr.read().decode()
        yield started
