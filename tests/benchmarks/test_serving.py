"""The server of exported models under load; client and server share the processors of the machine.

The model is a sentiment classifier of the usual size, trained for an epoch on the bundled sample, or the export that
`--serving-model` names. `--load-seconds` and `--load-requests` set how long the measurements take.
"""

import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
import tensorflow as tf

from tasks.chargen.task import CHARGEN
from tasks.cli.main import main
from tasks.sentiment.task import SENTIMENT
from tasks.serving.export import version_folder
from tasks.serving.inference import load
from tests.benchmarks.processes import ROOT
from tests.tasks.examples import reviews

CLIENTS = (1, 8, 32)
SWAPPING_CLIENTS, SWAPS = 24, 3
TEXT = "The plot was dull but the acting was superb and the music fine."
# What is asked: a short text, and one of 156 words.
TEXTS = {"13 words": TEXT, "156 words": f"{TEXT} " * 12}
MIB = 1 << 20


@pytest.fixture(scope="module")
def model(request, tmp_path_factory) -> Path:
    """A version of an exported classifier."""
    given = request.config.getoption("--serving-model")
    if given is not None:
        return version_folder(given)
    folder = tmp_path_factory.mktemp("serving")
    assert main(SENTIMENT, ["train", "--epochs", "1", "--run", str(folder / "run")]) == 0
    assert main(SENTIMENT, ["export", "--run", str(folder / "run"), "--to", str(folder / "model")]) == 0
    return folder / "model" / "1"


class Server:
    """The server as a process.

    Args:
        folder: A folder of models.
        *options: Of the command.
    """

    def __init__(self, folder: Path, *options: str):
        began = time.monotonic()
        command = [sys.executable, "-u", "-m", "tasks.serving", str(folder), "--port", "0", *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        assert line.startswith("Serving at "), line
        self.seconds = time.monotonic() - began
        self.port = int(line.strip().rstrip("/").rpartition(":")[2])

    @property
    def mib(self) -> float:
        """Its memory."""
        return psutil.Process(self.process.pid).memory_info().rss / MIB

    def load(self, clients: int, **options) -> subprocess.Popen:
        """Start clients; see load_client.py."""
        options = {"port": self.port, "path": "/v1/models/model:predict", "clients": clients, **options}
        options.setdefault("bodies", [{"instances": [TEXT]}])
        command = [sys.executable, str(Path(__file__).with_name("load_client.py")), json.dumps(options)]
        return subprocess.Popen(command, stdout=subprocess.PIPE)


def result(clients: subprocess.Popen) -> dict:
    out, _ = clients.communicate()
    assert clients.returncode == 0
    return json.loads(out)


@contextlib.contextmanager
def served(model: Path, tmp_path: Path, *options: str) -> Iterator[Server]:
    folder = tmp_path / "models"
    if not folder.exists():
        shutil.copytree(model, folder / "model" / "1")
    server = Server(folder, *options)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait()


@pytest.mark.parametrize("length", TEXTS)
def test_requests_per_second_with_and_without_batching(model, tmp_path, rounds, load_seconds, report, length):
    """The two servers take turns; best of the rounds."""
    _compare(model, [{"instances": [TEXTS[length]]}], length, tmp_path, rounds, load_seconds, report)


def test_generated_texts_per_second_with_and_without_batching(tmp_path, rounds, load_seconds, report):
    """A text of the run's length after a prompt; a network of the usual size after an epoch on the bundled sample."""
    assert main(CHARGEN, ["train", "--epochs", "1", "--run", str(tmp_path / "run")]) == 0
    assert main(CHARGEN, ["export", "--run", str(tmp_path / "run"), "--to", str(tmp_path / "verse")]) == 0
    bodies = [{"instances": ["THE CAT"]}]
    _compare(tmp_path / "verse" / "1", bodies, "a generated text", tmp_path, rounds, load_seconds, report)


def _compare(model: Path, bodies: list, title: str, tmp_path: Path, rounds: int, seconds: float, report) -> None:
    with served(model, tmp_path) as batching, served(model, tmp_path, "--max-batch-size", "1") as single:
        servers = {"batching": batching, "one by one": single}
        report(f"\n{title}\n{'seconds until ready':<24}{batching.seconds:>10.1f}")
        for server in servers.values():
            result(server.load(8, seconds=2, bodies=bodies))  # the first calls
        measured: dict = {(name, clients): [] for name in servers for clients in CLIENTS}
        for _ in range(rounds):
            for name, clients in measured:
                measured[name, clients].append(result(servers[name].load(clients, seconds=seconds, bodies=bodies)))
    report(f"{'':<24}{'clients':>10}{'per second':>12}{'median ms':>12}{'p95 ms':>12}{'failed':>10}{'times':>10}")
    for (name, clients), results in measured.items():
        best, alone = (_best(one)["per_second"] for one in (results, measured["one by one", clients]))
        median, p95 = (1000 * _best(results)[key] for key in ("median", "p95"))
        failed = sum(one["failed"] for one in results)
        report(f"{name:<24}{clients:>10}{best:>12.0f}{median:>12.1f}{p95:>12.1f}{failed:>10}{best / alone:>10.1f}")


def _best(results: list[dict]) -> dict:
    return max(results, key=lambda one: one["per_second"])


def test_a_lone_client_against_a_direct_call(model, tmp_path, report):
    """Milliseconds of a text by HTTP, and of the signature called in Python, which take turns."""
    import tensorflow_text  # noqa: F401  the ops of the tokenizer

    loaded = tf.saved_model.load(model)
    function, text = loaded.signatures["serving_default"], tf.constant([TEXT])
    body, seconds = json.dumps({"instances": [TEXT]}), {"direct": [], "HTTP": []}
    with served(model, tmp_path) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        for _ in range(300):
            began = time.perf_counter()
            function(text=text)["probability"].numpy()
            seconds["direct"].append(time.perf_counter() - began)
            began = time.perf_counter()
            connection.request("POST", "/v1/models/model:predict", body)
            connection.getresponse().read()
            seconds["HTTP"].append(time.perf_counter() - began)
    report(f"\n{'':<24}{'median ms':>12}{'minimum ms':>12}")
    for name, values in seconds.items():
        report(f"{name:<24}{1000 * statistics.median(values[20:]):>12.2f}{1000 * min(values):>12.2f}")


def test_load_across_hot_swaps(model, tmp_path, load_seconds, report):
    """Versions with the same weights, so every answer is compared with that of `predict`."""
    texts = [text for text, _ in reviews("test", 64)]
    answers = list(load(SENTIMENT, model).predict(texts))
    bodies = [{"instances": [text]} for text in texts]
    expected = [answer["probability"] for answer in answers]
    seconds = max(load_seconds * 6, 20)
    with served(model, tmp_path) as server:
        before = server.mib
        clients = server.load(SWAPPING_CLIENTS, seconds=seconds, bodies=bodies, expected=expected, key="probability")
        for number in range(2, SWAPS + 2):
            time.sleep(seconds / (SWAPS + 1))
            hidden = tmp_path / "models" / "model" / f".writing-{number}"
            shutil.copytree(model, hidden)
            hidden.rename(hidden.with_name(str(number)))
        found = result(clients)
        connection = HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/v1/models/model")
        states = {one["version"]: one["state"] for one in json.load(connection.getresponse())["model_version_status"]}
        report(
            f"\n{SWAPPING_CLIENTS} clients, {SWAPS} swaps in {seconds:.0f} s: {found['requests']} requests, "
            f"{found['per_second']:.0f} per second, p95 {1000 * found['p95']:.0f} ms, {found['failed']} failed, "
            f"largest difference {found['deviation']:.1e}; memory {before:.0f} -> {server.mib:.0f} MiB; {states}"
        )
        for failure in found["failures"]:
            report(failure)


def test_memory_after_many_requests(model, tmp_path, load_requests, report):
    with served(model, tmp_path) as server:
        report(f"\n{'requests':>10}{'MiB':>10}\n{0:>10}{server.mib:>10.0f}")
        done, parts = 0, 10
        for _ in range(parts):
            found = result(server.load(32, count=load_requests // parts))
            done += found["requests"]
            report(f"{done:>10}{server.mib:>10.0f}   {found['per_second']:.0f} per second, {found['failed']} failed")
