"""Command line of the study: python -m tasks.memory [options]."""

import sys

from tasks.cli.main import run_single
from tasks.commands import Command
from tasks.memory.settings import MemoryArguments

if __name__ == "__main__":
    sys.exit(run_single("memory", Command("tasks.memory.study:main", MemoryArguments)))
