"""Runs python -m tasks.chargen train | evaluate | generate | export | explain | compare."""

from tasks.chargen.task import CHARGEN
from tasks.cli.main import main
from tasks.cli.start import end

if __name__ == "__main__":
    end(main(CHARGEN))
