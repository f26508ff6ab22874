"""A run with Keras objects that a caller in Python gave: opened and resumed in another process."""

import keras
import pytest

from tasks.sentiment.settings import SentimentSettings
from tasks.training import prepared, runs
from tasks.training.checkpoint import load_model
from tests.tasks.examples import EXAMPLES, QUICKLY, reviews

MODULE = """
import keras

@keras.saving.register_keras_serializable("mine")
class Scaled(keras.regularizers.Regularizer):
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x):
        return self.scale * keras.ops.sum(keras.ops.abs(x))

    def get_config(self):
        return {"scale": self.scale}

@keras.saving.register_keras_serializable("mine")
def softer(x):
    return keras.ops.tanh(x / 2)
"""
PROGRAM = f"""{QUICKLY}
import sys
from tasks.errors import UserError
from tasks.sentiment import load

try:
    load(sys.argv[1])
except UserError as error:
    print(error)
sys.path.insert(0, '.')
import own_objects
print(load(sys.argv[1])("a film")["label"])
"""


@pytest.mark.slow
def test_a_run_with_own_classes_is_opened_after_the_module_that_registers_them(tmp_path, process, monkeypatch):
    (tmp_path / "own_objects.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import own_objects

    recurrent = {
        "units": 4,
        "kernel_regularizer": own_objects.Scaled(0.5),
        "activation": own_objects.softer,
        "kernel_initializer": keras.initializers.HeNormal(seed=1),
    }
    network = {"embedding_size": 4, "max_tokens": 20, "wide_ngrams": 0}
    settings = SentimentSettings(
        data=reviews("train", 60), recurrent=recurrent, network=network, vocabulary={"vocabulary_size": 300}
    )
    task = EXAMPLES["sentiment"].task
    run = runs.begin(tmp_path / "run", "sentiment", settings)
    settings = prepared.prepare(task, settings, run)
    task.build(settings, task.open_data(settings, run), run).model.save(run.model_file)
    runs.finish(run, run.path)
    assert run.settings(SentimentSettings).recurrent == settings.recurrent
    model = load_model(run)
    assert [keras.tree.map_structure(float, model.losses)[0] > 0] == [True]
    started = process("-c", PROGRAM, run.path, cwd=tmp_path)
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    refusal, label = out.decode().strip().splitlines()
    assert f"{run.path} has mine>" in refusal and "import the module that registers it" in refusal
    assert label in ("negative", "positive")
