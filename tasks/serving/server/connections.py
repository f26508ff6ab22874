"""The connections of the HTTP server: limits for slow clients, and an end at which every request is answered."""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import Callable, Iterator

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from tasks.errors import UserError

# Seconds in which a client sends the headers of a request, and for which a connection stays open between two requests.
HEADER_SECONDS, KEEP_ALIVE_SECONDS = 30.0, 75
# Seconds in which a client reads a part of its answer; one that does not would keep a stream and its version for ever.
READ_SECONDS = 30.0
# Seconds for which clients that keep connections open may send further requests while the server stops. Each answer
# asks its client to close the connection, so only clients that are silent are cut off.
STOP_SECONDS = 1.0
# Connections that wait to be accepted.
BACKLOG = 4096


class Connection(AutoHTTPProtocol):
    """A connection that is closed if no complete request arrives in time, or an answer is not read.

    Uvicorn itself would wait for ever.
    """

    _timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport):
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_for_headers()

    def data_received(self, data):
        """Read what has arrived; the wait ends with the headers of a request."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._timer is None:
            self._wait_for_headers()

    def connection_lost(self, exc):
        """End the wait."""
        self._stop_waiting()
        self._stop_waiting_for_reading()
        super().connection_lost(exc)

    def pause_writing(self):
        """Begin to wait until the client has read a part of what was sent."""
        super().pause_writing()
        self._read_timer = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self):
        """End the wait."""
        self._stop_waiting_for_reading()
        super().resume_writing()

    def _wait_for_headers(self) -> None:
        self._timer = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop_waiting_for_reading(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HTTPServer(uvicorn.Server):
    """Uvicorn's server; whoever runs it receives the signals and sets `should_exit`.

    Args:
        app: The application.
        on_stop: Called when the server begins to stop.
        answer_seconds: Seconds for which accepted requests are answered while it stops.
    """

    def __init__(self, app, on_stop: Callable[[], None], answer_seconds: float):
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="off",
                log_level="warning",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=int(answer_seconds) + 1,
                backlog=BACKLOG,
            )
        )
        self._on_stop = on_stop

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: accept no connection, answer the requests of those that are open, and close them."""
        self._on_stop()
        for server in self.servers:
            server.close()
        end = time.monotonic() + STOP_SECONDS
        while self.server_state.connections and time.monotonic() < end and not self.force_exit:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


class ClosingMiddleware:
    """Asks clients to close their connection with each answer, while the server stops.

    Args:
        app: The application.
        is_stopping: Whether the server stops.
    """

    def __init__(self, app, is_stopping: Callable[[], bool]):
        self._app, self._is_stopping = app, is_stopping

    async def __call__(self, scope, receive, send):
        """Answer a request."""

        async def send_with_header(message):
            if message["type"] == "http.response.start" and self._is_stopping():
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_with_header)


def bound_socket(host: str, port: int, option: str = "--port") -> socket.socket:
    """Return a socket that listens at an address.

    Raises:
        UserError: If the port is in use, or the address is not one of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # With its protocol named, asyncio turns off Nagle's algorithm, which would delay answers by 40 ms.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        raise UserError(address_problem(host, port, option, error)) from None
    return listening


def address_problem(host: str, port: int, option: str, error: OSError) -> str:
    """Return what is wrong with an address."""
    if isinstance(error, socket.gaierror):
        return f"--host {host}: {error.strerror}; name an address of this machine, such as 127.0.0.1 or 0.0.0.0"
    return f"{option} {port}: {error.strerror} ({host}); take another port with {option}, 0 for a free one"


def raise_file_limit() -> None:
    """Allow as many open connections as the system permits; the default is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
