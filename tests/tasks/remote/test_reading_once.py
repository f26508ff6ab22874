"""What a training reads from cloud storage: each byte about once, although several steps need the records."""

import pytest

from tasks.data import record_cache, worker_processes
from tasks.data.records import Column
from tasks.data.sources import open_source
from tests.tasks.examples import write_csv

pytestmark = pytest.mark.slow

COLUMNS = [Column("text"), Column("label")]


@pytest.mark.parametrize("processes", [1, 3])
def test_a_source_in_cloud_storage_is_read_once(s3_server, cut, tmp_path, processes):
    folder = tmp_path / "shards"
    for number in range(4):
        rows = [(f"{row} {number} many words of a review " * 20, row % 2) for row in range(1500)]
        write_csv(folder / f"part-{number:05}.csv", rows)
    expected = open_source(str(folder), COLUMNS, sample=folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    url = s3_server.copy(folder, f"once-{processes}")
    before = cut.left
    with record_cache.reading_once(tmp_path / "cache"), worker_processes.available(processes):
        source = open_source(url, COLUMNS, sample=folder)
        source.check()
        for split in ("train", "validation", "test"):
            found, values = ([record.values for record in one.records(split)] for one in (source, expected))
            assert found == values
    assert size < before - cut.left < 1.5 * size
