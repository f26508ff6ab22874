"""Trainings of the translator: what a finished run contains, and what the settings change."""

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import sacrebleu

from tasks.serving import inference
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.translation import data
from tasks.translation.settings import TranslationSettings
from tasks.translation.task import TRANSLATION

pytestmark = pytest.mark.slow


def greedy_bleu(folder: Path) -> float:
    """BLEU of the greedy translations of the first 60 validation pairs, with the weights that were saved."""
    settings = Run(folder).open_finished("translation", TranslationSettings)
    records = list(itertools.islice(data.open_pairs(settings).records("validation"), 60))
    translator = inference.load(TRANSLATION, folder, beam_size=1)
    found = translator.predict(record.values[0] for record in records)
    references = [record.values[1] for record in records]
    return sacrebleu.corpus_bleu([answer["translation"] for answer in found], [references]).score


def test_a_finished_run_has_all_that_translating_needs(finished_run):
    names = {path.name for path in finished_run.iterdir()}
    assert names >= {"settings.json", "vocabulary", "model.keras", "history.csv", "plots", "tensorboard"}
    assert "checkpoint" not in names
    vocabulary = sorted(path.name for path in (finished_run / "vocabulary").iterdir())
    assert vocabulary == ["length_ratio.json", "preprocessing.json", "source.model", "target.model"]
    stored = json.loads((finished_run / "settings.json").read_text(encoding="utf-8"))
    assert (stored["data"]["source_lang"], stored["data"]["target_lang"]) == ("en", "ko")
    weights = load_model(Run(finished_run)).count_params()
    assert (finished_run / "model.keras").stat().st_size < 4 * weights + 400_000  # no optimizer in it
    rows = Run(finished_run).history()
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[-1]["val_loss"] < 0.7 * rows[0]["val_loss"]


SHORT = ("--epochs", "1", "--steps-per-epoch", "8")

# Every cell, attention and direction once.
NETWORKS = [
    ("--cell", "lstm", "--bidirectional", "--attention", "additive", "--input-feeding"),
    ("--cell", "simple_rnn", "--no-bidirectional", "--go-backwards", "--attention", "none"),
    (
        *("--cell", "gru", "--bidirectional", "--attention-score", "general", "--decoder-units", "40"),
        *("--tied-embeddings", "--layers", "2"),
    ),
]


@pytest.mark.parametrize("options", NETWORKS, ids=lambda options: options[1])
def test_every_kind_of_network_trains_and_translates(train, translation, tmp_path, options):
    regularized = ("--label-smoothing", "0.1", "--ema-momentum", "0.9", "--subword-regularization", "0.3")
    answer = train(tmp_path / "run", *SHORT, *options, *regularized)
    assert answer.code == 0, answer.err
    answer = translation("translate", "--run", tmp_path / "run", "Please close the door.", "")
    assert answer.code == 0 and answer.out.endswith("\n\n")  # an empty sentence has an empty translation


def test_bleu_is_measured_in_chosen_epochs_and_may_select_the_weights(train, tmp_path):
    # With so high a rate that later epochs are worse than earlier ones.
    options = ("--epochs", "5", "--bleu-epochs", "2", "--monitor", "bleu", "--bleu-pairs", "60")
    answer = train(tmp_path / "run", *options, "--learning-rate", "0.006", "--schedule", "constant")
    assert answer.code == 0, answer.err
    rows = Run(tmp_path / "run").history()
    measured = {int(row["epoch"]): row["val_bleu"] for row in rows if row["val_bleu"] is not None}
    assert list(measured) == [2, 4, 5]
    best = max(measured, key=lambda epoch: (measured[epoch], -epoch))
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert settings["training"]["monitor"] == "bleu"
    assert greedy_bleu(tmp_path / "run") == pytest.approx(measured[best], abs=1e-4)


def test_patience_waits_for_a_measurement(train, tmp_path):
    measured = ("--bleu-epochs", "3", "--monitor", "bleu", "--bleu-tokenizer", "none", "--bleu-pairs", "10")
    options = ("--epochs", "6", "--steps-per-epoch", "4", "--patience", "1", *measured)
    answer = train(tmp_path / "run", *options)
    assert answer.code == 0, answer.err
    assert len(Run(tmp_path / "run").history()) == 6


def test_averaged_weights_are_validated_and_saved(train, tmp_path):
    options = ("--epochs", "2", "--ema-momentum", "0.95", "--bleu-epochs", "1", "--bleu-pairs", "60")
    assert train(tmp_path / "run", *options).code == 0
    best = min(Run(tmp_path / "run").history(), key=lambda row: row["val_loss"])
    assert greedy_bleu(tmp_path / "run") == pytest.approx(best["val_bleu"], abs=1e-4)


def test_the_same_seed_gives_the_same_weights(train, tmp_path):
    weights = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        options = (*SHORT, "--seed", seed, "--subword-regularization", "0.3", "--dropout", "0.2")
        assert train(tmp_path / name, *options, "--bleu-epochs", "0").code == 0
        weights.append(load_model(Run(tmp_path / name)).get_weights())
    same = [np.array_equal(one, other) for one, other in zip(weights[0], weights[1], strict=True)]
    assert all(same)
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_a_table_with_two_columns_is_split_and_trained_on(train, sample_pairs, tmp_path):
    with open(tmp_path / "pairs.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("english", "korean"), *sample_pairs("train", 400)])
    options = ("--source-column", "korean", "--target-column", "english", "--epochs", "1", "--test-fraction", "0.2")
    answer = train(tmp_path / "run", *options, data=tmp_path / "pairs.csv", languages=None)
    assert answer.code == 0, answer.err
