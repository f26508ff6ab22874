"""Sentences per second: the search in the graph, and a compiled step that is called from a Python loop.

Needs a finished run of the translation task (`--translation-run`), whose test split is translated.
"""

import time

import tensorflow as tf

from models.text import BOS, EOS, PAD, UNKNOWN
from models.text_translator import SPARE_PIECES, TextTranslator, with_end
from tasks.predictor import Predictor
from tasks.serving.inference import load
from tasks.training.runs import Run
from tasks.translation.settings import TranslationSettings
from tasks.translation.task import TRANSLATION


def python_loop(translator: TextTranslator):
    """Greedy, one sentence at a time; the encoder and the step are compiled."""
    network, ratio = translator.network, translator.settings.max_length_ratio
    blocked = tf.reduce_any(tf.range(network.target_size)[:, None] == [PAD, UNKNOWN, BOS], axis=1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def initial_states(text):
        ids = with_end(translator.source.read(text).pieces)
        memory, states = network.initial_states(ids)
        return tf.shape(ids)[1] - 1, memory, [state[:, None] for state in states]

    @tf.function(reduce_retracing=True)
    def step(last, states, memory):
        logits, states, _ = network.decode_step(last, states, memory)
        return tf.argmax(tf.where(blocked, -float("inf"), logits), axis=-1, output_type=tf.int32), states

    def translate(text: str) -> str:
        pieces, memory, states = initial_states(tf.constant([text]))
        last, ids = tf.fill([1, 1], BOS), []
        while len(ids) < -(-int(pieces) * ratio // 1) + SPARE_PIECES:
            last, states = step(last, states, memory)
            new = int(last[0, 0])
            if new == EOS:
                break
            ids.append(new)
        return translator.target.tokenizer.detokenize(tf.constant(ids, tf.int32)).numpy().decode()

    return translate


def test_translation(translation_run, report):
    settings = Run(translation_run).open_finished("translation", TranslationSettings)
    texts = [record.values[0] for record in TRANSLATION.open_source(settings).records("test")]
    greedy, beam = (load(TRANSLATION, translation_run, beam_size=size) for size in (1, 5))
    loop = python_loop(greedy.module)
    ways = {
        "greedy, a compiled step called from Python": lambda texts: [loop(text) for text in texts],
        "greedy, in the graph": lambda texts: translations(greedy, texts),
        "beam of 5, in the graph": lambda texts: translations(beam, texts),
    }
    found, first = {}, None
    for way in ways.values():
        way(texts[:100])  # builds the graphs
    for name, way in ways.items():
        began = time.monotonic()
        found[name] = way(texts)
        seconds = time.monotonic() - began
        rate = len(texts) / seconds
        first = first or rate
        report(f"{name}: {len(texts):,} sentences in {seconds:.1f} s, {rate:,.0f} per second, {rate / first:.2f}x")
    greedy_loop, greedy_graph, _ = found.values()
    equal = sum(map(str.__eq__, greedy_loop, greedy_graph))
    report(f"greedy search in the graph and in the loop: {equal:,} of {len(texts):,} translations are equal")


def translations(predictor: Predictor, texts: list[str]) -> list[str]:
    return [answer["translation"] for answer in predictor.predict(texts)]
