"""One training of a comparison, in a separate process, so that its peak memory is that of the training.

Reads a job as a line of JSON from standard input, and writes answers as lines of JSON to standard output:
{"task": ..., "settings": ..., "run": ..., "evaluate": split or null, "processes": maximum number or null} ->
{"trained": ...}, {"evaluated": ...};
{"task": ..., "check": [settings, ...]} -> {"checked": true}, after trying their Keras values; or
{"error": message} for a mistake of the caller, {"failed": message} for another failure. Standard input stays open as
long as the comparison runs; the process ends with it.
"""

import contextlib
import json
import os
import re
import resource
import sys
import threading
from pathlib import Path

from models.recurrent_settings import Settings
from tasks.cli.exit_codes import os_error
from tasks.cli.main import load
from tasks.cli.start import end
from tasks.data.records import resolve_splits
from tasks.errors import TrainingDiverged, TrainingFailed, UserError
from tasks.in_memory import from_file
from tasks.references import find
from tasks.task import Task
from tasks.training.runs import Run


def main() -> int:
    """Do one job; return the exit code."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_comparison, daemon=True).start()
    answers = sys.stdout

    def answer(**message) -> None:
        print(json.dumps(message), file=answers, flush=True)

    try:
        with contextlib.redirect_stdout(sys.stderr):  # the epochs are printed to standard output
            task = find(job["task"])
            if "check" in job:
                check_values = load("tasks.training.fit:check_keras_values")
                for stored in job["check"]:
                    settings = task.settings_class.model_validate(from_file(stored))
                    check_values(settings.recurrent, settings.network)
                answer(checked=True)
                return 0
            settings = task.settings_class.model_validate(from_file(job["settings"]))
            train, evaluate = load("tasks.training.train:train"), load("tasks.serving.evaluate:evaluate")
            if not Run(job["run"]).finished:  # otherwise only the evaluation was interrupted
                if job["evaluate"]:
                    # An unknown split is reported before hours of training, not after them.
                    source = task.open_source(settings)
                    resolve_splits(job["evaluate"], source.splits, source.location)
                answer(trained=_train(train, task, settings, job["run"], job.get("processes")))
            if job["evaluate"]:
                answer(evaluated=evaluate(task, job["run"], split=job["evaluate"], **task.comparison_arguments))
    except UserError as error:
        answer(error=str(error))
    except TrainingFailed as error:
        answer(failed=str(error))
    except OSError as error:
        answer(failed=os_error(error)[0])
    except KeyboardInterrupt:
        return 130
    return 0


def _end_with_the_comparison() -> None:
    sys.stdin.read()
    os._exit(1)  # a training that nobody waits for would disturb the next one


def _train(train, task: Task, settings: Settings, run: str, processes: int | None) -> dict:
    diverged = False
    try:
        train(task, settings, run, processes=processes)
    except TrainingDiverged:
        diverged = True
    peak = peak_memory()
    model = load("tasks.training.checkpoint:load_model")(Run(run))
    return {
        "history": Run(run).history(),
        "validated_part": task.validated_part(Run(run).settings(task.settings_class)),
        "parameters": model.count_params(),
        "peak_memory": peak,
        "diverged": diverged,
    }


def peak_memory() -> int:
    """Return the peak memory of this process in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, whose ru_maxrss starts with the memory of the process that started this one
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    end(main())
