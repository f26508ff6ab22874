"""Encodings, and files that are no text: what is read, and what the message says of the others."""

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile

import pytest

from tasks.data.sources import Column
from tasks.data.text_files import read_lines
from tasks.errors import UserError
from tasks.file_options import FileOptions

KOREAN = "text,label\n배송이 늦고 부서져 있었다,neg\n조용하고 튼튼해서 좋다,pos\n"
ROWS = [("배송이 늦고 부서져 있었다", "neg"), ("조용하고 튼튼해서 좋다", "pos")]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("encoding", ["cp949", "euc-kr", "utf-8-sig", "utf-16-le", "utf-16", "utf-32", "UTF-8"])
def test_a_table_is_read_in_its_encoding(tmp_path, values, write, name, encoding):
    path = write(tmp_path / name, KOREAN.encode(encoding))
    assert values(path, options=FileOptions(encoding=encoding)) == ROWS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
def test_a_byte_order_mark_names_the_encoding(tmp_path, values, write, name, encoding):
    content = {
        "a.csv": KOREAN,
        "a.txt": KOREAN.replace(",", "\t").replace("\n", "\r\n"),  # "Unicode text" of Excel
        "a.jsonl": "".join(f'{{"text": "{text}", "label": "{label}"}}\n' for text, label in ROWS),
    }[name]
    assert values(write(tmp_path / name, content.encode(encoding))) == ROWS


LONG = "배송이 늦고 부서져 있었다. 조용하고 튼튼해서 좋다!"
TEXTS = {
    "cp949": LONG,
    "cp932": "配送が遅くて壊れていました。静かで丈夫でとても良い。",
    "euc-jp": "配送が遅くて壊れていました。静かで丈夫でとても良い。",
    "gb18030": "我看见了三个猫，对吗？非常好的产品，我很喜欢。",
    "big5": "我看見了三個貓，對嗎？非常好的產品，我很喜歡。",
    "cp1251": "Очень хороший товар, быстрая доставка.",
    "koi8-r": "Очень хороший товар, быстрая доставка.",
    "cp1252": "Die Lieferung war schön, größer als gedacht – très bon café.",
    "utf-16-le": LONG,
    "utf-16-be": "a plain text, without a byte order mark",
}


@pytest.mark.parametrize("encoding", TEXTS)
@pytest.mark.parametrize("repeated", [1, 5000])  # the sample may end within a character
def test_the_error_guesses_the_encoding_and_the_guess_reads_the_file(
    tmp_path, values, error_of, write, encoding, repeated
):
    content = "text,label\n" + f'"{TEXTS[encoding]}",x\n' * repeated
    path = write(tmp_path / "a.csv", content.encode(encoding))
    message = error_of(path)
    assert str(path) in message and f"looks like {encoding}: add --encoding {encoding}" in message
    assert values(path, options=FileOptions(encoding=encoding))[0] == (TEXTS[encoding], "x")


def test_a_damaged_byte_in_utf_8_is_no_other_encoding(tmp_path, error_of, write):
    path = write(tmp_path / "a.csv", (KOREAN * 20).encode() + b"\xff,x\n" + KOREAN.encode() * 20)
    message = error_of(path)
    assert "looks like" not in message and "--encoding" in message


def test_a_wrong_encoding_is_named(tmp_path, error_of, write):
    cp949 = write(tmp_path / "a.csv", KOREAN.encode("cp949"))
    assert "not valid ascii; it looks like cp949" in error_of(cp949, options=FileOptions(encoding="ascii"))
    utf16 = write(tmp_path / "b.csv", KOREAN.encode("utf-16"))
    assert "byte order mark of UTF-16" in error_of(utf16, options=FileOptions(encoding="cp949"))
    utf8 = write(tmp_path / "c.csv", b"text,label\na film,x\n")
    assert "c.csv:1: not valid utf-16; " in error_of(utf8, options=FileOptions(encoding="utf-16"))


@pytest.mark.parametrize("value", ["klingon", "hex", "undefined", ""])
def test_what_is_no_encoding_is_an_error(value):
    with pytest.raises(ValueError, match="no encoding"):
        FileOptions(encoding=value)


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "text,label\na,b\n")
    return content.getvalue()


def tar() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    return content.getvalue()


KINDS = {
    "zip": (zipped("reviews.csv", "about.txt"), ["zip archive of 'reviews.csv', 'about.txt'", "unpack"]),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), ["Excel workbook", "CSV UTF-8"]),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ["Excel workbook"]),
    "ods": (zipped("mimetype", "content.xml"), ["OpenDocument"]),
    "bz2": (bz2.compress(KOREAN.encode()), ["bzip2", "gzip"]),
    "xz": (lzma.compress(KOREAN.encode()), ["xz"]),
    "tar": (tar(), ["tar archive"]),
    "parquet": (b"PAR1" + bytes(100), ["Parquet"]),
    "pickle": (pickle.dumps({"text": ["a"]}), ["pickle"]),
}


@pytest.mark.parametrize(("content", "parts"), KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.jsonl", "a.csv.gz", "own"])
def test_a_file_that_is_no_text_is_named(request, tmp_path, error_of, write, name, content, parts):
    kind = request.node.callspec.id.split("-")[-1]
    path = write(tmp_path / (f"a.{kind}" if name == "own" else name), content)
    message = error_of(path)
    for part in [str(path), *parts]:
        # Within a gzip file an archive cannot be opened, and so its content is not known.
        if name != "a.csv.gz" or kind not in ("zip", "xlsx", "ods"):
            assert part in message or (name == "own" and kind == "parquet")
    assert "zip archive" in message or name != "a.csv.gz" or kind not in ("zip", "xlsx", "ods")


def test_a_gzip_file_is_read_under_any_name_and_a_plain_one_named_gz_is_an_error(tmp_path, values, error_of, write):
    path = write(tmp_path / "a.csv", gzip.compress(KOREAN.encode()))
    assert values(path) == ROWS
    plain = tmp_path / "b.csv.gz"
    plain.write_bytes(KOREAN.encode())
    assert "not compressed with gzip" in error_of(plain)


def test_a_wrong_name_of_a_parquet_file_is_named(tmp_path, error_of, write):
    assert "zip archive" in error_of(write(tmp_path / "a.parquet", zipped("a.csv")))


def test_folders_and_parallel_files_are_read_in_their_encoding(tmp_path, values, error_of, write):
    write(tmp_path / "classes" / "neg" / "1.txt", ROWS[0][0].encode("cp949"))
    write(tmp_path / "classes" / "pos" / "1.txt", ROWS[1][0].encode("cp949"))
    assert values(tmp_path / "classes", options=FileOptions(encoding="cp949")) == ROWS
    assert "--encoding cp949" in error_of(tmp_path / "classes")
    for language, column in [("ko", 0), ("en", 1)]:
        lines = "".join(row[column] + "\n" for row in ROWS)
        write(tmp_path / "parallel" / f"train.{language}", lines.encode("cp949"))
    columns = [Column("source", "ko"), Column("target", "en")]
    assert values(tmp_path / "parallel", "all", columns, options=FileOptions(encoding="cp949")) == ROWS
    assert "--encoding cp949" in error_of(tmp_path / "parallel", columns)


def test_lines_of_utf_16_are_those_of_the_text(tmp_path, write):
    text = "첫\u2028째\r\n\n둘ਊ째\nlast"  # U+0A0A holds the bytes of two line ends
    path = write(tmp_path / "a.txt", text.encode("utf-16"))
    assert list(read_lines(path)) == list(enumerate(io.StringIO(text, newline="\n").readlines(), start=1))
    path.write_bytes(path.read_bytes() + b"\x00\xd8")
    with pytest.raises(UserError, match=r"a\.txt:4: not valid utf-16"):
        list(read_lines(path))
