"""Runs python -m tasks.vectors train | neighbours | analogy | plot | export."""

from tasks.cli.main import main_of_group
from tasks.cli.start import end
from tasks.vectors.commands import VECTORS

if __name__ == "__main__":
    end(main_of_group(VECTORS))
