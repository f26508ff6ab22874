"""A process starts without packages that it does not need, and ends at once, with everything written."""

import json

import pytest

# Runs commands of all tasks within one process; prints the optional packages that they bring along, and what is left of
# the start: the state of the garbage collection, and whether the packages can be imported afterwards.
COMMANDS = """
import gc, json, os, sys
from tasks.cli.main import main
from tasks.cli.registry import all_tasks
from tasks.cli.start import OPTIONAL_IMPORTS

for task, arguments in zip(all_tasks(), json.loads(sys.argv[1]), strict=True):
    for line in arguments:
        assert main(task, line) == 0
assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ
imported = sorted(set(OPTIONAL_IMPORTS) & set(sys.modules))
import matplotlib.pyplot, sklearn.metrics
print(json.dumps([imported, gc.isenabled(), matplotlib.pyplot.__name__]))
"""
# Registers what happens at the end, and ends while lines are still in the buffer of standard output.
ENDING = """
import atexit, sys, threading, time
from tasks.cli.start import end

atexit.register(print, "registered")
threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
print("printed")
end(int(sys.argv[1]))
"""
# Starts as the server does; prints how many threads share an operation.
SERVING = """
import sys
from tasks.cli.main import run_single
from tasks.commands import Command
from tasks.serving.server.settings import ServeArguments

code = run_single("serving", Command("tasks.serving.server.serve:main", ServeArguments), sys.argv[1:])
import tensorflow as tf
print(code, tf.config.threading.get_intra_op_parallelism_threads())
"""


@pytest.mark.parametrize(("options", "threads"), [((), "1"), (("--intra-op-threads", "0"), "0")])
def test_the_server_starts_tensorflow_with_the_threads_of_its_option(process, tmp_path, options, threads):
    started = process("-c", SERVING, str(tmp_path / "missing"), *options)
    out, err = started.communicate(timeout=60)
    assert out.split() == [b"2", threads.encode()] and b"does not exist" in err, err


@pytest.mark.slow
def test_answering_imports_neither_matplotlib_nor_scikit_learn_nor_scipy(small_tasks, process, tmp_path):
    lines = [
        [
            [task.predict_command, "A fine film.", "--run", str(task.run())],
            [task.predict_command, "A fine film.", "--model", str(task.model())],
        ]
        for task in small_tasks.values()
    ]
    started = process("-c", COMMANDS, json.dumps(lines), cwd=tmp_path)
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    imported, collecting, plotting = json.loads(out.decode().splitlines()[-1])
    assert (imported, collecting, plotting) == ([], True, "matplotlib.pyplot")


@pytest.mark.parametrize("code", [0, 2])
def test_at_the_end_threads_are_awaited_output_is_written_and_registered_functions_are_called(process, code):
    ending = process("-c", ENDING, code)
    out, err = ending.communicate()
    assert (ending.returncode, out.decode().split(), err) == (code, ["printed", "thread", "registered"], b"")
