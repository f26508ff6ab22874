"""Runs python -m tasks.translation train | evaluate | translate | export | explain | compare."""

import sys

from tasks.cli.main import main
from tasks.translation.task import TRANSLATION

if __name__ == "__main__":
    sys.exit(main(TRANSLATION))
