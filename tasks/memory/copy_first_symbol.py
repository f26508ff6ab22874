"""Data of the copy-first-symbol task: one symbol to remember, followed by noise.

Symbols 0 to k - 1 occur only in the first place, symbols k to 2k - 1 are noise. The network must output the first
symbol after `lag` noise symbols, which carry no information about it.
"""

import numpy as np

from tasks.memory.settings import TrainingLags


def draw_sequences(rng: np.random.Generator, count: int, lag: int, symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw sequences and their labels, all symbols equally likely.

    Args:
        rng: Source of random numbers.
        count: Number of sequences.
        lag: Number of noise symbols after the first symbol.
        symbols: Number k of symbols to remember.

    Returns:
        Sequences in [0, 2k), int32 `(count, lag + 1)`, and their first symbols in [0, k), int32 `(count,)`.
    """
    labels = rng.integers(0, symbols, (count, 1), dtype=np.int32)
    noise = rng.integers(symbols, 2 * symbols, (count, lag), dtype=np.int32)
    return np.concatenate([labels, noise], axis=1), labels[:, 0]


def one_hot(sequences: np.ndarray, symbols: int) -> np.ndarray:
    """Encode sequences of `draw_sequences` as float32 `(count, lag + 1, 2k)`."""
    encoded = np.zeros((*sequences.shape, 2 * symbols), np.float32)
    np.put_along_axis(encoded, sequences[..., None], 1.0, axis=-1)
    return encoded


def draw_training_lag(rng: np.random.Generator, test_lag: int, distribution: TrainingLags) -> int:
    """Draw the lag of a training batch from 1 to `test_lag`; one lag per batch, so that no padding is needed."""
    if distribution == "fixed":
        return test_lag
    if distribution == "uniform":
        return int(rng.integers(1, test_lag + 1))
    return min(test_lag, int(np.exp(rng.uniform(0.0, np.log(test_lag + 1)))))
