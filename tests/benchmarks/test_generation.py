"""Characters per second: the loop in the graph, and a compiled step that is called from a Python loop.

The network is an untrained LSTM with two layers of 256 units over 65 characters; the temperature is 0.8.
"""

import string
import time

import tensorflow as tf

from models.characters import Characters, CharacterText
from models.generation_settings import SamplingSettings
from models.language_model import StepModel, build_language_model
from models.network_settings import LanguageModelSettings
from models.recurrent_settings import RecurrentSettings
from models.sampling import sample
from models.text_generator import TextGenerator

CHARACTERS = sorted(string.ascii_letters + string.digits + " .,")
LENGTH, BATCH, TEMPERATURE = 2_000, 64, 0.8


def make_generator() -> TextGenerator:
    characters = Characters(tuple(CHARACTERS), (0, *[1] * len(CHARACTERS)))
    settings, recurrent = LanguageModelSettings(embedding_size=64), RecurrentSettings(units=256, layers=2)
    step_model = StepModel(build_language_model(settings, recurrent, len(characters)))
    return TextGenerator(step_model, CharacterText(characters), SamplingSettings())


def python_loop(generator: TextGenerator):
    """The ids stay tensors until the end."""

    @tf.function
    def step(ids, noise, *states):
        states = generator.step_model.step(ids, list(states))
        probabilities = tf.nn.softmax(generator.step_model.logits(states) / TEMPERATURE)
        return sample(probabilities, noise, tf.constant(TEMPERATURE)), states

    def generate(length: int) -> None:
        noise = tf.unstack(tf.random.uniform([length, 1]))
        ids, states, generated = tf.constant([1]), generator.step_model.initial_states(1), []
        for index in range(length):
            ids, states = step(ids, noise[index], *states)
            generated.append(ids)
        tf.stack(generated).numpy()

    return generate


def in_the_graph(generator: TextGenerator, batch: int):
    prompts = tf.constant(["a"] * batch)

    def generate(length: int) -> None:
        generator.generate(prompts, length, TEMPERATURE, 0, 1.0, 0)["text"].numpy()

    return generate


def test_generation(rounds, report):
    generator = make_generator()
    ways = {
        "a compiled step called from Python": (python_loop(generator), 1, LENGTH),
        "the loop in the graph": (in_the_graph(generator, 1), 1, LENGTH),
        f"the loop in the graph, {BATCH} texts at once": (in_the_graph(generator, BATCH), BATCH, LENGTH),
        "the loop in the graph, ten times as long": (in_the_graph(generator, 1), 1, 10 * LENGTH),
    }
    for generate, _, _ in ways.values():
        generate(20)
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, (generate, _, length) in ways.items():
            began = time.monotonic()
            generate(length)
            best[name] = min(best.get(name, float("inf")), time.monotonic() - began)
    first = None
    for name, (_, batch, length) in ways.items():
        rate = batch * length / best[name]
        first = first or rate
        report(
            f"{name}: {batch * length:,} characters in {best[name]:.2f} s, {rate:,.0f} per second, {rate / first:.2f}x"
        )
    once, tenfold = best["the loop in the graph"], best["the loop in the graph, ten times as long"]
    report(f"{10 * LENGTH:,} characters take {tenfold / once:.2f} times as long as {LENGTH:,}")
