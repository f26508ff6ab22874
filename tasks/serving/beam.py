"""Answers shards with Apache Beam, on Flink, Spark, Dataflow or this machine: python -m tasks.serving.beam TASK ...

Needs the extra `beam`. Every worker reads the shards, and writes the answers, under the paths of the command: in a file
system that all machines share.
"""

import contextlib
import difflib
import io
import logging
import os
import re
import signal
import threading
from collections.abc import Iterator, Sequence

from tasks.data.library_logs import log_level

if __name__ == "__main__":  # the command imports this module under its name, so that workers find its classes
    from tasks.cli.beam import main
    from tasks.cli.start import end

    end(main())

try:
    with log_level("", logging.ERROR):  # it warns of packages that it does without
        import apache_beam
    from apache_beam.metrics import Metrics
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
    from apache_beam.utils.shared import Shared
except ImportError as error:
    if error.name is not None and error.name.partition(".")[0] != "apache_beam":
        raise  # it is installed, and lacks something else
    apache_beam = None

from tasks.arguments import PredictArguments
from tasks.errors import ShardsFailed, UserError, did_you_mean
from tasks.predictor import Predictor
from tasks.references import find
from tasks.serving.shards.listing import Shard
from tasks.serving.shards.output_folder import begin, unfinished
from tasks.serving.shards.progress import ShardProgress, ShardResult, without_repeated_warnings
from tasks.task import Task

# What runs a pipeline on this machine. Beam's own choice, Prism, is a program that it downloads.
LOCAL_RUNNER = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
# Runners whose jobs go to a server, which has options that are unknown here.
OF_JOB_SERVERS = ("FlinkRunner", "SparkRunner", "PortableRunner", "PrismRunner")
# How much two names have in common, of 1, so that one is taken for a slip in the other.
SIMILAR = 0.8
# Repeats in this process what the workers on this machine log.
WORKER_LOGGER = "apache_beam.runners.portability.local_job_service"
# Logs the traceback of an error that ends the pipeline, which the command reports.
ERROR_LOGGER = "apache_beam.runners.common"
# Where Beam quotes a mistake of the caller that a worker has found: below a traceback, and before the step.
MISTAKE, STEP = "\ntasks.errors.UserError: ", " [while running '"
# How the error begins of the thread that waits for a worker on this machine.
WORKER_ENDED = "Worker subprocess exited"
# Seconds between two interrupts of a pipeline whose worker has died: time for the others to end.
AGAIN = 20.0


class _Opened:
    """A model that the threads of a worker share, one shard at a time: a call of it uses all processors."""

    def __init__(self, predictor: Predictor):
        self.predictor, self.lock = predictor, threading.Lock()


class AnswerShards(apache_beam.DoFn if apache_beam else object):
    """Answers shards; a worker opens the model once, and all its threads share it.

    Args:
        task: `Task.reference`.
        arguments: Of the command that answers texts.
    """

    def __init__(self, task: str, arguments: PredictArguments):
        self._task, self._arguments, self._shared = task, arguments, Shared()
        self._folder = os.getcwd()
        self._answers = Metrics.counter("shards", "answers")

    def setup(self) -> None:
        """Open the model, unless another thread of this worker has."""
        from tasks.serving.shards.answering import open_predictor  # imports TensorFlow

        with contextlib.suppress(OSError):  # another machine needs it for relative names only
            os.chdir(self._folder)
        task = find(self._task)
        self._opened = self._shared.acquire(lambda: _Opened(open_predictor(task, self._arguments)))

    def process(self, element: tuple) -> Iterator[tuple]:
        """Answer a shard.

        Args:
            element: The `Shard`, as a tuple.

        Yields:
            The `ShardResult`, as a tuple.
        """
        from tasks.serving.shards.answering import answer_shard

        with self._opened.lock:
            result = answer_shard(find(self._task), self._opened.predictor, self._arguments, Shard(*element))
        self._answers.inc(result.answers)
        yield tuple(result)


def answer_shards(task: Task, arguments: PredictArguments, options: Sequence[str] = ()) -> None:
    """Answer the shards of a command that are not finished with a pipeline of Beam.

    Args:
        task: The task.
        arguments: Of the command that answers texts, with `sharded`.
        options: Of Beam, such as `--runner=FlinkRunner`; on this machine if they name no runner.

    Raises:
        UserError: If Beam is not installed, or has no such option; or see `tasks.serving.shards.output_folder.begin`.
        ShardsFailed: If shards could not be read; the others are finished.
    """
    if apache_beam is None:
        raise UserError(
            "this needs Apache Beam, which is not installed: pip install -e '.[beam]' in the folder of this project, "
            "in an environment without the extra cluster"
        )
    chosen = _pipeline_options([*options])
    if chosen.view_as(StandardOptions).runner is None:
        chosen.view_as(StandardOptions).runner = LOCAL_RUNNER
    try:
        pipeline = apache_beam.Pipeline(options=chosen)
    except (ValueError, ImportError) as error:
        raise UserError(f"the options of Beam, after --: {' '.join(str(error).split())}") from None
    shards = begin(task, arguments)
    if shards:
        answered = pipeline | apache_beam.Create([tuple(shard) for shard in shards])
        answered |= apache_beam.Reshuffle()  # otherwise, one worker takes them all
        answered |= apache_beam.ParDo(AnswerShards(task.reference, arguments))
        logs = log_level(WORKER_LOGGER, logging.ERROR), log_level(ERROR_LOGGER, logging.CRITICAL)
        with without_repeated_warnings(), logs[0], logs[1], _mistakes(), _ended_with_its_workers(arguments):
            pipeline.run().wait_until_finish()
    left = unfinished(arguments.output, shards)
    with ShardProgress(shards, arguments.output) as progress:
        for shard in shards:
            problem = find("tasks.serving.shards.answering:problem_of")(arguments, shard) if shard in left else None
            progress.add(ShardResult(shard.name, 0, problem))


def _pipeline_options(words: list[str]) -> "PipelineOptions":
    """Return the options of Beam, which itself leaves out those that it does not know.

    Raises:
        UserError: If there is no such option, or its value is wrong. An option with a name unlike all others is kept
            for the runners that hand it on to a server of jobs: it knows more options.
    """
    parsers, messages = [], io.StringIO()
    try:
        with contextlib.redirect_stderr(messages), log_level("", logging.ERROR):
            options = PipelineOptions(words)
            options.get_all_options(add_extra_args_fn=parsers.append)
    except SystemExit as error:
        if not error.code:  # --help
            raise
        _, _, reason = messages.getvalue().strip().rpartition(": error: ")
        raise UserError(f"the options of Beam, after --: {reason}") from None
    [parser] = parsers
    given, unknown = parser.parse_known_args(words)
    known = re.findall(r"--\w+", parser.format_help())
    hands_on = (given.runner or "").endswith(OF_JOB_SERVERS)
    for word in unknown:
        name = word.partition("=")[0]
        similar = difflib.get_close_matches(name, known, n=1, cutoff=SIMILAR if hands_on else 0.6)
        if similar or not hands_on:
            raise UserError(
                f"{word!r} is no option of Beam{did_you_mean(name, known)}\n"
                "Options of Beam stand after --, and those of the command before it"
            )
    return options


@contextlib.contextmanager
def _mistakes() -> Iterator[None]:
    """Turn the error of a pipeline into the `UserError` of its worker, if that is the reason."""
    try:
        yield
    except (UserError, RuntimeError) as error:
        _, found, message = str(error).rpartition(MISTAKE)
        if not (found or isinstance(error, UserError)):
            raise
        raise UserError(message.partition(STEP)[0]) from None


@contextlib.contextmanager
def _ended_with_its_workers(arguments: PredictArguments) -> Iterator[None]:
    """End the block when a worker on this machine has died: Beam's runner would wait for it for ever.

    Only the main thread can be interrupted; in another one the block is not ended.

    Raises:
        ShardsFailed: If a worker has died.
    """
    hook, problems, left = threading.excepthook, [], threading.Event()
    interruptible = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        # Code in C and finalizers drop an exception that is raised in them.
        while not left.is_set():
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            left.wait(AGAIN)

    def excepthook(given) -> None:
        if not (interruptible and str(given.exc_value).startswith(WORKER_ENDED)):
            hook(given)
        elif not problems:
            problems.append(str(given.exc_value))
            # Not here: the runner waits for this thread when it is interrupted.
            threading.Thread(target=interrupt, daemon=True).start()

    if interruptible and handler == signal.SIG_IGN:  # of a command in the background of a shell script
        signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.excepthook = excepthook
    try:
        yield
    except KeyboardInterrupt:
        left.set()
        if not problems:
            raise
        raise ShardsFailed(
            f"a worker of Beam has ended ({problems[0]}); the same command continues with the shards that are missing "
            f"in {arguments.output}"
        ) from None
    finally:
        left.set()
        threading.excepthook = hook
        if interruptible and handler == signal.SIG_IGN:
            signal.signal(signal.SIGINT, handler)
