"""The folder of a run: created, resumed, replaced and read."""

import json

import pytest

from models.recurrent_settings import Settings
from tasks.errors import UserError
from tasks.training import runs
from tasks.training.runs import Run


class Group(Settings):
    units: int = 8
    cell: str = "lstm"


class TaskSettings(Settings):
    recurrent: Group = Group()


EIGHT, NINE = TaskSettings(), TaskSettings(recurrent=Group(units=9))


def begin(path, settings=EIGHT, task="a_task", **options):
    return runs.begin(path, task, settings, **options)


def train_a_little(run: Run, mark: str) -> None:
    """Writes what an interrupted training leaves in its folder."""
    run.vocabulary.mkdir(exist_ok=True)
    run.state_file.write_text(mark)
    run.model_file.write_text(mark)


def finished(path, settings=EIGHT, mark="first") -> Run:
    run = begin(path, settings)
    train_a_little(run, mark)
    return runs.finish(run, path)


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_new_run_stores_its_settings_and_is_not_finished(tmp_path):
    run = begin(tmp_path / "runs" / "a")
    assert json.loads(run.settings_file.read_text()) == {
        "task": "a_task",
        "recurrent": {"units": 8, "cell": "lstm"},
    }
    assert not run.finished and names(run.path) == ["checkpoint", "settings.json"]


def test_a_finished_run_is_neither_trained_again_nor_lost(tmp_path):
    run = finished(tmp_path / "a")
    assert run.finished and not run.checkpoint.exists()
    with pytest.raises(UserError, match=r"finished already.*--overwrite"):
        begin(run.path)
    assert run.model_file.read_text() == "first" and run.finished


def test_overwrite_keeps_the_finished_run_until_the_new_one_is_finished(tmp_path):
    old = finished(tmp_path / "a")
    new = begin(old.path, NINE, overwrite=True)
    train_a_little(new, "second")
    assert old.finished and old.model_file.read_text() == "first"
    # Interrupted: the same command resumes it, a command with other settings starts again.
    again = begin(old.path, NINE, overwrite=True)
    assert again.path == new.path and again.state_file.read_text() == "second"
    assert not begin(old.path, TaskSettings(recurrent=Group(units=10)), overwrite=True).state_file.exists()
    new = begin(old.path, NINE, overwrite=True)
    train_a_little(new, "third")
    assert runs.finish(new, old.path).path == old.path
    assert old.finished and old.model_file.read_text() == "third"
    assert old.stored()["recurrent"]["units"] == 9
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("where", ["before the swap", "in the swap", "after the swap"])
def test_a_process_killed_while_runs_are_swapped_loses_neither(tmp_path, where):
    old = finished(tmp_path / "a")
    new = begin(old.path, NINE, overwrite=True)
    train_a_little(new, "second")
    # What `atomic_files.swap_folder` does before it is killed.
    if where != "before the swap":
        old.path.rename(tmp_path / ".old-a")
    if where == "after the swap":
        new.path.rename(old.path)
    again = begin(old.path, NINE, overwrite=True)
    assert again.state_file.read_text() == "second"
    if where != "after the swap":
        assert old.model_file.read_text() == "first"
    run = runs.finish(again, old.path)
    assert run.path == old.path and run.finished and run.model_file.read_text() == "second"


def test_a_process_killed_while_the_checkpoint_is_removed_leaves_a_finished_run(tmp_path):
    run = begin(tmp_path / "a")
    train_a_little(run, "first")
    run.checkpoint.rename(run.path / ".old-checkpoint")
    assert run.finished and run.open_finished("a_task", TaskSettings) == EIGHT
    new = begin(run.path, NINE, overwrite=True)
    train_a_little(new, "second")
    (new.path / ".old-checkpoint").mkdir()
    (new.path / ".old-checkpoint" / "left").write_text("by a killed process")
    runs.finish(new, run.path)
    assert run.model_file.read_text() == "second" and ".old-checkpoint" not in names(run.path)


def test_an_interrupted_run_is_resumed_with_the_same_settings(tmp_path):
    train_a_little(begin(tmp_path / "a"), "first")
    for overwrite in (False, True):
        run = begin(tmp_path / "a", overwrite=overwrite)
        assert run.path == tmp_path / "a" and run.state_file.read_text() == "first"


@pytest.mark.parametrize("left", [[], ["checkpoint/"], [".writing-settings.json"]])
def test_a_command_killed_in_its_first_moments_can_be_repeated(tmp_path, left):
    (tmp_path / "a").mkdir()
    for name in left:
        (tmp_path / "a" / name).mkdir() if name.endswith("/") else (tmp_path / "a" / name).write_text('{"ta')
    assert begin(tmp_path / "a").stored()["task"] == "a_task"


def test_an_interrupted_run_is_not_resumed_with_other_settings(tmp_path):
    train_a_little(begin(tmp_path / "a"), "first")
    with pytest.raises(UserError, match=r"units was 8 and is now 9.*--overwrite"):
        begin(tmp_path / "a", NINE)
    new = begin(tmp_path / "a", NINE, overwrite=True)
    assert new.path != tmp_path / "a" and Run(tmp_path / "a").state_file.read_text() == "first"


def test_settings_may_change_before_anything_is_trained(tmp_path):
    run = begin(tmp_path / "a")  # the preparation of the data then failed
    (run.checkpoint / "train").mkdir()
    run.vocabulary.mkdir()
    again = begin(tmp_path / "a", NINE)
    assert again.path == tmp_path / "a" and again.stored()["recurrent"]["units"] == 9
    assert not (again.checkpoint / "train").exists() and not again.vocabulary.exists()
    with pytest.raises(UserError, match="a run of the task a_task; name another folder"):
        begin(tmp_path / "a", NINE, task="other")


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_folders_and_files_are_left_alone(tmp_path, overwrite):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_text("x")
    with pytest.raises(UserError, match="not empty and not a run"):
        begin(tmp_path / "photos", overwrite=overwrite)
    with pytest.raises(UserError, match="is a file"):
        begin(tmp_path / "photos" / "a.jpg", overwrite=overwrite)
    assert names(tmp_path / "photos") == ["a.jpg"]


@pytest.mark.parametrize("content", ['{"task": "a_ta', "[]", "{}", b"\xff"])
def test_unreadable_settings_are_an_error_except_with_overwrite(tmp_path, content):
    run = begin(tmp_path / "a")
    train_a_little(run, "first")
    run.settings_file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for read in (lambda: begin(tmp_path / "a"), lambda: run.open_finished("a_task", TaskSettings)):
        with pytest.raises(UserError, match=r"settings\.json"):
            read()
    new = begin(tmp_path / "a", overwrite=True)
    train_a_little(new, "second")
    assert runs.finish(new, tmp_path / "a").model_file.read_text() == "second"


def test_only_a_finished_run_of_the_task_can_be_opened(tmp_path):
    with pytest.raises(UserError, match="no such run"):
        Run(tmp_path / "a").open_finished("a_task", TaskSettings)
    (tmp_path / "a").mkdir()
    with pytest.raises(UserError, match=r"no settings\.json"):
        Run(tmp_path / "a").open_finished("a_task", TaskSettings)
    run = begin(tmp_path / "a")
    for read in (run.open_finished, run.open_trained):
        with pytest.raises(UserError, match="not finished"):
            read("a_task", TaskSettings)
    train_a_little(run, "first")
    runs.finish(run, run.path)
    with pytest.raises(UserError, match=r"task a_task, not of other: python -m tasks\.a_task"):
        run.open_finished("other", TaskSettings)
    run.vocabulary.rmdir()
    with pytest.raises(UserError, match=r"vocabulary is missing.*--overwrite"):
        run.open_finished("a_task", TaskSettings)
