"""A long text is the one that the loop in the graph generates, in bounded memory."""

import itertools
import os
import signal
import threading

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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["run", "model"])
def test_an_interrupt_ends_a_long_text_at_once(small_tasks, kind):
    """Without that, this text takes minutes."""
    predictor = inference.load(CHARGEN, getattr(small_tasks["chargen"], kind)())
    list(predictor.predict(["The "], length=20_000))
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        list(predictor.predict(["The "], length=2_000_000))
    assert not [thread for thread in threading.enumerate() if thread.name == "interruptible"]
