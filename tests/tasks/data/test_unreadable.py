"""Files and folders that may not be read: each is an error that names it, and nothing is left out without a word."""

import os
import tempfile
from pathlib import Path

import pytest

from tasks.arguments import PredictArguments
from tasks.cli.registry import TASKS
from tasks.data.documents import open_documents
from tasks.data.locations import expand
from tasks.data.records import Column
from tasks.data.sources import open_source
from tasks.errors import UserError
from tasks.references import find
from tasks.serving.shards.listing import find_shards

NOBODY = 65534


@pytest.fixture
def folder():
    """A folder, of a user who is not root, who may read everything."""
    with tempfile.TemporaryDirectory() as name:
        user = os.geteuid()
        if user == 0:
            os.chown(name, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            os.seteuid(user)


def write(path: Path, rows: int = 40) -> None:
    """Writes a table that each task can read, or some lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "text,label,en,ko\n" if path.suffix == ".csv" else ""
    path.write_text(header + "".join(f"a text {row},{row % 2},a text {row},b {row}\n" for row in range(rows)))


def readers(folder: Path, pattern: str):
    """What reads a folder: a training and an evaluation of each task, texts without labels, shards; and a pattern."""

    def reported(source):
        if hasattr(source, "report_files"):  # as a training does when it begins
            source.report_files()
        [*source.records("all")]

    for name in TASKS:
        task = find(TASKS[name])
        column = {"text_column": "text"} if name == "chargen" else {}
        columns = {"source_column": "en", "target_column": "ko"} if name == "translation" else column
        settings = task.settings_class.model_validate({"data": {"data": str(folder), **columns}})
        yield f"training {name}", lambda task=task, settings=settings: reported(task.open_source(settings))
        other = task.evaluate_arguments(run="r", data=str(folder))
        yield f"evaluation {name}", lambda task=task, s=settings, o=other: task.open_evaluation_source(s, o)
    yield "texts", lambda: [*open_documents(str(folder), None, sample=Path("none")).texts("all")]
    yield "shards", lambda: find_shards(PredictArguments(run="r", input=str(folder), output="answers"))
    yield "pattern", lambda: expand(f"{folder}/{pattern}")


@pytest.mark.parametrize("mode", [0o000, 0o300])  # neither listed nor entered; not listed
@pytest.mark.parametrize("table", ["private/b.csv", "b.csv"])
def test_a_folder_that_cannot_be_read_is_named_whatever_reads_the_one_above_it(folder, mode, table):
    for name in ("a.csv", table):
        write(folder / name)
    private = folder / "private"
    private.mkdir(exist_ok=True)
    private.chmod(mode)
    for reader, read in readers(folder, "**/*.csv"):
        with pytest.raises(UserError, match=r"private(/b\.csv|/)?: cannot be read: Permission denied") as caught:
            read()
            pytest.fail(reader)
        assert len(str(caught.value).splitlines()) == 1


def test_class_folders_and_files_that_cannot_be_read_are_named(folder):
    for name in ("pos/1.txt", "neg/1.txt", "pos/2.txt"):
        write(folder / "classes" / name)
    for mode, named in ((0, "pos"), (0o600, r"pos/1\.txt")):
        (folder / "classes" / "pos").chmod(mode)
        with pytest.raises(UserError, match=rf"{named}: cannot be read: Permission denied"):
            source = open_source(str(folder / "classes"), [Column("text"), Column("label")], sample=Path("none"))
            [*source.records("all")]
    # Tables beside others that can be read, with and without a split in their names; part files; lines of text.
    for names in (("a.csv", "b.csv"), ("train.csv", "test.csv"), ("part-0", "part-1"), ("a.py", "b.py")):
        place = folder / names[0].replace(".", "-")
        for name in names:
            write(place / name)
        (place / names[1]).chmod(0)
        with pytest.raises(UserError, match=rf"{names[1]}: cannot be read: Permission denied"):
            [*open_documents(str(place), None, sample=Path("none")).texts("all")]


def test_a_folder_that_is_no_data_by_its_name_may_be_unreadable(folder):
    write(folder / "a.csv")
    (folder / "lost+found").mkdir(mode=0)
    for _, read in readers(folder, "**/*.csv"):
        read()
