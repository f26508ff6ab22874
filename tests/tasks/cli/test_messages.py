"""Error messages name the option that the caller can change."""

import io
import operator

import pytest

from models.text import train_sentencepiece
from tasks.cli import joint_parsing, parsing
from tasks.cli.exit_codes import guarded
from tasks.cli.main import RESUMABLE
from tasks.cli.registry import all_tasks
from tasks.cluster.training_settings import ClusterTrainArguments
from tasks.comparison.settings import CompareArguments
from tasks.data import vocabularies
from tasks.errors import UserError
from tasks.settings import VocabularySettings

TASKS = {task.name: task for task in all_tasks()}
TEXTS = [f"a good film, number {number}, 한국어 {chr(0xAC00 + number)}" for number in range(300)]


@pytest.fixture(params=TASKS)
def task(request):
    return TASKS[request.param]


def refused(arguments_class, *argv: str) -> str:
    with pytest.raises(UserError) as error:
        parsing.parse("python -m tasks.x predict", arguments_class, list(argv))
    assert len(str(error.value).splitlines()) <= 2
    return str(error.value)


@pytest.mark.parametrize(
    "words",
    [
        ("--unknwn", "a text"),
        ("--unknwn", "3", "a text"),
        ("--unknwn=3", "a text"),
        ("a text", "--unknwn"),
        ("--unknwn", "--input", "file.txt"),
    ],
)
def test_an_unknown_option_is_named_wherever_the_text_stands(task, words):
    message = refused(task.predict_arguments, "--run", "r", *words)
    assert "'--unknwn" in message and "is no option of python -m tasks.x predict" in message


@pytest.mark.parametrize("text", ["--great film", "--", "--great", "-_- dull", "-5"])
def test_a_text_that_begins_with_dashes_is_a_text_after_two_dashes(task, text):
    arguments = parsing.parse("python -m tasks.x predict", task.predict_arguments, ["--run", "r", "--", text])
    assert arguments.texts == (text,)


def test_a_text_that_begins_with_dashes_gets_the_way_to_write_it(task):
    message = refused(task.predict_arguments, "--run", "r", "--great film")
    assert "'--great film' is no option" in message and "goes to the end, after --" in message


def test_the_old_name_of_an_option_may_begin_a_text_after_two_dashes(task):
    argv = ["--run", "r", "--", "--stride"]
    assert parsing.parse("python -m tasks.x predict", task.predict_arguments, argv).texts == ("--stride",)


@pytest.mark.parametrize("words", [("-x", "a text"), ("-great film",)])
def test_an_option_with_one_dash_is_named_too(task, words):
    assert f"'{words[0]}' is no option" in refused(task.predict_arguments, "--run", "r", *words)


@pytest.mark.parametrize("option", ["--data", "--train-files", "--seed"])
def test_an_option_without_its_values_is_an_error(task, option):
    for argv in (["--run", "r", option], [option, "--run", "r"]):
        with pytest.raises(UserError, match=f"^{option} needs a value\n"):
            parsing.train_arguments(task, "python -m tasks.x train", argv)


# An option that takes a list which may be empty, and its setting.
LISTS = [
    ("translation", "--attention-pairs", "evaluation.attention_pairs"),
    ("chargen", "--prompts", "evaluation.prompts"),
    ("chargen", "--stop", "sampling.stop"),
    ("sentiment", "--train-files", "data.train_files"),
]


@pytest.mark.parametrize(("name", "option", "setting"), LISTS)
def test_none_is_the_empty_list(name, option, setting):
    task, program = TASKS[name], "python -m tasks.x train"
    for words in ([option, "none"], [f"{option}=none"], [option, "1", option, "none"]):
        settings = parsing.train_arguments(task, program, [*words, "--run", "r"]).settings
        assert operator.attrgetter(setting)(settings) == ()
    varied = ["--cells", "lstm", "--vary", f"{option[2:]}=none,7"]
    for one, expected in zip(
        joint_parsing.comparison(task, program, CompareArguments, varied).settings.values(), [(), (7,)], strict=True
    ):
        assert [str(value) for value in operator.attrgetter(setting)(one)] == [str(value) for value in expected]


@pytest.mark.parametrize(("name", "option", "setting"), LISTS[:3])
def test_none_overrides_the_list_of_a_run(name, option, setting):
    words = ["--run", "r", option, "none"]
    arguments = parsing.parse("python -m tasks.x evaluate", TASKS[name].evaluate_arguments, words)
    assert arguments.overrides == {setting.rpartition(".")[2]: ()}
    without = parsing.parse("python -m tasks.x evaluate", TASKS[name].evaluate_arguments, ["--run", "r"])
    assert without.overrides == {}


def test_a_word_that_is_no_value_of_an_option_stays_none(task):
    settings, run, *_ = parsing.train_arguments(task, "python -m tasks.x train", ["--run", "none", "--data", "none"])
    assert (settings.data.data, str(run)) == ("none", "none")


@pytest.mark.parametrize(
    ("name", "words", "part"),
    [
        ("chargen", ("--temperatures", "none"), "--temperatures: must not be empty; give one at least"),
        ("chargen", ("--temperatures", "-1"), "--temperatures: -1.0: it should be greater than or equal to 0"),
        ("translation", ("--attention-pairs", "x"), "--attention-pairs: "),
        ("translation", ("--attention-pairs", "none", "1"), "--attention-pairs: "),
        ("translation", ("--attention-pairs", "0"), "--attention-pairs: 0: it should be greater than or equal to 1"),
    ],
)
def test_a_wrong_list_is_named(name, words, part):
    task = TASKS[name]
    assert refused(task.evaluate_arguments, "--run", "r", *words).startswith(part)
    with pytest.raises(UserError) as error:
        parsing.train_arguments(task, "python -m tasks.x train", ["--run", "r", *words])
    assert str(error.value).startswith(part) and "type=" not in str(error.value)


def test_vary_without_a_value_is_an_error(task):
    with pytest.raises(UserError, match=r"^--vary needs a value\n"):
        joint_parsing.comparison(task, "python -m tasks.x compare", CompareArguments, ["--vary"])


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--celss", "lstm"), "'--celss' is no option of python -m tasks.x compare; did you mean --cells?"),
        (("--cells", "lstm", "gru"), "write --cells lstm,gru"),
        (("--cells=lstm", "gru", "simple_rnn", "--jobs", "2"), "write --cells lstm,gru,simple_rnn"),
        (("--jobs", "2", "--units", "8", ",16", "--seeds", "2"), "write --units 8,16"),
        (("--processes", "2", "--epochs", "0"), "--epochs"),
        (("--stride", "2"), "--stride is now called --pool-size"),
        (("--epoch", "3"), "'--epoch' is no option of python -m tasks.x compare; did you mean --epochs?"),
    ],
)
def test_a_wrong_word_of_a_comparison_is_explained(words, part):
    with pytest.raises(UserError) as error:
        joint_parsing.comparison(TASKS["sentiment"], "python -m tasks.x compare", CompareArguments, [*words])
    assert part in str(error.value)


def test_a_misspelt_option_of_the_workers_is_explained():
    with pytest.raises(UserError, match="did you mean --workers"):
        joint_parsing.train_on_workers(
            "python -m tasks.x train", ClusterTrainArguments, TASKS["sentiment"], ["--run", "r", "--workrs", "2"]
        )
    with pytest.raises(UserError, match="'128' is no option"):  # --units of a training is one number
        joint_parsing.train_on_workers(
            "python -m tasks.x train", ClusterTrainArguments, TASKS["sentiment"], ["--run", "r", "--units", "64", "128"]
        )


# Commands, and options of them that take a name or a place.
NAMES = [
    ("train", "--run"),
    ("train", "--data"),
    ("train", "--settings"),
    ("train", "--initial-run"),
    ("train", "--text-column"),
    ("evaluate", "--run"),
    ("evaluate", "--data"),
    ("predict", "--run"),
    ("predict", "--model"),
    ("predict", "--input"),
    ("predict", "--output"),
    ("export", "--to"),
    ("explain", "--plot"),
    ("compare", "--run"),
]


@pytest.mark.parametrize(("command", "option"), NAMES)
@pytest.mark.parametrize("joined", [False, True])
def test_an_empty_value_is_an_error(sentiment, tmp_path, monkeypatch, command, option, joined):
    monkeypatch.chdir(tmp_path)
    rest = {"predict": ["a text"], "explain": ["a text"]}.get(command, [])
    run = ["--run", "r"] if option not in ("--run", "--model") else []
    message = sentiment(command, *rest, *run, *([f"{option}="] if joined else [option, ""])).error()
    assert f"{option}: the value is empty" in message
    assert not list(tmp_path.iterdir())


def test_a_value_for_an_option_that_takes_none_is_named(task):
    for words in (("--json=3", "a text"), ("a text", "--json=3")):
        message = refused(task.predict_arguments, "--run", "r", *words)
        assert "--json takes no value" in message and "--no-json" in message


def test_a_message_has_no_frame_where_standard_output_is_ascii(task, monkeypatch):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    message = refused(task.predict_arguments, "--run", "r", "--input-format", "CSV", "--window", "2")
    assert message.startswith("--input-format: 'CSV' is none of ") and "---" not in message


def test_a_missing_text_is_still_named(task):
    if task.predict_arguments.model_construct().texts_required:
        assert "--input FILE" in refused(task.predict_arguments, "--run", "r")


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"character_coverage": 0.9}, ["character_coverage=0.9 (--character-coverage)", "0.98 to 1"]),
        ({"vocabulary_size": 50}, ["50 pieces are too few", "vocabulary_size (--vocabulary-size)"]),
        ({"vocabulary_size": 50, "vocabulary_type": "bpe"}, ["too few", "(--vocabulary-size)"]),
    ],
)
def test_what_sentencepiece_refuses_is_said_in_options(settings, parts):
    with pytest.raises(UserError) as error:
        vocabularies.learn(TEXTS, VocabularySettings(**settings), "reviews.csv")
    for part in [*parts, "reviews.csv: "]:
        assert part in str(error.value)
    assert ".cc" not in str(error.value)


def test_a_size_below_the_special_pieces_is_named():
    with pytest.raises(ValueError, match="vocabulary_size=1: expected more than 4"):
        train_sentencepiece(TEXTS, size=1)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["train", "--overwrite"], "the same command resumes it"),
        (["compare"], "the same command resumes it"),
        (
            ["compare", "--overwrite"],
            "the same command resumes it, without --overwrite once its first run has finished",
        ),
        (["predict"], "the same command starts from the beginning"),
        (["evaluate"], "the same command starts from the beginning"),
    ],
)
def test_an_interrupted_command_says_whether_it_can_be_resumed(capsys, argv, message):
    def interrupted(argv):
        raise KeyboardInterrupt

    assert guarded(interrupted, argv, resumable=RESUMABLE) == 130
    assert capsys.readouterr().err == f"error: interrupted; {message}\n"


def test_a_package_that_is_not_installed_is_named_without_a_traceback(process, tmp_path):
    program = (
        "import sys; sys.modules['gensim'] = None; from tasks.vectors import commands; "
        "from tasks.cli.main import main_of_group; sys.exit(main_of_group(commands.VECTORS))"
    )
    started = process("-c", program, "neighbours", "--run", tmp_path, "moon")
    _, err = started.communicate()
    assert started.returncode == 1 and b"Traceback" not in err
    assert b"gensim" in err and b"pip install -e . in the folder of this project" in err
