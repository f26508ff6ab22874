"""Workers of a training that are processes of this machine."""

import contextlib
import glob
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

from tasks.cluster.training_settings import ClusterTrainArguments

# Runs a command with one of the visible GPUs, if there are enough of them. $0 is the number of the GPU, counted from 1,
# $1 the number of GPUs that are needed, and $2 the GPUs that are visible if CUDA_VISIBLE_DEVICES is not set.
ONE_GPU = """
gpus=${CUDA_VISIBLE_DEVICES-$2}
if [ -n "$gpus" ] && [ "$gpus" != -1 ] && [ "$(echo "$gpus" | tr , '\\n' | wc -l)" -ge "$1" ]; then
    export CUDA_VISIBLE_DEVICES=$(echo "$gpus" | cut -d, -f"$0")
fi
shift 2
exec "$@"
"""


class LocalWorkers:
    """Workers that are child processes.

    Args:
        commands: The command of each.
    """

    def __init__(self, commands: Sequence[Sequence[str]]):
        self._processes: list[subprocess.Popen] = []
        try:
            for command in commands:
                # In a separate session: Ctrl+C reaches this process alone, which passes it on once.
                self._processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True))
        except BaseException:  # also Ctrl+C in between
            self.end()
            raise

    def codes(self) -> list[int | None]:
        """Return the exit code of each; None if it is running, and a negative number if a signal has ended it."""
        return [process.poll() for process in self._processes]

    def interrupt(self) -> None:
        """Let all save the step that they have reached, and end."""
        for process in self._processes:
            process.terminate()

    def end(self) -> None:
        """End all at once, also those that are stopped."""
        for process in self._processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def local_engine(arguments: ClusterTrainArguments, command: Sequence[str], run) -> Iterator[Callable[[], LocalWorkers]]:
    """Yield the function that starts all workers on this machine.

    Args:
        arguments: The workers.
        command: The arguments of Python: the `train` command.
        run: The folder of the run.
    """
    gpus = ",".join(map(str, range(len(glob.glob("/dev/nvidia[0-9]*")))))

    def start() -> LocalWorkers:
        count = arguments.workers
        ports = _free_ports(count) if arguments.port is None else range(arguments.port, arguments.port + count)
        addresses = [f"{arguments.address}:{port}" for port in ports]
        return LocalWorkers(
            [
                [
                    "env",
                    f"TF_CONFIG={tf_config(addresses, number)}",
                    *one_gpu(number + 1, count, gpus),
                    sys.executable,
                    *command,
                ]
                for number in range(count)
            ]
        )

    yield start


def one_gpu(number: int, needed: int = 1, gpus: str = "") -> list[str]:
    """Return a prefix for a command that makes only one GPU visible to it.

    Args:
        number: Which of the visible GPUs, counted from 1.
        needed: With fewer visible GPUs, the command sees all of them.
        gpus: The GPUs that are visible if CUDA_VISIBLE_DEVICES is not set, separated by commas.
    """
    return ["sh", "-c", ONE_GPU, str(number), str(needed), gpus]


def tf_config(addresses: Sequence[str], index: int) -> str:
    """Return the value of `TF_CONFIG` for a worker."""
    return json.dumps({"cluster": {"worker": [*addresses]}, "task": {"type": "worker", "index": index}})


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
