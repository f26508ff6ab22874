"""Labelled texts on their way from a source to batches: classes, their order, and what their examples weigh."""

import itertools

import numpy as np
import pytest

from tasks.data.sequence_store import SequenceStore
from tasks.errors import UserError
from tasks.sentiment import data
from tasks.sentiment.labelled_texts import LabelledTexts
from tasks.sentiment.labels import class_weights
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.training.runs import Run


def test_class_weights_follow_the_setting():
    labels, counts = ["a", "b", "c=d"], np.array([10, 30, 20])
    assert class_weights(None, labels, counts).tolist() == [1, 1, 1]
    assert class_weights("balanced", labels, counts) == pytest.approx([2.0, 2 / 3, 1.0])
    assert class_weights("b=2.5, c=d=4", labels, counts).tolist() == [1, 2.5, 4]
    towns = ["Paris, France", "Rome, Italy", "a"]
    assert class_weights("Rome, Italy=3,a=2, Paris, France=.5", towns, counts).tolist() == [0.5, 3, 2]


@pytest.mark.parametrize("wrong", ["e=2", "a", "a=many", "a=2,,", "a=-1", "a=nan", "a=inf"])
def test_class_weights_that_cannot_be_used_are_named(wrong):
    with pytest.raises(UserError, match="--class-weight"):
        class_weights(wrong, ["a", "b", "c=d"], np.array([10, 30, 20]))


def test_each_example_of_a_batch_weighs_what_its_class_does(write_csv, tmp_path):
    numbers = ("one", "two", "three")
    rows = [(" ".join([numbers[index % 3]] * (1 + index % 5)), index % 3) for index in range(60)]
    for split, end in (("train", 60), ("validation", 15)):
        write_csv(tmp_path / "data" / f"{split}.csv", rows[:end])
    settings, _ = SENTIMENT.resolve(
        SentimentSettings(
            data={"data": str(tmp_path / "data")},
            vocabulary={"vocabulary_type": "word"},
            network={"wide_ngrams": 0},
            training={"class_weight": "0=1,1=2,2=3", "tokens_per_batch": 16},
        )
    )
    run = Run(tmp_path / "run")
    run.checkpoint.mkdir(parents=True)
    data.prepare(settings, run)
    texts = LabelledTexts(settings, run)
    class_of = {texts.pieces.index(f"▁{number}"): index for index, number in enumerate(numbers)}
    seen = 0
    for ids, labels, weights in texts.training_batches(0, 0).take(texts.steps_per_pass).as_numpy_iterator():
        assert weights.tolist() == (labels + 1).tolist()
        assert labels.tolist() == [class_of[index] for index in ids[:, 0]]
        seen += len(labels)
    assert seen == 60
    # The validation loss is that of the texts as they are.
    weights = [weights for *_, weights in texts.validation_batches().as_numpy_iterator()]
    assert set(itertools.chain.from_iterable(part.tolist() for part in weights)) == {1.0}


def test_a_class_of_one_text_is_trained_on(write_csv, tmp_path, caplog):
    rows = [(f"text number {index}", ("good", "bad")[index % 2]) for index in range(200)]
    alone = [(f"rare text {index}", f"rare {index}") for index in range(30)]
    table = write_csv(tmp_path / "rare.csv", [*rows, *alone])
    settings, _ = SENTIMENT.resolve(SentimentSettings(data={"data": str(table)}))
    run = Run(tmp_path / "run")
    with caplog.at_level("INFO"):
        data.prepare(settings, run)
    counts = np.bincount(SequenceStore(run.checkpoint / "train").columns["label"], minlength=32)
    assert sorted(counts)[:30] == [1] * 30
    assert "left out: nothing" in caplog.text


def test_three_texts_train(train, write_csv, tmp_path):
    rows = [(f"text number {index}", ("good", "bad")[index % 2]) for index in range(3)]
    assert train(tmp_path / "run", "--epochs", "1", data=write_csv(tmp_path / "few.csv", rows)).code == 0
