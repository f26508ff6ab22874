"""Small trainings that several processes compute together, and the program that each of these processes runs.

Dropout is off: the workers draw other masks than one process.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.tasks.examples import (
    LANGUAGES,
    LINES,
    QUICKLY,
    TRAINED_WIDE_PATH,
    reviews,
    sentence_pairs,
    write_aligned,
    write_csv,
)

ROOT = Path(__file__).parents[3]
NO_DROPOUT = ("--dropout", "0", "--embedding-dropout", "0", "--layer-dropout", "0", "--output-dropout", "0")
CLASSIFIER = (
    *("--data", "reviews", "--units", "6", "--embedding-size", "6", "--max-tokens", "30", "--vocabulary-size", "200"),
    *("--tokens-per-batch", "150", "--class-weight", "balanced", "--label-smoothing", "0.1", *NO_DROPOUT),
    "--no-bidirectional",
)
CHARACTERS = (
    *("--data", "lines.txt", "--units", "8", "--embedding-size", "6", "--window", "20", "--sample-lines", "0"),
    "--no-unroll",
)
SGD = ("--optimizer", "sgd", "--learning-rate", "0.1", "--epochs", "2", "--monitor", "loss")
# Name -> the task and its options.
CASES = {
    "plain": ("sentiment", (*CLASSIFIER, *SGD, "--wide-ngrams", "0", "--global-clipnorm", "0.05")),
    "tables": (
        "sentiment",
        (*CLASSIFIER, "--epochs", "4", "--ngrams", "2", *TRAINED_WIDE_PATH, "--global-clipnorm", "0.05"),
    ),
    "adversarial": ("sentiment", (*CLASSIFIER, *SGD, "--wide-ngrams", "0", "--adversarial-epsilon", "0.05")),
    "tokens": (
        "translation",
        (
            *("--data", "pairs", *LANGUAGES, "--units", "8", "--embedding-size", "8", "--max-tokens", "40"),
            *("--vocabulary-size", "300", "--tokens-per-batch", "200", "--bleu-epochs", "2", "--bleu-pairs", "3"),
            *("--label-smoothing", "0.1", "--no-bidirectional", *SGD, *NO_DROPOUT),
        ),
    ),
    "shuffled": ("chargen", (*CHARACTERS, *SGD, "--no-stateful", "--batch-size", "7")),
    "carried": ("chargen", (*CHARACTERS, *SGD, "--batch-size", "5", "--optimizer", "adam", "--learning-rate", "0.01")),
}
PROGRAM = (
    QUICKLY
    + """
import json, sys
from tasks.cli.start import import_tensorflow
import_tensorflow(start=False)
from tasks.training.workers import connect
from tasks.training.worker_addresses import WorkerAddresses
index, addresses, names = json.loads(sys.argv[1])
workers = connect(WorkerAddresses(tuple(addresses), index))
from tests.tasks.training.worker_cases import trained
for name in names:
    trained(name, workers)
"""
)


def write_data(folder: Path) -> None:
    for split, count in (("train", 61), ("validation", 15), ("test", 5)):
        write_csv(folder / "reviews" / f"{split}.csv", reviews(split, count))
        write_aligned(folder / "pairs", split, sentence_pairs(split, count))
    (folder / "lines.txt").write_text("".join(LINES[:80]), encoding="utf-8")


def trained(name: str, workers) -> Mapping[str, np.ndarray]:
    """Trains a case in the working directory; keeps the last weights of each worker, and returns them."""
    from tasks.cli import parsing
    from tasks.cli.registry import TASKS
    from tasks.references import find
    from tasks.training import fit
    from tasks.training.train import train

    task, options = CASES[name]
    folder, networks, whole_fit = f"{name}-{workers.count}", [], fit.fit

    def noted(network, *arguments, **named):
        networks.append(network)
        return whole_fit(network, *arguments, **named)

    fit.fit = noted
    try:
        settings = parsing.train_arguments(find(TASKS[task]), "train", [*options, "--run", folder]).settings
        train(find(TASKS[task]), settings, folder, verbose=0, workers=workers)
    finally:
        fit.fit = whole_fit
    weights = {one.path: np.asarray(one) for one in networks[0].model.weights}
    np.savez(f"{folder}-{workers.index}.npz", **weights)
    return weights


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def train_on_workers(count: int, names: list[str], folder: Path) -> None:
    """Trains cases in a folder, one after the other, with this number of processes."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps([index, addresses, names])],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for index in range(count)
    ]
    try:
        for worker in workers:
            _, error = worker.communicate(timeout=500)
            assert worker.returncode == 0, error.decode()
    finally:
        for worker in workers:
            worker.kill()
