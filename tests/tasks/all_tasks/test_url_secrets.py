"""Passwords, tokens and signatures in URLs: no task prints or stores them."""

import pytest

from tasks.errors import UserError
from tasks.url_secrets import hidden

# Each with what a message shows of it. The keys of AWS contain slashes.
URLS = {
    "https://user:secret@host/x.csv": "https://...@host/x.csv",
    "https://secret@host/x.csv": "https://...@host/x.csv",
    "file://user:secret@host/x.csv": "file://...@host/x.csv",
    "s3://key:secret@bucket": "s3://...@bucket",
    "s3://key:sec/secret+ret@bucket/x.csv": "s3://...@bucket/x.csv",
    "gs://user:secret@bucket/x.csv": "gs://...@bucket/x.csv",
    "https://host/x.csv?X-Amz-Credential=secret&x=1&X-Amz-Signature=secret": (
        "https://host/x.csv?X-Amz-Credential=...&x=1&X-Amz-Signature=..."
    ),
    "s3://bucket/x.csv?endpoint_override=http://user:secret@host": "s3://bucket/x.csv?endpoint_override=http://...@host",
    "abfss://box@name.dfs.core.windows.net/x.csv?sv=1&sig=secret": (
        "abfss://box@name.dfs.core.windows.net/x.csv?sv=1&sig=..."
    ),
}


def test_a_secret_in_a_url_is_neither_printed_nor_stored_whatever_option_names_it(small, tmp_path, caplog):
    url, run = "https://user:secret@host/x.csv", ("--run", tmp_path / "run")
    commands = [
        ("train", "--data", url, *run),
        ("train", "--data", url.replace("://", ":/"), *run),
        ("train", "--train-files", url, *run),
        ("train", "--initial-run", url, *run),
        ("compare", "--vary", f"data={url}", *run),
        ("evaluate", "--data", url, *run),
        ("export", "--run", url),
        (small.predict_command, *run, "--input", url),
        (small.predict_command, *run, "--input", url, url),
        (small.predict_command, *run, "--input", "texts.txt", "--output", url),
        (small.predict_command, "--model", url, "A text."),
    ]
    if small.name == "sentiment":
        commands += [("train", option, url, *run) for option in ("--vectors", "--unlabelled", "--pretrained")]
    for command in commands:
        message = small.command(*command).error()
        assert "host/x.csv" in message and "secret" not in message + caplog.text, command
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
@pytest.mark.parametrize("url", URLS)
def test_secrets_are_refused_wherever_a_url_has_them(small, url, tmp_path):
    message = small.command("train", "--data", url, "--run", tmp_path / "run").error()
    assert f"{URLS[url]}: credentials are not part of a URL, which is stored with the settings" in message
    with pytest.raises(UserError, match="credentials are not part of a URL") as caught:
        small.task.settings_class(data={"data": url})
    assert "secret" not in str(caught.value) and URLS[url] in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_what_only_looks_like_a_secret_is_shown():
    urls = ["gs://anonymous@b/x", "abfss://c@a/x", "https://host:8080/a@b", "s3://b/part-?*", "C:/a@b", "a@b: c"]
    for url in (*urls, "file:///me@host/x.csv", "file:/x?key=b", "http://[::1]:80/a@b"):
        assert hidden(f"'{url}': no such file") == f"'{url}': no such file"
    assert hidden("s3://k:secret@b,s3://k:secret@c x") == "s3://...@b,s3://...@c x"
