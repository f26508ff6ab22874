"""An S3 server on this machine, and a proxy that cuts its connections."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.fs
import pytest

from tasks.data import remote_files

# `make test` installs it; of a copy of the repository, in the folder of the interpreter that runs the tests.
SERVERS = [
    folder / ".venv-s3" / "bin" / "moto_server" for folder in (Path(__file__).parents[3], Path(sys.prefix).parent)
]
BUCKET = "corpora"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server(NamedTuple):
    """An S3 server.

    Attributes:
        port: Its port.
        files: The file system, for writing.
    """

    port: int
    files: pyarrow.fs.S3FileSystem

    def write(self, name: str, content: bytes) -> str:
        """Writes an object; returns its URL."""
        with self.files.open_output_stream(f"{BUCKET}/{name}", compression=None) as file:
            file.write(content)
        return f"s3://{BUCKET}/{name}"

    def copy(self, folder: Path, name: str) -> str:
        """Writes the files below a folder; returns the URL of the folder."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.write(f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return f"s3://{BUCKET}/{name}"

    @contextlib.contextmanager
    def checking_keys(self) -> Iterator[None]:
        """Lets nobody in: the server knows no key."""
        self._count_without_keys(0)
        try:
            yield
        finally:
            self._count_without_keys(1 << 40)

    def _count_without_keys(self, count: int) -> None:
        address = f"http://127.0.0.1:{self.port}/moto-api/reset-auth"
        request = urllib.request.Request(address, str(count).encode(), {"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(request).close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    """A server with an empty bucket."""
    program = next((path for path in SERVERS if path.exists()), None)
    if program is None:
        pytest.skip("there is no S3 server; `make test` installs one in .venv-s3")
    port = free_port()
    command = [program, "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert process.poll() is None
                time.sleep(0.1)
            files = pyarrow.fs.S3FileSystem(
                access_key="key",
                secret_key="secret",
                region="us-east-1",
                endpoint_override=f"http://127.0.0.1:{port}",
                allow_bucket_creation=True,
            )
            files.create_dir(BUCKET)
            yield Server(port, files)
        finally:
            process.terminate()


@pytest.fixture
def aws(monkeypatch, tmp_path):
    """Sets what Amazon's tools read from the environment, and nothing else: `aws(AWS_REGION="...")`."""

    def environment(**variables: str) -> None:
        for name in os.environ:
            if name.startswith("AWS_"):
                monkeypatch.delenv(name)
        for name, value in {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path), **variables}.items():
            monkeypatch.setenv(name, value)
        remote_files._file_system.cache_clear()

    yield environment
    remote_files._file_system.cache_clear()


@pytest.fixture
def s3(s3_server, aws) -> Server:
    """The server, as the environment names it."""
    aws(
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="secret",
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{s3_server.port}",
    )
    return s3_server


class CutConnections:
    """A proxy that closes all connections after a number of bytes from the server.

    Args:
        port: That of the server.

    Attributes:
        left: How many bytes still come through.
    """

    def __init__(self, port: int):
        self.left = 1 << 40
        self._to, self._listener = port, socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._copy, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._copy, args=(server, client, True), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(1 << 16):
                target.sendall(part[: self.left])
                if counted:
                    self.left = max(self.left - len(part), 0)
                if not self.left:
                    break
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def cut(s3_server, aws) -> Iterator[CutConnections]:
    """A proxy before the server, as the environment names it."""
    proxy = CutConnections(s3_server.port)
    aws(AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_ENDPOINT_URL=f"http://127.0.0.1:{proxy.port}")
    yield proxy
    proxy.close()
