"""Sentences with more pieces than the network reads are counted and reported, by runs and by exports."""

import json
import shutil

import pytest
import tensorflow as tf

pytestmark = pytest.mark.slow

LONG = "house " * 100
SHORT = "Please close the door."


@pytest.fixture(scope="session")
def exported(translation, plain_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models") / "plain"
    assert translation("export", "--run", plain_run, "--to", folder).code == 0
    return folder


@pytest.mark.parametrize("options", [(), ("--num-return-sequences", "2", "--beam-size", "2")])
def test_translate_counts_cut_sentences_of_a_run_and_of_an_export(
    translation, plain_run, exported, options, caplog, tmp_path
):
    (tmp_path / "in.txt").write_text(f"{SHORT}\n{LONG}\n{LONG} {SHORT}\n{'house ' * 5}\n")
    for model in (("--run", plain_run), ("--model", exported)):
        caplog.clear()
        answer = translation("translate", *model, "--input", tmp_path / "in.txt", "--json", *options)
        assert [json.loads(line).get("truncated") for line in answer.out.splitlines()] == [None, True, True, None]
        [message] = [message for message in caplog.messages if "more than 40 pieces" in message]
        assert message.startswith("2 of 4 sentences") and "--max-tokens" in message


def test_evaluate_counts_cut_sources(translation, plain_run, caplog, tmp_path):
    run = shutil.copytree(plain_run, tmp_path / "run")
    rows = f"en\tko\n{SHORT}\t문을 닫아 주세요.\n{LONG}\t집\n{SHORT}\t{'문을 닫아 주세요. ' * 9}\n"
    (tmp_path / "pairs.tsv").write_text(rows, encoding="utf-8")
    answer = translation("evaluate", "--run", run, "--data", tmp_path / "pairs.tsv", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert (found["truncated_sources"], found["references_out_of_reach"], found["examples"]) == (1, 1, 3)
    assert any(message.startswith("1 of 3 sentences") for message in caplog.messages)
    assert any(message.startswith("1 of 3 references") for message in caplog.messages)
    assert json.loads((run / "evaluation.json").read_text())["truncated_sources"] == 1


def test_each_signature_of_an_export_marks_cut_sentences(exported):
    import tensorflow_text  # noqa: F401

    signatures = tf.saved_model.load(exported / "1").signatures
    texts = tf.constant([SHORT, LONG, ""])
    beam = {"beam_size": tf.constant([2] * 3), "length_penalty": tf.constant([1.0] * 3)}
    for name, options in (("serving_default", {}), ("beam", beam)):
        assert signatures[name](text=texts, **options)["truncated"].numpy().tolist() == [False, True, False]
