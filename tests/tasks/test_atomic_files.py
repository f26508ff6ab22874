"""Files and folders that are replaced whole or not at all."""

import errno
import fcntl
import os

import pytest

from tasks import atomic_files


class Stop(BaseException):
    """Like KeyboardInterrupt, no subclass of Exception."""


@pytest.mark.parametrize("error", [OSError, Stop])
def test_an_error_while_a_file_is_written_leaves_the_old_one_and_nothing_beside_it(tmp_path, error):
    path = tmp_path / "model.keras"
    path.write_text("old")
    with pytest.raises(error), atomic_files.replacing(path) as temporary:
        temporary.write_text("half")
        assert path.read_text() == "old"
        raise error
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.keras"]


def test_an_error_before_anything_is_written_is_the_one_that_is_seen(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_files.replacing(tmp_path / "nowhere" / "a") as temporary:
        temporary.write_text("x")


def test_a_file_is_replaced_and_keeps_the_ending_while_it_is_written(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("old")
    (tmp_path / ".writing-a.png").write_text("left by a process that was killed")
    with atomic_files.replacing(path) as temporary:
        assert temporary.suffix == ".png" and temporary.parent == tmp_path
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("has_locks", [True, False])
def test_a_file_that_is_replaced_twice_at_the_same_time_is_whole(tmp_path, monkeypatch, has_locks):
    if not has_locks:  # as Lustre is mounted without flock

        def flock(descriptor, operation):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

        monkeypatch.setattr(fcntl, "flock", flock)
    path = tmp_path / "a.png"
    with atomic_files.replacing(path) as first:
        first.write_text("first")
        with atomic_files.replacing(path) as second:
            assert first != second and second.suffix == ".png"
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("error", [OSError, Stop])
def test_an_error_while_a_folder_is_written_leaves_the_old_one_and_nothing_beside_it(tmp_path, error):
    path = tmp_path / "1"
    path.mkdir()
    (path / "a").write_text("old")
    with pytest.raises(error), atomic_files.replacing_folder(path) as temporary:
        (temporary / "a").write_text("half")
        raise error
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]
    assert (path / "a").read_text() == "old"


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "1"
    path.mkdir()
    (path / "a").write_text("old")
    (tmp_path / ".writing-1").mkdir()
    (tmp_path / ".writing-1" / "left").write_text("by a process that was killed")
    with atomic_files.replacing_folder(path) as temporary:
        assert (path / "a").read_text() == "old"
        (temporary / "b").write_text("new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]
    assert [entry.name for entry in path.iterdir()] == ["b"]


def test_only_what_nobody_is_writing_is_removed(tmp_path):
    """A training removes what a killed one has left, while an evaluation writes its files into the same run."""
    (tmp_path / "plots").mkdir()
    for left in (tmp_path / ".writing-model.keras", tmp_path / "plots" / ".writing-a.png"):
        left.write_text("left by a process that was killed")
    (tmp_path / ".writing-vocabulary").mkdir()
    (tmp_path / "plots" / ".writing-link").symlink_to("nowhere")
    with (
        atomic_files.replacing(tmp_path / "plots" / "b.png") as picture,
        atomic_files.replacing(tmp_path / "evaluation.json") as results,
    ):
        picture.write_text("a picture")
        atomic_files.remove_temporary(tmp_path)
        results.write_text("results")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        *("evaluation.json", "plots", "plots/b.png")
    ]
    assert (tmp_path / "plots" / "b.png").read_text() == "a picture"
