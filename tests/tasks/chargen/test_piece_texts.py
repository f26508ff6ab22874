"""How texts become pieces: lines, and long texts."""

import io
import itertools
import json

import pytest
import tensorflow as tf

from models.pieces import PieceText
from models.text import EOS
from tasks.chargen import long_texts, piece_data, separate_texts, step_by_step
from tasks.chargen.piece_data import load_pieces
from tasks.chargen.task import CHARGEN
from tasks.data.records import Record
from tasks.serving.inference import load
from tasks.training.runs import Run
from tests.tasks.chargen.test_pieces import PIECES
from tests.tasks.examples import reviews, write_csv

pytestmark = pytest.mark.slow


def test_line_ends_are_pieces_of_a_text_of_lines(chargen, train, text_file, tmp_path, monkeypatch):
    assert train(tmp_path / "run", *PIECES, "--epochs", "8", "--units", "32", data=text_file).code == 0
    assert load_pieces(Run(tmp_path / "run").vocabulary).has_line_ends
    text = chargen("generate", "--run", tmp_path / "run", "--length", "200", "--temperature", "0.5").out
    assert text.strip().count("\n") > 1
    # Generated in parts, wherever one ends, and continued after any of them: no line begins with a blank.
    predictor = load(CHARGEN, tmp_path / "run", length=60, temperature=0.5)
    [whole] = predictor.predict(["The "])
    monkeypatch.setattr(long_texts, "PART", 1)
    monkeypatch.setattr(step_by_step, "CHARACTERS_PER_UPDATE", 1)
    assert [*predictor.predict(["The "])] == [whole] and "\n" in whole["continuation"]
    generator, progress, parts = predictor.module, step_by_step.Progress(), []
    like = generator.initial_state(tf.constant(["The "]))
    for _ in range(60):
        part, progress = next(itertools.islice(step_by_step.stream(generator, "The ", progress), 1))
        parts.append(part)
        progress = step_by_step.Progress.from_json(json.loads(json.dumps(progress.as_json())), like)
    assert whole["text"].startswith("".join(parts)) and "\n" in "".join(parts)
    # Greedy generation is what the user gets who takes the most probable piece each time.
    greedy = chargen("generate", "--run", tmp_path / "run", "--length", "30", "--temperature", "0").out
    monkeypatch.setattr("sys.stdin", io.StringIO("\n" * 30))
    chosen = chargen("generate", "--run", tmp_path / "run", "--length", "30", "--choose", "2").out
    assert chosen.endswith(f"\n{greedy}")
    evaluated = chargen("evaluate", "--run", tmp_path / "run", "--json")
    assert json.loads(evaluated.out)["word_perplexity"] > 1


def test_the_pieces_of_a_text_of_lines_are_those_of_its_parts(train, text_file, tmp_path, monkeypatch):
    """Each line is segmented like a text, so a word at its beginning is the same piece as elsewhere."""
    assert train(tmp_path / "run", *PIECES, "--epochs", "1", "--steps-per-epoch", "1", data=text_file).code == 0
    pieces = load_pieces(Run(tmp_path / "run").vocabulary)
    text = PieceText(pieces)
    lines = text_file.read_text()[:600]
    [ids] = text.ids(tf.constant([lines])).to_list()
    expected = [[*pieces.processor.encode(line), pieces.symbols.index("\n")] for line in lines.split("\n")]
    assert ids == [index for line in expected for index in line][:-1]
    assert text.text(tf.ragged.constant([ids])).numpy()[0].decode().removeprefix(" ") == lines
    monkeypatch.setattr(separate_texts, "PART", 70)
    [row] = piece_data.encoded([Record((lines,), "")], text)
    assert row == [EOS, *ids, EOS]


def test_a_long_text_of_a_table_is_evaluated_to_its_end(chargen, train, tmp_path, monkeypatch):
    """It is read in parts, and neither its pieces nor its figures depend on them."""
    data = write_csv(tmp_path / "reviews.csv", reviews("train", 60))
    options = ("--text-column", "text", *PIECES, "--epochs", "1", "--units", "16")
    assert train(tmp_path / "run", *options, data=data).code == 0
    text = PieceText(load_pieces(Run(tmp_path / "run").vocabulary))
    long = " ".join(review for review, _ in reviews("test", 40))
    write_csv(tmp_path / "long.csv", [(long, "x"), ("A fine film.", "x")])

    def measured() -> tuple[list[int], dict]:
        rows = [*piece_data.encoded([Record((long,), "")], text)]
        answer = chargen("evaluate", "--run", tmp_path / "run", "--data", tmp_path / "long.csv", "--json")
        assert answer.code == 0, answer.err
        return [rows[0][0], *itertools.chain.from_iterable(row[1:] for row in rows)], json.loads(answer.out)

    ids, figures = measured()
    for name, value in (("LONG", 100), ("ROW", 64)):
        monkeypatch.setattr(piece_data, name, value)
    monkeypatch.setattr(separate_texts, "PART", 70)
    in_parts, of_parts = measured()
    assert in_parts == ids and len(ids) > 300
    for name in ("nats_per_character", "word_perplexity", "perplexity"):
        assert of_parts[name] == pytest.approx(figures[name], rel=1e-3)
