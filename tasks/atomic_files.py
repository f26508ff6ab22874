"""Writing files so that a reader sees the old one or the new one, never half of one."""

import contextlib
import csv
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path` to write to; renamed to `path` at the end, removed on an error.

    The temporary name ends like `path`, since some writers go by the ending.
    """
    path = Path(path)
    temporary = path.with_name(f".writing-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: dict) -> None:
    """Writes a JSON object for people to read, too."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_csv(path: Path, rows: Sequence[dict]) -> None:
    """Writes rows with the same keys, one at least, below a line of the keys; None is an empty field."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Gives an empty temporary folder beside `path`; renamed to `path` at the end, removed on an error.

    A folder that was at `path` before is there until the new one is complete.
    """
    path = Path(path)
    temporary = path.with_name(f".writing-{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        swap_folder(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def swap_folder(new: Path, path: Path) -> None:
    """Puts the folder `new` in the place of `path`, and then removes what was there."""
    old = _out_of_the_way(path)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def put_aside(path: Path) -> Iterator[None]:
    """Takes a folder out of the way, if there is one; removes it at the end, and on an error puts it back."""
    old = _out_of_the_way(path)
    try:
        yield
    except BaseException:
        if old.exists():
            shutil.rmtree(path, ignore_errors=True)
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def finish_swap(path: Path) -> None:
    """Puts back what was at `path` if `swap_folder` or `put_aside` was killed when there was nothing in its place."""
    if not path.exists() and _old(path).exists():
        _old(path).rename(path)


def _out_of_the_way(path: Path) -> Path:
    """Renames a folder, if there is one; gives the name that it has then."""
    old = _old(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    return old


def _old(path: Path) -> Path:
    return path.with_name(f".old-{path.name}")
