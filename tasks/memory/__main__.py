"""Command line of the study: python -m tasks.memory [options]."""

from tasks.cli.main import run_single
from tasks.cli.start import end
from tasks.commands import Command
from tasks.memory.settings import MemoryArguments

if __name__ == "__main__":
    end(run_single("memory", Command("tasks.memory.study:main", MemoryArguments)))
