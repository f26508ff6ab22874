"""Versions of a model: which ones are served, how they are replaced, and what is wrong with one that is not."""

import os
import shutil
import threading

import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

from tasks.errors import UserError
from tasks.serving.server.folders import find_all, find_models

pytestmark = pytest.mark.slow


def test_a_path_is_a_version_a_model_or_a_folder_of_models(small_model, tmp_path):
    small_model(tmp_path / "models" / "one", 1)
    small_model(tmp_path / "models" / "one", 2)
    small_model(tmp_path / "models" / "two words", 10)
    (tmp_path / "models" / "README.md").touch()
    (tmp_path / "models" / "empty").mkdir()
    (tmp_path / "models" / ".writing-three" / "1").mkdir(parents=True)
    assert {name: [*one.versions()] for name, one in find_models(tmp_path / "models" / "one" / "2").items()} == {
        "one": [2]
    }
    found = find_models(tmp_path / "models")
    assert {name: sorted(one.versions()) for name, one in found.items()} == {"one": [1, 2], "two words": [10]}
    unnumbered = (tmp_path / "models" / "one" / "1").rename(tmp_path / "exported")
    assert {name: [*one.versions()] for name, one in find_models(unnumbered).items()} == {"exported": [1]}


def test_folders_whose_names_are_no_versions_and_no_text_are_left_out(small_model, tmp_path):
    small_model(tmp_path / "models" / "one", 1)
    for name in ("9" * 20, "\u0663", "-1", "+2", "1.5"):  # too large for int64, a digit of another script
        (tmp_path / "models" / "one" / name).mkdir()
    shutil.copytree(tmp_path / "models" / "one", tmp_path / "models" / os.fsdecode(b"\xff"))
    assert {name: [*one.versions()] for name, one in find_models(tmp_path / "models").items()} == {"one": [1]}


def test_paths_without_a_model_are_refused(small_model, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for name in ("missing", "empty", "file"):
        with pytest.raises(UserError, match=name):
            find_models(tmp_path / name)
    for folder in ("a", "b"):
        small_model(tmp_path / folder / "same")
    with pytest.raises(UserError, match="the same name"):
        find_all((str(tmp_path / "a"), str(tmp_path / "b")))
    assert [*find_all((str(tmp_path / "a"), str(tmp_path / "a" / "same")))] == ["same"]


def version_of(server, model: str = "small", path: str = "") -> int:
    answer = server.post(f"/v1/models/{model}{path}:predict", {"instances": ["a"]})
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"][0]["version"]


def test_a_newer_version_takes_over_and_the_one_before_is_unloaded(serving, small_model, tmp_path):
    small_model(tmp_path / "my model", 1)
    with serving(tmp_path) as server:
        assert version_of(server, "my%20model") == 1
        small_model(tmp_path / "my model", 2)
        server.wait_for(lambda: server.states("my model") == {"2": "AVAILABLE", "1": "END"})
        assert version_of(server, "my%20model") == 2
        answer = server.post("/v1/models/my%20model/versions/1:predict", {"instances": ["a"]})
        assert (answer.status_code, answer.json()["error"]) == (
            404,
            "Servable not found for request: Specific(my model, 1)",
        )
        # A folder that goes: the version before comes back.
        shutil.rmtree(tmp_path / "my model" / "2")
        server.wait_for(lambda: server.states("my model") == {"1": "AVAILABLE"})
        assert version_of(server, "my%20model") == 1


def test_several_versions_and_new_models_are_served(serving, small_model, tmp_path):
    for number in (1, 2, 3):
        small_model(tmp_path / "small", number)
    with serving(tmp_path, num_versions=2) as server:
        assert server.states() == {"3": "AVAILABLE", "2": "AVAILABLE"}
        assert [version_of(server, path=path) for path in ("", "/versions/2", "/versions/3")] == [3, 2, 3]
        small_model(tmp_path / "another", 5)
        server.wait_for(lambda: server.get("/v1/models/another").status_code == 200)
        server.wait_for(lambda: server.states("another") == {"5": "AVAILABLE"})
        assert version_of(server, "another") == 5
        listed = server.get("/v1/models").json()["models"]
        assert [(one["name"], [version["version"] for version in one["versions"]]) for one in listed] == [
            ("another", ["5"]),
            ("small", ["3", "2"]),
        ]


def broken(kind: str, folder) -> None:
    """Damages the files of a version."""
    if kind == "no graph":
        (folder / "saved_model.pb").unlink()
    elif kind == "cut off":
        path = folder / "saved_model.pb"
        path.write_bytes(path.read_bytes()[:1000])
    elif kind == "other file":
        (folder / "saved_model.pb").write_bytes(b"text")
    elif kind == "no weights":
        shutil.rmtree(folder / "variables")
    elif kind == "damaged weights":
        for path in (folder / "variables").glob("*.index"):
            path.write_bytes(b"text")
    elif kind == "a folder in place of a file":
        (folder / "saved_model.pb").unlink()
        (folder / "saved_model.pb").mkdir()
    elif kind == "bad warm-up":
        spec = model_pb2.ModelSpec(name="small", signature_name="serving_default")
        request = predict_pb2.PredictRequest(model_spec=spec, inputs={"text": tf.make_tensor_proto(["bad"])})
        log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
        with tf.io.TFRecordWriter(str(folder / "assets.extra" / "tf_serving_warmup_requests")) as file:
            file.write(log.SerializeToString())


KINDS = (
    *("no graph", "cut off", "other file", "no weights", "damaged weights", "a folder in place of a file"),
    "bad warm-up",
)


def test_versions_that_cannot_be_loaded_are_in_the_status_and_the_one_before_serves(serving, small_model, tmp_path):
    small_model(tmp_path / "small", 1)
    with serving(tmp_path) as server:
        for number, kind in enumerate(KINDS, start=2):
            folder = small_model(tmp_path / "elsewhere", number)
            broken(kind, folder)
            folder.rename(tmp_path / "small" / str(number))
            server.wait_for(lambda number=number: server.states().get(str(number), "").startswith("END "))
            reason = server.states()[str(number)]
            assert str(number) in reason and "Traceback" not in reason and "\n" not in reason, reason
            assert version_of(server) == 1
        assert server.get("/readyz").status_code == 200
        # As soon as its files change, it is loaded again.
        last = len(KINDS) + 1
        (tmp_path / "small" / str(last) / "assets.extra" / "tf_serving_warmup_requests").unlink()
        server.wait_for(lambda: version_of(server) == last)


def test_a_folder_that_disappears_is_served_from_memory(serving, small_model, tmp_path):
    small_model(tmp_path / "models" / "small", 1)
    with serving(tmp_path / "models") as server:
        shutil.rmtree(tmp_path / "models")
        threading.Event().wait(0.3)
        assert version_of(server) == 1
        small_model(tmp_path / "models" / "small", 2)
        server.wait_for(lambda: version_of(server) == 2)


def test_a_server_is_ready_once_every_model_of_the_start_is(serving, small_model, tmp_path):
    small_model(tmp_path / "good")
    broken("no weights", small_model(tmp_path / "broken"))
    with serving(tmp_path) as server:
        answer = server.get("/readyz")
        assert answer.status_code == 503
        assert [*answer.json()["models"]] == ["broken"]
        assert server.get("/healthz").status_code == 200
        assert version_of(server, "good") == 1
        small_model(tmp_path / "broken", 2)
        server.wait_for(lambda: server.get("/readyz").status_code == 200)
        broken("no weights", small_model(tmp_path / "later"))  # of a model that is new, nobody waits
        server.wait_for(lambda: server.get("/v1/models/later").status_code == 200)
        assert server.get("/readyz").status_code == 200


def test_no_request_fails_while_versions_are_replaced(serving, small_model, tmp_path):
    small_model(tmp_path / "small", 1)
    found, stopped = [], threading.Event()

    def ask(url: str) -> None:
        with requests.Session() as session:
            while not stopped.is_set():
                answer = session.post(f"{url}/v1/models/small:predict", json={"instances": ["a"]})
                found.append((answer.status_code, answer.json()["predictions"][0]["version"]))

    with serving(tmp_path) as server:
        threads = [threading.Thread(target=ask, args=(server.url,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for number in (2, 3, 4):
            small_model(tmp_path / "small", number)
            server.wait_for(lambda number=number: server.states().get(str(number)) == "AVAILABLE")
        server.wait_for(lambda: server.states()["3"] == "END")
        stopped.set()
        for thread in threads:
            thread.join()
    assert {status for status, _ in found} == {200}
    assert {version for _, version in found} >= {1, 4}
