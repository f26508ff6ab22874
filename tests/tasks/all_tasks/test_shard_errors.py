"""Inputs of several files: shards that cannot be read, and options, folders and models that do not fit."""

import importlib.util
import shutil

import pytest

from tasks.arguments import PredictArguments
from tasks.cli import beam
from tasks.data.locations import MANIFEST
from tasks.errors import UserError
from tasks.serving.shards.answering import open_predictor
from tasks.serving.shards.output_folder import begin
from tests.tasks.all_tasks.conftest import NAMES, written


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_broken_shards_are_reported_and_the_others_answered(answer, shards, tmp_path, caplog):
    (shards / "b.csv").write_bytes("id,text\n1,좋다\n".encode("cp949"))
    (shards / "c.tsv").write_text("id\tsentence\n1\tgood\n")
    cut = (shards / "day=2" / "d.jsonl.gz").read_bytes()[:40]
    (shards / "day=2" / "d.jsonl.gz").write_bytes(cut)
    (shards / "day=2" / "f.parquet").write_bytes(b"PAR1 and no more")
    message = answer().error(1)
    broken = ["b.csv", "c.tsv", "day=2/d.jsonl.gz", "day=2/f.parquet"]
    assert f"4 of 6 shards could not be answered: {', '.join(map(repr, broken))}" in message
    problems = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(problems) == 4 and all(name in one for name, one in zip(broken, problems, strict=True))
    assert "cp949" in problems[0] and "'sentence'" in problems[1] and "cut off" in problems[2]
    assert [*written(tmp_path / "answers")] == ["a.txt", "day=2/e.parquet"]
    for name in broken[:3]:
        (shards / name).unlink()
    (shards / "day=2" / "f.parquet").unlink()
    assert answer().code == 0


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_a_folder_of_another_command_is_refused(small, small_tasks, answer, shards, tmp_path):
    assert answer().code == 0
    before = written(tmp_path / "answers")
    assert "has answers of another command: keep was None" in answer("--keep", "text", input=shards / "*.csv").error()
    assert "input was" in answer(input=shards / "day=2").error()
    run = shutil.copytree(small.untrained_run, tmp_path / "run")
    (run / "settings.json").write_text((run / "settings.json").read_text() + "\n")
    assert "settings.json was" in answer(run=run).error()
    other = small_tasks["translation"]
    options = ("--run", other.untrained_run, "--input", shards, "--output", tmp_path / "answers")
    assert "task was 'sentiment' and is now 'translation'" in other.command("translate", *options).error()
    manifest = tmp_path / "answers" / MANIFEST
    manifest.write_text(manifest.read_text()[:-20])
    assert f"{manifest}" in answer().error()
    manifest.unlink()
    assert "has other files, such as a.txt" in answer().error()
    assert written(tmp_path / "answers") == before


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_a_worker_opens_no_other_model_than_the_command_began_with(small, shards, tmp_path, monkeypatch):
    folder = tmp_path / "saved_models"
    shutil.copytree(small.model(), folder / "1")
    arguments = PredictArguments(model=str(folder), input=str(shards), output=str(tmp_path / "answers"))
    assert [shard.name for shard in begin(small.task, arguments)] == NAMES
    open_predictor(small.task, arguments)
    shutil.copytree(folder / "1", folder / "2")
    settings = folder / "2" / "assets.extra" / "settings.json"
    settings.write_text(settings.read_text() + "\n")
    (folder / "2" / "assets.extra" / "checksums.json").unlink()
    with pytest.raises(UserError, match=r"has answers of another command: assets\.extra"):
        open_predictor(small.task, arguments)
    monkeypatch.chdir(tmp_path)  # as on a machine that does not have the folder of a relative name
    with pytest.raises(UserError, match=r"--output relative is not there on .* by its absolute path"):
        open_predictor(small.task, arguments.model_copy(update={"output": "relative"}))


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        *((("--shard", value), f"--shard: '{value}' is no shard: expected K/N") for value in ("3/2", "0/2", "x")),
        (("--json",), "--json writes JSON objects, and the answers to"),
        (("--delimiter", "|", "--input-format", "jsonl"), "is read as jsonl"),
        (("--text-column", "x"), "a.txt is read as one text per line"),
    ],
)
def test_options_that_do_not_fit_shards_are_errors(answer, tmp_path, options, problem):
    assert problem in answer(*options).error()
    assert not (tmp_path / "answers").exists()


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_inputs_and_outputs_that_do_not_fit_are_errors(small, answer, shards, tmp_path):
    (shards / "day=2" / "a.txt").write_text("Another one.\n")
    both = (shards / "a.txt", shards / "day=2" / "a.txt")
    assert "would both be" in answer(input=both).error()
    assert "is the folder of the texts" in answer(output=shards).error()
    assert "of this machine" in small_error(small, "--input", shards, "--output", "s3://bucket/answers")
    assert "is a file" in answer(output=shards / "a.txt").error()
    assert "no such folder" in answer(input=f"{tmp_path}/nowhere/").error()
    assert "no such file" in answer(input=(shards / "a.txt", "nowhere.txt")).error()
    assert "no file matches" in answer(input=shards / "*.none").error()
    (tmp_path / "empty").mkdir()
    assert "expected files that end in .txt" in answer(input=tmp_path / "empty").error()
    assert "standard input" in answer(input=("-", shards / "a.txt")).error()
    without = small.command("predict", "--run", small.untrained_run, "--input", shards)
    assert "name the folder of the answers to its files with --output" in without.error()
    assert "there are no shards" in small_error(small, "--shard", "1/2", "A text")


def small_error(small, *options) -> str:
    return small.command(small.predict_command, "--run", small.untrained_run, *options).error()


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_beam_that_is_not_installed_is_named_with_the_command_that_installs_it(small, shards, tmp_path, capsys):
    if importlib.util.find_spec("apache_beam"):
        pytest.skip("Apache Beam is installed")
    fixed = ["sentiment", "--run", str(small.untrained_run), "--input", str(shards)]
    assert beam.main([*fixed, "--output", str(tmp_path / "answers")]) == 2
    assert "pip install -e '.[beam]'" in capsys.readouterr().err
    assert beam.main([*fixed[:4], str(shards / "a.txt"), "--output", str(tmp_path / "a.txt")]) == 2
    assert "name their folder with --input" in capsys.readouterr().err
    assert beam.main(["sentimant"]) == 2 and "did you mean sentiment?" in capsys.readouterr().err
