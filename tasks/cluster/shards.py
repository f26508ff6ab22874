"""Answers the shards of an input with Ray: each actor opens the model once, and answers one shard at a time."""

import contextlib
import logging.handlers
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

from tasks.arguments import PredictArguments
from tasks.cluster import ray_session
from tasks.cluster.settings import ShardArguments, resource_values
from tasks.errors import TrainingFailed, UserError
from tasks.references import find
from tasks.serving.shards.listing import Shard
from tasks.serving.shards.progress import ShardProgress, ShardResult, without_repeated_warnings
from tasks.task import Task

# What came of a shard, and the warnings that it caused.
Answered = tuple[ShardResult, list[logging.LogRecord]]
# How often a shard is tried again whose actor died.
RETRIES = 2


def answer_shards(task: Task, arguments: PredictArguments, cluster: ShardArguments) -> None:
    """Answer the shards of a command that are not finished; the same command of the task continues, and this one.

    Args:
        task: The task.
        arguments: Of its command that answers texts.
        cluster: The workers.

    Raises:
        UserError: If the input is no shards, or one cannot be answered as asked for, or Ray cannot be used.
        ShardsFailed: If shards could not be read, or their actors died each time; the others are finished.
        Interrupted: If the command was interrupted.
    """
    if not arguments.sharded:
        raise UserError(
            "shards are the files of a folder, several files or a pattern: name them with --input, and a folder with "
            f"--output; python -m tasks.{task.name} {task.predict_command} answers one file"
        )
    from tasks.serving.shards.output_folder import begin  # imports TensorFlow

    with ray_session.started() as ray:
        shards = begin(task, arguments)
        with ShardProgress(shards, arguments.output) as progress, without_repeated_warnings():
            for result, warnings in _results(ray, task, arguments, cluster, shards):
                for warning in warnings:
                    logging.getLogger(warning.name).handle(warning)
                progress.add(result)


def _results(
    ray: ModuleType, task: Task, arguments: PredictArguments, cluster: ShardArguments, shards: Sequence[Shard]
) -> Iterator[Answered]:
    """Yield what came of each shard, in the order in which they end."""
    # Ray starts an actor again whose process or machine dies, and then its shard.
    options = {"num_cpus": 0.5, "max_restarts": -1, "max_task_retries": RETRIES, "scheduling_strategy": "SPREAD"}
    options |= resource_values(cluster.resources)
    waiting = [*reversed(shards)]
    try:
        actor_class = ray.remote(_Actor).options(**options)
        free = [
            actor_class.remote(os.getcwd(), task.reference, arguments) for _ in range(min(cluster.workers, len(shards)))
        ]
    except (ValueError, TypeError) as error:
        raise UserError(f"--resources: {str(error).splitlines()[0]}") from None
    ray_session.warn_of_missing(ray, options)
    running = {}
    while running or waiting:
        while free and waiting:
            actor, shard = free.pop(), waiting.pop()
            running[actor.answer.remote(shard)] = actor, shard
        (ended,), _ = ray.wait([*running], num_returns=1)
        actor, shard = running.pop(ended)
        free.append(actor)
        yield _result(ray, shard, lambda ended=ended: ray.get(ended))


def _result(ray: ModuleType, shard: Shard, get: Callable[[], Answered]) -> Answered:
    try:
        return get()
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError | OSError):
            raise error.cause from None
        last = str(error).strip().splitlines()[-1]
        raise TrainingFailed(f"{shard.location} could not be answered: {last}") from None
    except ray.exceptions.RayError as error:  # such as OutOfMemoryError, of Ray's memory monitor
        if "creation task" in str(error):  # such as a module that another machine lacks
            last = str(error).strip().splitlines()[-1]
            raise TrainingFailed(f"a worker of Ray could not be started: {last}") from None
        problem = f"{shard.location}: its worker died {RETRIES + 1} times; was there too little memory?"
        return ShardResult(shard.name, 0, problem), []


class _Actor:
    """Answers shards in a process of Ray.

    Args:
        folder: The folder to which the names of the files are relative.
        reference: The reference of the task.
        arguments: Of its command.
    """

    def __init__(self, folder: str, reference: str, arguments: PredictArguments):
        self._folder, self._task, self._arguments = folder, find(reference), arguments
        self._predictor = None

    def answer(self, shard: Shard) -> Answered:
        """Answer a shard; the warnings are for the command, since the messages of this process are not shown."""
        records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        handler, logger = logging.handlers.QueueHandler(records), logging.getLogger("tasks")
        handler.setLevel(logging.WARNING)
        logger.addHandler(handler)
        try:
            result = self._answer(shard)
        finally:
            logger.removeHandler(handler)
        return result, [records.get() for _ in range(records.qsize())]

    def _answer(self, shard: Shard) -> ShardResult:
        from tasks.serving.shards import answering  # imports TensorFlow

        if self._predictor is None:  # not when the actor begins: Ray reports an error there as the death of the actor
            with contextlib.suppress(OSError):  # another machine needs it for relative names only
                os.chdir(self._folder)
            self._predictor = answering.open_predictor(self._task, self._arguments)
        return answering.answer_shard(self._task, self._predictor, self._arguments, shard)
