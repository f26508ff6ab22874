"""What came of the shards of a command: progress, and the ones that are broken. Imports no TensorFlow."""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

from tqdm.contrib.logging import logging_redirect_tqdm

from tasks.data.records import quoted_list
from tasks.errors import Interrupted, ShardsFailed
from tasks.reports.progress import progress_bar
from tasks.serving.shards.listing import Shard

log = logging.getLogger(__name__)

# Names of broken shards in the last message; each is named with its problem before.
MAX_NAMES = 100
# Seconds between two updates of the number of answers; and between two lines where there is no bar.
SECONDS_BETWEEN_UPDATES, SECONDS_BETWEEN_LINES = 0.2, 60.0


class ShardResult(NamedTuple):
    """What came of a shard.

    Attributes:
        name: The shard.
        answers: Number of answers that were written.
        problem: Why it cannot be read; None if it is finished.
    """

    name: str
    answers: int
    problem: str | None = None


class _FirstOfEachKind(logging.Filter):
    """Passes the first warning of each kind; each shard would repeat it with other numbers."""

    def __init__(self):
        super().__init__()
        self._kinds: set[tuple[str, int]] = set()
        self.hidden = 0

    def filter(self, record: logging.LogRecord) -> bool:
        kind = (record.pathname, record.lineno)
        repeated = record.levelno == logging.WARNING and kind in self._kinds
        self._kinds.add(kind)
        self.hidden += repeated
        return not repeated


@contextlib.contextmanager
def without_repeated_warnings() -> Iterator[None]:
    """Show a warning that several shards cause once, and at the end how many were left out."""
    with logging_redirect_tqdm():  # lines appear above the bar
        handlers, filters = [*logging.root.handlers], []
        for handler in handlers:
            filters.append(_FirstOfEachKind())
            handler.addFilter(filters[-1])
        try:
            yield
        finally:
            for handler, one in zip(handlers, filters, strict=True):
                handler.removeFilter(one)
            hidden = max((one.hidden for one in filters), default=0)
            if hidden:
                log.warning("%s more warnings like these, about other shards, are not shown", f"{hidden:,}")


class ShardProgress:
    """A progress bar over all shards, and the list of broken ones; used in a `with` block.

    Where there is no terminal, a line a minute says how far the command is.

    Args:
        shards: The shards that are to be answered.
        output: The folder of the answers.

    Raises:
        ShardsFailed: At the end of the block, if a shard is broken; names all of them.
        Interrupted: If the block was interrupted.

    Example:
        >>> with ShardProgress([Shard("a.txt", "texts/a.txt")], "answers") as progress:
        ...     progress.add(ShardResult("a.txt", 1000))
    """

    def __init__(self, shards: Sequence[Shard], output: str):
        self._output, self._count = output, len(shards)
        self._broken: list[str] = []
        self._done = self._answers = self._of_finished = 0
        self._bar, self._shown = None, time.monotonic()

    def __enter__(self) -> Self:
        self._bar = progress_bar(total=self._count, unit=" shards")
        return self

    def answered(self, answers: int = 1) -> None:
        """Count answers of a shard that is not finished yet."""
        self._answers += answers
        self._show()

    def add(self, result: ShardResult) -> None:
        """Count a shard that is finished or broken."""
        self._of_finished += result.answers
        self._answers = max(self._answers, self._of_finished)
        self._done += 1
        if result.problem is not None:
            self._broken.append(result.name)
            log.error("%s", result.problem)
        self._bar.update()
        self._show()

    def __exit__(self, kind, error, traceback) -> None:
        if self._answers:
            self._bar.set_postfix_str(f"{self._answers:,} answers")
        self._bar.close()
        finished = self._done - len(self._broken)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(
                f"interrupted; {finished:,} of {self._count:,} shards are finished in {self._output}, and the same "
                "command continues with the others"
            ) from None
        if error is not None:
            return
        if self._broken:
            raise ShardsFailed(
                f"{len(self._broken):,} of {self._count:,} shards could not be answered: "
                f"{quoted_list(self._broken, MAX_NAMES)}.\nThe others are finished in {self._output}; correct these, "
                "and the same command answers them"
            )
        if self._count:
            answers = f", with {self._of_finished:,} answers" if self._of_finished else ""
            log.info("%s shards are finished in %s%s", f"{finished:,}", self._output, answers)
        else:
            log.info("all shards were finished in %s before", self._output)

    def _show(self) -> None:
        if time.monotonic() - self._shown < (SECONDS_BETWEEN_LINES if self._bar.disable else SECONDS_BETWEEN_UPDATES):
            return
        self._shown = time.monotonic()
        if self._bar.disable:
            log.info("%s of %s shards, %s answers", f"{self._done:,}", f"{self._count:,}", f"{self._answers:,}")
        else:
            self._bar.set_postfix_str(f"{self._answers:,} answers")
