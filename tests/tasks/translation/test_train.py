"""Trainings of the translator: what they leave behind, and what their settings change."""

import csv
import itertools
import json

import keras
import numpy as np
import pytest

from models import text_translator
from tasks.training.runs import Run
from tasks.translation import data, translate


def history(folder) -> list[dict]:
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_finished_run_has_all_that_translating_needs(finished_run):
    names = {path.name for path in finished_run.iterdir()}
    assert names >= {"settings.json", "vocabulary", "model.keras", "history.csv", "plots", "tensorboard"}
    assert "checkpoint" not in names
    assert sorted(path.name for path in (finished_run / "vocabulary").iterdir()) == ["source.model", "target.model"]
    weights = keras.saving.load_model(finished_run / "model.keras", compile=False).count_params()
    assert (finished_run / "model.keras").stat().st_size < 4 * weights + 400_000  # no optimizer in it
    rows = history(finished_run)
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(1, 9)]
    assert float(rows[-1]["val_loss"]) < 0.7 * float(rows[0]["val_loss"])


# Every cell, attention and direction once.
NETWORKS = [
    ("--cell", "lstm", "--attention", "additive", "--input-feeding"),
    ("--cell", "simple_rnn", "--no-bidirectional", "--go-backwards", "--attention", "none"),
    ("--cell", "gru", "--attention-score", "general", "--decoder-units", "40", "--tied-embeddings", "--layers", "2"),
]


@pytest.mark.parametrize("options", NETWORKS, ids=lambda options: options[1])
def test_every_kind_of_network_trains_and_translates(train, translation, tmp_path, options):
    regularised = ("--label-smoothing", "0.1", "--average-weights", "0.9", "--segmentation-alpha", "0.3")
    answer = train(tmp_path / "run", "--epochs", "1", *options, *regularised)
    assert answer.code == 0, answer.err
    answer = translation("translate", "--run", tmp_path / "run", "Please close the door.", "")
    assert answer.code == 0 and answer.out.endswith("\n\n")  # an empty sentence has an empty translation


def test_bleu_is_measured_in_chosen_epochs_and_may_pick_the_weights(train, tmp_path):
    # With so high a rate that later epochs are worse than earlier ones.
    options = ("--epochs", "5", "--bleu-epochs", "2", "--monitor", "bleu", "--bleu-pairs", "60")
    answer = train(tmp_path / "run", *options, "--learning-rate", "0.006", "--schedule", "constant")
    assert answer.code == 0, answer.err
    rows = history(tmp_path / "run")
    measured = {int(row["epoch"]): float(row["val_bleu"]) for row in rows if row["val_bleu"]}
    assert list(measured) == [2, 4, 5]
    best = max(measured, key=lambda epoch: (measured[epoch], -epoch))
    translator = translate.load(tmp_path / "run", beam_size=1)
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert settings["training"]["monitor"] == "bleu"
    found = translation_bleu(translator, tmp_path / "run")
    assert found == pytest.approx(measured[best], abs=1e-4)


def test_patience_waits_for_a_measurement(train, tmp_path):
    options = (
        "--epochs",
        "6",
        "--bleu-epochs",
        "3",
        "--monitor",
        "bleu",
        "--patience",
        "1",
        "--bleu-tokenizer",
        "none",
    )
    answer = train(tmp_path / "run", *options)
    assert answer.code == 0, answer.err
    assert len(history(tmp_path / "run")) == 6


def translation_bleu(translator: text_translator.TextTranslator, folder) -> float:
    import sacrebleu

    settings = Run(folder).open_finished("translation", data.TranslationSettings)
    records = list(itertools.islice(data.pair_source(settings.data).records("validation"), 60))
    found = translate.translations(translator.translate, [record.values[0] for record in records])
    references = [record.values[1] for record in records]
    return sacrebleu.corpus_bleu([answer["translation"] for answer in found], [references]).score


def test_averaged_weights_are_judged_and_kept(train, tmp_path):
    options = ("--epochs", "2", "--average-weights", "0.95", "--bleu-epochs", "1", "--bleu-pairs", "60")
    assert train(tmp_path / "run", *options).code == 0
    translator = translate.load(tmp_path / "run", beam_size=1)
    rows = history(tmp_path / "run")
    best = min(rows, key=lambda row: float(row["val_loss"]))
    assert translation_bleu(translator, tmp_path / "run") == pytest.approx(float(best["val_bleu"]), abs=1e-4)


def test_the_same_seed_gives_the_same_weights(train, tmp_path):
    weights = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        options = ("--epochs", "1", "--seed", seed, "--segmentation-alpha", "0.3", "--dropout", "0.2")
        assert train(tmp_path / name, *options, "--bleu-epochs", "0").code == 0
        model = keras.saving.load_model(tmp_path / name / "model.keras", compile=False)
        weights.append(model.get_weights())
    same = [np.array_equal(one, other) for one, other in zip(weights[0], weights[1], strict=True)]
    assert all(same)
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_a_table_with_two_columns_is_split_and_trained_on(train, sample_pairs, tmp_path):
    with open(tmp_path / "pairs.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("english", "korean"), *sample_pairs("train", 400)])
    columns = ("--source-column", "korean", "--target-column", "english")
    answer = train(
        tmp_path / "run",
        *columns,
        "--epochs",
        "1",
        "--test-fraction",
        "0.2",
        data=tmp_path / "pairs.csv",
        languages=None,
    )
    assert answer.code == 0, answer.err
