"""Damaged files of an export and a comparison: one or two lines with the file and the remedy, exit code 2."""

import shutil
from pathlib import Path

import pytest

from tests.tasks.damages import DAMAGES, DEEP, LONG_INTEGER

TEXT = "A good film."


def answer(small, *arguments):
    return small.command(small.predict_command, *arguments, TEXT)


# --- exported models --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(small, tmp_path_factory) -> Path:
    """The version of an exported model whose network is not trained, for reading only."""
    folder = tmp_path_factory.mktemp(small.name) / "model"
    assert small.command("export", "--run", small.untrained_run, "--to", folder).code == 0
    return folder / "1"


@pytest.mark.slow
def test_each_file_of_an_export_that_is_damaged_is_named(small, exported, tmp_path):
    model = shutil.copytree(exported, tmp_path / "model" / "1")
    names = [path.relative_to(model) for path in model.rglob("*") if path.is_file()]
    for name in names:
        if name.name == "tf_serving_warmup_requests":
            continue
        content = (model / name).read_bytes()
        for damage in (*DAMAGES.values(), None):
            (model / name).write_bytes(damage(content) if damage else b"")
            if damage is None:
                (model / name).unlink()
                if name.name == "checksums.json":
                    continue  # of an earlier version
            message = answer(small, "--model", model).error()
            assert str(model) in message
            assert (
                name.name in message and "export the run again" in message.lower()
            ) or "no exported model" in message
        (model / name).write_bytes(content)
    assert answer(small, "--model", model).code == 0


def test_checksums_of_an_export_that_name_no_files_are_named(small_tasks, tmp_path):
    small, model = small_tasks["chargen"], tmp_path / "model" / "1"
    (model / "assets.extra").mkdir(parents=True)
    (model / "saved_model.pb").touch()
    shutil.copy(small.untrained_run / "settings.json", model / "assets.extra")
    for content in ("1", "null", "[]", "{}", '"x"'):
        (model / "assets.extra" / "checksums.json").write_text(content)
        message = answer(small, "--model", model).error()
        assert "checksums.json is damaged" in message and "export the run again" in message


@pytest.mark.slow
def test_an_export_of_an_earlier_version_is_read_without_checksums(small, exported, tmp_path):
    model = shutil.copytree(exported, tmp_path / "model" / "1")
    (model / "assets.extra" / "checksums.json").unlink()
    assert answer(small, "--model", model).code == 0
    variables = next((model / "variables").glob("variables.data*"))
    for damage in DAMAGES.values():
        content = variables.read_bytes()
        variables.write_bytes(damage(content))
        assert f"{model} cannot be read" in answer(small, "--model", model).error()
        variables.write_bytes(content)


# --- comparisons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", DEEP, b"1", b"{}", b'{"asked": 1}', LONG_INTEGER])
def test_a_damaged_result_of_a_comparison_is_named(small_tasks, tmp_path, content):
    small, file = small_tasks["chargen"], tmp_path / "cells" / "lstm" / "seed-1.json"
    file.parent.mkdir(parents=True)
    (tmp_path / "cells" / "comparison.json").write_text("{}")
    file.write_bytes(content)
    command = ("compare", "--cells", "lstm", "--run", tmp_path / "cells", "--data", small.data, "--seed", "1")
    message = small.command(*command).error()
    assert str(file) in message and "remove it" in message
