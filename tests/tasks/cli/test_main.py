"""The command line: messages for mistakes, help, and settings from options, files and defaults."""

import json
import os

import pytest

from tasks.cli.main import commands_of
from tasks.cli.parsing import train_arguments
from tasks.cli.registry import all_tasks
from tasks.cli.settings_files import read_settings
from tasks.cli.start import quiet_start
from tasks.errors import UserError
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT

# A wrong command line, and what its message must contain.
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

# A wrong settings file, and what the message must contain besides its path.
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


def parse(*arguments):
    """The settings, the folder and `overwrite` of `train` with these arguments."""
    return train_arguments(SENTIMENT, "train", [str(argument) for argument in arguments])


@pytest.mark.parametrize(("arguments", "parts"), MISTAKES, ids=lambda value: " ".join(value))
def test_a_message_of_two_lines_names_the_mistake_on_the_command_line(
    sentiment, tmp_path, monkeypatch, arguments, parts
):
    monkeypatch.chdir(tmp_path)
    message = sentiment(*arguments).error()
    for part in parts:
        assert part in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "content", "parts"), MISTAKES_IN_FILES)
def test_a_message_names_the_settings_file_and_the_mistake_in_it(sentiment, tmp_path, name, content, parts):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = sentiment("train", "--run", tmp_path / "run", "--settings", path).error()
    for part in [str(path), *parts]:
        assert part in message
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_help_and_messages_come_without_loading_tensorflow(process, tmp_path):
    commands = {task.name: [["--help"], *([name, "--help"] for name in commands_of(task))] for task in all_tasks()}
    commands["sentiment"] += [arguments for arguments, _ in MISTAKES]
    code = f"""if True:
        import sys
        from tasks.cli.main import main
        from tasks.cli.registry import all_tasks
        commands = {commands!r}
        for task in all_tasks():
            for arguments in commands[task.name]:
                code = main(task, arguments)
                assert code == (0 if "--help" in arguments else 2), arguments
                assert not {{"tensorflow", "keras", "numpy"}} & set(sys.modules), arguments
        """
    started = process("-c", code, cwd=tmp_path)
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    assert b"Traceback" not in err and b"--recurrent-dropout" in out


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_help_lists_every_setting_under_its_keras_name(request, task):
    answer = request.getfixturevalue(task.name)("train", "--help")
    assert answer.code == 0 and not answer.err
    options = answer.out.replace("│", " ").replace(",", " ").split()
    for group, field in task.settings_class.model_fields.items():
        for name in field.annotation.model_fields:
            option = "recurrent-seed" if group == "recurrent" and name == "seed" else name
            assert f"--{option.replace('_', '-')}" in options


def test_a_setting_given_in_python_leaves_the_other_defaults_of_its_group():
    assert SentimentSettings(recurrent={"cell": "gru"}).recurrent == SentimentSettings().recurrent.model_copy(
        update={"cell": "gru"}
    )


@pytest.mark.slow
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
def test_options_override_the_file_and_the_file_overrides_the_defaults(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    settings, run, *others = parse("--run", "runs/a", "--settings", path, "--epochs", "5", "--cell", "gru")
    assert (settings.training.epochs, settings.recurrent.cell) == (5, "gru")
    assert (settings.recurrent.units, settings.recurrent.kernel_regularizer) == (48, "l2(0.5)")
    defaults = SentimentSettings()
    assert settings.recurrent.bidirectional == defaults.recurrent.bidirectional is True
    assert settings.network == defaults.network and settings.data == defaults.data
    assert (str(run), others) == ("runs/a", [False, None])
    assert parse("--run", "a", "--processes", "3").processes == 3


@pytest.mark.parametrize("none", ["None", "none"])
def test_an_option_can_reset_what_the_file_sets(tmp_path, none):
    path = tmp_path / "a.toml"
    path.write_text('[recurrent]\nbidirectional = true\nkernel_regularizer = "l2(0.5)"\n[training]\npatience = 3\n')
    options = ["--no-bidirectional", "--kernel-regularizer", none, "--patience", none]
    settings = parse("--run", "a", "--settings", path, *options).settings
    assert settings.recurrent.bidirectional is False and settings.recurrent.kernel_regularizer is None
    assert settings.training.patience is None


def test_the_stored_settings_of_a_run_can_be_read_as_a_settings_file(tmp_path):
    options = ["--units", "7", "--class-weight", "balanced", "--recurrent-seed", "5", "--seed", "6"]
    settings = parse("--run", "a", *options).settings
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"task": "sentiment", **settings.model_dump(mode="json")}))
    assert read_settings(path, "sentiment", SentimentSettings) == settings
    assert (settings.recurrent.seed, settings.training.seed) == (5, 6)
    with pytest.raises(UserError, match="sentiment, not of chargen"):
        read_settings(path, "chargen", SentimentSettings)


def test_start_up_messages_are_hidden_unless_the_start_fails(capfd):
    with quiet_start():
        os.write(2, b"start-up message\n")
    with pytest.raises(ImportError), quiet_start():
        os.write(2, b"why it failed\n")
        raise ImportError
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "why it failed\nafterwards\n"
