"""The made sequences: a symbol, and after it noise.

Symbols 0 to k - 1 can be asked for, and stand at the first place alone; k to 2k - 1 are noise. So what is to be
remembered for `lag` steps is one of k, and nothing after it tells which.
"""

import numpy as np

from tasks.memory.settings import TrainingLags


def draw(rng: np.random.Generator, count: int, lag: int, symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences, and the symbol that is asked for at the end of each.

    Args:
      rng: draws each symbol as likely as another.
      count: of sequences.
      lag: noise symbols after the first one.
      symbols: k.

    Returns: int32 (count, lag + 1) in [0, 2k), and int32 (count,) in [0, k), which are the first symbols.
    """
    labels = rng.integers(0, symbols, (count, 1), dtype=np.int32)
    noise = rng.integers(symbols, 2 * symbols, (count, lag), dtype=np.int32)
    return np.concatenate([labels, noise], axis=1), labels[:, 0]


def one_hot(sequences: np.ndarray, symbols: int) -> np.ndarray:
    """Sequences of `draw` as what a layer reads: float32 (count, lag + 1, 2k)."""
    return np.eye(2 * symbols, dtype=np.float32)[sequences]


def training_lag(rng: np.random.Generator, lag: int, distribution: TrainingLags) -> int:
    """The lag of a training batch, from 1 to `lag`; one for the whole batch, so that nothing is padded."""
    if distribution == "fixed":
        return lag
    if distribution == "uniform":
        return int(rng.integers(1, lag + 1))
    return min(lag, int(np.exp(rng.uniform(0.0, np.log(lag + 1)))))
