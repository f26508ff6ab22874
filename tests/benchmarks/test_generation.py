"""Characters a second: the loop in the graph, against a compiled step that is called from a Python loop.

An untrained LSTM of two layers of 256 over 65 characters, temperature 0.8. All draw from the same network, in turn.
"""

import string
import time

import tensorflow as tf

from models.characters import Characters, CharacterText
from models.language_model import StepModel, build_language_model
from models.network_settings import LanguageModelSettings, SamplingSettings
from models.recurrent_settings import RecurrentSettings
from models.sampling import drawn
from models.text_generator import TextGenerator

CHARACTERS = sorted(string.ascii_letters + string.digits + " .,")
LENGTH, BATCH, TEMPERATURE = 2_000, 64, 0.8


def make_generator() -> TextGenerator:
    characters = Characters(tuple(CHARACTERS), (0, *[1] * len(CHARACTERS)))
    settings, recurrent = LanguageModelSettings(embedding_size=64), RecurrentSettings(units=256, layers=2)
    steps = StepModel(build_language_model(settings, recurrent, len(characters)), settings, recurrent)
    return TextGenerator(steps, CharacterText(characters), SamplingSettings())


def python_loop(generator: TextGenerator):
    """Reads nothing back but at the end: each step's character goes into the next as it is."""

    @tf.function
    def step(ids, uniform, *states):
        states = generator.step_model.advance(ids, list(states))
        probabilities = tf.nn.softmax(generator.step_model.logits(states) / TEMPERATURE)
        return drawn(probabilities, uniform, tf.constant(TEMPERATURE)), states

    def write(length: int) -> None:
        uniform = tf.unstack(tf.random.uniform([length, 1]))
        ids, states, written = tf.constant([1]), generator.step_model.initial_states(1), []
        for index in range(length):
            ids, states = step(ids, uniform[index], *states)
            written.append(ids)
        tf.stack(written).numpy()

    return write


def in_the_graph(generator: TextGenerator, batch: int):
    prompts = tf.constant(["a"] * batch)

    def write(length: int) -> None:
        generator.generate(prompts, length, TEMPERATURE, 0, 1.0, 0)["text"].numpy()

    return write


def test_generation(rounds, report):
    generator = make_generator()
    ways = {
        "a compiled step called from Python": (python_loop(generator), 1, LENGTH),
        "the loop in the graph": (in_the_graph(generator, 1), 1, LENGTH),
        f"the loop in the graph, {BATCH} texts at once": (in_the_graph(generator, BATCH), BATCH, LENGTH),
        "the loop in the graph, ten times as long": (in_the_graph(generator, 1), 1, 10 * LENGTH),
    }
    for write, _, _ in ways.values():
        write(20)
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, (write, _, length) in ways.items():
            began = time.monotonic()
            write(length)
            best[name] = min(best.get(name, float("inf")), time.monotonic() - began)
    first = None
    for name, (_, batch, length) in ways.items():
        rate = batch * length / best[name]
        first = first or rate
        report(
            f"{name}: {batch * length:,} characters in {best[name]:.2f} s, {rate:,.0f} a second, {rate / first:.2f}x"
        )
    once, tenfold = best["the loop in the graph"], best["the loop in the graph, ten times as long"]
    report(f"{10 * LENGTH:,} characters take {tenfold / once:.2f} times as long as {LENGTH:,}")
