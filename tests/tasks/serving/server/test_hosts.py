"""Names under which the server is asked: a web page whose name leads here is refused."""

import asyncio
import socket
import tracemalloc

import pytest
import requests

from tasks.serving.server.hosts import HostMiddleware

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def named(serving, small_model, tmp_path_factory):
    """A server that answers to one further name."""
    folder = tmp_path_factory.mktemp("named")
    small_model(folder / "small")
    with serving(folder, names=["proxy.example"]) as server:
        yield server


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("evil.example", 403), ("evil.example:8501", 403), ("127.0.0.1.evil.example", 403), ("[", 403)),
        *(("localhost:8501", 200), ("LOCALHOST.", 200), ("127.0.0.1", 200), ("[::1]:8501", 200), ("192.0.2.1:80", 200)),
        *(("models.localhost", 200), ("Proxy.example:443", 200)),
    ],
)
def test_a_web_page_with_a_name_that_leads_here_is_refused(named, host, status):
    for path in ("/v1/models", "/", "/runs"):
        answer = requests.get(named.url + path, headers={"host": host})
        assert answer.status_code == status, answer.text
        assert status == 200 or "--allowed-hosts" in answer.json()["error"]


def test_a_name_that_leads_here_is_refused_also_next_to_another(named):
    for other in (b" localhost", b""):
        client = socket.create_connection(("127.0.0.1", named.port), timeout=20)
        client.sendall(b"GET /v1/models HTTP/1.1\r\nhost:" + other + b"\r\nhost: evil.example\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_long_names_do_not_stay_in_memory():
    async def ask() -> None:
        statuses = []

        async def send(message) -> None:
            statuses.append(message.get("status"))

        app = HostMiddleware(None, [])
        for number in range(50):
            header = b"%d" % number + b"x" * 100_000
            await app({"type": "http", "headers": [(b"host", header)]}, None, send)
        assert statuses == [403, None] * 50
        assert tracemalloc.get_traced_memory()[0] < 1_000_000

    tracemalloc.start()
    try:
        asyncio.run(ask())
    finally:
        tracemalloc.stop()
