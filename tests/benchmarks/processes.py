"""What a process needs from its start to its end."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Cost(NamedTuple):
    """Of a process.

    Attributes:
        seconds: Until its end.
        processor: Seconds of the processors, which depend less on other processes.
        peak_mib: The most memory that it had.
    """

    seconds: float
    processor: float
    peak_mib: float


def cost(*arguments, root: Path = ROOT, folder: Path = ROOT) -> Cost:
    """Run Python, with this project or another checkout of it, in a folder; it must end without an error."""
    command, environment = [sys.executable, *map(str, arguments)], os.environ | {"PYTHONPATH": str(root)}
    with tempfile.TemporaryFile() as messages:  # not a pipe, which nobody would empty
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=messages, stderr=messages)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        messages.seek(0)
        assert process.returncode == 0, messages.read().decode()
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
