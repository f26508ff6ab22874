"""Writes the API reference, from the docstrings of `models` and `tasks`; run by `make docs`."""

import os
import sys
import warnings
from pathlib import Path

from tasks import atomic_files
from tasks.cli.start import end, import_tensorflow, quiet_start

FOLDER = Path(__file__).parents[2] / "docs"


def write(folder: Path) -> list[str]:
    """Write the pages; index.html is the first one.

    Args:
        folder: Folder of the pages, which replaces an earlier one.

    Returns:
        The warnings of pdoc, such as types that it does not find.
    """
    import pdoc

    pdoc.render.configure(docformat="google")
    with warnings.catch_warnings(record=True) as caught, atomic_files.replacing_folder(folder) as temporary:
        warnings.simplefilter("always")
        pdoc.pdoc("models", "tasks", output_directory=temporary)
    return [str(warning.message) for warning in caught if Path(warning.filename).parent.name == "pdoc"]


def main() -> int:
    """Write the pages to docs/; return the exit code, 1 if pdoc warns."""
    os.environ["PDOC_ALLOW_EXEC"] = "1"  # packages that are imported ask for the machine's name
    with quiet_start():
        import_tensorflow()
    faults = write(FOLDER)
    for fault in faults:
        print(f"warning: {fault}", file=sys.stderr)
    print(FOLDER / "index.html")
    return int(bool(faults))


if __name__ == "__main__":
    end(main())
