"""Servers of exported models: of models with a few ops, in this process, and of the tasks' exports, in another one."""

import asyncio
import contextlib
import gc
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tasks.serving.server import grpc_service
from tasks.serving.server.connections import ClosingMiddleware, HTTPServer, bound_socket, loop_factory
from tasks.serving.server.http import Application, Limits
from tasks.serving.server.measurements import Measurements
from tasks.serving.server.models import Models
from tasks.serving.server.request_queue import BatchingSettings
from tests.tasks.serving.server.small_model import write_model


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
        self._thread = threading.Thread(target=self._run)
        self._session = requests.Session()

    def samples(self) -> dict[tuple, float]:
        """What is measured: (name, (label, value), ...), sorted by label -> value."""
        text = self.get("/metrics").text
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def _stopping(self) -> None:
        self.application.stopping = True

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self._serve())

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
