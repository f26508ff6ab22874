"""One training of a comparison, in a process of its own, whose peak memory tells what the training needs.

Reads its job as a line of JSON from standard input, and answers with lines of JSON on standard output:
{"task": ..., "settings": ..., "run": ..., "evaluate": split or null} -> {"trained": ...}, {"evaluated": ...}, or
{"error": message} for a mistake of the caller's, {"failed": message} for what nobody could help. Standard input stays
open as long as the comparison lives; the process ends with it.
"""

import contextlib
import csv
import importlib
import json
import os
import re
import resource
import sys
import threading
from pathlib import Path

from models.recurrent_settings import Settings
from tasks.cli import main as cli
from tasks.comparison.settings import YARDSTICKS
from tasks.data.records import named_splits
from tasks.errors import TrainingDiverged, UserError
from tasks.training.runs import Run


def main() -> int:
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_comparison, daemon=True).start()
    answers = sys.stdout

    def answer(**message) -> None:
        print(json.dumps(message), file=answers, flush=True)

    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras draws its progress bar on standard output
            train = cli.load(f"tasks.{job['task']}.train:train")
            settings = importlib.import_module(f"tasks.{job['task']}.__main__").COMMANDS["train"].arguments
            settings = settings.model_validate(job["settings"])
            if not Run(job["run"]).finished:  # else only the evaluation was cut off
                if job["evaluate"]:
                    _check_split(job, settings)
                answer(trained=_train(train, settings, job["run"]))
            if job["evaluate"]:
                evaluate = cli.load(f"tasks.{job['task']}.evaluate:evaluate")
                answer(evaluated=evaluate(job["run"], split=job["evaluate"]))
    except UserError as error:
        answer(error=str(error))
    except OSError as error:
        answer(failed=cli.os_error(error)[0])
    except KeyboardInterrupt:
        return 130
    return 0


def _end_with_the_comparison() -> None:
    sys.stdin.read()
    os._exit(1)  # a training that nobody waits for would disturb the next one


def _check_split(job: dict, settings: Settings) -> None:
    """A split that is not there is told before hours of training, and not after them."""
    source = cli.load(YARDSTICKS[job["task"]].source)(settings.data)
    named_splits(job["evaluate"], source.splits, source.location)


def _train(train, settings: Settings, run: str) -> dict:
    diverged = False
    try:
        train(settings, run, verbose=1 if sys.stderr.isatty() else 2)
    except TrainingDiverged:
        diverged = True
    peak = _peak_memory()
    from tasks.training.checkpoint import load_model  # brings TensorFlow, which `cli.load` starts quietly

    return {
        "history": _history(Run(run)),
        "parameters": load_model(Run(run)).count_params(),
        "peak_memory": peak,
        "diverged": diverged,
    }


def _peak_memory() -> int:
    """Bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, whose ru_maxrss begins with what the process had that started this one
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _history(run: Run) -> list[dict[str, float | None]]:
    if not Path(run.history_file).exists():  # it diverged in its first epoch
        return []
    with open(run.history_file, encoding="utf-8", newline="") as file:
        return [{name: float(value) if value else None for name, value in row.items()} for row in csv.DictReader(file)]


if __name__ == "__main__":
    sys.exit(main())
