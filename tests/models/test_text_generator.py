"""Text generation: prompts, seeds, stops and scores."""

import collections
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.characters import Characters, CharacterText, normalize
from models.generation_settings import SamplingSettings
from models.language_model import StepModel, build_language_model
from models.network_settings import LanguageModelSettings
from models.recurrent_settings import RecurrentSettings
from models.text_generator import TextGenerator

TEXT = "the quick brown fox jumps over the lazy dog. 한국어 값을 읽다\n"
PROMPTS = ["the quick", "", "fox", "한국", "dog. "]


def make(hangul="syllables", bias=1.0, **sampling) -> TextGenerator:
    """Return an untrained generator; its weights are large, so that each step depends on the ones before."""
    keras.utils.set_random_seed(1)
    characters = Characters.learned(collections.Counter(normalize(TEXT, "nfc", hangul)), hangul=hangul)
    settings = LanguageModelSettings(embedding_size=16)
    initializer = f"random_normal(stddev={bias})"
    recurrent = RecurrentSettings(cell="gru", units=24, layers=2, kernel_initializer=initializer)
    model = build_language_model(settings, recurrent, len(characters))
    model.set_weights([weight * 4 for weight in model.get_weights()])
    step_model = StepModel(model)
    return TextGenerator(step_model, CharacterText(characters), SamplingSettings(**({"length": 40} | sampling)))


def generated(generator, prompts, length=40, temperature=1.0, top_k=0, top_p=1.0, seed=0):
    out = generator.generate(tf.constant(prompts), length, temperature, top_k, top_p, seed)
    return [text.decode() for text in out["text"].numpy()]


@pytest.fixture(scope="module", params=["syllables", "jamo"])
def generator(request):
    return make(request.param)


@pytest.mark.slow
def test_a_prompt_in_a_batch_yields_the_same_text_as_alone(generator):
    together = generated(generator, PROMPTS)
    assert together == [generated(generator, [prompt])[0] for prompt in PROMPTS]
    for prompt, text in zip(PROMPTS, together, strict=True):
        assert text.startswith(prompt[:-1])  # generated jamo may become part of the last syllable
        assert len(text) > len(prompt)


def test_the_seed_decides_the_text(generator):
    texts = {generated(generator, ["the"], seed=seed)[0] for seed in (0, 1, 2)}
    assert len(texts) == 3
    assert generated(generator, ["the"], seed=1) == generated(generator, ["the"], seed=1)
    greedy = {generated(generator, ["the"], seed=seed, temperature=0.0)[0] for seed in (0, 1, 2)}
    assert len(greedy) == 1


def test_temperature_0_is_the_limit_of_low_temperatures_and_of_top_k_1(generator):
    greedy = generated(generator, PROMPTS[:1], temperature=0.0)
    assert greedy == generated(generator, PROMPTS[:1], temperature=1e-4)
    assert greedy == generated(generator, PROMPTS[:1], top_k=1)
    assert greedy == generated(generator, PROMPTS[:1], top_p=1e-6)


def test_the_default_signature_uses_the_settings():
    generator = make(temperature=0.7, top_k=5, top_p=0.9, sampling_seed=3, length=25)
    out = generator.generate_default(tf.constant(PROMPTS))
    assert [text.decode() for text in out["text"].numpy()] == generated(generator, PROMPTS, 25, 0.7, 5, 0.9, 3)
    assert [len(text.decode()) for text in out["continuation"].numpy()] == [25] * len(PROMPTS)


def test_generation_in_parts_yields_the_same_text(generator):
    state = generator.initial_state(tf.constant(["the quick"]))
    noise = generator.noise(tf.constant(["the quick"]), tf.constant([7]), tf.constant(40))
    parts = []
    for start in range(0, 40, 9):
        ids, state = generator.continue_generation(state, noise[:, start : start + 9], 1.0, 0, 1.0)
        parts.append(generator.decode(ids))
    text = generator.text.compose_jamo(tf.strings.join([["the quick"], *parts])).numpy()[0].decode()
    assert [text] == generated(generator, ["the quick"], seed=7)
    assert generator.continue_generation.experimental_get_tracing_count() == 1  # also for the shorter part at the end


def test_the_unknown_id_is_accepted_and_never_generated(generator):
    texts = generated(generator, ["x😀☃x", b"a\xffb"], length=200, temperature=5.0)
    assert texts[0].startswith("x😀☃x")
    assert "�" not in texts[0] and texts[1].count("�") == 1  # the replacement of the invalid byte


@pytest.mark.parametrize("stop", [(), ("x",)])
def test_nothing_is_generated_for_length_0_and_for_an_empty_batch(stop):
    generator = make(stop=stop)
    assert generated(generator, PROMPTS, length=0) == PROMPTS == generated(generator, PROMPTS, length=-3)
    assert generator.generate(tf.constant([], tf.string), 5, 1.0, 0, 1.0, 0)["text"].shape == (0,)


def test_the_first_character_after_an_empty_prompt_follows_the_frequencies():
    generator = make()
    text = "".join(generated(generator, [""], length=1, seed=seed)[0] for seed in range(400))
    shares = collections.Counter(text)
    counts = collections.Counter(TEXT)
    for character, count in counts.most_common(3):
        share = count / len(TEXT)
        assert abs(shares[character] / 400 - share) < 4 * (share * (1 - share) / 400) ** 0.5


@pytest.mark.slow
def test_generation_stops_after_a_stop():
    free = generated(make(), ["the"], length=60)[0]
    stop = free[20:23]
    first = free.index(stop, 3) + len(stop)
    assert generated(make(stop=(stop,)), ["the"], length=60) == [free[:first]]
    assert generated(make(stop=("never generated", stop)), ["the"], length=60) == [free[:first]]


def test_a_large_penalty_excludes_the_last_characters():
    text = generated(make(repetition_penalty=1e6, repetition_window=4), ["the "], length=100, temperature=0.0)[0]
    for index in range(4, len(text)):
        assert text[index] not in text[index - 4 : index]


@pytest.mark.parametrize("hangul", ["syllables", "jamo"])
def test_scores_are_nats_per_composed_character(hangul):
    generator = make(hangul)
    texts = ["the quick 한국", "값", "", "unseen ☃"]
    scores = generator.score(tf.constant(texts))["nats_per_character"].numpy()
    assert scores[2] == 0.0 and np.isfinite(scores).all()
    normalized = normalize(texts[0], "nfc", hangul)
    # Step by step, starting with the frequency of the first character.
    known = generator.text.characters
    ids = [known.characters.index(character) + 1 for character in normalized]
    total = -np.log((known.counts[ids[0]]) / (sum(known.counts) + 1))
    states = generator.step_model.initial_states(1)
    for now, after in itertools.pairwise(ids):
        out = generator.step(tf.constant([now]), *states)
        total -= tf.nn.log_softmax(out["logits"])[0, after].numpy()
        states = [out[name] for name in generator.step_model.state_names]
    assert scores[0] == pytest.approx(total / len(texts[0]), rel=1e-5)
