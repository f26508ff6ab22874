"""The API reference, `make docs`."""

import html

import pytest

from models.classifier import build_classifier
from tasks.cli import api_reference


@pytest.mark.slow
def test_every_module_has_a_page_with_its_docstrings_and_pdoc_does_not_warn(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "removed_module.html").touch()
    assert api_reference.write(folder) == []
    assert not (folder / "removed_module.html").exists()
    page = html.unescape((folder / "models" / "classifier.html").read_text(encoding="utf-8"))
    assert build_classifier.__doc__.splitlines()[0] in page
    for name in ("tasks/sentiment.html", "tasks/serving/inference.html", "index.html"):
        assert (folder / name).exists()
