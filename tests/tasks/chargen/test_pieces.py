"""Language models over SentencePiece pieces of separate texts, through the commands."""

import csv
import itertools
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from models.language_model import StepModel
from models.text import EOS
from tasks.chargen import piece_data
from tasks.chargen.document_windows import DocumentWindows
from tasks.chargen.generate import from_run
from tasks.chargen.generated_records import generate_records
from tasks.chargen.piece_data import load_pieces
from tasks.chargen.separate_texts import open_separate_texts, texts
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.task import CHARGEN
from tasks.serving.inference import load
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tests.tasks.examples import reviews, write_csv
from tests.tasks.interruptions import interrupt_at

PIECES = (
    *("--tokenizer", "sentencepiece", "--vocabulary-size", "300", "--tied-embeddings", "--embedding-size", "16"),
    *("--sample-lines", "0"),
)
REVIEWS = ("--text-column", "text", *PIECES)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reviews_file(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "reviews.csv", reviews("train", 300))


@pytest.fixture(scope="module")
def run(train, reviews_file, tmp_path_factory):
    """A finished run on 300 reviews."""
    folder = tmp_path_factory.mktemp("pieces") / "run"
    answer = train(folder, *REVIEWS, "--epochs", "6", "--units", "32", data=reviews_file)
    assert answer.code == 0, answer.err
    return folder


def test_it_learns_generates_and_ends_its_texts(chargen, run):
    history = Run(run).history()
    assert history[-1]["val_loss"] < history[0]["val_loss"] - 0.3
    answer = chargen("generate", "--run", run, "--samples", "20", "--length", "200")
    texts = answer.out.splitlines()
    assert answer.code == 0 and len(texts) == 20 == len({*texts})
    assert all(text and text == text.lstrip() and "▁" not in text for text in texts)


@pytest.mark.parametrize("prompt", ["", "The plot", "The plot ", "The plot\nwas"])
def test_a_text_that_is_streamed_is_that_of_a_batch(chargen, run, prompt):
    """No blank at its beginning, and none twice after a prompt that ends with one."""
    streamed = chargen("generate", "--run", run, prompt, "--length", "20").out
    texts = json.loads(chargen("generate", "--run", run, prompt, "--length", "20", "--json").out)
    assert streamed == texts["text"] + "\n" and texts["text"].startswith(prompt)
    assert not prompt or not prompt[-1].isspace() or not texts["continuation"].startswith(" ")


def test_the_validation_loss_is_that_of_evaluate(chargen, run):
    found = json.loads(chargen("evaluate", "--run", run, "--split", "validation", "--json").out)
    best = min(row["val_loss"] for row in Run(run).history())
    assert found["loss"] == pytest.approx(best, abs=2e-4)
    # Per character, per word and per piece: one sum, divided by different counts.
    pieces = found["nats_per_character"] * found["examples"] / found["loss"]
    assert 1 < found["examples"] / pieces < 10
    words = found["nats_per_character"] * found["examples"] / np.log(found["word_perplexity"])
    assert 3 < found["examples"] / words < 12
    assert found["bigram_nats_per_character"] > 0 and found["trigram_nats_per_character"] > 0


def test_the_score_is_the_sum_over_the_pieces_of_a_text(run):
    """One step at a time, from the boundary to the boundary, without padding, windows or buckets."""
    folder, settings = Run(run), Run(run).open_finished("chargen", ChargenSettings)
    pieces = load_pieces(folder.vocabulary)
    steps = StepModel(load_model(folder), EOS)
    ids = pieces.processor.encode("The acting was superb.")
    states, nats = steps.initial_states(1), 0.0
    for index in [*ids, EOS]:
        logits = steps.logits(states).numpy()[0]
        nats -= logits[index] - np.log(np.exp(logits).sum())
        states = steps.step(np.array([index], np.int32), states)
    generator = from_run(folder, settings, load_model(folder), {}).module
    score = generator.score(np.array(["The acting was superb."]))
    expected = nats / (len("The acting was superb.") + 1)
    assert float(score["nats_per_character"][0]) == pytest.approx(expected, rel=1e-4)


def test_an_export_answers_like_the_run(chargen, run, tmp_path):
    assert chargen("export", "--run", run, "--to", tmp_path / "model").code == 0
    asked = ("The food", "", "--length", "25", "--seed", "3")
    of_run = chargen("generate", "--run", run, *asked)
    of_model = chargen("generate", "--model", tmp_path / "model", *asked)
    assert of_run.code == 0 and of_run.out == of_model.out, of_model.err


def test_explain_shows_pieces(chargen, run, tmp_path):
    answer = chargen("explain", "--run", run, "--json", "--plot", tmp_path / "x.png", "The acting was superb.")
    found = json.loads(answer.out)
    assert "".join(found["characters"]) == " The acting was superb."
    assert len(found["surprise"]) == len(found["characters"]) == len(found["gates"]["state"])
    assert (tmp_path / "x.png").stat().st_size > 1000


@pytest.mark.parametrize("samples", ["0", "40"])
def test_interrupted_it_ends_with_the_same_weights(train, reviews_file, tmp_path, monkeypatch, samples):
    """With dropout, texts longer than a window, whose state is carried, and sampled softmax."""
    options = (
        *(*REVIEWS, "--epochs", "2", "--window", "8", "--batch-size", "4", "--softmax-samples", samples),
        *("--recurrent-dropout", "0.2", "--output-dropout", "0.2", "--validation-steps", "5"),
        *("--steps-per-epoch", "15"),
    )
    assert train(tmp_path / "undisturbed", *options, data=reviews_file).code == 0
    with monkeypatch.context() as patch:
        interrupt_at(patch, "on_train_batch_end", 1, 6, signal.SIGINT)
        assert train(tmp_path / "run", *options, data=reviews_file).code == 130
    assert train(tmp_path / "run", *options, data=reviews_file).code == 0
    one, two = (load_model(Run(tmp_path / name)).get_weights() for name in ("undisturbed", "run"))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_backwards_each_text_is_read_from_its_end(chargen, train, tmp_path):
    """The last word follows from nothing, and the first from the last: what comes last in a text is read first."""
    rows = [("ax",), ("by",), ("cz",)] * 100
    for split in ("train", "validation"):
        write_csv(tmp_path / "data" / f"{split}.csv", rows, ("text",))
    options = (*REVIEWS, "--vocabulary-size", "16", "--epochs", "10", "--batch-size", "2", "--go-backwards")
    assert train(tmp_path / "run", *options, data=tmp_path / "data").code == 0
    found = json.loads(chargen("evaluate", "--run", tmp_path / "run", "--split", "validation", "--json").out)
    # Of the three texts ln 3 nats are left, and all of them at the last piece, which is read first.
    assert found["nats_per_character"] * found["examples"] / len(rows) == pytest.approx(np.log(3), abs=0.2)
    explained = chargen("explain", "--run", tmp_path / "run", "--json", "by")
    surprise = json.loads(explained.out)["surprise"]
    assert json.loads(explained.out)["characters"][0] == "y" and surprise[0] > 5 * sum(surprise[1:])
    refused = chargen("generate", "--run", tmp_path / "run", "by")
    assert "reads texts from their end" in refused.error()


def test_records_that_are_known_from_training_count_as_known(chargen, train, tmp_path):
    """Of pieces too, whose texts begin with a blank, and are written as SentencePiece normalizes them."""
    lines = [f"{first}\t{second}\n" for first in ("Tom", "Ann", "Lee") for second in ("Hill", "Ford", "West")]
    for split in ("train", "validation"):
        (tmp_path / f"{split}.txt").write_text("".join(lines * 20))
    data = ("--validation-files", tmp_path / "validation.txt", "--records", "lines", "--normalization", "nfkc_cf")
    options = ("--tokenizer", "sentencepiece", "--vocabulary-size", "40", "--units", "32", "--epochs", "30")
    options += ("--temperature", "0.3")
    answer = train(tmp_path / "run", *data, *options, "--sample-lines", "0", data=tmp_path / "train.txt")
    assert answer.code == 0, answer.err
    options = ("--split", "validation", "--evaluation-records", "50", "--json")
    answer = chargen("evaluate", "--run", tmp_path / "run", *options)
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["known_share"] > 0.8
    generated = generate_records(load(CHARGEN, tmp_path / "run"), 5, temperature=0.3)
    assert chargen("generate", "--run", tmp_path / "run", "--samples", "5").out.splitlines() == generated


def test_several_splits_of_a_source_are_trained_on(train, tmp_path, caplog):
    """The texts of a further split count as training texts, and none of the test split."""
    for split, count in {"train": 60, "validation": 30, "test": 30, "unsupervised": 90}.items():
        rows = [(f"{text} {split}",) for text, _ in reviews("train", count)]
        write_csv(tmp_path / "data" / f"{split}.csv", rows, ("text",))
    files = ["--train-files", "train.csv", "unsupervised.csv"]
    assert train(tmp_path / "run", *REVIEWS, "--epochs", "1", *files, data=tmp_path / "data").code == 0
    assert "150 texts to train on, 30 to validate on" in caplog.text


def test_a_data_set_is_read_with_its_texts_that_have_no_label():
    """All of the split without labels, and the training split without what is drawn for validation."""
    folder = os.environ.get("TFDS_DATA_DIR")
    if not folder or not (Path(folder) / "imdb_reviews").is_dir():
        pytest.skip("needs imdb_reviews, prepared in the folder that TFDS_DATA_DIR names")
    data = {"data": "tfds:imdb_reviews", "splits": "train+unsupervised"}
    source = open_separate_texts(ChargenSettings(data=data, vocabulary={"tokenizer": "sentencepiece"}))
    count = sum(1 for _ in texts(source, "train", False))
    assert count > 50_000 and count + sum(1 for _ in texts(source, "validation", False)) == 75_000


# --- what the windows are


def blocks_of(folder, texts, monkeypatch, block: int = 1000) -> list[Path]:
    monkeypatch.setattr(piece_data, "BLOCK", block)
    assert piece_data.write_blocks(folder / "ids", ([EOS, *ids, EOS] for ids in texts), 100) == len(texts)
    return piece_data.blocks(folder / "ids")


def read_back(windows: DocumentWindows, batches) -> list[list[int]]:
    """The texts that the rows of batches make up, put together over the batches in which they continue."""
    found, rows = [], []
    for (ids, begins, *_), targets, weights in batches.as_numpy_iterator():
        if begins[0]:
            assert begins.all()
            found, rows = found + rows, [[] for _ in ids]
        for row, inputs, outputs, weight in zip(rows, ids, targets, weights, strict=True):
            counted = weight > 0
            row += list(zip(inputs[counted].tolist(), outputs[counted].tolist(), strict=True))
    return found + rows


@pytest.mark.parametrize(("reverse", "block"), [(False, 1000), (True, 1000), (False, 67)])
def test_windows_contain_each_text_once_from_beginning_to_end(tmp_path, monkeypatch, reverse, block):
    random = np.random.default_rng(0)
    texts = [random.integers(4, 100, size).tolist() for size in [*random.integers(1, 60, 200), 700]]
    blocks = blocks_of(tmp_path, texts, monkeypatch, block)
    windows = DocumentWindows(blocks, window=10, rows=4, reverse=reverse, shorten=True)
    assert windows.texts == len(texts)
    expected = []
    for ids in texts:
        row = [EOS, *ids, EOS]
        size = windows.longest  # the longest text is cut
        parts = [row[start : start + size + 1] for start in range(0, len(row) - 1, size)]
        parts = [part[::-1] for part in parts] if reverse else parts
        expected += [list(itertools.pairwise(part)) for part in parts]
    assert 60 < windows.longest < 700 and windows.tokens == sum(map(len, expected))
    for batches in (windows.one_pass(), windows.batches(0, 0).take(windows.steps_per_pass)):
        assert sorted(read_back(windows, batches)) == sorted(expected)


@pytest.mark.parametrize("block", [1000, 50])
def test_the_order_changes_with_the_epoch_and_continues_in_its_middle(tmp_path, monkeypatch, block):
    random = np.random.default_rng(0)
    texts = [random.integers(4, 100, size).tolist() for size in random.integers(1, 60, 200)]
    windows = DocumentWindows(blocks_of(tmp_path, texts, monkeypatch, block), window=10, rows=4, seed=5)
    steps = windows.steps_per_pass
    two = list(windows.batches(0, 0).take(2 * steps).as_numpy_iterator())
    assert any(a[1].shape != b[1].shape or (a[1] != b[1]).any() for a, b in zip(two[:steps], two[steps:], strict=True))
    for place in (1, steps // 2, steps - 1):
        continued = next(windows.batches(1, place).as_numpy_iterator())
        assert np.array_equal(continued[1], two[steps + place][1])
        assert np.array_equal(continued[0][1], two[steps + place][0][1])


# --- what is refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--hangul", "jamo"), "hangul=jamo does not go with tokenizer=sentencepiece"),
        (("--normalization", "nfc"), "normalization=nfc does not go with tokenizer=sentencepiece"),
        (("--no-stateful",), "stateful=False does not go with tokenizer=sentencepiece"),
        (("--stop", "."), "does not go with tokenizer=sentencepiece"),
        (("--splits", "train+other"), "has the splits train, validation, test"),
        (("--splits", "train+validation"), "the validation split chooses the weights"),
        (("--splits", "train+test"), "the test split is for the evaluation"),
    ],
)
def test_what_does_not_go_with_pieces_is_refused(train, reviews_file, tmp_path, options, said):
    assert said in train(tmp_path / "run", *REVIEWS, *options, data=reviews_file).error()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--output-bias",), "output_bias=True needs tied_embeddings=True"),
        (("--vocabulary-size", "300"), "vocabulary_size=300 does not go with tokenizer=characters"),
        (("--softmax-samples", "10"), "softmax_samples=10 needs tokenizer=sentencepiece"),
        (("--splits", "train+other"), "needs tokenizer=sentencepiece"),
        (("--normalization", "nfkc"), "normalization=nfkc does not go with tokenizer=characters"),
    ],
)
def test_what_goes_with_pieces_alone_is_refused(train, text_file, tmp_path, options, said):
    assert said in train(tmp_path / "run", *options, data=text_file).error()


def test_blank_texts_alone_are_refused(train, tmp_path):
    with open(tmp_path / "rows.csv", "w", newline="") as file:
        csv.writer(file).writerows([["text"], *[[" "]] * 50])
    assert "empty" in train(tmp_path / "run", *REVIEWS, data=tmp_path / "rows.csv").error()
