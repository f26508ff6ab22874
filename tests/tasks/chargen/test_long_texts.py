"""A long text is the one that the loop in the graph generates, in bounded memory."""

import itertools

import pytest

from tasks.chargen import generate, long_texts
from tasks.chargen.task import CHARGEN
from tasks.serving import inference


@pytest.mark.slow
def test_a_text_that_is_generated_in_parts_is_the_same(finished_run, jamo_run, monkeypatch):
    for run, options in ((finished_run, {}), (jamo_run, {}), (finished_run, {"stop": ("\n",)})):
        predictor = inference.load(CHARGEN, run, length=70, temperature=1.0, **options)
        prompts = ["The queen", "나그네가", ""]
        whole = list(predictor.predict(prompts, samples=2))
        with monkeypatch.context() as patched:
            patched.setattr(long_texts, "PART", 16)
            assert list(predictor.predict(prompts, samples=2)) == whole


def test_long_texts_are_answered_one_by_one(generator, monkeypatch):
    asked = []

    def prompts():
        for number in itertools.count():
            asked.append(number)
            yield "The "

    monkeypatch.setattr(generate, "CHARACTERS_PER_BATCH", 50)
    answers = generator.predict(prompts(), length=30, samples=1)
    assert next(answers) and len(asked) == 1
