"""Runs python -m tasks.sentiment train | evaluate | predict | export | explain | compare."""

import sys

from tasks.cli.main import main
from tasks.sentiment.task import SENTIMENT

if __name__ == "__main__":
    sys.exit(main(SENTIMENT))
