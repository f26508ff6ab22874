"""The connections of the HTTP server: limits for slow clients, and an end at which every request is answered."""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import Callable, Iterator

import httptools
import uvicorn
from uvicorn.loops.auto import auto_loop_factory
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tasks.errors import UserError

# Seconds in which a client sends the headers of a request, and for which a connection stays open between two requests.
HEADER_SECONDS, KEEP_ALIVE_SECONDS = 30.0, 75
# Seconds in which a client reads a part of its answer; one that does not would keep a stream and its version for ever.
READ_SECONDS = 30.0
# Seconds for which clients that keep connections open may send further requests while the server stops. Each answer
# asks its client to close the connection, so only clients that are silent are cut off.
STOP_SECONDS = 1.0
# As in uvicorn's other parser, h11.
MAX_HEAD_BYTES = 64 << 10
INVALID = "Invalid HTTP request received."
# Parts of answers above this size are written at once.
GATHERED_BYTES = 64 << 10
# Connections that wait to be accepted.
BACKLOG = 4096


class _GatheredWrites:
    """A transport that writes once for each turn of the event loop.

    The head of an answer and its body are one call of the system, and the answers of a batch are written one after the
    other: the client is woken for several answers, and not while the next one is prepared.

    Args:
        transport: The connection.
        loop: Its event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str):
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write data at the end of this turn; much of it at once, so that a client which does not read is noticed."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        if len(data) > GATHERED_BYTES:
            self._flush()

    def close(self) -> None:
        """Close the connection, after what was written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            data, self._parts = b"".join(self._parts), []
            if not self._transport.is_closing():
                self._transport.write(data)


class Connection(HttpToolsProtocol):
    """A connection that is closed if no complete request arrives in time, or an answer is not read.

    Uvicorn itself would wait for ever, and keep headers of any size in memory.
    """

    _timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None
    _is_in_head, _heads, _head_bytes, _is_refused = True, 0, 0, False

    def connection_made(self, transport):
        """Begin to wait for a request."""
        super().connection_made(_GatheredWrites(transport, self.loop))
        self._wait_for_headers()

    def data_received(self, data):
        """Read what has arrived; the wait ends with the headers of a request."""
        if self._is_refused:
            return
        was_in_head, heads = self._is_in_head, self._heads
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._read_again(data[offer.args[0] :])
        except httptools.HttpParserError:
            self._refuse(INVALID)
        if was_in_head and heads == self._heads:  # nothing but headers
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse("The headers of the request are too large.")
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._timer is None:
            self._wait_for_headers()

    def _read_again(self, rest: bytes) -> None:
        """Read a request that offers another protocol, such as HTTP/2, without the offer: the parser skips its body.

        Args:
            rest: What follows the headers.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = [b"%s: %s\r\n" % one for one in self.headers if one[0] not in (b"connection", b"upgrade")]
        self.parser = httptools.HttpRequestParser(self)
        try:
            self.parser.feed_data(b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, b"".join(headers)) + rest)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # CONNECT
            self._refuse(INVALID)

    def _refuse(self, message: str) -> None:
        """Read nothing further; answer with status 400, or close after the answer to an earlier request.

        Args:
            message: What is wrong.
        """
        self._is_refused = True
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            self.send_400_response(message)
        else:
            self.cycle.keep_alive = False

    def on_headers_complete(self):
        """Begin to answer a request."""
        if not self.parser.should_upgrade():
            self._is_in_head, self._heads, self._head_bytes = False, self._heads + 1, 0
            super().on_headers_complete()

    def on_message_complete(self):
        """Note that headers follow."""
        if not self.parser.should_upgrade():
            self._is_in_head = True
            super().on_message_complete()

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
                proxy_headers=False,
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


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the event loop: uvloop's, if it is installed."""
    return auto_loop_factory(use_subprocess=False)


def raise_file_limit() -> None:
    """Allow as many open connections as the system permits; the default is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
