"""Exported models in earlier versions of TensorFlow: an environment for each, without this project."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tasks import served
from tests.tasks.examples import EXAMPLES

pytestmark = pytest.mark.environment


def run(*command: str | Path) -> None:
    environment = os.environ | {"PYTHONPATH": "", "CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ended.returncode == 0, ended.stdout[-5000:]


@pytest.fixture(scope="module", params=["2.17", "2.20"])
def earlier(request, tmp_path_factory) -> tuple[str, Path]:
    """A version of TensorFlow, and the Python of an environment with it."""
    python = tmp_path_factory.mktemp("environment") / "venv" / "bin" / "python"
    run(sys.executable, "-m", "venv", python.parents[1])
    install = (python, "-m", "pip", "install", "-q")
    run(*install, f"tensorflow-cpu=={request.param}.*")
    run(*install, "--no-deps", f"tensorflow-text=={request.param}.*")  # it asks for the package with a GPU
    return request.param, python


@pytest.mark.parametrize("text_ops", [False, True], ids=["core_ops", "text_ops"])
def test_every_signature_answers_as_in_this_version(small_tasks, earlier, text_ops, tmp_path):
    version, python = earlier
    names = [name for name, example in EXAMPLES.items() if example.text_ops == text_ops]
    models = [small_tasks[name].model(run) for name in names for run in EXAMPLES[name].runs]
    requests, expected = [], []
    for model in models:
        here = served.Served(model)
        rows = {signature: served.rows_for(here, signature) for signature in here.signatures}
        requests.append((str(model), rows))
        expected.append({signature: here.ask_rows(signature, of) for signature, of in rows.items()})
    asked, answered = tmp_path / "asked", tmp_path / "answered"
    asked.write_bytes(pickle.dumps(requests))
    run(python, served.__file__, "text_ops" if text_ops else "core_ops", asked, answered)
    tensorflow, answers = pickle.loads(answered.read_bytes())
    assert tensorflow.startswith(f"{version}.")
    for here, there in zip(expected, answers, strict=True):
        assert here.keys() == there.keys()
        for signature, outputs in here.items():
            for loader in there[signature]:  # the session loader, and tf.saved_model.load
                assert loader.keys() == outputs.keys()
                for name, value in outputs.items():
                    if value.dtype == np.float32:
                        np.testing.assert_allclose(loader[name], value, 1e-3, 1e-4, err_msg=f"{signature} {name}")
                    else:
                        np.testing.assert_array_equal(loader[name], value, f"{signature} {name}")
