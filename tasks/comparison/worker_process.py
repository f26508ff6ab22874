"""The separate process of a training: `tasks.comparison.worker`, started, read and ended."""

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.errors import TrainingFailed, UserError

# Seconds between two looks at whether the training shall stop.
LOOK = 0.5
# Exit codes of a training that a signal has ended: it has saved its step, or was starting.
INTERRUPTED = (130, *(-number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))


def answers(
    job: dict, *, log: Path | None = None, stop: threading.Event | None = None, descriptors: Sequence[int] = ()
) -> Iterator[dict]:
    """Do a job in a separate process; yield its answers as they arrive.

    Args:
        job: See `tasks.comparison.worker`; its settings are an object.
        log: The file to which the process appends its messages; None if they go to standard error.
        stop: Ends the process when it is set; a training saves the step that it has reached.
        descriptors: Descriptors of locks that the process holds as long as it runs.

    Raises:
        UserError: If the job cannot be done as it is.
        TrainingFailed: If it fails, or the process ends early.
        KeyboardInterrupt: If `stop` is set, or a signal has ended the process.
    """
    sent = job | ({"settings": job["settings"].model_dump(mode="json")} if "settings" in job else {})
    command = [sys.executable, "-m", "tasks.comparison.worker"]
    with contextlib.ExitStack() as stack:
        messages = None if log is None else stack.enter_context(open(log, "a", encoding="utf-8"))
        worker = stack.enter_context(
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                encoding="utf-8",
                pass_fds=descriptors,
            )
        )
        try:
            with contextlib.suppress(BrokenPipeError):  # it has ended: its exit code is reported
                worker.stdin.write(json.dumps(sent) + "\n")
                worker.stdin.flush()
            for line in _lines(worker, stop):
                yield _checked(json.loads(line))
            worker.wait()
        except BaseException:
            worker.terminate()  # it saves the step that it has reached
            worker.wait()
            raise
    if worker.returncode in INTERRUPTED:
        raise KeyboardInterrupt
    if worker.returncode:
        why = ", killed by the system: was there too little memory?" if worker.returncode == -signal.SIGKILL else ""
        what = f"the training of {job['run']}" if "run" in job else "the check of the settings"
        where = "" if log is None else f", see {log}"
        raise TrainingFailed(
            f"{what} ended with exit code {worker.returncode}{why}{where}; what is finished is kept, and the same "
            "command resumes"
        )


def _checked(answer: dict) -> dict:
    if "error" in answer:
        raise UserError(answer["error"])
    if "failed" in answer:
        raise TrainingFailed(answer["failed"])
    return answer


def _lines(worker: subprocess.Popen, stop: threading.Event | None) -> Iterator[str]:
    """Yield the lines of standard output; raise KeyboardInterrupt when `stop` is set.

    A thread reads them: a signal, or an exception that Ray raises in this one, does not end a wait for a line.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in worker.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        if stop is not None and stop.is_set():
            raise KeyboardInterrupt
        try:
            line = lines.get(timeout=LOOK)
        except queue.Empty:
            continue
        if line is None:
            return
        yield line
