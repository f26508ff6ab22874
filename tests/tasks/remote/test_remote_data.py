"""Data in cloud storage: the records of files on disk, and errors that say what to check."""

import gzip
import http.server
import json
import threading
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import open_text
from tasks.data import locations
from tasks.data.documents import open_documents
from tasks.data.records import Column
from tasks.data.sources import open_source
from tasks.errors import TemporaryError, UserError
from tasks.training import source_files
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tests.tasks.remote.conftest import BUCKET

pytestmark = pytest.mark.slow

COLUMNS = [Column("text"), Column("label")]
ROWS = [(f"text {number}, “good” 좋다", str(number % 2)) for number in range(120)]
TABLE = "".join(["text,label\n", *(f'"{text}",{label}\n' for text, label in ROWS)]).encode()


def write_forms(folder: Path) -> None:
    """Writes rows in each form that a source has."""
    files = {
        "table/train.csv": TABLE,
        "table/test.csv.gz": gzip.compress(TABLE),
        "spark/train/part-00000-4e1a.c000.csv.gz": gzip.compress(TABLE),
        "spark/train/part-00001-4e1a.c000.csv.gz": gzip.compress(TABLE),
        "spark/train/_SUCCESS": b"",
        "spark/train/.part-00000-4e1a.c000.csv.gz.crc": b"crc\x00",
        "spark/test/part-00000": TABLE.replace(b'",', b"\t").replace(b'"', b"").replace(b"text,", b"text\t"),
        "json/part-00000.json": b"".join(json.dumps({"text": one, "label": two}).encode() + b"\n" for one, two in ROWS),
        "classes/train/pos/1.txt": b"good",
        "classes/train/pos/2.txt": b"better",
        "classes/train/neg/1.txt": b"bad",
        "classes/train/neg/2.txt": b"worse",
        "hub/README.md": b"A data set\n",
        "pairs/train.text": b"one\ntwo\n",
        "pairs/train.label": b"1\n2\n",
        "chapters/train/1.txt": b"A first line.\nA second line.\n",
        "chapters/train/2.txt.gz": gzip.compress(b"A third line.\n"),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for split in ("train-00000-of-00002", "train-00001-of-00002", "unsupervised-00000-of-00001"):
        (folder / "hub" / "data").mkdir(exist_ok=True)
        columns = dict(zip(("text", "label"), map(list, zip(*ROWS, strict=True)), strict=True))
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / "hub" / "data" / f"{split}.parquet")


@pytest.fixture(scope="module")
def forms(tmp_path_factory, s3_server) -> Path:
    """The forms on disk; they are also the folder `forms` of the bucket."""
    folder = tmp_path_factory.mktemp("forms")
    write_forms(folder)
    s3_server.copy(folder, "forms")
    return folder


def read(location: str) -> tuple[dict[str, list], list[str]]:
    """Split -> the values of the records that a source stores, and the files that are read."""
    source = open_source(location, COLUMNS, sample=Path("none"))
    records = {split: [record.values for record in reader()] for split, reader in source.stored.items()}
    return records, sorted(str(path) for reader in source.stored.values() for path in reader.files)


@pytest.mark.parametrize(
    ("name", "splits"),
    [
        ("table", {"train": 120, "test": 120}),
        ("table/train.csv", {"train": 120}),
        ("table/*", {"train": 120, "test": 120}),
        ("spark/**/*.gz", {"train": 240}),
        ("spark", {"train": 240, "test": 120}),
        ("spark/train", {"train": 240}),
        ("spark/*/part-*", {"train": 360}),
        ("json", {"train": 120}),
        ("classes", {"train": 4}),
        ("hub", {"train": 240, "unsupervised": 120}),
        ("hub/data/train-*", {"train": 240}),
        ("pairs", {"train": 2}),
        ("pairs/train", {"train": 2}),
    ],
)
def test_a_source_has_the_records_of_the_files_on_disk(forms, s3, name, splits):
    on_disk, files = read(f"{forms}/{name}")
    remote, remote_files = read(f"s3://{BUCKET}/forms/{name}")
    assert {split: len(records) for split, records in on_disk.items()} == splits
    assert remote == on_disk
    assert read(f"file://{forms}/{name}")[0] == on_disk
    assert [path.replace(f"s3://{BUCKET}/forms", str(forms)) for path in remote_files] == files


def test_lines_of_text_and_their_splits_are_those_on_disk(forms, s3):
    remote, local = (
        open_documents(f"{place}/chapters", None, sample=Path()) for place in (f"s3://{BUCKET}/forms", forms)
    )
    assert [*remote.texts("train")] == [*local.texts("train")] and len([*local.texts("all")]) == 3


def weights(run: Path) -> list[np.ndarray]:
    return load_model(Run(run)).get_weights()


def test_a_training_on_remote_data_ends_with_the_weights_of_one_on_disk(small_tasks, s3, tmp_path):
    small = small_tasks["sentiment"]
    url = s3.copy(small.data, "reviews")
    for name, data in {"remote": url, "local": small.data}.items():
        assert small.train(tmp_path / name, "--epochs", "1", data=data).code == 0
    pairs = zip(weights(tmp_path / "remote"), weights(tmp_path / "local"), strict=True)
    assert all(np.array_equal(remote, local) for remote, local in pairs)
    evaluated = [
        small.command("evaluate", "--run", tmp_path / "remote", "--json", *data)
        for data in ([], ["--data", small.data / "test.csv"], ["--data", f"{url}/test.csv"])
    ]
    assert len({json.loads(one.out)["loss"] for one in evaluated}) == 1


@pytest.mark.parametrize("name", ["chapters", "chapters/train/*", "chapters/train/2.txt.gz"])
def test_character_generation_reads_the_text_of_files_on_disk(forms, s3, name):
    found = [
        open_text(ChargenSettings.model_validate({"data": {"data": f"{place}/{name}"}})).stored
        for place in (forms, f"s3://{BUCKET}/forms")
    ]
    assert found[0] == found[1] and "A third line.\n" in found[0]["train"]


def test_remote_texts_are_answered_as_those_on_disk(small_tasks, s3, forms, tmp_path):
    small = small_tasks["sentiment"]
    for kind, inputs in {"url": f"s3://{BUCKET}/forms/spark/train/", "disk": forms / "spark" / "train"}.items():
        answer = small.command("predict", "--run", small.run(), "--input", inputs, "--output", tmp_path / kind)
        assert answer.code == 0, answer.err
    names = {path.name for path in (tmp_path / "url").iterdir()}
    assert names == {"_manifest.json", *(f"part-0000{number}-4e1a.c000.csv.gz" for number in range(2))}
    for name in names - {"_manifest.json"}:
        assert (tmp_path / "url" / name).read_bytes() == (tmp_path / "disk" / name).read_bytes()
    one = f"s3://{BUCKET}/forms/table/train.csv"
    assert small.command("predict", "--run", small.run(), "--input", one, "--output", tmp_path / "one.csv").code == 0
    assert len((tmp_path / "one.csv").read_text().splitlines()) == 121


def test_changed_remote_files_are_noticed(s3, forms, small_tasks):
    settings = (
        small_tasks["sentiment"].task.settings_class().model_validate({"data": {"data": f"s3://{BUCKET}/changed"}})
    )
    s3.write("changed/train.csv", TABLE)
    before = source_files.fingerprint("sentiment", settings)
    assert [*before] == [f"s3://{BUCKET}/changed/train.csv"]
    s3.write("changed/train.csv", TABLE + b'"one more",1\n')
    assert source_files.changed(before, source_files.fingerprint("sentiment", settings)) == next(iter(before))


def test_keys_that_are_no_names_of_files_are_left_out(s3, s3_server, caplog):
    s3.write("slashes/train.csv", TABLE)
    for key in ("slashes//train.csv", "slashes/more//train.csv"):  # pyarrow refuses to write them
        url = f"http://127.0.0.1:{s3_server.port}/{BUCKET}/{key}"
        urllib.request.urlopen(urllib.request.Request(url, TABLE, method="PUT")).close()
    folder = f"s3://{BUCKET}/slashes"
    assert read(folder)[1] == read(f"{folder}/**/*.csv")[1] == [f"{folder}/train.csv"]
    assert caplog.text.count(f"{folder}//train.csv: left out, since a part of its name is empty") == 1


# --- what goes wrong -------------------------------------------------------------------------------------------------


def message(location: str) -> str:
    with pytest.raises(UserError) as raised:
        read(location)
    text = str(raised.value)
    assert "\n" not in text and "Errno" not in text
    return text


def test_what_does_not_exist_is_named(s3, forms):
    assert "there is no bucket 'none'; check the bucket, AWS_REGION and AWS_ENDPOINT_URL" in message("s3://none/a.csv")
    assert f"'s3://{BUCKET}/none.csv': no such file" in message(f"s3://{BUCKET}/none.csv")
    assert "no file matches this pattern" in message(f"s3://{BUCKET}/none-*")
    assert "names no bucket; expected s3://BUCKET/PATH" in message("s3://")
    assert "name the bucket" in message("s3://corp*/a.csv")
    assert "s4:// is not read. Expected a path, or s3://" in message("s4://corpora/a.csv")
    assert "download the file" in message("https://example.org/a.csv")


def test_keys_are_not_written_into_settings(s3):
    found = message("s3://key:secret@corpora/a.csv")
    assert "credentials are not part of a URL" in found and "secret" not in found


def test_an_unknown_key_is_denied(s3, forms):
    with s3.checking_keys():
        found = message(f"s3://{BUCKET}/forms/table")
    assert "access is denied; credentials are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws" in found


def test_without_keys_access_is_denied(aws):
    """Amazon answers a request without a signature so; the S3 server of the tests answers with status 500."""
    signed = []

    class Denying(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            signed.append("Authorization" in self.headers)
            self.send_error(403)

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Denying) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        aws(AWS_ENDPOINT_URL=f"http://127.0.0.1:{server.server_port}")
        assert "access is denied; credentials are read from" in message("s3://corpora/a.csv")
        server.shutdown()
    assert signed and not any(signed)


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_REGION": "xx-nowhere-9"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        {"AWS_ENDPOINT_URL": "http://no.such.host.invalid"},
    ],
)
def test_a_region_or_an_endpoint_that_does_not_exist(aws, environment):
    aws(AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", **environment)
    with pytest.raises(TemporaryError, match=r"cannot be read \(Could not .*check the bucket, AWS_REGION and AWS_END"):
        read("s3://corpora/a.csv")


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.parquet"])
def test_a_connection_that_is_cut_leaves_nothing_half_written(small_tasks, s3_server, cut, tmp_path, name):
    small = small_tasks["sentiment"]
    columns = {"text": [f"{number} {'good bread ' * 30}" for number in range(3_000)], "label": ["good", "bad"] * 1_500}
    path = tmp_path / name
    if name.endswith(".parquet"):
        options = {"row_group_size": 500, "compression": "none", "use_dictionary": False}
        pyarrow.parquet.write_table(pyarrow.table(columns), path, **options)
    else:
        rows = "".join(f"{text},{label}\n" for text, label in zip(*columns.values(), strict=True))
        path.write_bytes(gzip.compress(f"text,label\n{rows}".encode(), 0))
    url = s3_server.write(f"cut/{name}", path.read_bytes())
    with locations.to_path(url).open() as file:
        assert file.read() == path.read_bytes()
    output = tmp_path / "answers.csv"
    for command in (
        ("predict", "--run", small.run(), "--input", url, "--output", output),
        ("train", "--data", url, "--run", tmp_path / "run", *small.options),
    ):
        cut.left = 300_000
        found = small.command(*command).error(code=1)
        assert url in found and "repeat the command" in found and len(found.splitlines()) == 1
    assert not output.exists() and not (tmp_path / "run" / "model.keras").exists()
    cut.left = 1 << 40
    answer = small.command("predict", "--run", small.run(), "--input", url, "--output", output)
    assert answer.code == 0 and len(output.read_text().splitlines()) == 3_001
