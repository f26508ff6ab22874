"""Time and memory of training word vectors, against gensim called directly, and with ten times the text.

Each training is a separate process, from its start to the stored vectors. The processes take turns. Processor time is
compared: other programs change it less than the time on the clock.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from tasks.data.documents import open_documents
from tasks.vectors.words import Words
from tests.benchmarks.processes import ROOT, Cost, cost

EPOCHS, SIZE, MIN_COUNT = 5, 64, 3

# What somebody writes who calls gensim directly, for a file of words that are separated by blanks.
DIRECT = """
import json, sys
import gensim.models
text, folder, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = getattr(gensim.models, options.pop("class"))(corpus_file=text, **options)
model.wv.save(folder)
"""


@pytest.fixture
def words_file(nsmc, tmp_path) -> Path:
    """The words of NSMC, separated by blanks: both read the same file."""
    texts = list(open_documents(str(nsmc), "document", sample=ROOT).texts("train"))
    path = tmp_path / "words.txt"
    lines = (" ".join(line) for line in Words(lowercase=True).split(texts))
    path.write_text("".join(f"{line}\n" for line in lines if line), encoding="utf-8")
    return path


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_time_and_memory_against_gensim_called_directly(words_file, rounds, tmp_path, report, algorithm):
    options = {
        "class": "Word2Vec",
        "vector_size": SIZE,
        "sg": 1,
        "epochs": EPOCHS,
        "min_count": MIN_COUNT,
        "workers": 1,
    }
    chosen = ["--algorithm", algorithm, "--embedding-size", SIZE, "--epochs", EPOCHS, "--min-count", MIN_COUNT]
    if algorithm == "fasttext":
        options |= {"class": "FastText", "min_n": 2, "max_n": 5, "bucket": 400_000}
        chosen += ["--min-n", 2, "--max-n", 5, "--bucket", 400_000]
    ways = {
        "gensim": ["-c", DIRECT, words_file, tmp_path / "direct", json.dumps(options)],
        "tasks.vectors": ["-m", "tasks.vectors", "train", "--data", words_file, "--overwrite", *chosen],
    }
    ways["tasks.vectors"] += ["--run", tmp_path / "run"]
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for round_ in range(rounds):
        for name, arguments in ways.items():
            one = cost(*arguments)
            costs[name].append(one)
            report(
                f"{algorithm}, round {round_ + 1}: {name:<14} {one.processor:>6.1f} s of processor time, "
                f"{one.seconds:.1f} s on the clock, peak {one.peak_mib:,.0f} MiB"
            )
    medians = {name: np.median(np.array(of_way), axis=0) for name, of_way in costs.items()}
    ratios = Cost(*(medians["tasks.vectors"] / medians["gensim"]))
    report(
        f"{algorithm}, medians: {ratios.processor:.3f} times the processor time, {ratios.peak_mib:.3f} times the "
        "memory of gensim"
    )


def test_peak_memory_does_not_grow_with_the_text(words_file, tmp_path, report):
    text, peaks = words_file.read_text(encoding="utf-8"), []
    for copies in (1, 10):
        path = tmp_path / f"{copies}.txt"
        with open(path, "w", encoding="utf-8") as file:
            for _ in range(copies):
                file.write(text)
        options = ["--epochs", 1, "--cbow", "--min-count", MIN_COUNT * copies]
        peaks.append(cost("-m", "tasks.vectors", "train", "--data", path, "--run", tmp_path / str(copies), *options))
        report(f"{path.stat().st_size / 2**20:,.0f} MiB of text: peak {peaks[-1].peak_mib:,.0f} MiB")
    report(f"ten times the text: {peaks[1].peak_mib / peaks[0].peak_mib:.3f} times the memory")
