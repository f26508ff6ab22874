"""Clients that send too much, too slowly, too often, or leave: the others are answered, and the server goes on."""

import contextlib
import gzip
import http.client
import json
import resource
import select
import socket
import threading
import time

import pytest
import requests

from tasks.serving.server import connections
from tasks.serving.server.http import Limits

pytestmark = pytest.mark.slow

GOOD = {"instances": ["a"]}
PREDICT = "/v1/models/small:predict"


@pytest.fixture(scope="module")
def strict(serving, small_model, tmp_path_factory):
    """A server with low limits."""
    folder = tmp_path_factory.mktemp("strict")
    small_model(folder / "small")
    with serving(folder, limits=Limits(timeout=3.0, max_body_bytes=1 << 20)) as server:
        yield server


def is_alive(server) -> bool:
    answer = server.predict(GOOD)
    return answer.status_code == 200 and answer.json()["predictions"][0]["text"] == "a"


def connected(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def test_a_large_body_is_refused_also_if_it_is_compressed_or_has_no_length(strict):
    large = json.dumps({"instances": ["a" * 10_000_000]}).encode()
    packed = strict.predict(gzip.compress(large), headers={"content-encoding": "gzip"})
    connection = http.client.HTTPConnection("127.0.0.1", strict.port)
    connection.request("POST", PREDICT, iter([large[:5_000_000], large[5_000_000:]]))  # in chunks
    chunked = connection.getresponse()
    assert (chunked.status, json.load(chunked)) == (
        413,
        {"error": "The body has more than 1,048,576 bytes, the maximum"},
    )
    for answer in (strict.predict(large), packed):
        assert (answer.status_code, answer.json()["error"][:21]) == (413, "The body has more tha")
    assert is_alive(strict)


def test_a_long_text_and_many_rows_are_answered(strict):
    text = "한" * 100_000
    assert strict.predict({"instances": [text]}).json()["predictions"][0]["length"] == 100_000
    rows = strict.predict({"instances": ["a"] * 5000}).json()["predictions"]
    assert len(rows) == 5000 and max(row["rows"] for row in rows) <= 32


def test_clients_that_send_a_byte_per_second_are_given_up(strict):
    slow = connected(strict)
    slow.sendall(b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{" % PREDICT.encode())
    for _ in range(2):
        time.sleep(0.5)
        slow.sendall(b" ")
        assert is_alive(strict)
    answer = slow.makefile("rb").read().decode()  # to its end: the connection is closed
    assert answer.startswith("HTTP/1.1 408 ") and "did not arrive within 3 seconds" in answer


def test_a_connection_without_a_request_is_closed(strict, monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.5)
    silent, slow = connected(strict), connected(strict)
    slow.sendall(b"POST /v1/models/small:predict HTTP/1.1\r\nhost:")
    assert silent.recv(10) == b"" and slow.recv(10) == b""
    # One that asks again in time stays open.
    kept = http.client.HTTPConnection("127.0.0.1", strict.port)
    for _ in range(4):
        kept.request("POST", PREDICT, json.dumps(GOOD))
        assert kept.getresponse().read()
        time.sleep(0.3)


def test_what_is_not_http_is_refused(strict):
    for sent in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"hello\r\n\r\n"):
        client = connected(strict)
        client.sendall(sent)
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert is_alive(strict)


def test_a_request_is_answered_also_if_what_follows_it_is_none(strict):
    def answers(request: bytes, *rest: bytes) -> list[bytes]:
        client, received = connected(strict), b""
        for part in (request, *rest):
            client.sendall(part)
            time.sleep(0.05)
        while part := client.recv(4096):
            received += part
        return received.split(b"HTTP/1.1 ")[1:]

    def request(document: dict, missing: int = 0) -> bytes:
        body = json.dumps(document, ensure_ascii=False).encode()
        head = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
        return head % (PREDICT.encode(), len(body) - missing) + body

    (answer,) = answers(request(GOOD) + b"hello\r\n\r\n")
    assert answer.startswith(b"200 ") and b"connection: close" in answer
    # A length in characters is too small, and the rest of the body is no request.
    (answer,) = answers(request({"instances": ["좋은 영화"]}, missing=8))
    assert answer.startswith(b"400 ") and b"JSON Parse error" in answer
    slow = request({"signature_name": "count", "instances": [500_000]})
    (answer,) = answers(slow, b"GET / HTTP/1.1\r\na: ", b"x" * 60_000, b"x" * 60_000)
    assert answer.startswith(b"200 ") and b"500000" in answer
    assert is_alive(strict)


def test_headers_without_an_end_are_refused(strict):
    for begin in (b"GET / HTTP/1.1\r\na: ", b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\na: "):
        client = connected(strict)
        client.sendall(begin)
        with contextlib.suppress(ConnectionError):
            for _ in range(400):
                client.sendall(b"x" * 1000 + b"\r\na: ")
                time.sleep(0.001)
        received = b""
        with contextlib.suppress(ConnectionError):
            while part := client.recv(4096):
                received += part
        assert received.split(b"\r\n\r\n")[-1] in (b"The headers of the request are too large.", b"")
        assert not received or b"HTTP/1.1 400 " in received
    assert is_alive(strict)


def test_a_client_that_offers_another_protocol_is_answered(strict):
    body = json.dumps(GOOD).encode()
    head = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n" % (PREDICT.encode(), len(body))
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    client = connected(strict)
    for cut in (0, len(body), 5):  # what comes together with the headers
        client.sendall(head + offer + b"\r\n" + body[:cut])
        time.sleep(0.05)
        client.sendall(body[cut:])
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
    client.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + offer + b"\r\n")
    assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
    client.sendall(b"CONNECT example:80 HTTP/1.1\r\nhost: x\r\n\r\n")
    assert client.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_the_head_of_an_answer_comes_without_a_body_too(strict):
    answer = requests.head(strict.url + "/")
    assert answer.status_code == 200 and int(answer.headers["content-length"]) > 100 and not answer.content
    client = connected(strict)
    body = json.dumps(GOOD).encode()
    head = b"POST %s HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
    client.sendall(head % (PREDICT.encode(), len(body)))
    assert client.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(body)
    assert client.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_clients_that_leave_before_the_answer_do_no_harm(strict):
    for cut in (None, 40):
        for _ in range(20):
            client = connected(strict)
            body = json.dumps(GOOD).encode()
            request = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (
                PREDICT.encode(),
                len(body),
                body,
            )
            client.sendall(request[:cut])
            client.close()
    assert is_alive(strict)


@pytest.fixture
def many_files():
    """Allows this process to open 10,000 files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 10_000:
        pytest.skip(f"no more than {before[1]} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 10_000), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_thousands_of_open_connections_do_not_keep_others_out(many_files, strict):
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(connected(strict)) for _ in range(2500)]
        for client in kept[::10]:  # some have asked before, and keep their connections
            client.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert all(client.recv(4096).startswith(b"HTTP/1.1 200 ") for client in kept[::10])
        assert is_alive(strict)
        assert len(strict.http.server_state.connections) >= 2500
        kept[7].sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert kept[7].recv(4096).startswith(b"HTTP/1.1 200 ")
    strict.wait_for(lambda: len(strict.http.server_state.connections) < 100)
    assert is_alive(strict)


def test_pipelined_requests_are_answered_in_order(strict):
    client = connected(strict)
    bodies = [json.dumps({"instances": [text]}).encode() for text in ("a", "bb", "ccc")]
    client.sendall(
        b"".join(
            b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (PREDICT.encode(), len(body), body)
            for body in bodies
        )
    )
    received = b""
    while received.count(b"predictions") < 3:
        received += client.recv(65536)
    assert received.index(b'"a"') < received.index(b'"bb"') < received.index(b'"ccc"')


def test_a_burst_of_bad_requests_leaves_the_good_ones_alone(strict):
    found = []

    def ask(content) -> None:
        found.append((content is GOOD, strict.predict(content).status_code))

    contents = [GOOD, {"instances": ["bad"]}, b"{", {"instances": []}, {"inputs": [["a"], ["b", "c"]]}] * 8
    threads = [threading.Thread(target=ask, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {*found} == {(True, 200), (False, 400)}


def test_others_are_answered_while_a_body_of_many_rows_is_read(strict):
    body = json.dumps({"instances": ["a"] * 150_000 + [3]})
    connection = http.client.HTTPConnection("127.0.0.1", strict.port)
    connection.request("POST", PREDICT, body)
    answered = 0
    while not select.select([connection.sock], [], [], 0)[0]:
        answered += strict.get("/healthz").status_code == 200
    assert connection.getresponse().status == 400
    assert answered > 10


def test_a_client_that_does_not_read_its_answer_is_disconnected(strict, monkeypatch):
    monkeypatch.setattr(connections, "READ_SECONDS", 0.5)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", strict.port))
    body = json.dumps({"instances": ["a" * 1_000_000]}).encode()
    request = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (PREDICT.encode(), len(body), body)
    waiting = lambda: any(  # noqa: E731
        one.transport.get_write_buffer_size() for one in [*strict.http.server_state.connections]
    )

    def send() -> None:
        with contextlib.suppress(ConnectionError):  # the server reads no further request before its answers are read
            client.sendall(request * 40)

    sending = threading.Thread(target=send)
    sending.start()
    strict.wait_for(waiting)
    # The others stay: one that reads slowly, but reads.
    assert is_alive(strict)
    strict.wait_for(lambda: not waiting())
    sending.join()
    received = 0
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1 << 20):
            received += len(part)
    assert received < 40_000_000
