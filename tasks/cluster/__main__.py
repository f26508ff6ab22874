"""Runs the commands of `tasks.cli.cluster`: python -m tasks.cluster COMMAND ..."""

from tasks.cli.cluster import main
from tasks.cli.start import end

if __name__ == "__main__":
    end(main())
