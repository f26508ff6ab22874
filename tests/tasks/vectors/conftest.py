"""Sentences in which animals, foods and places are exchangeable, in English and Korean, and vectors trained on them."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tasks.conftest import written_once

ANIMALS, FOODS = ("cat", "dog", "horse", "rabbit"), ("bread", "rice", "apples", "soup")
MOVIES, SONGS = ("영화", "드라마", "만화"), ("노래", "음악", "연주")


def sentences(count: int = 600) -> list[str]:
    """Sentences of the same words in another order each time; the seed is fixed."""
    chance, found = random.Random(0), []
    for _ in range(count):
        animal, food = chance.choice(ANIMALS), chance.choice(FOODS)
        found.append(chance.choice([f"The old {animal} runs to the barn.", f"She cooks some {food}, and he eats it!"]))
        movie, song = chance.choice(MOVIES), chance.choice(SONGS)
        found.append(chance.choice([f"어제 본 {movie} 배우가 멋졌다", f"라디오에서 나온 {song} 소리가 좋았다"]))
    return found


# Small vectors that are trained in a second.
SMALL = ("--embedding-size", "16", "--epochs", "8", "--sample", "0", "--learning-rate", "0.05")


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Options of a small training."""
    return SMALL


@pytest.fixture(scope="session")
def texts(tmp_path_factory) -> Path:
    """A file with a sentence on each line."""
    path = tmp_path_factory.mktemp("vectors") / "sentences.txt"
    path.write_text("".join(f"{one}\n" for one in sentences()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(vectors, texts, tmp_path_factory) -> Callable[[str], Path]:
    """A finished run of an algorithm, for reading only."""
    folder = tmp_path_factory.mktemp("vector_runs")

    def run(algorithm: str) -> Path:
        def train(path: Path) -> None:
            answer = vectors("train", "--data", texts, "--run", path, "--algorithm", algorithm, *SMALL)
            assert (answer.code, answer.out) == (0, f"{path}\n"), answer.err

        return written_once(folder / algorithm, train)

    return run
