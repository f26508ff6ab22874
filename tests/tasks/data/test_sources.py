"""Splits drawn from training data, and what the import of the sources costs."""

import subprocess
import sys

from tasks.data.sources import Column


def test_drawn_splits_part_a_file_and_all_reads_it_in_its_own_order(tmp_path, opened, values, write_table):
    rows = [(f"text {n}", str(n % 2)) for n in range(5000)]
    path = write_table(tmp_path / "a.csv", rows)
    source = opened(path)
    assert source.splits == ("train", "validation", "test") and source.single_file
    parts = {split: values(path, split) for split in source.splits}
    assert sorted(sum(parts.values(), [])) == sorted(rows)
    assert 400 < len(parts["validation"]) < 600 and 400 < len(parts["test"]) < 600
    assert values(path, "all") == rows
    assert list(source.records("validation")) == list(source.records("validation"))


def test_the_drawn_split_is_the_same_in_every_process_and_on_every_machine(tmp_path, values, write_table):
    path = write_table(tmp_path / "a.csv", [(f"text {n}", "x") for n in range(100)])
    # Fixed: a change of these numbers changes every drawn split on which a result was ever measured.
    validation, test = [2, 7, 9, 23, 44, 48, 56, 65, 68, 80, 83, 88, 96, 99], [16, 27, 31, 43, 55, 60, 71, 76, 90]
    assert values(path, "validation") == [(f"text {n}", "x") for n in validation]
    assert values(path, "test") == [(f"text {n}", "x") for n in test]


def test_equal_texts_stay_together_and_other_rows_labels_and_columns_change_nothing(tmp_path, values, write_table):
    few = write_table(tmp_path / "few.csv", [(f"text {n}", "a") for n in range(300)])
    many = write_table(tmp_path / "many.csv", [(f"text {n % 600}", str(n)) for n in reversed(range(1800))])
    for split in ("train", "validation", "test"):
        texts = {text for text, _ in values(few, split)}
        assert texts and texts == {text for text, _ in values(many, split)} & {f"text {n}" for n in range(300)}
        assert {(text,) for text in texts} == set(values(few, split, [Column("text")]))
    trained, held_out = ({text for text, _ in values(many, split)} for split in ("train", "validation+test"))
    assert not trained & held_out


def test_a_folder_with_train_and_test_draws_validation_from_train_alone(tmp_path, opened, values, write_table):
    train, test = ([(f"{name} {n}", "x") for n in range(500)] for name in ("train", "test"))
    write_table(tmp_path / "train.csv", train)
    write_table(tmp_path / "test.csv", test)
    assert values(tmp_path, "test") == test
    assert sorted(values(tmp_path, "train+validation")) == sorted(train)
    assert 25 < len(values(tmp_path, "validation")) < 75
    assert opened(tmp_path, validation_fraction=0.0).splits == ("train", "test")
    assert values(tmp_path, "train", validation_fraction=0.0) == train


def test_fractions_that_leave_nothing_to_train_on_are_an_error(tmp_path, error_of, write_table):
    path = write_table(tmp_path / "a.csv", [("good", "pos"), ("bad", "neg")])
    assert "1.1" in error_of(path, validation_fraction=0.6, test_fraction=0.5)


def test_a_file_too_small_for_the_drawn_split_says_so(tmp_path, error_of, write_table):
    path = write_table(tmp_path / "a.csv", [("only", "x")])
    assert "validation" in error_of(path, split="validation", validation_fraction=1e-9)


def test_importing_the_sources_imports_neither_tensorflow_nor_its_data_sets():
    code = (
        "import sys, tasks.data.sources, tasks.data.datasets; "
        "print([m for m in sys.modules if m.startswith('tensorflow')])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
