"""Sentences a second: the search in the graph, against a compiled step that is called from a Python loop.

Needs a finished run of the translation task, `--translation-run`; all translate the test split that it was trained for.
"""

import time

import tensorflow as tf

from models.text import BEGIN, END, PAD, UNKNOWN
from models.text_translator import SPARE_PIECES, TextTranslator
from tasks.training.runs import Run
from tasks.translation import data, translate
from tasks.translation.settings import TranslationSettings


def python_loop(translator: TextTranslator):
    """Greedy, one sentence at a time; the encoder, each step and the way back to text are compiled."""
    network, ratio = translator.network, translator.settings.max_length_ratio
    blocked = tf.reduce_any(tf.range(network.target_size)[:, None] == [PAD, UNKNOWN, BEGIN], axis=1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def begin(text):
        ids = translator._source_ids(text)
        memory, states = network.begin(ids)
        return tf.shape(ids)[1] - 1, memory, [state[:, None] for state in states]

    @tf.function(reduce_retracing=True)
    def step(last, states, memory):
        logits, states, _ = network.advance(last, states, memory)
        return tf.argmax(tf.where(blocked, -float("inf"), logits), axis=-1, output_type=tf.int32), states

    def translated(text: str) -> str:
        pieces, memory, states = begin(tf.constant([text]))
        last, written = tf.fill([1, 1], BEGIN), []
        while len(written) < -(-int(pieces) * ratio // 1) + SPARE_PIECES:
            last, states = step(last, states, memory)
            new = int(last[0, 0])
            if new == END:
                break
            written.append(new)
        return translator.target.tokenizer.detokenize(tf.constant(written, tf.int32)).numpy().decode()

    return translated


def test_translation(translation_run, report):
    settings = Run(translation_run).open_finished("translation", TranslationSettings)
    texts = [record.values[0] for record in data.pair_source(settings.data).records("test")]
    greedy, beam = translate.load(translation_run, beam_size=1), translate.load(translation_run, beam_size=5)
    loop = python_loop(greedy)
    ways = {
        "greedy, a compiled step called from Python": lambda texts: [loop(text) for text in texts],
        "greedy, in the graph": lambda texts: told(greedy, texts),
        "beam of 5, in the graph": lambda texts: told(beam, texts),
    }
    found, first = {}, None
    for way in ways.values():
        way(texts[:100])  # traced, and memory taken
    for name, way in ways.items():
        began = time.monotonic()
        found[name] = way(texts)
        seconds = time.monotonic() - began
        rate = len(texts) / seconds
        first = first or rate
        report(f"{name}: {len(texts):,} sentences in {seconds:.1f} s, {rate:,.0f} a second, {rate / first:.2f}x")
    one, two, _ = found.values()
    report(f"greedy in the graph gives the loop's sentences: {sum(map(str.__eq__, one, two)):,} of {len(texts):,}")


def told(translator: TextTranslator, texts: list[str]) -> list[str]:
    return [answer["translation"] for answer in translate.translations(translator.translate, texts)]
