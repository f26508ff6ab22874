"""What a killed command leaves is removed by the next one."""

import shutil
from pathlib import Path

import pytest

from tasks import atomic_files
from tasks.training.runs import Run


def hidden(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*"))


# --- what is left after a kill ----------------------------------------------------------------------------------------


@pytest.fixture
def killed_at_the_end(small, tmp_path) -> Run:
    """A run whose replacement was killed in its last moments, with what earlier kills left."""
    run = Run(shutil.copytree(small.untrained_run, tmp_path / "run"))
    shutil.copytree(run.path, tmp_path / ".old-run")
    (run.path / ".old-checkpoint").mkdir()
    (run.path / ".old-checkpoint" / "state.npz").touch()
    (tmp_path / ".lock-run").write_text("1\n")
    return run


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "export"])
def test_the_next_command_removes_what_the_end_of_a_killed_training_left(small, killed_at_the_end, tmp_path, command):
    if command == "train":
        assert "finished already" in small.train(killed_at_the_end.path).error()
    else:
        answer = small.command("export", "--run", killed_at_the_end.path, "--to", tmp_path / "run" / "model")
        assert answer.code == 0, answer.err
    assert hidden(tmp_path) == []


@pytest.mark.slow
def test_a_run_that_was_set_aside_is_found_by_the_next_command(small, killed_at_the_end, contents, tmp_path):
    shutil.rmtree(tmp_path / ".old-run")
    before = contents(killed_at_the_end.path)
    killed_at_the_end.path.rename(tmp_path / ".old-run")
    answer = small.command("export", "--run", tmp_path / "run", "--to", tmp_path / "model")
    assert answer.code == 0, answer.err
    assert contents(tmp_path / "run").keys() == {path for path in before if ".old-checkpoint" not in path.parts}
    assert hidden(tmp_path) == []


@pytest.mark.slow
def test_nothing_is_removed_while_another_process_trains(small_tasks, tmp_path, process):
    small = small_tasks["chargen"]
    run = shutil.copytree(small.untrained_run, tmp_path / "run")
    shutil.copytree(run, tmp_path / ".old-run")
    lock = "with locked(sys.argv[1]): print(flush=True), input()"
    code = f"import sys\nfrom tasks.training.locks import locked\n{lock}"
    holder = process("-c", code, run, stdin=-1)
    holder.stdout.readline()
    assert small.command("export", "--run", run, "--to", tmp_path / "model").code == 0
    assert (tmp_path / ".old-run").exists()
    holder.communicate(b"\n")


@pytest.mark.slow
def test_a_resumed_training_removes_temporary_files_and_an_abandoned_replacement(small, tmp_path):
    for name in ("run/checkpoint/.writing-train/ids", "run/.writing-model.keras", ".overwriting-run/settings.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert small.train(tmp_path / "run", "--epochs", "1", "--steps-per-epoch", "1").code == 0
    assert hidden(tmp_path) == []


@pytest.mark.slow
def test_the_next_export_removes_what_a_killed_one_left(small_tasks, tmp_path):
    small = small_tasks["chargen"]
    (tmp_path / "model" / ".writing-7").mkdir(parents=True)
    assert small.command("export", "--run", small.untrained_run, "--to", tmp_path / "model").code == 0
    assert hidden(tmp_path) == []


def test_the_old_comparison_comes_back_if_the_new_one_was_killed_before_its_first_result(small_tasks, tmp_path):
    folder = tmp_path / "cells"
    (tmp_path / ".old-cells" / "lstm").mkdir(parents=True)
    (tmp_path / ".old-cells" / "comparison.json").write_text("{}")
    (tmp_path / ".old-cells" / "lstm" / "seed-1.json").write_text('{"asked": {"minutes": 7}}')
    (folder / "gru" / "seed-1").mkdir(parents=True)
    (folder / "comparison.json").write_text("{}")
    command = ("compare", "--cells", "lstm", "--run", folder, "--data", small_tasks["chargen"].data, "--seed", "1")
    assert "minutes was 7" in small_tasks["chargen"].command(*command).error()
    assert not (tmp_path / ".old-cells").exists() and not (folder / "gru").exists()
    assert atomic_files.swap_killed(folder) is False
