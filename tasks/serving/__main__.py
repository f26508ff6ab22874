"""Command line of the server: python -m tasks.serving [options] [models]."""

from tasks.cli.main import run_single
from tasks.cli.start import end
from tasks.commands import Command
from tasks.serving.server.settings import ServeArguments

if __name__ == "__main__":
    end(run_single("serving", Command("tasks.serving.server.serve:main", ServeArguments)))
