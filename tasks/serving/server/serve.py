"""The command `python -m tasks.serving`: loads models, answers requests, and stops without losing one."""

import asyncio
import json
import logging
import os
import shlex
import signal
import socket
import sys
from urllib.parse import quote, urlsplit

from tasks.errors import UserError
from tasks.serving.server.connections import ClosingMiddleware, HTTPServer, bound_socket, loop_factory, raise_file_limit
from tasks.serving.server.hosts import is_loopback
from tasks.serving.server.http import Application, Limits
from tasks.serving.server.measurements import Measurements
from tasks.serving.server.models import Models
from tasks.serving.server.request_queue import BatchingSettings
from tasks.serving.server.runs import Runs
from tasks.serving.server.settings import ServeArguments

log = logging.getLogger(__name__)

# Longer requests, such as one with the states of a network, are fetched from the server in the example of a command.
MAX_EXAMPLE_LENGTH = 400
# For calls of models that nobody waits for any more.
END_SECONDS = 1.0


def main(arguments: ServeArguments) -> None:
    """Run the command.

    Raises:
        UserError: If there is no model, none can be loaded, or the port is in use.
    """
    raise_file_limit()
    runs = Runs(arguments.run)
    measurements = Measurements()
    models = Models(
        arguments.paths,
        arguments.num_versions,
        arguments.poll_seconds,
        BatchingSettings(arguments.max_batch_size, arguments.batch_milliseconds / 1000, arguments.queue_size),
        measurements.rows,
        arguments.trust,
    )
    limits = Limits(arguments.timeout, int(arguments.max_body_size * (1 << 20)))
    listening = bound_socket(arguments.host, arguments.port)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(arguments, models, Application(models, limits, measurements, runs), listening))
    finally:
        listening.close()
        has_ended = models.end(END_SECONDS)
    if not has_ended:
        # Python would end the thread inside of TensorFlow, which then aborts the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


async def _serve(arguments: ServeArguments, models: Models, application: Application, listening: socket.socket) -> None:
    grpc_server, grpc_port, stopping = None, None, []
    if arguments.grpc_port is not None:
        from tasks.serving.server import grpc_service  # it takes half a second to import

        grpc_server, grpc_port = await grpc_service.start(
            (arguments.host, arguments.grpc_port),
            models,
            arguments.timeout,
            application.limits.max_body_bytes,
            application.measurements,
        )

    def stop() -> None:
        application.stopping = True
        if grpc_server is not None:
            stopping.append(asyncio.create_task(grpc_server.stop(arguments.timeout)))

    local = is_loopback(listening.getsockname()[0])
    names = (arguments.host, *arguments.allowed_hosts) if local or arguments.allowed_hosts else None
    app = ClosingMiddleware(application.asgi(arguments.cors, names), lambda: application.stopping)
    server = HTTPServer(app, stop, arguments.timeout)
    failed: list[UserError] = []

    def end() -> None:
        server.force_exit = server.should_exit  # the second signal
        server.should_exit = True

    async def announce() -> None:
        await asyncio.to_thread(models.loaded.wait)
        if any(model.available for model in models.all):
            print(announcement(_address(listening), models, grpc_port), flush=True)
        elif not server.should_exit:
            reasons = [f"{name}: {reason}" for name, reason in models.not_ready.items()]
            failed.append(UserError(f"no model can be loaded; {'; '.join(reasons)}"[:1000]))
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    models.start()
    announcing = asyncio.create_task(announce())
    try:
        await server.serve(sockets=[listening])
        await asyncio.gather(*stopping)
    finally:
        announcing.cancel()
        models.stop()
        models.loaded.set()
    if failed:
        raise failed[0]
    log.info("stopped: every accepted request is answered")


def _address(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}"


def announcement(address: str, models: Models, grpc_port: int | None) -> str:
    """Return the address of the page, and a command for each signature that answers its example."""
    lines = [f"Serving at {address}/"]
    if grpc_port is not None:
        lines.append(f"gRPC at {urlsplit(address).hostname}:{grpc_port}")
    for model in models.all:
        for version in model.available[:1]:
            lines += [
                f"\n{model.name}, version {version.number}, signature {name} ({signature.kind}):\n"
                f"{curl_command(address, model.name, name, json.dumps(signature.example, ensure_ascii=False))}"
                for name, signature in version.signatures.items()
                if name in version.warm_signatures
            ]
    encoding = sys.stdout.encoding or "ascii"
    return "\n".join(lines).encode(encoding, "replace").decode(encoding)


def curl_command(address: str, model: str, signature: str, example: str) -> str:
    """Return a command line that sends the example of a signature."""
    name = quote(model, safe="")
    url = shlex.quote(f"{address}/v1/models/{name}:predict")
    if len(example) <= MAX_EXAMPLE_LENGTH:
        return f"curl -d {shlex.quote(example)} {url}"
    fetched = shlex.quote(f"{address}/examples/{name}/{quote(signature, safe='')}")
    return f"curl -s {fetched} | curl -d @- {url}"
