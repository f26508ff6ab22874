"""Hangul as syllables and as jamo: bits per syllable after the same passes over the same Korean text."""

import csv

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.task import CHARGEN
from tasks.serving.evaluate import evaluate
from tasks.training.train import train

DOCUMENTS, EPOCHS = 10_000, 3


def test_syllables_and_jamo(nsmc, tmp_path, report):
    with open(nsmc, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        documents = [row["document"] for row, _ in zip(rows, range(DOCUMENTS), strict=False)]
    (tmp_path / "reviews.txt").write_text("".join(f"{document}\n" for document in documents), encoding="utf-8")
    for hangul in ("syllables", "jamo"):
        settings = ChargenSettings(
            data={"data": str(tmp_path / "reviews.txt")},
            vocabulary={"hangul": hangul},
            training={"epochs": EPOCHS},
        )
        run = train(CHARGEN, settings, tmp_path / hangul, verbose=0)
        seconds = sum(row["seconds"] for row in run.history())
        results = evaluate(CHARGEN, run.path)
        report(
            f"{hangul}: {results['bits_per_character']:.3f} bits per syllable, {results['unknown_share']:.2%} unknown, "
            f"{EPOCHS} epochs in {seconds:.0f} s"
        )
