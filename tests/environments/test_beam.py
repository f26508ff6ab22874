"""Apache Beam in an environment with the extra `beam`, which lowers protobuf, pyarrow and pillow."""

import contextlib
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow.parquet
import pytest

from tests.tasks.examples import EXAMPLES, reviews, write_csv

pytestmark = pytest.mark.environment

ROOT = Path(__file__).parents[2]
TWO_WORKERS = ("--", "--direct_running_mode=multi_processing", "--direct_num_workers=2")


def run(*command: str | Path) -> str:
    """Runs a command in this checkout; returns its standard output."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert ended.returncode == 0, ended.stdout[-5000:]
    return ended.stdout


@pytest.fixture(scope="module")
def beam(tmp_path_factory) -> Path:
    """The Python of an environment with the extra."""
    folder = tmp_path_factory.mktemp("environment") / "beam"
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "-q", "-e", f"{ROOT}[beam]")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """An exported classifier."""
    folder = tmp_path_factory.mktemp("model")
    write_csv(folder / "train.csv", reviews("train", 400))
    options = (*EXAMPLES["sentiment"].options, "--data", folder / "train.csv", "--run", folder / "run")
    run(sys.executable, "-m", "tasks.sentiment", "train", *map(str, options))
    run(sys.executable, "-m", "tasks.sentiment", "export", "--run", folder / "run", "--to", folder / "model")
    return folder / "model"


@pytest.fixture
def shards(tmp_path) -> Path:
    """A folder with 16 shards, each of 2,000 texts."""
    folder, texts = tmp_path / "texts", [text for text, _ in reviews("train", 2000)]
    folder.mkdir()
    rows = [{"id": number, "text": text} for number, text in enumerate(texts)]
    for number in range(4):
        (folder / f"{number}.txt").write_text("".join(f"{text} {number}\n" for text in texts))
        write_csv(folder / f"{number}.csv", [(row["id"], row["text"]) for row in rows], ("id", "text"))
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{number}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{number}.parquet")
    return folder


@contextlib.contextmanager
def started(*command: str | Path) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def finished(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*")) if path.name[0] not in "._"]


def test_the_versions_of_the_extra(beam):
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    installed = {one["name"]: one["version"] for one in json.loads(run(beam, "-m", "pip", "list", "--format", "json"))}
    print("\napache-beam", installed["apache-beam"], "tensorflow", installed["tensorflow"])
    for name in ("protobuf", "pyarrow", "pillow", "numpy", "keras"):
        print(f"{name}: {pinned.get(name)} without the extra, {installed[name]} with it")
    assert "ray" not in installed


def test_a_killed_worker_and_the_same_command_again_answer_as_predict_does(beam, model, shards, tmp_path):
    options = ("--model", model, "--input", shards, "--output")
    run(sys.executable, "-m", "tasks.sentiment", "predict", *options, tmp_path / "predicted")
    command = (beam, "-m", "tasks.serving.beam", "sentiment", *options, tmp_path / "answers", *TWO_WORKERS)
    with started(*command) as process:
        while len(finished(tmp_path / "answers")) < 2 and process.poll() is None:
            time.sleep(0.1)
        workers = [
            worker
            for worker in psutil.Process(process.pid).children(recursive=True)
            if "sdk_worker_main" in " ".join(worker.cmdline()) and "python" in worker.name()
        ]
        assert len(workers) == 2
        workers[0].kill()
        _, messages = process.communicate(timeout=300)
    assert process.returncode == 1, messages[-2000:]
    assert "error: a worker of Beam has ended" in messages and "continues with the shards that are missing" in messages
    before = {path: path.stat().st_mtime_ns for path in finished(tmp_path / "answers")}
    assert len(before) < 16
    run(*command)
    assert all(path.stat().st_mtime_ns == written for path, written in before.items())
    assert len(finished(tmp_path / "answers")) == 16
    for path in finished(tmp_path / "predicted"):
        answers = tmp_path / "answers" / path.name
        if path.suffix == ".parquet":  # the file names the version of pyarrow that wrote it
            assert pyarrow.parquet.read_table(answers) == pyarrow.parquet.read_table(path)
        else:
            assert answers.read_bytes() == path.read_bytes()


def test_a_shard_that_cannot_be_read_is_reported_and_the_others_are_answered(beam, model, shards, tmp_path):
    (shards / "1.txt").write_bytes("좋다\n".encode("cp949"))
    options = ("--model", model, "--input", shards, "--output", tmp_path / "answers")
    with started(beam, "-m", "tasks.serving.beam", "sentiment", *options) as process:
        _, messages = process.communicate()
    assert process.returncode == 1
    assert "1 of 16 shards could not be answered: '1.txt'" in messages and "cp949" in messages
    names = [path.name for path in finished(tmp_path / "answers")]
    assert "1.txt" not in names and len(names) == 15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "'--runer=FlinkRunner' is no option of python -m tasks.serving.beam sentiment"),
        (("--",), "'--runer=FlinkRunner' is no option of Beam; did you mean --runner?"),
        (("--", "--runner=FlinkRuner"), "Unexpected pipeline runner: FlinkRuner. Valid values are"),
        (("--", "--runner=FlinkRunner"), "'--runer=FlinkRunner' is no option of Beam; did you mean --runner?"),
        (("--", "--direct_num_workers=two"), "argument --direct_num_workers: invalid int value: 'two'"),
    ],
)
def test_options_of_beam_that_do_not_exist_are_named(beam, tmp_path, options, message):
    (tmp_path / "a.txt").write_text("A good film.\n")
    slip = () if "FlinkRuner" in message or "invalid" in message else ("--runer=FlinkRunner",)
    fixed = ("--model", "missing", "--input", f"{tmp_path}/", "--output", tmp_path / "answers")
    with started(beam, "-m", "tasks.serving.beam", "sentiment", *fixed, *options, *slip) as process:
        _, messages = process.communicate()
    error = messages[messages.index("error: ") :]
    assert process.returncode == 2 and message in error and len(error.splitlines()) <= 2
    assert not (tmp_path / "answers").exists()


@pytest.mark.parametrize("workers", [(), TWO_WORKERS])
def test_a_model_that_a_worker_cannot_open_is_one_message(beam, model, tmp_path, workers):
    shutil.copytree(model, tmp_path / "model")
    [weights] = (tmp_path / "model").glob("*/variables/*.data*")
    weights.write_bytes(weights.read_bytes()[:-1])
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("A good film.\n")
    options = ("--model", tmp_path / "model", "--input", tmp_path / "texts", "--output", tmp_path / "answers", *workers)
    with started(beam, "-m", "tasks.serving.beam", "sentiment", *options) as process:
        _, messages = process.communicate()
    assert process.returncode == 2 and messages.splitlines()[-1].startswith(f"error: {weights} is damaged")
    assert "[while running" not in messages.splitlines()[-1]
