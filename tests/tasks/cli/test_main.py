"""The command line: what beats what, and that neither the help nor a message for wrong settings needs TensorFlow."""

import json
import os

import pytest

from tasks.cli import main as cli
from tasks.cli import settings_files
from tasks.errors import UserError
from tasks.sentiment.settings import SentimentSettings

# A wrong command line, and what its message must say.
MISTAKES = [
    (["trian"], ["'trian'", "train, evaluate, predict, export", "did you mean train?"]),
    (["train"], ["--run"]),
    (["evaluate"], ["--run"]),
    (["train", "--run", "x", "--unit", "8"], ["'--unit'", "did you mean --units?"]),
    (["export", "--run", "x", "--too", "y"], ["'--too'", "did you mean --to?"]),
    (["train", "--run", "x", "--data"], ["--data"]),
    (["train", "--run", "x", "--cell", "lstmm"], ["'lstmm'", "--cell", "'lstm', 'gru', 'simple_rnn'"]),
    (["train", "--run", "x", "--units", "0"], ["--units", "0", "greater than or equal to 1"]),
    (["train", "--run", "x", "--units", "many"], ["--units", "'many'"]),
    (["train", "--run", "x", "--dropout", "1"], ["--dropout", "less than 1"]),
    (["train", "--run", "x", "--learning-rate", "nan"], ["--learning-rate", "nan"]),
    (["train", "--run", "x", "--kernel-regularizer", "l3(0.1)"], ["--kernel-regularizer", "'l3'", "l1_l2"]),
    (["train", "--run", "x", "--kernel-initializer", "he_norml"], ["'he_norml'", "did you mean 'he_normal'?"]),
    (["train", "--run", "x", "--cell", "gru", "--unit-forget-bias", "True"], ["unit_forget_bias=True", "cell=gru"]),
    (["train", "--run", "x", "--cell", "simple_rnn", "--reset-after", "True"], ["reset_after", "cell=simple_rnn"]),
    (["train", "--run", "x", "--stateful"], ["stateful=True", "classifier"]),
    (["train", "--run", "x", "--time-major"], ["time_major=True", "classifier"]),
    (["train", "--run", "x", "--merge-mode", "None"], ["merge_mode=None", "classifier"]),
    (["train", "--run", "x", "--pooling", "max", "--no-return-sequences"], ["pooling=max", "return_sequences"]),
    (["train", "--run", "x", "--clipnorm", "1", "--clipvalue", "1"], ["clipnorm=1.0 and clipvalue=1.0"]),
    (["train", "--run", "x", "--weight-decay", "0.1", "--optimizer", "adam"], ["weight_decay=0.1", "optimizer=adam"]),
    (["train", "--run", "x", "--momentum", "0.9", "--optimizer", "adam"], ["momentum=0.9", "optimizer=adam"]),
    (["predict", "a text"], ["--run", "--model"]),
    (["predict", "--run", "x", "--model", "y", "a text"], ["--run", "--model"]),
    (["predict", "--run", "x"], ["--input"]),
    (["predict", "--run", "x", "--input", "y", "a text"], ["--input"]),
    (["train", "--run", "x", "--settings", "nowhere.toml"], ["nowhere.toml", "no such file"]),
    (["train", "--run", "x", "--settings", "settings.ini"], ["settings.ini", ".toml", ".json"]),
]

# A settings file that is wrong, and what its message must say.
MISTAKES_IN_FILES = [
    ("a.toml", "[recurrent]\nunitz = 8\n", ["recurrent.unitz", "did you mean units?"]),
    ("a.toml", "[recurent]\nunits = 8\n", ["recurent", "did you mean recurrent?"]),
    ("a.toml", "units = 8\n", ["units"]),
    ("a.toml", "recurrent = 8\n", ["recurrent", "8"]),
    ("a.toml", "[recurrent]\nunits = -1\n", ["recurrent.units", "-1", "greater than or equal to 1"]),
    ("a.toml", '[recurrent]\ncell = "gro"\n', ["recurrent.cell", "'gro'", "'gru'"]),
    ("a.toml", '[recurrent]\ncell = "gru"\nunit_forget_bias = true\n', ["unit_forget_bias=True", "cell=gru"]),
    ("a.toml", "[recurrent]\nstateful = true\n", ["stateful=True", "classifier"]),
    ("a.toml", "[recurrent\n", ["line 1"]),
    ("a.json", '{"recurrent": {"unitz": 8}}', ["recurrent.unitz", "did you mean units?"]),
    ("a.json", "[1]", ["groups of settings", "recurrent"]),
    ("a.json", '{"recurrent": ', ["line 1"]),
    ("a.json", '{"task": "chargen", "recurrent": {}}', ["chargen", "sentiment"]),
    ("a.json", b'{"task": "\xff"}', ["a.json"]),
]


@pytest.mark.parametrize(("arguments", "parts"), MISTAKES, ids=lambda value: " ".join(value))
def test_a_mistake_is_answered_in_two_lines_that_name_it(sentiment, tmp_path, monkeypatch, arguments, parts):
    monkeypatch.chdir(tmp_path)
    message = sentiment(*arguments).error()
    for part in parts:
        assert part in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "content", "parts"), MISTAKES_IN_FILES)
def test_a_mistake_in_a_settings_file_is_named_with_the_file(sentiment, tmp_path, name, content, parts):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = sentiment("train", "--run", tmp_path / "run", "--settings", path).error()
    for part in [str(path), *parts]:
        assert part in message
    assert not (tmp_path / "run").exists()


def test_neither_help_nor_a_mistake_imports_tensorflow(process, tmp_path):
    commands = [["--help"], *([name, "--help"] for name in ("train", "evaluate", "predict", "export"))]
    commands += [arguments for arguments, _ in MISTAKES]
    code = f"""if True:
        import sys
        from tasks.cli import main as cli
        from tasks.sentiment.__main__ import COMMANDS
        for arguments in {commands!r}:
            code = cli.main("sentiment", COMMANDS, arguments)
            assert code == (0 if "--help" in arguments else 2), arguments
            assert not {{"tensorflow", "keras", "numpy"}} & set(sys.modules), arguments
        """
    started = process("-c", code, cwd=tmp_path)
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    assert b"Traceback" not in err and b"--recurrent-dropout" in out


def test_help_lists_every_setting_under_kerass_own_name(sentiment):
    answer = sentiment("train", "--help")
    assert answer.code == 0 and not answer.err
    for group, field in SentimentSettings.model_fields.items():
        for name in field.annotation.model_fields:
            option = "recurrent-seed" if group == "recurrent" and name == "seed" else name
            assert f"--{option.replace('_', '-')} " in answer.out.replace("│", " ").replace(",", " ")


def test_naming_a_setting_in_python_leaves_the_others_as_they_are():
    assert SentimentSettings(recurrent={"cell": "gru"}).recurrent == SentimentSettings().recurrent.model_copy(
        update={"cell": "gru"}
    )


def test_without_a_command_the_commands_are_listed_and_the_exit_code_is_2(sentiment_process, tmp_path):
    answer = sentiment_process(cwd=tmp_path)
    assert answer.code == 2 and not answer.out
    for name in ("train", "evaluate", "predict", "export"):
        assert f"  {name} " in answer.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.toml", '[recurrent]\nunits = 48\nkernel_regularizer = "l2(0.5)"\n[training]\nepochs = 3\n'),
        ("a.json", '{"recurrent": {"units": 48, "kernel_regularizer": "l2(0.5)"}, "training": {"epochs": 3}}'),
    ],
)
def test_options_beat_the_file_and_the_file_beats_the_defaults(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    arguments = ["--run", "runs/a", "--settings", str(path), "--epochs", "5", "--cell", "gru"]
    settings, run, overwrite = cli._train_arguments("sentiment", "train", SentimentSettings, arguments).values()
    assert (settings.training.epochs, settings.recurrent.cell) == (5, "gru")
    assert (settings.recurrent.units, settings.recurrent.kernel_regularizer) == (48, "l2(0.5)")
    defaults = SentimentSettings()
    assert settings.recurrent.bidirectional == defaults.recurrent.bidirectional is True
    assert settings.classifier == defaults.classifier and settings.data == defaults.data
    assert (str(run), overwrite) == ("runs/a", False)


def test_an_option_can_take_back_what_the_file_set(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('[recurrent]\nbidirectional = true\nkernel_regularizer = "l2(0.5)"\n[training]\npatience = 3\n')
    back = ["--no-bidirectional", "--kernel-regularizer", "None", "--patience", "None"]
    arguments = ["--run", "a", "--settings", str(path), *back]
    settings = cli._train_arguments("sentiment", "train", SentimentSettings, arguments)["settings"]
    assert settings.recurrent.bidirectional is False and settings.recurrent.kernel_regularizer is None
    assert settings.training.patience is None


def test_the_settings_of_a_run_can_be_read_back_whole(tmp_path):
    arguments = ["--run", "a", "--units", "7", "--class-weights", "balanced", "--recurrent-seed", "5", "--seed", "6"]
    settings = cli._train_arguments("sentiment", "train", SentimentSettings, arguments)["settings"]
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"task": "sentiment", **settings.model_dump(mode="json")}))
    assert settings_files.read_settings(path, "sentiment", SentimentSettings) == settings
    assert (settings.recurrent.seed, settings.training.seed) == (5, 6)
    with pytest.raises(UserError, match="sentiment, not of chargen"):
        settings_files.read_settings(path, "chargen", SentimentSettings)


def test_standard_error_is_given_back_after_the_start_also_after_one_that_fails(capfd):
    with cli.quiet_start():
        os.write(2, b"not to be seen\n")
    with pytest.raises(ImportError), cli.quiet_start():
        os.write(2, b"why it failed\n")
        raise ImportError
    os.write(2, b"seen\n")
    assert capfd.readouterr().err == "why it failed\nseen\n"
