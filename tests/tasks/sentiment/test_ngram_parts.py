"""N-grams are counted in parts of the texts, by several processes."""

import numpy as np
import pytest

from models.ngram_counts import ngram_class_counts
from tasks.data import worker_processes
from tasks.data.sequence_store import SequenceStore
from tasks.sentiment import ngram_parts


@pytest.mark.parametrize(("tables", "processes"), [(0.5, 1), (2.5, 2), (9, 3)])
def test_the_tables_of_all_processes_take_no_more_memory_than_allowed(tmp_path, monkeypatch, tables, processes):
    rows = [([1 + number % 5, 2, 3], number % 2) for number in range(40)]
    SequenceStore.write(tmp_path / "train", ["label"], rows, 10)
    keys = ngram_parts.frequent_ngrams(tmp_path / "train", np.arange(40), 1, 2, None, min_count=1, max_size=100)
    monkeypatch.setattr(ngram_parts, "MIN_TOKENS", 1)
    monkeypatch.setattr(ngram_parts, "MAX_COUNTS", int(tables * (len(keys) + 1) * 2))
    used, mapped = [], worker_processes.mapped
    monkeypatch.setattr(
        worker_processes, "mapped", lambda call, parts: (used.append(len(parts)), mapped(call, parts))[1]
    )
    with worker_processes.available(3):
        counts = ngram_parts.class_counts(tmp_path / "train", keys, 2, None, 2)
    assert used == [processes]
    batches = [(np.array([ids], np.int32), np.array([label])) for ids, label in rows]
    assert (counts == ngram_class_counts(batches, keys, 1, 2, 2)).all()
