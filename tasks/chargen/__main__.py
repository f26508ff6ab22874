"""Runs python -m tasks.chargen train | evaluate | generate | export | explain | compare."""

import sys

from tasks.chargen.task import CHARGEN
from tasks.cli.main import main

if __name__ == "__main__":
    sys.exit(main(CHARGEN))
