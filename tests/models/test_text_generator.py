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
from models.network import global_dtype_policy
from models.network_settings import LanguageModelSettings
from models.recurrent_settings import RecurrentSettings
from models.text_generator import TextGenerator
from models.text_stream import TextStream

TEXT = "the quick brown fox jumps over the lazy dog. 한국어 값을 읽다\n"
PROMPTS = ["the quick", "", "fox", "한국", "dog. "]


def make(hangul="syllables", bias=1.0, dtype="float32", boundary=None, **sampling) -> TextGenerator:
    """Return an untrained generator; its weights are large, so that each step depends on the ones before."""
    keras.utils.set_random_seed(1)
    characters = Characters.learned(collections.Counter(normalize(TEXT, "nfc", hangul)), hangul=hangul)
    settings = LanguageModelSettings(embedding_size=16)
    initializer = f"random_normal(stddev={bias})"
    recurrent = RecurrentSettings(cell="gru", units=24, layers=2, kernel_initializer=initializer)
    with global_dtype_policy(dtype):
        model = build_language_model(settings, recurrent, len(characters))
    model.set_weights([weight * 4 for weight in model.get_weights()])
    step_model = StepModel(model, None if boundary is None else characters.symbols.index(boundary))
    return TextGenerator(step_model, CharacterText(characters), SamplingSettings(**({"length": 40} | sampling)))


def generated(generator, prompts, length=40, temperature=1.0, top_k=0, top_p=1.0, seed=0):
    numbers = (
        tf.fill([len(prompts)], value) for value in (length, temperature, top_k, top_p, tf.constant(seed, tf.int64))
    )
    out = generator.generate(tf.constant(prompts, tf.string), *numbers)
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
    assert generated(generator, PROMPTS, length=0) == PROMPTS
    assert generated(generator, []) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("temperature", float("nan"), "at least 0 and at most 100"),
        ("temperature", -0.1, "at least 0 and at most 100"),
        ("temperature", float("inf"), "at least 0 and at most 100"),
        ("top_p", 0.0, "above 0 and at most 1"),
        ("top_p", 1.01, "above 0 and at most 1"),
        ("top_p", float("nan"), "above 0 and at most 1"),
        ("top_k", -1, "at least 0"),
        ("length", -1, "at least 0 and at most 10000"),
        ("length", 2_000_000_000, "at least 0 and at most 10000"),
    ],
)
def test_a_number_out_of_range_is_refused_with_its_name(generator, name, value, expected):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{name}: expected a number that is {expected}; got"):
        generated(generator, ["the"], **{name: value})


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


# --- generation in parts, for clients that keep the state -------------------------------------------------------------


def continued(generator, prompts, parts, seed=0, **numbers) -> list[str]:
    """The texts of `TextStream`, with a number of characters of each row for each part."""
    stream, count = TextStream(generator), len(prompts)
    numbers = {"temperature": 1.0, "top_k": 0, "top_p": 1.0} | numbers
    numbers = [tf.fill([count], value) for value in numbers.values()]
    out = stream.begin(tf.constant(prompts), tf.fill([count], tf.constant(seed, tf.int64)))
    texts = [out["text"]]
    for length in parts:
        states = [out[name] for name in generator.step_model.state_names]
        lengths = tf.broadcast_to(length, [count])
        out = stream.go_on(out["generation_state"], out["pending"], lengths, *numbers, *states)
        texts.append(out["text"])
    return [text.decode() for text in tf.strings.join([*texts, out["pending"]]).numpy()]


@pytest.mark.slow
def test_a_text_in_parts_is_the_text_of_one_call(generator):
    whole = generated(generator, PROMPTS, temperature=0.9, top_k=9, top_p=0.95, seed=5)
    for parts in ([1] * 3 + [37], [16, 16, 8], [[40, 8, 1, 0, 20], [0, 32, 38, 1, 20], [0, 0, 1, 39, 0]]):
        assert continued(generator, PROMPTS, parts, 5, temperature=0.9, top_k=9, top_p=0.95) == whole


@pytest.mark.slow
def test_a_text_in_parts_ends_at_a_stop_and_is_penalized_as_in_one_call():
    free = generated(make(), ["the"], length=60)[0]
    stopped, penalized = make(stop=(free[20:23],)), make(repetition_penalty=1.5, repetition_window=5)
    for generator in (stopped, penalized):
        whole = generated(generator, ["the", "dog"], length=60)
        assert continued(generator, ["the", "dog"], [7] * 8 + [4]) == whole
    assert len(generated(stopped, ["the"], length=60)[0]) < 60


@pytest.mark.slow
def test_a_record_in_parts_is_the_record_of_one_call():
    generator, prompts = make(boundary="\n"), ["the quick", "", "the dog\nfox", "dog\n"]
    assert continued(generator, prompts, [3, 9, 28]) == generated(generator, prompts)


def test_the_candidates_are_the_most_probable_next_characters():
    generator = make()
    out = TextStream(generator).begin(tf.constant(["the quick"]), tf.constant([0], tf.int64))
    after = generator.initial_state(tf.constant(["the quick"]))
    expected = tf.nn.softmax(after.logits)[0].numpy()
    order = np.argsort(-expected, kind="stable")[:10]
    np.testing.assert_array_equal(out["candidate_probabilities"][0], expected[order])
    symbols = [generator.text.characters.symbols[index] for index in order]
    assert [text.decode() for text in out["candidates"][0].numpy()] == symbols
    assert symbols[0] == generated(generator, ["the quick"], length=1, temperature=0.0)[0][-1]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_the_states_of_a_network_in_half_precision_are_float32(dtype):
    generator = make(dtype=dtype)
    zeros = [tf.zeros([1, 24])] * len(generator.step_model.state_names)
    first = generator.step(tf.constant([3]), *zeros)
    assert {tensor.dtype for tensor in first.values()} == {tf.float32}
    second = generator.step(tf.constant([4]), *(first[name] for name in generator.step_model.state_names))
    states = generator.step_model.read(tf.ragged.constant([[3, 4]]), generator.step_model.initial_states(1))
    np.testing.assert_array_equal(second["logits"], generator.step_model.logits(states))
    assert continued(generator, ["the", ""], [5, 5]) == generated(generator, ["the", ""], length=10)
