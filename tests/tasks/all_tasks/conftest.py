"""What the files of this folder run over: each task, with its example."""

import csv
import datetime
import gzip
import json
import shutil
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tasks.cli.registry import TASKS
from tasks.data.locations import MANIFEST

TEXTS = [f"A good film number {number}, and a queen." for number in range(24)]
# The shards of `shards`.
NAMES = ["a.txt", "b.csv", "c.tsv", "day=2/d.jsonl.gz", "day=2/e.parquet"]


@pytest.fixture(scope="session", params=TASKS)
def small(request, small_tasks):
    """A task with its small data and its finished runs, for reading only; see `tests.tasks.conftest.SmallTask`."""
    return small_tasks[request.param]


@pytest.fixture
def copy(small, tmp_path) -> Path:
    """A copy of a finished run, whose network is not trained, to be damaged."""
    return shutil.copytree(small.untrained_run, tmp_path / "copy")


@pytest.fixture
def shards(tmp_path) -> Path:
    """A folder with a shard of each format, two of them in a folder below, and files that are none."""
    folder = tmp_path / "texts"
    (folder / "day=2").mkdir(parents=True)
    rows = [{"id": number, "date": "2026-11-28", "text": text} for number, text in enumerate(TEXTS)]
    (folder / "a.txt").write_text("".join(f"{text}\n" for text in TEXTS[:5]))
    for name, delimiter in (("b.csv", ","), ("c.tsv", "\t")):
        with open(folder / name, "w", newline="") as file:
            table = csv.DictWriter(file, rows[0], delimiter=delimiter)
            table.writeheader()
            table.writerows(rows[5:10])
    lines = "".join(json.dumps(row) + "\n" for row in rows[10:15])
    (folder / "day=2" / "d.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    dates = pyarrow.array([datetime.date(2026, 11, 28)] * 5)
    table = pyarrow.table({"text": TEXTS[15:20], "date": dates, "tags": [["a", "b"]] * 5, "id": range(15, 20)})
    pyarrow.parquet.write_table(table, folder / "day=2" / "e.parquet", row_group_size=3)
    for name in ("_SUCCESS", ".a.txt.crc", "README.md"):
        (folder / name).write_text("")
    return folder


@pytest.fixture
def answer(small, shards, tmp_path):
    """Runs the command that answers texts, within this process."""

    def run(*options, input: Path | str | tuple = shards, output: Path | str = "answers", run: Path | None = None):
        named = input if isinstance(input, tuple) else (input,)
        fixed = ("--run", run or small.untrained_run, "--input", *named, "--output", tmp_path / output)
        return small.command(small.predict_command, *fixed, *options)

    return run


def written(folder: Path) -> dict[str, bytes]:
    """The answers in a folder, without its manifest."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
