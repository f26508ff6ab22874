"""The server of exported models under load; client and server share the processors of the machine.

The model is a sentiment classifier of the usual size, trained for an epoch on the bundled sample, or the export that
`--serving-model` names. `--load-seconds` and `--load-requests` set how long the measurements take. Requests per second
need wrk (`apt-get install wrk`), which takes a tenth of the processor time that a client in Python takes.
"""

import contextlib
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import tensorflow as tf

from tasks.chargen.task import CHARGEN
from tasks.cli.main import main
from tasks.sentiment.task import SENTIMENT
from tasks.serving.export import version_folder
from tasks.serving.inference import load
from tasks.translation.task import TRANSLATION
from tests.benchmarks.processes import ROOT
from tests.tasks.examples import reviews

CLIENTS = (1, 8, 32)
SWAPPING_CLIENTS, SWAPS = 24, 3
TEXT = "The plot was dull but the acting was superb and the music fine."
SENTENCE = "The old man bought a red apple at the small market yesterday."
SAMPLING = {"prompt": "THE CAT", "length": 100, "temperature": 0.8, "top_k": 0, "top_p": 1.0, "seed": 1}
# What is asked: of which task, and the request.
REQUESTS = {
    "sentiment of 13 words": ("sentiment", {"instances": [TEXT]}),
    "sentiment of 156 words": ("sentiment", {"instances": [f"{TEXT} " * 12]}),
    "100 generated characters": ("chargen", {"signature_name": "generate", "instances": [SAMPLING]}),
    **{
        f"a translated sentence, beam size {size}": (
            "translation",
            {"signature_name": "beam", "instances": [{"text": SENTENCE, "beam_size": size, "length_penalty": 1.0}]},
        )
        for size in (1, 5)
    },
}
TASKS = {"chargen": CHARGEN, "translation": TRANSLATION}
MIB = 1 << 20


@pytest.fixture(scope="module")
def model(request, tmp_path_factory) -> Path:
    """A version of an exported classifier."""
    given = request.config.getoption("--serving-model")
    if given is not None:
        return version_folder(given)
    return export(SENTIMENT, tmp_path_factory.mktemp("serving"))


def export(task, folder: Path) -> Path:
    """Train for an epoch on the bundled sample; return the version of the exported model."""
    assert main(task, ["train", "--epochs", "1", "--run", str(folder / "run")]) == 0
    assert main(task, ["export", "--run", str(folder / "run"), "--to", str(folder / "model")]) == 0
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

    def measure(self, clients: int, seconds: float, body: dict) -> "Measured":
        """Send a request again and again with wrk, which must be installed."""
        script = Path(__file__).with_name("load.lua")
        url = f"http://127.0.0.1:{self.port}/v1/models/model:predict"
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", str(script), url]
        before = self._processor
        out = subprocess.run(
            command, env=os.environ | {"BODY": json.dumps(body)}, check=True, capture_output=True, text=True
        ).stdout
        found = json.loads(out.splitlines()[-1])
        processor = 1000 * (self._processor - before) / found["requests"]
        per_second = found["requests"] / found["seconds"]
        return Measured(per_second, found["median"], found["p95"], found["failed"], processor)

    @property
    def _processor(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


class Measured(NamedTuple):
    """Of a server under load.

    Attributes:
        per_second: Requests that were answered per second.
        median, p95: Milliseconds until the answer.
        failed: Requests that were not answered with status 200.
        processor: Milliseconds of the processors that the server took for a request.
    """

    per_second: float
    median: float
    p95: float
    failed: int
    processor: float


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


@pytest.fixture(scope="module")
def models(model, request, tmp_path_factory) -> Callable[[str], Path]:
    """Returns a version of an exported model of a task, of the usual size after an epoch on the bundled sample."""

    @functools.cache
    def exported(task: str) -> Path:
        if task == "sentiment":
            return model
        given = request.config.getoption(f"--serving-{task}")
        return version_folder(given) if given else export(TASKS[task], tmp_path_factory.mktemp(task))

    return exported


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
@pytest.mark.parametrize("asked", REQUESTS)
def test_requests_per_second_with_and_without_batching(models, tmp_path, rounds, load_seconds, report, asked):
    """The two servers take turns; best of the rounds. Also the processor time of the server for a request."""
    task, body = REQUESTS[asked]
    model = models(task)
    with served(model, tmp_path) as batching, served(model, tmp_path, "--max-batch-size", "1") as single:
        servers = {"batching": batching, "one by one": single}
        report(f"\n{asked}\n{'seconds until ready':<24}{batching.seconds:>10.1f}")
        for server in servers.values():
            server.measure(8, 2, body)  # the first calls
        measured: dict = {(name, clients): [] for name in servers for clients in CLIENTS}
        for _ in range(rounds):
            for name, clients in measured:
                measured[name, clients].append(servers[name].measure(clients, load_seconds, body))
    columns = ("clients", "per second", "times", "median ms", "p95 ms", "failed", "CPU ms", "times")
    report(f"{'':<12}{''.join(f'{column:>12}' for column in columns)}")
    for (name, clients), results in measured.items():
        best = max(results, key=lambda one: one.per_second)
        alone = measured["one by one", clients]
        times = best.per_second / max(one.per_second for one in alone)
        processor, of_single = (min(one.processor for one in several) for several in (results, alone))
        report(
            f"{name:<12}{clients:>12}{best.per_second:>12.1f}{times:>12.1f}{best.median:>12.1f}{best.p95:>12.1f}"
            f"{sum(one.failed for one in results):>12}{processor:>12.2f}{of_single / processor:>12.1f}"
        )


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
