"""SIGKILL: of an export into a folder that is served, and of a server that loads a version. Nothing is half served."""

import shutil
import time

import pytest
import requests

pytestmark = pytest.mark.slow

REVIEW = {"instances": ["A good film."]}


def test_an_export_that_is_killed_is_never_served(serving, small_model, small_tasks, process, tmp_path):
    small, folder = small_tasks["sentiment"], tmp_path / "models" / "reviews"
    small_model(folder, 1)
    with serving(tmp_path / "models") as server:
        export = ("export", "--run", small.untrained_run, "--to", folder)
        exporting = process("-m", "tasks.sentiment", *export)
        # Nearly all files are there; the last ones are written after it.
        while not [*folder.glob(".writing-*/**/saved_model.pb")] and exporting.poll() is None:
            time.sleep(0.001)
        exporting.kill()
        assert exporting.wait() == -9
        assert [*folder.glob(".writing-*")] and not (folder / "2").exists()
        time.sleep(0.5)  # the folder is looked at every 0.05 s
        assert server.states("reviews") == {"1": "AVAILABLE"}
        assert server.predict({"instances": ["a"]}, "reviews").json()["predictions"][0]["version"] == 1
        answer = small.command(*export)
        assert (answer.code, answer.out) == (0, f"{folder}/2\n")
        server.wait_for(lambda: server.states("reviews").get("2") == "AVAILABLE")
        assert "label" in server.predict(REVIEW, "reviews").json()["predictions"][0]


def states(url: str) -> dict[str, str]:
    found = requests.get(f"{url}/v1/models/reviews").json()["model_version_status"]
    return {one["version"]: one["state"] for one in found}


def ask(url: str) -> dict:
    answer = requests.post(f"{url}/v1/models/reviews:predict", json=REVIEW)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_server_that_is_killed_while_it_loads_a_version_serves_it_after_a_restart(
    server_process, small_tasks, contents, tmp_path
):
    model, folder = small_tasks["sentiment"].model(), tmp_path / "models" / "reviews"
    shutil.copytree(model, folder / "1")
    with server_process(tmp_path / "models") as server:
        expected = ask(server.url)
        shutil.copytree(model, folder / ".writing-2")
        (folder / ".writing-2").rename(folder / "2")
        before = contents(folder)
        while (found := states(server.url)).get("2") not in ("LOADING", "AVAILABLE"):
            time.sleep(0.001)
        # Until the new version is ready, the old one answers.
        assert found == {"1": "AVAILABLE", "2": "LOADING"} and ask(server.url) == expected
        server.process.kill()
        server.process.wait()
    assert contents(folder) == before
    with server_process(tmp_path / "models") as server:
        assert states(server.url) == {"2": "AVAILABLE"}
        assert ask(server.url) == expected
