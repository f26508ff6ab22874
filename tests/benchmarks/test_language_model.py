"""Training of a language model over pieces: pieces per second by softmax and by precision, and peak memory."""

import time

import keras
import numpy as np
import tensorflow as tf

from models.language_model import build_language_model
from models.losses import TokenCrossentropy
from models.network import global_dtype_policy
from models.network_settings import LanguageModelSettings
from models.recurrent_settings import RecurrentSettings
from models.sampled_softmax import SampledLogits
from tests.benchmarks.test_memory import ended_process

VOCABULARY, EMBEDDING, UNITS, ROWS, WINDOW, SAMPLES = 8_000, 256, 512, 50, 64, 1_024
# Multiplications and additions of a step for each piece, forwards; a training step has three times as many.
STACK = 2 * (EMBEDDING + UNITS) * 4 * UNITS + 2 * UNITS * EMBEDDING
POLICIES = ("float32", "mixed_bfloat16")
SIZES = {"full softmax": VOCABULARY, f"{SAMPLES} samples": SAMPLES}


def matrix_rate() -> float:
    """Operations per second of one large matrix product."""
    one = tf.random.normal((4096, 4096))
    product = tf.function(lambda: tf.matmul(one, one))
    product()
    began = time.monotonic()
    for _ in range(3):
        product()
    return 3 * 2 * 4096**3 / (time.monotonic() - began)


def step_of(samples: int):
    """One step of training on random ids."""
    settings = LanguageModelSettings(embedding_size=EMBEDDING, tied_embeddings=True)
    model = build_language_model(settings, RecurrentSettings(units=UNITS), VOCABULARY)
    sampled = SampledLogits(np.ones(VOCABULARY), samples) if samples < VOCABULARY else None
    training = model.training_model(sampled)
    training.compile(keras.optimizers.Adam(), TokenCrossentropy(), jit_compile=False)
    ids = np.random.default_rng(0).integers(0, VOCABULARY, (ROWS, WINDOW)).astype(np.int32)
    begins, weights = np.ones(ROWS, bool), np.full(ids.shape, 1 / WINDOW, np.float32)
    inputs, targets = ((ids, begins), ids) if sampled is None else ((ids, begins, ids), np.zeros_like(ids))
    return lambda: training.train_on_batch(inputs, targets, weights)


def test_sampled_and_full_softmax(rounds, report):
    """In float32 and in bfloat16, which is faster on processors with instructions for it; all take turns."""
    steps = {}
    for policy in POLICIES:
        with global_dtype_policy(policy):
            steps |= {(name, policy): step_of(size) for name, size in SIZES.items()}
    for step in steps.values():
        step()
    rate, seconds = matrix_rate(), dict.fromkeys(steps, float("inf"))
    for _ in range(rounds):
        for name, step in steps.items():
            began = time.monotonic()
            for _ in range(3):
                step()
            seconds[name] = min(seconds[name], (time.monotonic() - began) / 3)
    report(f"\npieces per second of training, {ROWS} rows of {WINDOW} pieces, LSTM {UNITS}, {VOCABULARY:,} pieces")
    for (name, policy), taken in seconds.items():
        limit = rate / (3 * (STACK + 2 * EMBEDDING * SIZES[name]))
        reached, times = ROWS * WINDOW / taken, seconds[name, POLICIES[0]] / taken
        report(
            f"{name:>13}, {policy:<14}: {reached:8,.0f}, {times:.2f} times float32; arithmetic limit of float32 "
            f"{limit:8,.0f}, of which {reached / limit:.0%}"
        )


TRAIN = """
import sys
from tasks.cli.main import main
from tasks.chargen.task import CHARGEN
from tasks.comparison.worker import peak_memory

assert main(CHARGEN, ["train", *sys.argv[1:]]) == 0
print(peak_memory())
"""


def test_peak_memory_does_not_grow_with_the_text(nsmc, steps, tmp_path, report):
    """With about 10 MB and, in copies that differ, 1 GB of reviews."""
    header, *rows = nsmc.read_text(encoding="utf-8").splitlines()
    peaks = {}
    for name, copies in {"10 MB": 1, "1 GB": 70}.items():
        path = tmp_path / f"{copies}.tsv"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{header}\n")
            for copy in range(copies):
                file.writelines(f"{row.replace(chr(9), f'{chr(9)}{copy} ', 1)}\n" for row in rows)
        arguments = [
            *("--data", path, "--text-column", "document", "--tokenizer", "sentencepiece", "--run", tmp_path / "run"),
            *("--overwrite", "--epochs", "1", "--steps-per-epoch", steps, "--batch-size", "50", "--window", "64"),
            *("--tied-embeddings", "--softmax-samples", SAMPLES, "--validation-steps", "20", "--sample-lines", "0"),
        ]
        peaks[name] = int(ended_process(TRAIN, arguments).stdout.split()[-1]) / 1e6
        report(f"{name} ({path.stat().st_size / 1e6:,.0f} MB): peak {peaks[name]:,.0f} MB")
    report(f"ratio {peaks['1 GB'] / peaks['10 MB']:.3f}")
