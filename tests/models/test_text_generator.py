"""Text in, text out: what the generator promises about prompts, seeds and scores."""

import collections
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.characters import Characters, CharacterText, as_read
from models.language_model import StepModel, build_language_model
from models.network_settings import LanguageModelSettings, SamplingSettings
from models.recurrent_settings import RecurrentSettings
from models.sampling import uniforms
from models.text_generator import TextGenerator

TEXT = "the quick brown fox jumps over the lazy dog. 한국어 값을 읽다\n"
PROMPTS = ["the quick", "", "fox", "한국", "dog. "]


def make(hangul="syllables", bias=1.0, **sampling) -> TextGenerator:
    """An untrained network: its weights are large enough to make each step depend on what was before it."""
    keras.utils.set_random_seed(1)
    characters = Characters.learned(collections.Counter(as_read(TEXT, "nfc", hangul)), hangul=hangul)
    settings = LanguageModelSettings(embedding_size=16)
    wide = f"random_normal(stddev={bias})"
    recurrent = RecurrentSettings(cell="gru", units=24, layers=2, kernel_initializer=wide)
    model = build_language_model(settings, recurrent, len(characters))
    model.set_weights([weight * 4 for weight in model.get_weights()])
    steps = StepModel(model, settings, recurrent)
    return TextGenerator(steps, CharacterText(characters), SamplingSettings(**({"length": 40} | sampling)))


def written(generator, prompts, length=40, temperature=1.0, top_k=0, top_p=1.0, seed=0):
    out = generator.generate(tf.constant(prompts), length, temperature, top_k, top_p, seed)
    return [text.decode() for text in out["text"].numpy()]


@pytest.fixture(scope="module", params=["syllables", "jamo"])
def generator(request):
    return make(request.param)


def test_each_prompt_gets_in_a_batch_what_it_gets_alone(generator):
    together = written(generator, PROMPTS)
    assert together == [written(generator, [prompt])[0] for prompt in PROMPTS]
    for prompt, text in zip(PROMPTS, together, strict=True):
        assert text.startswith(prompt[:-1])  # jamo may yet become part of its last syllable
        assert len(text) > len(prompt)


def test_the_seed_decides_the_text(generator):
    texts = {written(generator, ["the"], seed=seed)[0] for seed in (0, 1, 2)}
    assert len(texts) == 3
    assert written(generator, ["the"], seed=1) == written(generator, ["the"], seed=1)
    greedy = {written(generator, ["the"], seed=seed, temperature=0.0)[0] for seed in (0, 1, 2)}
    assert len(greedy) == 1


def test_temperature_0_is_the_limit_of_low_temperatures_and_of_top_k_1(generator):
    greedy = written(generator, PROMPTS[:1], temperature=0.0)
    assert greedy == written(generator, PROMPTS[:1], temperature=1e-4)
    assert greedy == written(generator, PROMPTS[:1], top_k=1)
    assert greedy == written(generator, PROMPTS[:1], top_p=1e-6)


def test_the_default_signature_uses_the_settings():
    generator = make(temperature=0.7, top_k=5, top_p=0.9, sampling_seed=3, length=25)
    out = generator.write_default(tf.constant(PROMPTS))
    assert [text.decode() for text in out["text"].numpy()] == written(generator, PROMPTS, 25, 0.7, 5, 0.9, 3)
    assert [len(text.decode()) for text in out["continuation"].numpy()] == [25] * len(PROMPTS)


def test_writing_in_parts_gives_the_same_text(generator):
    writing = generator.begin(tf.constant(["the quick"]))
    uniform = uniforms(tf.constant([7]), tf.constant(40))
    parts = []
    for start in range(0, 40, 9):
        ids, writing = generator.go_on(writing, uniform[:, start : start + 9], 1.0, 0, 1.0)
        parts.append(generator.shown(ids))
    text = generator.text.joined(tf.strings.join([["the quick"], *parts])).numpy()[0].decode()
    assert [text] == written(generator, ["the quick"], seed=7)


def test_the_unknown_symbol_is_read_and_never_written(generator):
    texts = written(generator, ["x😀☃x", b"a\xffb"], length=200, temperature=5.0)
    assert texts[0].startswith("x😀☃x")
    assert "�" not in texts[0] and texts[1].count("�") == 1  # the one which stands for what is no UTF-8


@pytest.mark.parametrize("stop", [(), ("x",)])
def test_nothing_is_written_for_length_0_and_no_prompt(stop):
    generator = make(stop=stop)
    assert written(generator, PROMPTS, length=0) == PROMPTS == written(generator, PROMPTS, length=-3)
    assert generator.generate(tf.constant([], tf.string), 5, 1.0, 0, 1.0, 0)["text"].shape == (0,)


def test_an_empty_prompt_begins_like_the_text():
    generator = make()
    text = "".join(written(generator, [""], length=1, seed=seed)[0] for seed in range(400))
    shares = collections.Counter(text)
    counts = collections.Counter(TEXT)
    for character, count in counts.most_common(3):
        share = count / len(TEXT)
        assert abs(shares[character] / 400 - share) < 4 * (share * (1 - share) / 400) ** 0.5


def test_it_stops_after_a_stop():
    free = written(make(), ["the"], length=60)[0]
    stop = free[20:23]
    first = free.index(stop, 3) + len(stop)
    assert written(make(stop=(stop,)), ["the"], length=60) == [free[:first]]
    assert written(make(stop=("never written", stop)), ["the"], length=60) == [free[:first]]


def test_a_penalty_keeps_the_last_characters_away():
    text = written(make(repetition_penalty=1e6, repetition_window=4), ["the "], length=100, temperature=0.0)[0]
    for index in range(4, len(text)):
        assert text[index] not in text[index - 4 : index]


@pytest.mark.parametrize("hangul", ["syllables", "jamo"])
def test_scores_are_nats_per_character_as_a_reader_counts_them(hangul):
    generator = make(hangul)
    texts = ["the quick 한국", "값", "", "unseen ☃"]
    scores = generator.score(tf.constant(texts))["nats_per_character"].numpy()
    assert scores[2] == 0.0 and np.isfinite(scores).all()
    read = as_read(texts[0], "nfc", hangul)
    # Step by step, from the first character's frequency on.
    known = generator.text.characters
    ids = [known.characters.index(character) + 1 for character in read]
    total = -np.log((known.counts[ids[0]]) / (sum(known.counts) + 1))
    states = generator.step_model.initial_states(1)
    for now, after in itertools.pairwise(ids):
        out = generator.step(tf.constant([now]), *states)
        total -= tf.nn.log_softmax(out["logits"])[0, after].numpy()
        states = [out[name] for name in generator.step_model.state_names]
    assert scores[0] == pytest.approx(total / len(texts[0]), rel=1e-5)
