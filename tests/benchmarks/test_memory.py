"""Peak memory of a training with a file and with one of ten times its size: it should be the same.

Each training is a separate process, which reads its whole file and takes the same number of steps.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Trains for `steps` steps, and prints the peak of the resident memory in bytes.
TRAIN = """
import sys
from tasks.cli.parsing import train_arguments
from tasks.cli.start import quiet_start
from tasks.comparison.worker import peak_memory
from tasks.sentiment.task import SENTIMENT

settings, folder, *_ = train_arguments(SENTIMENT, "train", sys.argv[1:-1])
steps = int(sys.argv[-1])
with quiet_start():
    from tasks.training import fit, train

class EnoughSteps(Exception):
    pass

class CountingCallback(fit.TrainingCallback):
    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        if self.progress.step == steps:
            raise EnoughSteps

fit.TrainingCallback = CountingCallback
try:
    train.train(SENTIMENT, settings, folder, verbose=0)
except EnoughSteps:
    print(peak_memory())
"""


def ended_process(code: str, arguments) -> subprocess.CompletedProcess:
    """Runs a program that may import this project."""
    ended = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def test_peak_memory_does_not_grow_with_the_file(nsmc, steps, tmp_path, report):
    header, *rows = nsmc.read_bytes().splitlines(keepends=True)
    original, copy = tmp_path / "original.txt", tmp_path / "ten_times.txt"
    original.write_bytes(nsmc.read_bytes())
    with open(copy, "wb") as file:
        file.write(header)
        for number in range(10):
            # Each copy has different texts, as in a larger corpus: a number precedes the text.
            file.writelines(row.replace(b"\t", f"\t{number} ".encode(), 1) for row in rows)
    del rows
    peaks = []
    for path in (original, copy):
        columns = ["--text-column", "document", "--label-column", "label"]
        arguments = ["--data", path, *columns, "--run", tmp_path / path.stem, steps]
        ended = ended_process(TRAIN, arguments)
        peaks.append(int(ended.stdout) / 2**20)
        report(f"{path.stem:<10} {path.stat().st_size / 2**20:>7,.0f} MiB: peak {peaks[-1]:,.0f} MiB")
    report(f"ten times the file: {peaks[1] / peaks[0]:.3f} times the memory")


# Translates a file, and prints the peak of the resident memory in bytes.
TRANSLATE = """
import sys
from tasks.cli.main import main
from tasks.comparison.worker import peak_memory
from tasks.translation.task import TRANSLATION

code = main(TRANSLATION, sys.argv[1:])
print(peak_memory(), file=sys.stderr)
sys.exit(code)
"""


def test_peak_memory_of_translating_does_not_grow_with_the_file(tmp_path, report):
    from tasks.training.train import train
    from tasks.translation.settings import TranslationSettings
    from tasks.translation.task import TRANSLATION

    settings = TranslationSettings.model_validate(
        {
            "network": {"embedding_size": 16},
            "recurrent": {"units": 16},
            "training": {"epochs": 1, "bleu_epochs": 0},
            "search": {"beam_size": 2},
        }
    )
    train(TRANSLATION, settings, tmp_path / "run", verbose=0)
    texts = [record.values[0] for record in TRANSLATION.open_source(settings).records("test")]
    peaks = []
    for lines in (2_000, 200_000):
        path = tmp_path / f"{lines}.txt"
        path.write_text("".join(f"{texts[number % len(texts)]}\n" for number in range(lines)), encoding="utf-8")
        arguments = ["translate", "--run", tmp_path / "run", "--input", path, "--output", tmp_path / "out.txt"]
        ended = ended_process(TRANSLATE, arguments)
        assert len((tmp_path / "out.txt").read_text(encoding="utf-8").splitlines()) == lines
        peaks.append(int(ended.stderr.split()[-1]))
        report(f"translating {lines:,} lines: peak {peaks[-1] / 2**20:,.0f} MiB")
    report(f"a hundred times the lines: {peaks[1] / peaks[0]:.3f} times the memory")
