"""Workers of a training on the machines of a cluster of Ray: each is a child process of an actor."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from tasks.cluster import ray_session
from tasks.cluster.local_workers import tf_config
from tasks.cluster.ray_actor import WorkerActor
from tasks.cluster.settings import resource_values
from tasks.cluster.training_settings import RAY_RESOURCES, ClusterTrainArguments
from tasks.errors import TemporaryError, TrainingFailed, UserError
from tasks.training.worker_addresses import LOST_WORKER

# Seconds until all workers have their places in the cluster; until their actors have started; between two looks at
# them; after which one that does not answer is lost; and in which they end their processes.
PLACES, STARTING, LOOK, SILENCE, ENDING = 60.0, 120.0, 1.0, 60.0, 10.0
# Seconds for which a network file system may show a new file late.
SHOWN = 10.0
# The code of a worker whose actor was killed: that of SIGKILL.
KILLED = -9


@contextlib.contextmanager
def ray_engine(
    arguments: ClusterTrainArguments, command: Sequence[str], run: Path
) -> Iterator[Callable[[], "RayWorkers"]]:
    """Yield the function that starts all workers in a cluster of Ray.

    Args:
        arguments: The workers.
        command: The arguments of Python: the `train` command.
        run: The folder of the run.

    Raises:
        UserError: If Ray cannot be used, or the cluster is too small.
    """
    streams = sys.stdout, sys.stderr
    with ray_session.started() as ray:
        values = _values(arguments, ray.cluster_resources())
        _check_room(ray, arguments.workers, values)
        yield lambda: RayWorkers(ray, arguments, values, command, run, streams)


def _values(arguments: ClusterTrainArguments, present: Mapping[str, float]) -> dict[str, float]:
    """Return what each worker gets: what the arguments name, one processor, and a GPU if there is one for each."""
    gpus = {"num_gpus": 1} if present.get("GPU", 0) >= arguments.workers else {}
    return {"num_cpus": 1} | gpus | resource_values(arguments.resources)


def _check_room(ray: ModuleType, count: int, values: dict[str, float]) -> None:
    """Raise `UserError` if the machines of the cluster have too little for all workers, also when nothing else runs."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(
        min(
            (int(machine.get(RAY_RESOURCES[name], 0) / value + 1e-9) for name, value in values.items() if value),
            default=count,
        )
        for machine in machines
    )
    if room < count:
        each = " ".join(f"{name}={value:g}" for name, value in values.items())
        total = ", ".join(_amounts(ray.cluster_resources(), values))
        raise UserError(
            f"{count} workers with {each} each: the cluster of Ray has room for {room}, with {total} on "
            f"{len(machines)} machine{'s' * (len(machines) != 1)}; lower --workers, or --resources"
        )


def _amounts(present: Mapping[str, float], values: Mapping[str, float]) -> list[str]:
    return [f"{present.get(RAY_RESOURCES[name], 0):g} {RAY_RESOURCES[name]}" for name in values]


class RayWorkers:
    """Workers in actors of Ray, which all get their places in the cluster or none; see `LocalWorkers`.

    Args:
        ray: The package `ray`, connected.
        arguments: The workers.
        values: The resources of each, by the names of Ray's options.
        command: The arguments of Python.
        run: The folder of the run.
        streams: Where their standard output and their standard error go.

    Raises:
        UserError: If a machine does not see the folder of the run, or the cluster has no room now.
        TrainingFailed: If the actors do not start.
    """

    def __init__(
        self,
        ray: ModuleType,
        arguments: ClusterTrainArguments,
        values: dict[str, float],
        command: Sequence[str],
        run: Path,
        streams: tuple[TextIO, TextIO],
    ):
        count = arguments.workers
        self._ray, self._streams = ray, streams
        self._codes: list[int | None] = [None] * count
        # The questions that actors have not answered yet, and since when they have them.
        self._looks: list[tuple[Any, float] | None] = [None] * count
        self._actors: list = []
        bundle = {RAY_RESOURCES[name]: value for name, value in values.items() if value}
        self._group = ray.util.placement_group([bundle or {"CPU": 0.001}] * count, strategy="SPREAD")
        try:
            self._wait_for_places(count, values)
            self._start(arguments, values, command, run)
        except BaseException:
            self.end()
            raise

    def _wait_for_places(self, count: int, values: dict[str, float]) -> None:
        end = time.monotonic() + PLACES
        while not self._group.wait(LOOK):
            if time.monotonic() > end:
                free, total = (
                    ", ".join(_amounts(present, values))
                    for present in (self._ray.available_resources(), self._ray.cluster_resources())
                )
                raise TemporaryError(
                    f"the cluster of Ray had no room for {count} workers within {PLACES:.0f} s: {free} of {total} are "
                    "free; the same command goes on when there is room"
                )

    def _start(self, arguments, values, command, run: Path) -> None:
        strategy = self._ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
        actor_class = self._ray.remote(WorkerActor)
        for number in range(arguments.workers):
            options = values | {"scheduling_strategy": strategy(self._group, number)}
            self._actors.append(actor_class.options(**options).remote(os.getcwd()))
        with _file_beside(run) as shown:
            ports = [arguments.port and arguments.port + number for number in range(arguments.workers)]
            places = self._ask("place", [(port, str(shown), SHOWN) for port in ports])
        for number, place in enumerate(places):
            if place is not None and not place.shared:
                raise UserError(
                    f"worker {number}, on {place.machine}, does not see {shown.parent} as this machine does; --run "
                    "must name a folder that all machines of the cluster share"
                )
        if None not in places:  # otherwise an actor was killed, and all start again
            addresses = [place.address for place in places]
            variables = [[f"TF_CONFIG={tf_config(addresses, number)}"] for number in range(len(places))]
            self._ask("begin", [(one, [*command]) for one in variables])

    def _ask(self, method: str, arguments: Sequence[tuple]) -> list:
        """Call a method of each actor; return the results, None for an actor that was killed."""
        calls = [getattr(actor, method).remote(*each) for actor, each in zip(self._actors, arguments, strict=True)]
        done, _ = self._ray.wait(calls, num_returns=len(calls), timeout=STARTING)
        if len(done) < len(calls):
            raise TrainingFailed(f"{len(calls) - len(done)} actors of Ray did not start within {STARTING:.0f} s")
        return [self._answer(number, call) for number, call in enumerate(calls)]

    def _answer(self, number: int, call) -> Any:
        """Return what an actor has answered; note that its worker was killed if it cannot answer any more."""
        try:
            return self._ray.get(call)
        except self._ray.exceptions.RayTaskError as error:
            raise TrainingFailed(f"an actor of Ray failed: {_last_line(error)}") from None
        except self._ray.exceptions.RayError as error:
            if "creation task" in str(error):  # such as a module that another machine lacks
                raise TrainingFailed(f"an actor of Ray could not be started: {_last_line(error)}") from None
            self._codes[number] = KILLED
            return None

    def codes(self) -> list[int | None]:
        """Return the exit code of each worker, and write what they have written since the last call."""
        for number, actor in enumerate(self._actors):
            if self._codes[number] is None and self._looks[number] is None:
                self._looks[number] = actor.look.remote(), time.monotonic()
        waiting = [look[0] for look in self._looks if look is not None]
        done = set(self._ray.wait(waiting, num_returns=len(waiting), timeout=LOOK)[0]) if waiting else set()
        for number, look in enumerate(self._looks):
            if look is None:
                continue
            call, since = look
            if call in done:
                self._looks[number] = None
                if (seen := self._answer(number, call)) is not None:
                    self._codes[number] = seen.code
                    for stream, text in zip(self._streams, seen.texts, strict=True):
                        if text:
                            stream.write(text.decode("utf-8", "replace"))
                            stream.flush()
            elif time.monotonic() - since > SILENCE:
                self._codes[number], self._looks[number] = LOST_WORKER, None  # also if it answers later
        return list(self._codes)

    def interrupt(self) -> None:
        """Let all workers save the step that they have reached, and end."""
        for actor in self._actors:
            actor.interrupt.remote()

    def end(self) -> None:
        """End all workers and their actors at once, also those that are stopped; free their places."""
        calls = [actor.end.remote() for actor in self._actors]
        try:
            if calls:
                self._ray.wait(calls, num_returns=len(calls), timeout=ENDING)
        finally:  # also after a second interrupt
            for actor in self._actors:
                self._ray.kill(actor)
            self._ray.util.remove_placement_group(self._group)


@contextlib.contextmanager
def _file_beside(run: Path) -> Iterator[Path]:
    """Write a file into the folder of a run, or into the one that will have it; remove it after the block."""
    run = run.absolute()
    folder = next(path for path in (run, *run.parents) if path.is_dir())
    with tempfile.NamedTemporaryFile(prefix=".shared-", dir=folder) as file:
        yield Path(file.name)


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
