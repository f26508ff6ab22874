"""Texts of different prompts do not meet: each prompt draws its own random numbers."""

import itertools
import json
import random

import pytest

PROMPTS = ("A miller", "The queen", "Old Tom", "나그네가", "My café", "The moon", "bread", "saw the", "", "찾은 ")
TEMPERATURES = ("0.5", "0.8", "1.0")


@pytest.fixture(scope="session")
def trained(chargen, tmp_path_factory):
    """A run that has learned a text of varied sentences, in which texts of different prompts soon agree."""
    folder = tmp_path_factory.mktemp("prompts")
    chance = random.Random(0)
    words = [
        "the",
        "a",
        "miller",
        "queen",
        "moon",
        "bread",
        "saw",
        "sold",
        "and",
        "with",
        "old",
        "Tom",
        "나그네가",
        "책을",
        "찾은",
    ]
    lines = (" ".join(chance.choices(words, k=chance.randint(3, 9))) + ".\n" for _ in range(1500))
    (folder / "text.txt").write_text("".join(lines) + "My café\n", encoding="utf-8")
    options = ("--units", "48", "--embedding-size", "16", "--epochs", "4", "--learning-rate", "0.01")
    answer = chargen("train", "--data", folder / "text.txt", "--run", folder / "run", *options)
    assert answer.code == 0, answer.err
    return folder / "run"


def answers(chargen, *arguments) -> list[dict]:
    answer = chargen("generate", *arguments, "--length", "300", "--json")
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_ten_prompts_end_in_ten_texts(chargen, trained, temperature):
    rows = answers(chargen, "--run", trained, *PROMPTS, "--temperature", temperature)
    assert len({row["continuation"][-100:] for row in rows}) == len(PROMPTS)


@pytest.mark.slow
def test_a_prompt_has_one_text_alone_in_a_batch_and_while_it_is_written(chargen, trained):
    together = answers(chargen, "--run", trained, *PROMPTS)
    for prompt, row in zip(PROMPTS[::3], together[::3], strict=True):
        assert answers(chargen, "--run", trained, prompt) == [row]
        assert chargen("generate", "--run", trained, prompt, "--length", "300").out == row["text"] + "\n"
    twice = answers(chargen, "--run", trained, PROMPTS[0], PROMPTS[1], PROMPTS[0])
    assert twice[0] == twice[2] == together[0]


@pytest.mark.slow
def test_an_export_and_its_default_signature_agree_with_the_run(chargen, trained, tmp_path):
    import tensorflow as tf

    assert chargen("export", "--run", trained, "--to", tmp_path / "exported").code == 0
    expected = answers(chargen, "--run", trained, *PROMPTS)
    assert answers(chargen, "--model", tmp_path / "exported", *PROMPTS) == expected
    signature = tf.saved_model.load(tmp_path / "exported" / "1").signatures["serving_default"]
    texts = [text.decode() for text in signature(prompt=tf.constant(PROMPTS))["continuation"].numpy()]
    assert len({text[-100:] for text in texts}) == len(PROMPTS)
    assert [text[:300] for text in texts] == [row["continuation"] for row in expected]


@pytest.mark.slow
def test_evaluate_compares_different_texts(chargen, trained):
    answer = chargen("evaluate", "--run", trained)
    assert answer.code == 0, answer.err
    texts = answer.out.split("```text\n")[1:-1]
    assert len({text.split("\n```")[0][-100:] for text in texts}) == len(texts)


@pytest.mark.slow
def test_many_samples_come_one_by_one_and_are_those_of_few(trained):
    from tasks.chargen.task import CHARGEN
    from tasks.serving.inference import load

    generator = load(CHARGEN, trained, length=20)
    first = list(itertools.islice(generator.predict(PROMPTS, samples=10**9), 3))
    assert first == list(generator.predict(PROMPTS[:1], samples=3))
    many = list(generator.predict(PROMPTS[:2], samples=17))
    few = list(generator.predict(PROMPTS[:2], samples=2))
    assert [many[0], many[1], many[17], many[18]] == few and len(many) == 34
