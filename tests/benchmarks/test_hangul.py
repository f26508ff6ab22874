"""Hangul as syllables against jamo: bits per syllable after the same passes over the same Korean text."""

import csv

from tasks.chargen import evaluate, train
from tasks.chargen.settings import ChargenSettings

DOCUMENTS, EPOCHS = 10_000, 3


def test_syllables_against_jamo(nsmc, tmp_path, report):
    with open(nsmc, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        documents = [row["document"] for row, _ in zip(rows, range(DOCUMENTS), strict=False)]
    (tmp_path / "reviews.txt").write_text("".join(f"{document}\n" for document in documents), encoding="utf-8")
    for hangul in ("syllables", "jamo"):
        settings = ChargenSettings(
            data={"data": str(tmp_path / "reviews.txt")},
            characters={"hangul": hangul},
            training={"epochs": EPOCHS},
        )
        run = train.train(settings, tmp_path / hangul, verbose=0)
        seconds = sum(float(row["seconds"]) for row in csv.DictReader(run.history_file.read_text().splitlines()))
        found = evaluate.evaluate(run.path)
        report(
            f"{hangul}: {found['bits_per_character']:.3f} bits per syllable, {found['unknown_share']:.2%} unknown, "
            f"{EPOCHS} epochs in {seconds:.0f} s"
        )
