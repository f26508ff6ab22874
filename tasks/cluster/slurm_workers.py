"""Workers of a training on the nodes of a Slurm allocation: each is a step of the job, which srun starts."""

import contextlib
import itertools
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tasks.cluster.local_workers import LocalWorkers, one_gpu, tf_config
from tasks.cluster.training_settings import ClusterTrainArguments
from tasks.errors import UserError

# The port of the first worker.
FIRST_PORT = 12321
# Seconds in which srun ends its step.
ENDING = 40.0


class SlurmWorkers(LocalWorkers):
    """Workers that are steps of a job.

    Args:
        commands: The command of each worker.
        hosts: The node of each.
    """

    def __init__(self, commands: Sequence[Sequence[str]], hosts: Sequence[str]):
        self._name = f"train-{secrets.token_hex(4)}"
        # Without --exact, a step has all processors of the job on its node, and not one processor alone.
        srun = ("srun", "--quiet", "--overlap", "--nodes=1", "--ntasks=1", f"--job-name={self._name}")
        super().__init__(
            [[*srun, f"--nodelist={host}", *command] for host, command in zip(hosts, commands, strict=True)]
        )

    def interrupt(self) -> None:
        """Let all save the step that they have reached, and end; srun does not pass SIGTERM on, but kills its step."""
        self._signal_steps("TERM")

    def end(self) -> None:
        """End all at once, also those that are stopped; SIGKILL would end srun alone."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDING)
        if any(code is None or code < 0 for code in self.codes()):  # an srun that was killed has left its step
            self._signal_steps("KILL")
        super().end()

    def _signal_steps(self, name: str) -> None:
        """Send a signal to the steps that still run."""
        listed = subprocess.run(
            ["squeue", "--steps", "--noheader", "--format=%i %j", f"--user={os.getuid()}"],
            capture_output=True,
            text=True,
        )
        steps = [line.split()[0] for line in listed.stdout.splitlines() if line.split()[1:] == [self._name]]
        if steps:
            subprocess.run(["scancel", f"--signal={name}", *steps])


@contextlib.contextmanager
def slurm_engine(
    arguments: ClusterTrainArguments, command: Sequence[str], run: Path
) -> Iterator[Callable[[], SlurmWorkers]]:
    """Yield the function that starts all workers in the Slurm allocation of this process.

    Args:
        arguments: The workers.
        command: The arguments of Python: the `train` command.
        run: The folder of the run.

    Raises:
        UserError: If there is no allocation.
    """
    hosts, first = _hosts(arguments.workers), arguments.port or FIRST_PORT
    addresses = [f"{host}:{first + number}" for number, host in enumerate(hosts)]
    places = [number for _, group in itertools.groupby(hosts) for number, _ in enumerate(group, start=1)]
    commands = [
        # Each worker of a node takes another one of the GPUs that the job has there.
        ["env", f"TF_CONFIG={tf_config(addresses, number)}", *one_gpu(place), sys.executable, *command]
        for number, place in enumerate(places)
    ]
    yield lambda: SlurmWorkers(commands, hosts)


def _hosts(count: int) -> list[str]:
    """Return the node of each worker, from the allocation in which this command runs."""
    if shutil.which("scontrol") is None or shutil.which("srun") is None:
        raise UserError("--on slurm: scontrol and srun are not found here; run this command in a job of Slurm")
    listed = subprocess.run(["scontrol", "show", "hostnames"], capture_output=True, text=True)
    nodes = listed.stdout.split()
    if listed.returncode or not nodes:
        raise UserError("--on slurm: there is no allocation; run this command in sbatch or salloc")
    return [nodes[number * len(nodes) // count] for number in range(count)]
