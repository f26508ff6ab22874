"""Runs python -m tasks.sentiment train | evaluate | predict | export | explain | compare."""

from tasks.cli.main import main
from tasks.cli.start import end
from tasks.sentiment.task import SENTIMENT

if __name__ == "__main__":
    end(main(SENTIMENT))
