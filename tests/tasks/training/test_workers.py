"""Several processes train one network: the weights and the figures are those of one process."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tasks.data import bucketing
from tasks.errors import UserError
from tasks.training.one_process import ONE_PROCESS
from tasks.training.runs import Run
from tasks.training.worker_addresses import check_port, parse
from tests.tasks.training.worker_cases import CASES, ROOT, free_ports, train_on_workers, trained, write_data

TIMES = ("seconds", "tokens_per_second")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("workers")
    write_data(path)
    return path


@pytest.fixture(scope="module")
def two_workers(folder):
    train_on_workers(2, ["tables", "adversarial", "tokens", "shuffled", "carried"], folder)


def config(workers=("a:1", "b:2"), kind="worker", index=0, **others):
    return json.dumps({"cluster": {"worker": list(workers), **others}, "task": {"type": kind, "index": index}})


def weights_of(folder, name, count, index):
    with np.load(folder / f"{name}-{count}-{index}.npz") as stored:
        return {key: stored[key] for key in stored}


def assert_as_one_process(folder, monkeypatch, name, count, tolerance):
    """The weights and the history of a case are those of one process; the weights are equal in all workers."""
    monkeypatch.chdir(folder)
    alone = trained(name, ONE_PROCESS)
    first = weights_of(folder, name, count, 0)
    for index in range(1, count):
        other = weights_of(folder, name, count, index)
        for key, value in first.items():
            # Random states differ: each worker draws other dropout masks.
            assert "seed_generator" in key or value.tobytes() == other[key].tobytes(), f"worker {index}: {key}"
    # By order, since Keras counts the names of layers in a process.
    for key, value, expected in zip(first, first.values(), alone.values(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance, err_msg=key)
    history, expected = (Run(folder / f"{name}-{number}").history() for number in (count, 1))
    assert len(history) == len(expected) >= 2
    for row, wanted in zip(history, expected, strict=True):
        for key in wanted.keys() - {*TIMES}:
            assert row[key] == (wanted[key] and pytest.approx(wanted[key], rel=1e-4)), key


@pytest.mark.slow
def test_four_workers_compute_what_one_does_also_where_a_batch_has_fewer_rows_than_workers(folder, monkeypatch):
    sizes, whole = [], bucketing.endless_batches

    def noted(*arguments):
        for indexes in whole(*arguments):
            sizes.append(len(indexes))
            yield indexes

    train_on_workers(4, ["plain"], folder)
    monkeypatch.setattr(bucketing, "endless_batches", noted)
    assert_as_one_process(folder, monkeypatch, "plain", 4, 1e-6)
    assert 1 in sizes and any(size > 4 and size % 4 for size in sizes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("tables", 1e-5), ("adversarial", 1e-5), ("tokens", 1e-6), ("shuffled", 1e-6), ("carried", 1e-5)],
)
def test_two_workers_compute_what_one_does(folder, two_workers, monkeypatch, name, tolerance):
    assert_as_one_process(folder, monkeypatch, name, 2, tolerance)


@contextlib.contextmanager
def launched(folder, run: Run, *options: str):
    """`tasks.cluster train` with the case `tables` on two workers; ended with the block."""
    task, case = CASES["tables"]
    launcher = subprocess.Popen(
        [sys.executable, "-m", "tasks.cluster", "train", task, "--workers", "2", *case, "--run", run, *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield launcher
    finally:
        launcher.kill()


def wait_for(launcher: subprocess.Popen, condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert launcher.poll() is None, launcher.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def assert_ends_undisturbed(launcher: subprocess.Popen, run: Run, undisturbed: Run, *messages: str) -> None:
    """The training ends, with these messages, and with the weights and the figures of an undisturbed one."""
    out, err = launcher.communicate(timeout=300)
    assert launcher.returncode == 0, err.decode()
    assert out.decode().strip() == str(run.path)
    for message in messages:
        assert message in err.decode()
    assert run.model_file.read_bytes() == undisturbed.model_file.read_bytes()
    rows = [
        [{key: value for key, value in row.items() if key not in TIMES} for row in one.history()]
        for one in (run, undisturbed)
    ]
    assert rows[0] == rows[1]


@pytest.mark.slow
def test_workers_that_are_killed_or_stopped_start_again_and_end_with_the_same_bits(folder, two_workers):
    run = Run(folder / "disturbed")
    with launched(folder, run) as launcher:

        def workers() -> list[int]:
            return list(map(int, Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()))

        for epoch, index, kind in ((1, 0, signal.SIGKILL), (2, 1, signal.SIGSTOP)):
            wait_for(launcher, lambda epoch=epoch: len(run.history()) >= epoch, 300)
            before = workers()
            os.kill(before[index], kind)
            wait_for(launcher, lambda before=before: not {*workers()} & {*before}, 120)
        messages = "worker 0 was killed: all 2", "worker 0 has lost another worker", "a worker did not answer: all 2"
        assert_ends_undisturbed(launcher, run, Run(folder / "tables-2"), *messages)


@pytest.mark.slow
def test_workers_on_ray_start_again_when_an_actor_is_killed_and_end_with_the_same_bits(folder, two_workers):
    run = Run(folder / "on-ray")

    def workers() -> dict[int, int]:
        """The processes of the workers -> those of their actors."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                if b"tasks.sentiment" in words and bytes(run.path) in words:
                    found[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        return found

    with launched(folder, run, "--on", "ray", "--resources", "num_cpus=0.5") as launcher:
        wait_for(launcher, lambda: len(run.history()) >= 1, 300)
        before = workers()
        os.kill([*before.values()][1], signal.SIGKILL)
        wait_for(launcher, lambda: not {*workers()} & {*before}, 120)
        assert_ends_undisturbed(launcher, run, Run(folder / "tables-2"), "was killed: all 2 workers start again")
    assert not workers()


@pytest.mark.slow
def test_workers_with_other_settings_or_another_number_end_before_the_first_step(folder):
    """Of two processes each: the first has other options than the second, or fewer addresses."""
    task, options = CASES["plain"]
    ports = free_ports(5)
    addresses = [f"127.0.0.1:{port}" for port in ports]
    starts = [
        (addresses[:2], 0, "1", "differ in settings: training.seed=1 and 2"),
        (addresses[:2], 1, "2", "differ in settings: training.seed=1 and 2"),
        (addresses[2:4], 0, "1", "another number of workers"),
        (addresses[2:], 1, "1", "another number of workers"),
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"tasks.{task}", "train", *options, "--run", "differing", "--seed", seed],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CONFIG": config(given, index=index)},
            stderr=subprocess.PIPE,
        )
        for given, index, seed, _ in starts
    ]
    try:
        for process, (*_, message) in zip(processes, starts, strict=True):
            _, err = process.communicate(timeout=300)
            assert process.returncode == 2 and message in err.decode(), err.decode()
    finally:
        for process in processes:
            process.kill()
    assert not (folder / "differing").exists()


def test_tf_config_names_the_workers():
    assert parse(None) is None and parse("") is None and parse(config(["a:1"])) is None
    assert parse(config(index=1)).index == 1 and parse(config(index=1)).addresses == ("a:1", "b:2")
    with_chief = config(["b:2"], chief=["a:1"])
    assert parse(with_chief).addresses == ("a:1", "b:2") and parse(with_chief).index == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not as expected"),
        ("[]", "not as expected"),
        (config(["a:1", "b"]), "'b': expected HOST:PORT"),
        (config(["a:1", "b:99999"]), "'b:99999': expected HOST:PORT, .* with a port up to 65535"),
        (config(["a:1", "b:0"]), "'b:0': expected HOST:PORT"),
        ('{"cluster": {"worker": "127.0.0.1:1"}}', "not as expected"),
        (config(["a:1", "a:1"]), "a:1 twice"),
        (config(index=2), "no worker has the index 2"),
        (config(ps=["c:3"]), "names a ps"),
        (config(kind="evaluator"), "names a evaluator"),
    ],
)
def test_a_tf_config_that_cannot_be_used_is_explained(text, message):
    with pytest.raises(UserError, match=message):
        parse(text)


def test_a_port_in_use_is_explained():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        workers = parse(config([f"127.0.0.1:{port}", "127.0.0.1:1"]))
        with pytest.raises(UserError, match=f"port {port} cannot be used here"):
            check_port(workers)
    check_port(workers)
