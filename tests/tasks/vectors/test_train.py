"""Training: the vectors are gensim's, an interrupted training ends with the same ones, and bad input is named."""

import collections
import csv
import json
import signal
import time

import numpy as np
import pytest
from gensim.models import FastText, Word2Vec

from tasks.cli.main import main_of_group
from tasks.training import source_files
from tasks.vectors import training
from tasks.vectors.commands import VECTORS
from tasks.vectors.settings import VectorSettings
from tasks.vectors.stored_vectors import WordVectors
from tasks.vectors.train import train
from tasks.vectors.training import VectorTraining
from tasks.vectors.words import Words

FASTTEXT = ("--algorithm", "fasttext", "--bucket", "500")


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_the_vectors_are_those_of_gensim(vectors, texts, small, tmp_path, algorithm, architecture):
    options = ("--algorithm", algorithm, f"--{architecture}", *small)
    answer = vectors("train", "--data", texts, "--run", tmp_path / "a", *options)
    assert answer.code == 0, answer.err
    lines = Words(lowercase=True).split(texts.read_text(encoding="utf-8").splitlines())
    (tmp_path / "lines.txt").write_text("".join(" ".join(line) + "\n" for line in lines), encoding="utf-8")
    stored = WordVectors(tmp_path / "a")
    chosen = {"vector_size": 16, "sg": int(architecture == "skipgram"), "alpha": 0.05, "min_alpha": 1e-4}
    model_class = Word2Vec
    if algorithm == "fasttext":
        model_class = FastText
        of_run = stored.settings.training
        chosen |= {"min_n": of_run.min_n, "max_n": of_run.max_n, "bucket": of_run.bucket}
    model = model_class(**chosen, sample=0, sorted_vocab=0, seed=0, workers=1, min_count=1)
    # Words with the same count are in the order of the alphabet; gensim would sort them in another way.
    counts = collections.Counter(word for line in lines for word in line)
    assert len({*counts.values()}) < len(counts) - 5
    model.build_vocab_from_freq(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))))
    assert stored.vectors.index_to_key == model.wv.index_to_key
    words = sum(map(len, lines))
    model.train(corpus_file=str(tmp_path / "lines.txt"), total_examples=len(lines), total_words=words, epochs=8)
    assert np.allclose(stored.vectors.vectors, model.wv.vectors, rtol=2e-3, atol=5e-3)
    assert np.abs(model.wv.vectors).max() > 0.3


@pytest.mark.parametrize("options", [(), (*FASTTEXT, "--cbow")], ids=["word2vec", "fasttext"])
def test_an_interrupted_training_ends_with_the_same_vectors(
    vectors, texts, small, tmp_path, monkeypatch, caplog, options
):
    command = ("train", "--data", texts, *small, *options, "--run")
    assert vectors(*command, tmp_path / "whole").code == 0
    epoch = VectorTraining._epoch

    def interrupted(self, number):
        if number == 3 and not resumed:
            raise KeyboardInterrupt
        return epoch(self, number)

    resumed = False
    monkeypatch.setattr(VectorTraining, "_epoch", interrupted)
    answer = vectors(*command, tmp_path / "parts")
    assert answer.code == 130 and "the same command resumes it" in answer.err
    message = vectors("neighbours", "--run", tmp_path / "parts", "cat").error()
    assert "not finished" in message
    resumed = True
    answer = vectors(*command, tmp_path / "parts")
    assert answer.code == 0 and "resuming at epoch 4" in caplog.text
    for name in ("vectors.npz", "settings.json", "vocabulary/words.tsv"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert [row["loss"] for row in history(tmp_path / "parts")] == [row["loss"] for row in history(tmp_path / "whole")]
    assert not (tmp_path / "parts" / "checkpoint").exists()


def test_a_state_that_takes_long_to_store_is_stored_after_fewer_epochs(
    vectors, texts, small, monkeypatch, tmp_path, caplog
):
    command = ("train", "--data", texts, *small, "--run")
    assert vectors(*command, tmp_path / "whole").code == 0
    epoch, until = VectorTraining._epoch, 3

    def interrupted(self, number):
        if number == until:
            raise KeyboardInterrupt
        return epoch(self, number)

    monkeypatch.setattr(VectorTraining, "_epoch", interrupted)
    monkeypatch.setattr(training, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(training, "MAX_STORING_SHARE", 1e-9)  # so only the first epoch is stored
    assert vectors(*command, tmp_path / "parts").code == 130
    until = None
    assert vectors(*command, tmp_path / "parts").code == 0
    assert "resuming at epoch 2" in caplog.text
    assert (tmp_path / "parts" / "vectors.npz").read_bytes() == (tmp_path / "whole" / "vectors.npz").read_bytes()
    assert len(history(tmp_path / "parts")) == 8


def test_texts_that_are_split_together_have_the_words_of_each():
    texts = ["", "ΟΔΟΣ", "\u0301a", "one\ntwo", "x\r\ny", "it's", "'", "\u1100", "\u1161", "ㅋㅋ", "\u2028b", ""]
    words = Words(lowercase=True)
    assert words.split(texts) == [words.split([one])[0] for one in texts] and words.split([]) == []
    assert words.split(texts)[1:5] == [["οδος"], ["\u0301a"], ["one", "two"], ["x", "y"]]


def test_word_vectors_need_no_tensorflow(process, texts, tmp_path):
    program = "import sys; from tasks.cli.main import main_of_group; from tasks.vectors.commands import VECTORS; "
    program += "code = main_of_group(VECTORS, sys.argv[1:]); sys.exit(code or 'tensorflow' in sys.modules)"
    for command in (("train", "--data", texts, "--epochs", "1"), ("neighbours", "cat"), ("export",)):
        started = process("-c", program, *command, "--run", tmp_path / "run")
        _, err = started.communicate()
        assert started.returncode == 0, err.decode()


def history(run) -> list[dict[str, str]]:
    with open(run / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_vectors(process, texts, tmp_path):
    options = ("--data", texts, "--epochs", "60", "--embedding-size", "64", "--run")
    whole = process("-m", "tasks.vectors", "train", *options, tmp_path / "whole")
    parts = process("-m", "tasks.vectors", "train", *options, tmp_path / "parts")
    state, kills = tmp_path / "parts" / "checkpoint" / "state.npz", 0
    while parts.poll() is None and kills < 2:
        before = state.stat().st_mtime_ns if state.exists() else 0
        while parts.poll() is None and (state.stat().st_mtime_ns if state.exists() else 0) == before:
            time.sleep(0.01)
        parts.send_signal(signal.SIGKILL)
        _, err = parts.communicate()
        kills += parts.returncode == -signal.SIGKILL
        parts = process("-m", "tasks.vectors", "train", *options, tmp_path / "parts")
    _, err = parts.communicate()
    assert kills == 2 and parts.returncode == 0, err.decode()
    assert "resuming at epoch" in err.decode()
    assert whole.communicate() and whole.returncode == 0
    assert (tmp_path / "parts" / "vectors.npz").read_bytes() == (tmp_path / "whole" / "vectors.npz").read_bytes()


def test_texts_that_change_are_prepared_again(vectors, texts, small, tmp_path, monkeypatch, caplog):
    own = tmp_path / "own.txt"
    own.write_bytes(texts.read_bytes())
    epoch = VectorTraining._epoch

    def interrupted(self, number):
        if number == 2:
            raise KeyboardInterrupt
        return epoch(self, number)

    monkeypatch.setattr(VectorTraining, "_epoch", interrupted)
    assert vectors("train", "--data", own, "--run", tmp_path / "a", *small).code == 130
    own.write_bytes(texts.read_bytes() + b"the new zebra runs to the new barn\n" * 5)
    monkeypatch.setattr(VectorTraining, "_epoch", epoch)
    answer = vectors("train", "--data", own, "--run", tmp_path / "a", *small)
    assert answer.code == 0 and "has changed" in caplog.text and "resuming" not in caplog.text
    assert WordVectors(tmp_path / "a").find("zebra")


def test_the_bundled_texts_are_a_source():
    assert source_files.fingerprint("vectors", VectorSettings())


def test_a_finished_run_is_kept_until_another_one_is_finished(vectors, texts, small, tmp_path):
    command = ("train", "--data", texts, "--run", tmp_path / "a", *small)
    assert vectors(*command).code == 0
    before = (tmp_path / "a" / "vectors.npz").read_bytes()
    message = vectors(*command).error()
    assert "finished already" in message and "--overwrite" in message and "--initial-run" not in message
    assert "occur" in vectors(*command, "--overwrite", "--min-count", "100000").error()
    assert (tmp_path / "a" / "vectors.npz").read_bytes() == before
    assert vectors(*command, "--overwrite", "--seed", "1").code == 0
    assert (tmp_path / "a" / "vectors.npz").read_bytes() != before


def test_the_log_has_the_loss_and_the_speed_of_each_epoch_and_the_settings_have_what_auto_became(
    vectors, texts, tmp_path, caplog
):
    answer = vectors("train", "--data", texts, "--run", tmp_path / "a", "--embedding-size", "8", "--epochs", "4")
    assert answer.code == 0
    lines = [line for line in answer.err.splitlines() if line.startswith("epoch ")]
    assert len(lines) == 4 and all("loss" in line and "words/s" in line for line in lines)
    losses = [float(row["loss"]) for row in history(tmp_path / "a")]
    assert losses[-1] < losses[0] < 6 * np.log(2) + 0.01  # of six decisions at random
    settings = json.loads((tmp_path / "a" / "settings.json").read_text())
    assert settings["vocabulary"]["min_count"] == 1 and settings["training"]["learning_rate"] == 0.025
    assert "min_count=1" in caplog.text and settings["task"] == "vectors"


def test_python_trains_and_asks_as_the_command_line_does(texts, tmp_path):
    settings = VectorSettings(data={"data": texts}, training={"epochs": 2, "embedding_size": 8})
    run = train(settings, tmp_path / "a")
    assert run.finished
    vectors = WordVectors(run.path)
    assert len(vectors.neighbours("cat", count=3)) == 3
    assert vectors.find("The").vector.shape == (8,)


@pytest.mark.parametrize(
    ("content", "options", "parts"),
    [
        ("", (), ["no text"]),
        ("\n \n!!\n", (), ["3 texts, none with a word"]),
        ("one two\n", ("--min-count", "2"), ["at least 2 times (--min-count)", "'one', occurs once", "lower it"]),
        ("one one one two\n", ("--min-count", "2"), ["--min-count", "only 'one'"]),
        ("one\ntwo\none\ntwo\n", (), ["every text has one word"]),
        ("one two\n", ("--splits", "test"), ["no split 'test'", "'train'"]),
        ("one two\n", ("--text-column", "body"), ["no column 'body'"]),
        ("one two\n", ("--cbow", "--skipgram"), ["--cbow and --skipgram", "one of them"]),
        ("one two\n", ("--cbow", "--architecture", "cbow"), ["--cbow and --architecture", "one of them"]),
        ("one two\n", ("--min-n", "2"), ["min_n=2", "word2vec", "fasttext"]),
        ("one two\n", (*FASTTEXT, "--min-n", "5", "--max-n", "2"), ["min_n=5", "max_n=2"]),
        ("one two\n", ("--epochs", "many"), ["--epochs", "'many'"]),
        ("one two\n", ("--sample", "1"), ["--sample", "less than 1"]),  # gensim takes 1 for a number of words
        ("one two\n", ("--initial-run", "runs/a"), ["'--initial-run' is no option"]),
        ("one two\n", ("--vocabulary", "no-such-run"), ["--vocabulary no-such-run", "no such"]),
        (b"caf\xe9 one\n", (), ["UTF-8", "--encoding"]),
        (b"one\0two\n", (), ["NUL"]),
        (b"\x1f\x8b\x08\x08", (), ["cut off"]),
    ],
)
def test_bad_input_is_named(vectors, tmp_path, content, options, parts):
    path = tmp_path / "a.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = vectors("train", "--data", path, "--run", tmp_path / "run", *options).error()
    for part in parts:
        assert part in message, message
    assert not (tmp_path / "run" / "vectors.npz").exists()


def test_a_mistake_is_corrected_in_the_same_folder(vectors, tmp_path):
    (tmp_path / "a.txt").write_text("one two three\n" * 3)
    command = ("train", "--data", tmp_path / "a.txt", "--run", tmp_path / "run", "--epochs", "1")
    assert "lower it" in vectors(*command, "--min-count", "9").error()
    assert vectors(*command).code == 0


def test_the_overview_names_the_commands(capsys):
    assert main_of_group(VECTORS, ["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in ("train", "neighbours", "analogy", "plot", "export"))
    assert main_of_group(VECTORS, ["neighbors"]) == 2
    assert "did you mean neighbours?" in capsys.readouterr().err


def test_words_are_letters_marks_and_digits_in_one_form():
    def words(text, lowercase=True):
        return Words(lowercase).split([text])[0]

    assert words("Don't PANIC, it's 'well-known' (42)!") == ["don't", "panic", "it's", "well", "known", "42"]
    assert words("Don\u2019t", lowercase=False) == ["Don't"]
    assert words("영화\u200b관 ㅋㅋㅋ ㅠ.ㅠ ＡＢＣ ﬁlm") == ["영화관", "ㅋㅋㅋ", "ㅠ", "ㅠ", "abc", "film"]
    assert words("e\u0301te\u0301 हिन्दी") == ["été", "हिन्दी"]
    assert words("İ") == words("i\u0307")
    assert words("Brand™ 5㎅ ℡") == ["brandtm", "5kb", "tel"]
    assert words("Brand™", lowercase=False) == ["BrandTM"]
