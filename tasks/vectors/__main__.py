"""Runs python -m tasks.vectors train | neighbours | analogy | plot | export."""

import sys

from tasks.cli.main import main_of_group
from tasks.vectors.commands import VECTORS

if __name__ == "__main__":
    sys.exit(main_of_group(VECTORS))
