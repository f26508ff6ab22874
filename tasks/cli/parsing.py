"""From the command line to settings and arguments: tyro, with its messages in one line."""

import contextlib
import io
import itertools
import re
from pathlib import Path
from typing import Annotated, NamedTuple

import tyro

from models.recurrent_settings import Settings
from tasks.cli.initial_settings import initial_settings, value_of
from tasks.cli.none_values import option_name, with_none, with_switches
from tasks.cli.renamed import check_options
from tasks.cli.settings_files import read_groups, with_groups
from tasks.commands import CommandGroup
from tasks.data import worker_processes
from tasks.errors import UserError, did_you_mean
from tasks.task import Task
from tasks.training import pretrained, unlabelled

# How tyro writes the types of values, in words.
TYPES = {
    **{"|": ", ", "{None}": "none", "INT": "whole number", "FLOAT": "number", "STR": "text"},
    **{"{[INT [INT ...]]}": "whole numbers", "{[FLOAT [FLOAT ...]]}": "numbers"},
}
WORDS = re.compile("|".join(map(re.escape, TYPES)))
FLAT = (tyro.conf.OmitArgPrefixes,)  # --units, not --recurrent.units


class TrainArguments(NamedTuple):
    """What the command line of `train` asks for.

    Attributes:
        settings: The settings.
        run: The folder.
        overwrite: Whether a finished run is replaced.
        processes: Maximum number of processes that prepare the data; None is the number of cores.
    """

    settings: Settings
    run: Path
    overwrite: bool
    processes: int | None


def train_arguments(task: Task | CommandGroup, program: str, argv: list[str]) -> TrainArguments:
    """Parse the arguments of `train`: options override the settings file, and the file overrides the defaults.

    Some options change the defaults; see `tasks.cli.initial_settings`.
    """
    settings_class = task.settings_class
    options = {option: value_of(option, argv) for option in ("--settings", "--run", "--initial-run", "--pretrained")}
    for option, value in options.items():
        if value == "":
            raise UserError(f"{option}: the value is empty; give one\n{program} --help lists the options")
    file, folder, *_ = options.values()
    stored = {} if file is None else read_groups(Path(file), task.name, settings_class)
    base = initial_settings(task, argv, stored, folder)
    default = with_groups(base, stored, settings_class, file)

    def train(
        run: Path,
        config: Annotated[settings_class, tyro.conf.arg(name="")] = default,
        settings: Path | None = None,
        overwrite: bool = False,
        processes: int | None = None,
    ):
        return config, run, overwrite, processes

    train.__doc__ = f"""{settings_class.__doc__}

    Args:
        run: The folder to train in, such as runs/NAME.
        settings: A .toml or .json file of settings; options given here override it.
        overwrite: Replaces a finished run, which stays until the new one is finished.
        processes: Maximum number of processes that prepare the data; one for each core if not given.
    """
    config, run, overwrite, processes = parse(program, train, argv, settings_class)
    worker_processes.check(processes)
    # Options were put into copies of the groups; checks between groups need the whole.
    given = unlabelled.planned(settings_class.model_validate(config.model_dump()), run)
    pretrained.check(given, run, strict=True)
    return TrainArguments(given, run, overwrite, processes)


def parse(program: str, target, argv: list[str], settings_class: type[Settings] | None = None, hint: str = ""):
    """Parse arguments with tyro.

    Args:
        program: The program and the command, for messages.
        target: The class of the arguments, or a function.
        argv: The arguments.
        settings_class: For a function: the class of the settings that it takes.
        hint: Where options go that are not of this program, for the message about an unknown option.

    Raises:
        UserError: If they are invalid, or contain an unknown option.
    """
    argv = with_switches(argv, settings_class or target)
    options_given = argv[: argv.index("--")] if "--" in argv else argv  # what follows -- are texts
    check_options(options_given)
    check_values(options_given, target, program)
    try:
        result, unknown = parse_known(target, program, with_none(argv, settings_class or target))
    except UserError:
        # tyro takes an unknown option for a text, and reports something else about the texts.
        _check_names(options_given, target, program, hint)
        raise
    if unknown:
        _check_switches(options_given, unknown[0], options_of(target, program))
        raise _unknown_option(unknown[0], target, program, hint)
    return result


def check_values(argv: list[str], target, program: str) -> None:
    """Raise `UserError` if an option is without its values; tyro takes a list of none for a list."""
    if "--help" in argv or "-h" in argv:
        return
    bare = [
        word
        for word, following in itertools.pairwise([*argv, "--"])
        if re.fullmatch(r"--\w[\w-]*", word) and re.match(r"--(\w|$)", following)
    ]
    given = [word for word in argv if re.match(r"--\w[\w-]*=", word)]
    options = options_of(target, program) if bare or given else []
    for word in (one.replace("_", "-") for one in bare):
        if word in options and f"--no-{word[2:]}" not in options and word[2:5] != "no-":
            raise UserError(f"{word} needs a value\n{program} --help lists the options")
    for name, _, value in (word.partition("=") for word in given):
        _check_switches([name, value], value, options)


def _check_switches(argv: list[str], value: str, options: list[str]) -> None:
    """Raise `UserError` if a value follows an option that has none; tyro takes it for a text, if there are texts."""
    for name, following in itertools.pairwise(argv):
        if following == value and f"--no-{name[2:]}" in options:
            raise UserError(f"{name} takes no value, and {value!r} was given; write {name} or --no-{name[2:]}")


def _check_names(argv: list[str], target, program: str, hint: str) -> None:
    """Raise `UserError` if one of the words looks like an option and is none."""
    options = options_of(target, program)
    for word in argv:
        if re.match(r"--\w|-[^\W\d_]", word) and word.partition("=")[0].replace("_", "-") not in options:
            raise _unknown_option(word, target, program, hint)


def _unknown_option(word: str, target, program: str, hint: str) -> UserError:
    fields = getattr(target, "model_fields", {})
    if not hint and {"text", "texts"} & {*fields}:
        hint = "a text that begins with dashes goes to the end, after --"
    return UserError(
        f"{word!r} is no option of {program}{did_you_mean(word, options_of(target, program))}\n"
        f"{program} --help lists the options{hint and f'; {hint}'}"
    )


def parse_known(target, program: str, argv: list[str]) -> tuple:
    """Parse arguments with tyro, whose framed messages become one line; also returns the words that are unknown."""
    if any(word in ("-h", "--help") for word in argv):
        return tyro.cli(target, prog=program, args=argv, config=FLAT), []
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            return tyro.cli(target, prog=program, args=argv, config=FLAT, return_unknown_args=True)
    except SystemExit:
        message = _unframed(messages.getvalue(), options_of(target, program))
        raise UserError(f"{message}\n{program} --help lists the options") from None


def options_of(target, program: str) -> list[str]:
    """Return the options of a program, as its help lists them."""
    help_text = io.StringIO()
    with contextlib.redirect_stdout(help_text), contextlib.suppress(SystemExit):
        tyro.cli(target, prog=program, args=["--help"], config=FLAT)
    words = help_text.getvalue().split()
    switches = [name for name, values in itertools.pairwise(words) if values == "{None,True,False}"]
    options = [word.strip(",│") for word in words if word.startswith("--")]
    return options + [f"--no-{name[2:]}" for name in switches]  # see `with_switches`


def _option_of(group: str, setting: str) -> str:
    """Return the option of a setting of a class."""
    classes = [Settings]
    for one in classes:
        classes += one.__subclasses__()
        if one.__name__ == group and setting in one.model_fields:
            return option_name(setting, one.model_fields[setting])
    return f"--{setting.replace('_', '-')}"


def _unframed(text: str, options: list[str]) -> str:
    lines = [line.strip("│╭╰╮╯─┌┐└┘ ").strip() for line in text.splitlines()]
    kept = []
    for line in lines:
        if line.startswith(
            ("For full helptext", "Parsing error", "Required options", "Perhaps you meant")
        ) or not line.strip("-"):
            continue  # frames are of dashes where the encoding of standard output is not UTF-8
        kept.append(line)
    message = " ".join(kept)
    # pydantic's report of one error, framed by tyro: the setting, what is wrong, and what was given.
    mistake = re.search(
        r"validation errors? for (\w+) (?:(\w+)(?:\.\d+)? )?(Value error, |Input )(.*?) "
        r"\[type=.*?input_value=(.*?), input_type",
        message,
    )
    if mistake:
        group, setting, kind, reason, given = mistake.groups()
        reason = reason if kind == "Value error, " else f"{given} {reason}".replace(" should be", ": it should be")
        if not setting:
            return reason
        option = _option_of(group, setting)
        return f"{option if option in options else setting}: {reason}"  # a positional argument has no dashes
    types = re.findall(
        r"(\w+)\.(?:[\w-]+\[.*?\]|[\w-]+|`.*?`) (\S.*?) \[type=(\w+), input_value=(.*?), input_type", message
    )
    if "validation errors for" in message and types:  # one for each type of the setting: the last is not "auto"
        setting, reason, kind, given = types[-1]
        other = ", or auto" if "literal['auto']" in message and kind != "literal_error" else ""
        option = _option_of(re.search(r"errors for (\w+)", message).group(1), setting)
        reason = f"{given} {reason.removeprefix('Input ')}".replace(" should be", ": it should be")
        return f"{option}: {reason}{other}"
    message = re.sub(r"^(Value error|Invalid choice|Missing argument) ", "", message)
    choice = re.match(r"invalid choice '(.*?)' for argument '(--[\w-]+).*?'. Expected one of \((.*)\)", message)
    if choice:
        given, option, known = choice.groups()
        known = known.replace("'None'", "'none'")
        hint = did_you_mean(given, re.findall(r"'(.*?)'", known))
        return f"{option}: {given!r} is none of {known}{hint}"
    message = re.sub(r"^Missing value for argument '(--[\w-]+).*?'\..*", r"\1 needs a value", message)
    message = re.sub(r"^Error parsing (--[\w-]+): ", r"\1: ", message).replace(" Argument helptext: ", "; ")
    message = re.sub(r"invalid literal for int\(\) with base 10: ('.*?')", r"\1 is not a whole number", message)
    message = re.sub(r"could not convert string to float: ('.*?')", r"\1 is not a number", message)
    message = re.sub(
        r"Exceeds the limit \(\d+ digits\).*? value has (\d+) digits.*? to increase the limit",
        r"a number of \1 digits is too large",
        message,
    )
    message = re.sub(
        r"^(--[\w-]+): Could not find valid parse for arguments: \[(.*?)\]; --[\w-]+ \[(INT|FLOAT) .*",
        lambda found: f"{found[1]}: expected {TYPES[found[3]]}s, and not {found[2]}",
        message,
    )
    unfit = re.match(r"(--[\w-]+): no type matching (.+?) could be instantiated from \['(.*?)'\]", message)
    if unfit:
        option, types, given = unfit.groups()
        return f"{option}: {given!r} is none of {WORDS.sub(lambda one: TYPES[one[0]], types)}"
    required = re.search(r"Missing from .*?: (--[\w-]+ )?\S+ (.*?) \(required\)", message)
    if required:
        return f"{(required[1] or 'an argument ').strip()} is missing: {required[2]}"
    return message or "the command line could not be read"
