"""Workers of a training on Ray and on Slurm: their processes, and what is refused."""

import io
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.cli.cluster import main
from tasks.cluster import local_workers, ray_session, ray_workers, slurm_workers
from tasks.cluster.local_workers import LocalWorkers
from tasks.cluster.ray_actor import WorkerActor
from tasks.cluster.train import _until_finished, train
from tasks.cluster.training_settings import ClusterTrainArguments
from tasks.errors import TemporaryError, UserError
from tasks.training import signals
from tasks.training.worker_addresses import LOST_WORKER
from tests.tasks.processes import children

# A worker that writes lines, and saves when it is interrupted.
WORKER = """
import os, signal, sys, time
def interrupted(*_):
    print("saved", flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, interrupted)
print("worker", os.environ["TF_CONFIG"], os.getcwd(), os.environ.get("OMP_NUM_THREADS"), file=sys.stderr)
print("no line", end="", flush=True)
time.sleep(100)
"""
# Begins a worker in an actor, prints its process, and waits.
ACTOR = """
import sys, time
from tasks.cluster.ray_actor import WorkerActor
actor = WorkerActor(".")
actor.begin(["TF_CONFIG=1"], ["-c", sys.argv[1]])
print(actor._process.pid, flush=True)
time.sleep(100)
"""


def wait_until(condition) -> None:
    end = time.monotonic() + 60  # a deadline, in case something is wrong
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def runs_still(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def actor(tmp_path, monkeypatch):
    """An actor whose worker runs, and has written its first line."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    started = WorkerActor(str(tmp_path))
    started.begin(["TF_CONFIG=7"], ["-c", WORKER])
    output = []

    def has_begun() -> bool:
        seen = started.look()
        assert seen.code is None
        output.append(seen.texts)
        return bool(seen.texts[1])

    try:
        wait_until(has_begun)
        assert output[-1] == (b"", f"worker 7 {tmp_path} None\n".encode())
        yield started
    finally:
        started.end()


def test_an_actor_passes_on_whole_lines_and_an_interrupt(actor):
    assert actor.look() == (None, (b"", b""))
    actor.interrupt()
    wait_until(lambda: actor._process.poll() is not None)
    assert actor.look() == (143, (b"no linesaved\n", b""))
    assert actor.look() == (143, (b"", b""))


def test_an_actor_reports_a_killed_worker_and_ends_one_that_is_stopped(actor):
    os.kill(actor._process.pid, signal.SIGSTOP)
    actor.end()
    assert actor.look() == (-signal.SIGKILL, (b"no line", b""))


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not end a process with its parent")
def test_a_worker_ends_when_its_actor_is_killed(process):
    started = process("-c", ACTOR, WORKER)
    worker = int(started.stdout.readline())
    assert runs_still(worker)
    started.kill()
    started.communicate()
    wait_until(lambda: not runs_still(worker))


def test_each_worker_on_ray_has_a_gpu_where_there_are_enough():
    def values(*words: str, gpus: int) -> dict:
        return ray_workers._values(ClusterTrainArguments(on="ray", resources=words), {"CPU": 8, "GPU": gpus})

    assert values(gpus=2) == {"num_cpus": 1, "num_gpus": 1}
    assert values(gpus=1) == {"num_cpus": 1}
    assert values("num_cpus=2.5", "num_gpus=0", gpus=2) == {"num_cpus": 2.5, "num_gpus": 0}


@pytest.mark.slow
def test_ray_refuses_what_cannot_run_and_leaves_signals_to_the_command(tmp_path, monkeypatch):
    def started(*words: str, run: Path | str = "two") -> UserError:
        """The mistake of a command with workers whose processes need no time to start."""
        arguments = ClusterTrainArguments(on="ray", resources=words)
        with pytest.raises(UserError) as caught:
            train(arguments, "sentiment", ["--run", str(run)], Path(run))
        return caught.value

    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)
    with ray_session.started() as ray:
        assert signal.getsignal(signal.SIGTERM) == handler
        message = str(started("num_cpus=1000"))
        assert message.startswith("2 workers with num_cpus=1000 each: the cluster of Ray has room for 0, with ")
        assert message.endswith(" CPU on 1 machine; lower --workers, or --resources")

        present = ray.cluster_resources()["CPU"]
        monkeypatch.setattr(ray_workers, "PLACES", 1.0)
        others = ray.util.placement_group([{"CPU": present}])
        assert others.wait(60)
        error = started(f"num_cpus={present / 2}")
        assert isinstance(error, TemporaryError) and f"0 CPU of {present:g} CPU are free" in str(error)
        ray.util.remove_placement_group(others)

        # A path that is another folder in each process, as one of a machine that shares none.
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path / "other")
        monkeypatch.setattr(ray_workers, "PLACES", 60.0)
        monkeypatch.setattr(ray_workers, "SHOWN", 0.5)
        message = str(started("num_cpus=0.1", run="/proc/self/cwd/two"))
        assert message.startswith("worker 0, on ") and "does not see /proc/self/cwd as this machine does" in message
        assert "must name a folder that all machines of the cluster share" in message
        monkeypatch.chdir(tmp_path)
        _assert_lost_worker_stays_lost(ray, monkeypatch)
    assert [path.name for path in tmp_path.rglob("*")] == ["other"]


@pytest.mark.slow
def test_an_interrupt_while_ray_starts_waits_until_ray_can_be_ended(monkeypatch):
    import ray

    started, start = [], ray.init

    def interrupted(**options) -> None:
        signal.raise_signal(signal.SIGINT)
        start(**options)
        started.append(True)

    monkeypatch.setattr(ray, "init", interrupted)
    before = children(os.getpid())
    handlers = [signal.getsignal(number) for number in signals.SIGNALS]
    with pytest.raises(KeyboardInterrupt), ray_session.started():
        pass
    assert started and not ray.is_initialized()
    assert [signal.getsignal(number) for number in signals.SIGNALS] == handlers
    wait_until(lambda: {*children(os.getpid())} <= {*before})

    monkeypatch.setattr(ray, "init", lambda **options: [signal.raise_signal(signal.SIGINT) for _ in range(2)] + [1 / 0])
    with pytest.raises(KeyboardInterrupt), ray_session.started():
        pass


def _assert_lost_worker_stays_lost(ray, monkeypatch) -> None:
    """A worker whose actor was silent for too long is lost, also if the actor goes on: the others have given up."""
    arguments, streams = ClusterTrainArguments(on="ray"), (io.StringIO(), io.StringIO())
    workers = ray_workers.RayWorkers(ray, arguments, {"num_cpus": 0.1}, ["-c", WORKER], Path("two"), streams)
    try:
        actor = ray.get(workers._actors[0].__ray_call__.remote(lambda actor: os.getpid()))
        wait_until(lambda: workers.codes() == [None, None] and streams[1].getvalue().count("\n") == 2)
        os.kill(actor, signal.SIGSTOP)
        monkeypatch.setattr(ray_workers, "SILENCE", 1.0)
        try:
            wait_until(lambda: workers.codes()[0] == LOST_WORKER)
        finally:
            os.kill(actor, signal.SIGCONT)
            monkeypatch.setattr(ray_workers, "SILENCE", 60.0)
        for _ in range(3):
            time.sleep(0.2)
            assert workers.codes() == [LOST_WORKER, None]
    finally:
        workers.end()


def test_a_worker_that_cannot_be_started_leaves_no_other_behind():
    before = children(os.getpid())
    with pytest.raises(FileNotFoundError):
        LocalWorkers([["sleep", "100"], ["/no/program"]])
    left = [one for one in children(os.getpid()) if one not in before]
    for one in left:
        os.kill(one, signal.SIGKILL)
    assert not left


def test_a_training_whose_worker_is_lost_after_its_end_is_not_begun_again(small_tasks, tmp_path, capsys, caplog):
    run, killed = tmp_path / "run", "import os; os.kill(os.getpid(), 9)"
    finished = small_tasks["sentiment"].untrained_run
    finishing = (  # the files are new, as those of a training
        f"import shutil; shutil.rmtree({str(run)!r}, ignore_errors=True); "
        f"shutil.copytree({str(finished)!r}, {str(run)!r}, copy_function=shutil.copy); {killed}"
    )
    caplog.clear()
    # The second time, with --overwrite: a finished run is there before.
    for programs in ([finishing], [killed, finishing]):
        restarts = len(programs) - 1
        with caplog.at_level(logging.WARNING, logger="tasks"):
            _until_finished(
                ClusterTrainArguments(),
                lambda programs=programs: LocalWorkers([[sys.executable, "-c", programs.pop(0)]]),
                run,
            )
        assert not programs and capsys.readouterr().out == f"{run}\n"
        assert caplog.messages == ["worker 0 was killed: all 2 workers start again at the last checkpoint"] * restarts


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("srun") is None or "SLURM_JOB_ID" not in os.environ, reason="run it in an allocation of Slurm"
)
def test_slurm_ends_stopped_steps_and_interrupts_them_so_that_they_save(tmp_path):
    hosts = slurm_workers._hosts(2)

    def started() -> tuple[slurm_workers.SlurmWorkers, list[int]]:
        files = [tmp_path / f"{number}.txt" for number in range(2)]
        commands = [
            ["env", "TF_CONFIG=7", "sh", "-c", f'echo $$ > "{file}.new"; mv "{file}.new" "{file}"; exec "$@"', "sh"]
            + [sys.executable, "-c", WORKER]
            for file in files
        ]
        workers = slurm_workers.SlurmWorkers(commands, hosts)
        wait_until(lambda: all(file.exists() for file in files))
        time.sleep(1.0)  # their handlers
        processes = [int(file.read_text()) for file in files]
        for file in files:
            file.unlink()
        return workers, processes

    workers, processes = started()
    workers.interrupt()
    wait_until(lambda: None not in workers.codes())
    assert workers.codes() == [143, 143]
    workers.end()

    workers, processes = started()
    os.kill(processes[0], signal.SIGSTOP)
    workers._processes[1].kill()  # srun alone
    workers.end()
    wait_until(lambda: not any(map(runs_still, processes)))


@pytest.mark.parametrize(("gpus", "own"), [({"CUDA_VISIBLE_DEVICES": "3,5"}, "5"), ({}, "all")])
def test_workers_on_a_node_of_slurm_take_different_gpus_of_those_that_the_job_has_there(gpus, own):
    shown = ["sh", "-c", "echo ${CUDA_VISIBLE_DEVICES-all}"]
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"} | gpus
    command = [*local_workers.one_gpu(2), *shown]  # the second worker of a node
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == f"{own}\n"


@pytest.mark.parametrize(
    ("chosen", "own"),
    [("6,7", "7"), ("MIG-a,MIG-b,MIG-c", "MIG-b"), ("5", "5"), ("", ""), ("-1", "-1"), (None, "1")],
)
def test_workers_on_this_machine_take_different_gpus_of_those_that_the_command_may_use(chosen, own):
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    environment |= {} if chosen is None else {"CUDA_VISIBLE_DEVICES": chosen}
    command = [*local_workers.one_gpu(2, 2, "0,1"), "sh", "-c", 'echo "${CUDA_VISIBLE_DEVICES-all}" $0', "done"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert found == f"{own} done\n"


def test_slurm_is_used_in_an_allocation(tmp_path, monkeypatch, capsys, small_tasks):
    monkeypatch.setenv("PATH", str(tmp_path))
    options = ["--data", str(small_tasks["sentiment"].data), "--run", str(tmp_path / "run")]
    assert main(["train", "sentiment", "--on", "slurm", *options]) == 2
    assert "scontrol and srun are not found here; run this command in a job of Slurm" in capsys.readouterr().err
