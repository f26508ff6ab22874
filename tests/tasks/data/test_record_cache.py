"""Files are read once while data are prepared, by several processes, and the records are the same."""

import os
import shutil
import signal
from functools import partial

import pyarrow
import pyarrow.parquet
import pytest

from tasks.data import record_cache, worker_processes
from tasks.data.hashes import comparison_hashes
from tasks.data.records import Column, FileReader, Record
from tasks.data.sources import open_source
from tasks.errors import TrainingFailed, UserError
from tests.tasks.examples import reviews, sentence_pairs, write_aligned, write_csv
from tests.tasks.processes import children

COLUMNS = (Column("text"), Column("label", required=True))


@pytest.fixture(autouse=True)
def _small_files_count_as_large(monkeypatch):
    monkeypatch.setattr(record_cache, "MIN_BYTES", 1)


@pytest.fixture
def shards(tmp_path):
    """Five shards of one format each."""
    rows, folder = reviews("train", 500), tmp_path / "shards"
    for number in range(5):
        part = rows[100 * number : 100 * (number + 1)]
        if number < 4:
            write_csv(folder / f"part-{number}.csv", part)
        else:
            texts, labels = zip(*part, strict=True)
            pyarrow.parquet.write_table(
                pyarrow.table({"text": texts, "label": labels}), folder / f"part-{number}.parquet"
            )
    return folder


def opened(folder, columns=COLUMNS, **options):
    options = {"class_of": lambda record: record.values[1]} | options
    return open_source(str(folder), columns, sample=folder, **options)


def plain(records) -> list[Record]:
    return [record._replace(compared=None) for record in records]


@pytest.mark.parametrize("files", [256, 2])
@pytest.mark.parametrize("count", [1, 3])
def test_the_records_are_those_of_the_files_which_are_read_once(shards, tmp_path, monkeypatch, count, files):
    monkeypatch.setattr(record_cache, "MAX_FILES", files)
    expected = {split: [*opened(shards).records(split)] for split in ("train", "validation", "test", "all")}
    cache = tmp_path / "cache"
    with record_cache.reading_once(cache), worker_processes.available(count):
        source = opened(shards)
        source.check()
        again = opened(shards)  # as another step of the preparation does
        shutil.rmtree(shards)
        for split, records in expected.items():
            for one in (source, again):
                found = [*one.records(split)]
                assert plain(found) == records
                assert all(record.compared == comparison_hashes(record.values[:1]) for record in found)
        assert len([*cache.iterdir()]) == min(files + 1, 5)
    assert not cache.exists()
    assert not children(os.getpid())


@pytest.mark.parametrize("count", [1, 3])
def test_pairs_have_the_hash_of_each_side_and_of_both(tmp_path, count):
    for number in range(3):
        write_aligned(tmp_path / "pairs", f"train-{number}", sentence_pairs("train", 120)[40 * number :])
    columns = (Column("source", "en"), Column("target", "ko"))
    options = {"linked": (0, 1), "class_of": None}
    expected = [*opened(tmp_path / "pairs", columns, **options).records("validation")]
    with record_cache.reading_once(tmp_path / "cache"), worker_processes.available(count):
        found = [*opened(tmp_path / "pairs", columns, **options).records("validation")]
    assert plain(found) == expected
    assert all(record.compared == comparison_hashes(record.values) for record in found)


def broken(path, how: str) -> None:
    if how == "cut off":
        path.write_bytes(path.read_bytes()[:-10])
    elif how == "not UTF-8":
        path.write_bytes(path.read_bytes().replace(b"e", b"\xff", 1))
    else:
        path.write_text("text,label\nwithout a label\n")


@pytest.mark.parametrize("files", [256, 2])
@pytest.mark.parametrize(
    ("name", "how"), [("part-4.parquet", "cut off"), ("part-2.csv", "not UTF-8"), ("part-1.csv", "bad row")]
)
def test_a_broken_shard_is_the_same_error(shards, tmp_path, monkeypatch, name, how, files):
    monkeypatch.setattr(record_cache, "MAX_FILES", files)
    source = opened(shards)  # it breaks later
    broken(shards / name, how)
    with pytest.raises(UserError) as expected:
        source.check()
    with record_cache.reading_once(tmp_path / "cache"), worker_processes.available(3):
        with pytest.raises(UserError) as found:
            source.check()
        assert str(found.value) == str(expected.value) and name in str(found.value)
        with pytest.raises(UserError) as found:  # from the cache
            source.check()
        assert str(found.value) == str(expected.value)
    assert not (tmp_path / "cache").exists()


def long_bad_rows():
    yield from (Record(("x" * 300,), "place", "the row has 1 column; expected 2") for _ in range(8))


def test_rows_that_cannot_be_used_do_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(record_cache, "FRAME_CHARACTERS", 1000)
    sizes, write_frame = [], record_cache._write_frame
    monkeypatch.setattr(
        record_cache, "_write_frame", lambda file, rows: (sizes.append(len(rows)), write_frame(file, rows))
    )
    [place] = record_cache.write((0,), ([partial(long_bad_rows)], tmp_path / "records"))
    assert [*record_cache._read(place)] == [*long_bad_rows()]
    assert max(sizes) == 4


def killed():
    yield Record(("text",), "place")
    signal.raise_signal(signal.SIGKILL)


def test_a_killed_process_ends_the_preparation_and_leaves_nothing(shards, tmp_path):
    reader = opened(shards).stored["train"]
    reader = FileReader(reader.files, (*reader.parts[:2], partial(killed), *reader.parts[2:]))
    cached, processes = record_cache.reading_once(tmp_path / "cache"), worker_processes.available(2)
    with pytest.raises(TrainingFailed, match="a process that prepares the data was killed"), cached, processes:
        [*reader()]
    assert not (tmp_path / "cache").exists()
    assert not children(os.getpid())


def test_a_reader_that_is_not_read_to_its_end_is_read_again(shards, tmp_path):
    with record_cache.reading_once(tmp_path / "cache"), worker_processes.available(2):
        reader = opened(shards).stored["train"]
        expected = [*reader.directly()]
        records = reader()
        assert next(records)._replace(compared=None) == expected[0]
        records.close()
        assert plain(reader()) == expected


def test_small_files_are_read_as_ever(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(record_cache, "MIN_BYTES", 1 << 24)
    with record_cache.reading_once(tmp_path / "cache"), worker_processes.available(2):
        assert len([*opened(shards).records("all")]) == 500
        assert not (tmp_path / "cache").exists()
        assert not children(os.getpid())


def test_a_single_reading_is_for_several_processes_only(shards, tmp_path):
    for count, expected in ((1, False), (2, True)):
        with record_cache.reading_once(tmp_path / "cache", repeatedly=False), worker_processes.available(count):
            assert len([*opened(shards).stored["train"]()]) == 500
            assert (tmp_path / "cache").exists() == expected
