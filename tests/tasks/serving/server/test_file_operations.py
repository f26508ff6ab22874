"""Exported models that read or write files are not loaded, wherever the operation is in the graph."""

import json
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from tasks.errors import UserError
from tasks.serving.file_operations import check


def saved(folder: Path, function, **assets) -> Path:
    """Saves a model whose signature calls a function of texts."""
    module = tf.Module()
    module.weight = tf.Variable(1.0)
    for name, value in assets.items():
        setattr(module, name, value)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
    def call(text):
        return {"out": function(text), "weight": tf.fill(tf.shape(text), module.weight)}

    tf.saved_model.save(module, str(folder), signatures={"serving_default": call})
    return folder


def test_a_model_that_stores_its_weights_alone_is_loaded(tmp_path):
    check(saved(tmp_path / "model", tf.strings.upper))


def within(function):
    """Calls a function in a branch of a condition, in a function that the signature calls."""
    return tf.function(lambda text: tf.cond(tf.size(text) > 3, lambda: function(text), lambda: text), autograph=False)


def write(text):
    with tf.control_dependencies([tf.io.write_file("/tmp/never", text[0])]):
        return tf.identity(text)


def printed(text):
    with tf.control_dependencies([tf.print(text, output_stream="file:///tmp/never")]):
        return tf.identity(text)


def restored(text):
    return tf.strings.as_string(
        tf.raw_ops.RestoreV2(prefix=text[0], tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32])[0]
    )


OPERATIONS = {
    "ReadFile": lambda text: tf.map_fn(tf.io.read_file, text),
    "WriteFile": write,
    "MatchingFiles": tf.io.matching_files,
    "PrintV2": printed,
    "RestoreV2": restored,  # a saver has it, a signature has not
    "TextLineDataset": lambda text: tf.data.experimental.get_single_element(tf.data.TextLineDataset(text).take(1)),
    "EagerPyFunc": lambda text: tf.py_function(lambda one: one, [text], tf.string),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_on_files_are_found(tmp_path, name):
    for place, function in (("model", OPERATIONS[name]), ("hidden", within(OPERATIONS[name]))):
        with pytest.raises(UserError, match=rf"{name}.*\n.*--trust"):
            check(saved(tmp_path / place, function))


def test_a_table_that_reads_a_file_when_the_model_is_loaded_is_found(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n")
    table = tf.lookup.StaticVocabularyTable(
        tf.lookup.TextFileInitializer(
            *(str(tmp_path / "words.txt"), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64),
            tf.lookup.TextFileIndex.LINE_NUMBER,
        ),
        1,
    )
    folder = saved(tmp_path / "model", lambda text: tf.strings.as_string(table.lookup(text)), table=table)
    with pytest.raises(UserError, match="InitializeTableFromTextFile"):
        check(folder)


@pytest.mark.slow
def test_the_command_and_the_server_refuse_such_an_export_without_trust(small_tasks, serving, tmp_path):
    small = small_tasks["sentiment"]
    folder = shutil.copytree(small.model(), tmp_path / "models" / "reviews" / "1")
    secret = tmp_path / "secret"
    secret.write_text("from a file")

    def label(text):
        return tf.fill(tf.shape(text), tf.io.read_file(str(secret)))

    stranger = saved(tmp_path / "stranger", label)
    shutil.rmtree(folder / "variables")
    for name in ("saved_model.pb", "variables", "fingerprint.pb"):
        (folder / name).unlink(missing_ok=True)
        (stranger / name).rename(folder / name)
    (folder / "assets.extra" / "checksums.json").unlink()
    (folder / "assets.extra" / "tf_serving_warmup_requests").unlink()
    answer = small.command("predict", "--model", folder, "A good film.")
    assert "ReadFile" in answer.error() and "--trust" in answer.err
    with serving(tmp_path / "models") as server:
        assert "ReadFile" in server.states("reviews")["1"] and server.get("/readyz").status_code == 503
    with serving(tmp_path / "models", trust=True) as server:
        assert server.predict({"instances": ["a"]}, "reviews").json()["predictions"][0]["out"] == "from a file"
    # An export of this project is loaded with and without it.
    found = [
        small.command("predict", "--model", small.model(), "A good film.", *option) for option in ((), ("--trust",))
    ]
    assert found[0].code == found[1].code == 0 and found[0].out == found[1].out
    wrong = small.command("predict", "--run", small.run(), "A good film.", "--trust")
    assert "--trust is for an exported model" in wrong.error()
    assert json.loads(small.command("predict", "--model", small.model(), "A good film.", "--json").out)
