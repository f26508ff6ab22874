"""Trains one network on several workers: starts them, and restarts all of them when one dies.

The workers are ordinary `train` commands with a variable `TF_CONFIG` each; see `tasks.training.workers`. When a worker
dies, the others cannot go on, and a new one could not join them. All are then started again, and resume the training at
its last checkpoint.
"""

import glob
import json
import logging
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tasks.cluster.training_settings import ClusterTrainArguments
from tasks.errors import TrainingFailed, UserError
from tasks.training.runs import Run
from tasks.training.worker_addresses import LOST_WORKER

log = logging.getLogger(__name__)

# Seconds between two looks at the workers; for which the others may end by themselves when one has; and for which they
# may save the step that they have reached when they are interrupted.
POLL, GRACE, SAVING = 0.2, 5.0, 120.0


def train(arguments: ClusterTrainArguments, task: str, options: Sequence[str], run: Path) -> None:
    """Train on several workers until the run is finished.

    Args:
        arguments: The arguments.
        task: The name of the task.
        options: The options of its command `train`.
        run: The folder of the run.

    Raises:
        UserError: If a worker ended because of a mistake, which it has explained.
        TrainingFailed: If a worker failed, or too many restarts brought no new checkpoint.
        KeyboardInterrupt: If a worker was interrupted.
    """
    restarts, before = 0, _checkpoint_time(run)
    while True:
        codes = _run_once(_commands(arguments, task, options))
        if codes[0] == 0:
            return
        for number, code in enumerate(codes):
            if code == 2:
                raise UserError(f"worker {number} ended because of the mistake above; no worker is left")
            if code in (129, 130, 143):
                raise KeyboardInterrupt
        dead = [number for number, code in enumerate(codes) if code is not None and (code < 0 or code > 128)]
        if not dead and LOST_WORKER not in codes:
            raise TrainingFailed("a worker failed with the error above; the same command resumes the training")
        now = _checkpoint_time(run)
        restarts = 1 if now != before else restarts + 1
        before = now
        what = f"worker {dead[0]} was killed" if dead else "a worker did not answer"
        if restarts > arguments.restarts:
            raise TrainingFailed(
                f"{what}, and {arguments.restarts} restarts brought no new checkpoint: see the messages above; "
                "the same command resumes the training, and --restarts allows more"
            )
        log.warning("%s: all %d workers start again at the last checkpoint", what, arguments.workers)


def _commands(arguments: ClusterTrainArguments, task: str, options: Sequence[str]) -> list[list[str]]:
    """Return the command of each worker."""
    count, prefixes = arguments.workers, [[] for _ in range(arguments.workers)]
    if arguments.on == "slurm":
        hosts = _slurm_hosts(count)
        addresses = [f"{host}:{(arguments.port or 12321) + number}" for number, host in enumerate(hosts)]
        prefixes = [["srun", "--overlap", "--exact", "-N1", "-n1", "-w", host] for host in hosts]
    elif arguments.port is not None:
        addresses = [f"{arguments.address}:{arguments.port + number}" for number in range(count)]
    else:
        addresses = [f"{arguments.address}:{port}" for port in _free_ports(count)]
    gpus = sorted(glob.glob("/dev/nvidia[0-9]*")) if arguments.on == "local" else []
    commands = []
    for number, prefix in enumerate(prefixes):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
        variables = [f"TF_CONFIG={json.dumps(config)}"]
        if len(gpus) >= count:
            variables.append(f"CUDA_VISIBLE_DEVICES={number}")
        commands.append([*prefix, "env", *variables, sys.executable, "-m", f"tasks.{task}", "train", *options])
    return commands


def _run_once(commands: Sequence[Sequence[str]]) -> list[int | None]:
    """Start the workers, and wait until one of them fails or all have ended; return their exit codes.

    When one has failed, the others are ended; None is the code of one that was still running.
    """
    # Each worker is in a separate session: Ctrl+C reaches this process alone, which passes it on once.
    workers = [subprocess.Popen(command, start_new_session=True) for command in commands]
    try:
        while True:
            codes = [worker.poll() for worker in workers]
            if all(code is not None for code in codes) or codes[0] == 0:
                break
            if any(codes):
                if any(code and 0 < code < 128 for code in codes):
                    _wait(workers, GRACE)  # they have the same reason to end, and explain it
                break
            time.sleep(POLL)
        if codes[0] == 0:
            _wait(workers, GRACE)
        return [worker.poll() for worker in workers]
    except KeyboardInterrupt:
        for worker in workers:
            worker.terminate()
        _wait(workers, SAVING)
        raise
    finally:
        for worker in workers:
            worker.kill()  # also one that is stopped
            worker.wait()


def _wait(workers: Sequence[subprocess.Popen], seconds: float) -> None:
    """Wait until all workers have ended, but not longer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(worker.poll() is None for worker in workers):
        time.sleep(POLL)


def _checkpoint_time(run: Path) -> list[int]:
    """Return when the last checkpoint was written, of the run and of one that is to replace it."""
    files = [one.state_file for one in (Run(run), Run(run).replacement)]
    return [file.stat().st_mtime_ns if file.exists() else 0 for file in files]


def _free_ports(count: int) -> list[int]:
    """Return ports that no program has."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _slurm_hosts(count: int) -> list[str]:
    """Return the node of each worker, from the allocation in which this command runs."""
    if shutil.which("scontrol") is None or shutil.which("srun") is None:
        raise UserError("--on slurm: scontrol and srun are not found here; run this command in a job of Slurm")
    listed = subprocess.run(["scontrol", "show", "hostnames"], capture_output=True, text=True)
    nodes = listed.stdout.split()
    if listed.returncode or not nodes:
        raise UserError("--on slurm: there is no allocation; run this command in sbatch or salloc")
    return [nodes[number * len(nodes) // count] for number in range(count)]
