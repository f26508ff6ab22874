"""Runs python -m tasks.translation train | evaluate | translate | export | explain | compare."""

from tasks.cli.main import main
from tasks.cli.start import end
from tasks.translation.task import TRANSLATION

if __name__ == "__main__":
    end(main(TRANSLATION))
