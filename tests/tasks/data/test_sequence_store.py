"""Sequences of ids on disk, their chunks and their padding."""

import numpy as np
import pytest

from tasks.data.sequence_store import SequenceStore, chunks, pad_sequences


def test_padding_is_on_the_right_and_a_batch_has_at_least_one_timestep():
    ids = [np.array([5, 6, 7], np.uint16), np.array([], np.uint16), np.array([8], np.uint16)]
    assert pad_sequences(ids).tolist() == [[5, 6, 7], [0, 0, 0], [8, 0, 0]]
    assert pad_sequences(ids, 4).tolist() == [[5, 6, 7, 0], [0, 0, 0, 0], [8, 0, 0, 0]]
    assert pad_sequences([np.array([], np.uint16)]).tolist() == [[0]]
    assert pad_sequences(ids).dtype == np.int32


@pytest.mark.parametrize(("vocabulary_size", "dtype"), [(1 << 16, "uint16"), ((1 << 16) + 1, "int32")])
def test_a_store_returns_the_sequences_and_columns_that_were_written(tmp_path, vocabulary_size, dtype):
    random = np.random.default_rng(0)
    sequences = [random.integers(0, vocabulary_size, int(random.integers(0, 9))).tolist() for _ in range(3000)]
    sequences[5] = [vocabulary_size - 1]
    columns = {"label": [index % 7 for index in range(3000)], "source_length": random.integers(0, 99, 3000).tolist()}
    rows = zip(sequences, *columns.values(), strict=True)
    written = SequenceStore.write(tmp_path / "train", list(columns), rows, vocabulary_size)
    for store in (written, SequenceStore(tmp_path / "train")):
        assert [store[index].tolist() for index in range(len(store))] == sequences
        assert {name: values.tolist() for name, values in store.columns.items()} == columns
        assert store.lengths.tolist() == [len(ids) for ids in sequences]
        assert store.dtype == dtype
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


def test_an_interrupted_write_leaves_no_store(tmp_path):
    def sequences():
        yield [1, 2], 0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SequenceStore.write(tmp_path / "train", ["label"], sequences(), 100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (2, [2]), (6, [3, 3]), (7, [3, 3, 1])])
def test_chunks_hold_all_items_in_their_order(count, sizes):
    found = list(chunks(iter(range(count)), size=3))
    assert [len(chunk) for chunk in found] == sizes and sum(found, []) == list(range(count))
