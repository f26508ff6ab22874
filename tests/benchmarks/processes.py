"""What a process needs from its start to its end."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

# Starts a command, and writes what it needed into a file. On Linux the peak memory of a process begins with that of the
# process that starts it, so this one is small.
LAUNCHER = """
import json, os, sys, time
began = time.monotonic()
process = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[2:]], os.environ)
_, status, usage = os.wait4(process, 0)
with open(sys.argv[1], "w") as file:
    json.dump([time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024], file)
sys.exit(os.waitstatus_to_exitcode(status))
"""


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
    with tempfile.NamedTemporaryFile("r") as result, tempfile.TemporaryFile() as messages:  # pipes could be full
        command = [sys.executable, "-S", "-c", LAUNCHER, result.name, *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": str(root)}
        ended = subprocess.run(command, env=environment, cwd=folder, stdout=messages, stderr=messages)
        messages.seek(0)
        assert ended.returncode == 0, messages.read().decode()
        return Cost(*json.load(result))
