"""Streams of texts: batches of similar length, predictions in the order of the texts."""

import itertools
import random

import pytest

from tasks.serving.batched_inference import length_sorted_batches, string_tensor


@pytest.fixture
def predictor():
    """A function from a batch of texts to their upper case, with the batches that it was called with."""

    def predict_batch(batch: list[str]) -> list[str]:
        predict_batch.batches.append(batch)
        return [text.upper() for text in batch]

    predict_batch.batches = []
    return predict_batch


def texts(count: int) -> list[str]:
    chance = random.Random(0)
    return ["".join(chance.choices("abcdef ", k=chance.randrange(80))) for _ in range(count)]


@pytest.mark.parametrize("limits", [{}, {"window": 7}, {"max_characters": 100}, {"max_batch_size": 3}, {"window": 1}])
def test_the_predictions_keep_the_order_of_the_texts(predictor, limits):
    given = texts(50)
    assert list(length_sorted_batches(predictor, iter(given), **limits)) == [text.upper() for text in given]
    assert sorted(text for batch in predictor.batches for text in batch) == sorted(given)


def test_a_batch_has_texts_of_similar_length_within_its_limits(predictor):
    given = [*texts(200), "x" * 500]
    list(length_sorted_batches(predictor, given, window=201, max_characters=400, max_batch_size=20))
    lengths = [[len(text) for text in batch] for batch in predictor.batches]
    assert sum(lengths, []) == sorted(map(len, given))  # from short to long
    for batch in lengths:
        assert len(batch) <= 20 and (len(batch) * max(batch) <= 400 or len(batch) == 1)
    # No batch could have held the first text of the next one, too.
    for batch, following in itertools.pairwise(lengths):
        assert len(batch) == 20 or (len(batch) + 1) * following[0] > 400
    assert lengths[-1] == [500]


def test_no_more_than_a_window_is_read_before_its_predictions_are_yielded(predictor):
    read = []

    def stream():
        for text in texts(20):
            read.append(text)
            yield text

    predictions = length_sorted_batches(predictor, stream(), window=5)
    assert not read
    for number, _ in enumerate(predictions):
        assert len(read) == 5 * (number // 5 + 1)


def test_nothing_is_predicted_without_texts(predictor):
    assert not list(length_sorted_batches(predictor, [])) and not predictor.batches


def test_a_missing_prediction_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        list(length_sorted_batches(lambda batch: batch[:-1], ["a", "b"]))


def test_a_string_tensor_holds_utf_8_and_question_marks_for_lone_surrogates():
    tensor = string_tensor(["영화", "", "a\ud800b"])
    assert tensor.dtype == "string" and tensor.numpy().tolist() == ["영화".encode(), b"", b"a?b"]
    assert string_tensor([]).shape == (0,) and string_tensor([]).dtype == "string"
