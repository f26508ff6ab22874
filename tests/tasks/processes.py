"""The processes that a program has started."""

import time
from pathlib import Path


def children(process: int) -> list[int]:
    """The processes that a process has started, and that have not ended."""
    listed = Path(f"/proc/{process}/task").glob("*/children")
    found = [int(one) for file in listed for one in file.read_text().split()]
    return [one for one in found if _runs(one)]


def wait_until_ended(processes: list[int]) -> None:
    """Waits until processes have ended; fails after a minute."""
    for _ in range(600):
        if not any(map(_runs, processes)):
            return
        time.sleep(0.1)
    raise AssertionError(f"still running: {[one for one in processes if _runs(one)]}")


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
