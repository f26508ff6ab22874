"""The command line of every task: settings class -> options, and the one place where errors become an exit code.

Exit codes: 0; 2 for a mistake of the caller's; 1 for anything else; 130 when interrupted.
"""

import contextlib
import dataclasses
import errno
import importlib
import io
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import pydantic
import tyro

from models.recurrent_settings import Settings
from tasks.cli.settings_files import did_you_mean, explain, read_settings
from tasks.comparison.settings import YARDSTICKS, CompareArguments, Comparison
from tasks.errors import TrainingFailed, UserError

FLAT = (tyro.conf.OmitArgPrefixes,)  # --units, not --recurrent.units
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of a task.

    Attributes:
      function: "module:function"; imported when the command is run, since it brings TensorFlow. It takes the command's
        arguments. That of `train` takes the task's settings, the run's folder, `overwrite` and `verbose`, and gives
        the finished run.
      arguments: the class of its arguments; for `train` that of the task's settings. `compare` takes those of `train`,
        too, and its function a `Comparison`.
    """

    function: str
    arguments: type[Settings]


def main(task: str, commands: dict[str, Command], argv: Sequence[str] | None = None) -> int:
    """Runs `python -m tasks.TASK COMMAND ...`.

    Args:
      task: the task's name.
      commands: by name; `train` among them.
      argv: arguments; those of the process if None.

    Returns: the exit code.
    """
    program = f"python -m tasks.{task}"

    def run(argv: list[str]) -> int:
        if not argv or argv[0] in ("-h", "--help"):
            print(_overview(program, commands), file=sys.stdout if argv else sys.stderr)
            return 0 if argv else 2
        name, rest = argv[0], argv[1:]
        if name not in commands:
            raise UserError(
                f"{name!r} is no command of {program}; its commands: {', '.join(commands)}"
                f"{did_you_mean(name, commands)}"
            )
        command = commands[name]
        if name == "compare":
            arguments = _comparison(task, f"{program} {name}", command.arguments, commands["train"].arguments, rest)
        else:
            read = _train_arguments if name == "train" else _parse
            arguments = read(task, f"{program} {name}", command.arguments, rest)
        function = load(command.function)
        _train(function, arguments) if name == "train" else function(arguments)
        return 0

    return _guarded(run, argv)


def run_single(task: str, command: Command, argv: Sequence[str] | None = None) -> int:
    """Runs `python -m tasks.TASK ...` of a task that has one command; as `main` otherwise."""

    def run(argv: list[str]) -> int:
        arguments = _parse(task, f"python -m tasks.{task}", command.arguments, argv)
        load(command.function)(arguments)
        return 0

    return _guarded(run, argv)


def _guarded(run: Callable[[list[str]], int], argv: Sequence[str] | None) -> int:
    """The exit code of `run(argv)`, its errors turned into messages."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        for word in argv:
            if any("\ud800" <= character <= "\udfff" for character in word):  # how Python passes such bytes on
                raise UserError(f"{word!r} is not valid UTF-8; write the command in UTF-8")
        code = run(argv)
        sys.stdout.flush()
        return code
    except UserError as error:
        return _fail(str(error), 2)
    except TrainingFailed as error:
        return _fail(str(error), 1)
    except pydantic.ValidationError as error:
        return _fail(explain(error, option=True), 2)
    except SystemExit as error:  # tyro, after --help
        return int(error.code or 0)
    except KeyboardInterrupt:
        # With it only `train` goes on: it knows its own unfinished run.
        without = " without --overwrite" if "--overwrite" in argv and argv[0] != "train" else ""
        return _fail(f"interrupted; what is unfinished goes on with the same command{without}", 130)
    except BrokenPipeError:  # the reader of standard output has seen enough
        _drop_output()
        return 0
    except OSError as error:
        try:
            sys.stdout.flush()
        except OSError:  # standard output is what cannot be written
            _drop_output()
        return _fail(*os_error(error))
    except Exception as error:
        # TensorFlow's own writers have their own exceptions, with the system's words in them.
        full = next((code for code in DISK_FULL if os.strerror(code) in str(error)), None)
        if full is not None:
            return _fail(*os_error(OSError(full, os.strerror(full))))
        raise


def _fail(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _drop_output() -> None:
    """Sends what is still to be written to standard output nowhere; Python would fail with it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def os_error(error: OSError) -> tuple[str, int]:
    """What to say of it, and the exit code."""
    # The caller knows the name of the file, and not the one it has while it is written.
    place = f"{error.filename}: ".replace(".writing-", "") if error.filename else ""
    if error.errno in DISK_FULL:
        return f"{place}{error.strerror}; what was there before is kept. Make room and repeat the command", 1
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST):
        return f"{place}{error.strerror}; name a place that can be read and written", 2
    return f"{place}{error.strerror or error}", 1


def _overview(program: str, commands: dict[str, Command]) -> str:
    lines = [f"usage: {program} COMMAND ...", ""]
    for name, command in commands.items():
        lines.append(f"  {name:<10} {(command.arguments.__doc__ or '').strip().splitlines()[0]}")
    return "\n".join([*lines, "", f"{program} COMMAND --help lists the options."])


# --- from the command line to settings


def _train_arguments(task: str, program: str, settings_class: type[Settings], argv: list[str]) -> dict:
    file = _value_of("--settings", argv)
    default = settings_class() if file is None else read_settings(Path(file), task, settings_class)

    def train(
        run: Path,
        config: Annotated[settings_class, tyro.conf.arg(name="")] = default,
        settings: Path | None = None,
        overwrite: bool = False,
    ):
        return config, run, overwrite

    train.__doc__ = f"""{settings_class.__doc__}

    Args:
        run: The folder to train in, such as runs/NAME.
        settings: A .toml or .json file of settings; options given here beat it.
        overwrite: Trains anew where a finished run is; that one stays until the new one is finished.
    """
    argv = ["None" if word == "none" else re.sub(r"^(--[\w-]+)=none$", r"\1=None", word) for word in argv]
    config, run, overwrite = _parse(task, program, train, argv)
    # Options were put into copies of the groups; the checks between groups are those of the whole.
    return {"settings": settings_class.model_validate(config.model_dump()), "run": run, "overwrite": overwrite}


def _comparison(
    task: str, program: str, arguments_class: type[CompareArguments], settings_class: type[Settings], argv: list[str]
) -> Comparison:
    """The comparison's own options, and the settings of each variation, read as `train` would read them."""
    arguments, rest = _parse_known(arguments_class, program, argv)
    yardstick = YARDSTICKS[task]
    if arguments.metric is not None and arguments.metric not in yardstick.metrics:
        raise UserError(
            f"--metric {arguments.metric}: evaluate does not measure it; take {', '.join(yardstick.metrics)}"
            f"{did_you_mean(arguments.metric, yardstick.metrics)}"
        )
    settings = {}
    for name, chosen in arguments.variations.items():
        for option in chosen:
            if _value_of(f"--{option}", rest) is not None:
                how = "--cells" if option == "cell" else f"--vary {option}=..."
                raise UserError(f"--{option} is what is compared; name its values with {how} alone")
        words = [word for option, value in chosen.items() for word in _as_words(option, value, settings_class, program)]
        words += ["--run", arguments.run or name]
        settings[name] = _train_arguments(task, program, settings_class, [*rest, *words])["settings"]
    return Comparison(task, arguments, settings)


def _as_words(option: str, value: str, settings_class: type[Settings], program: str) -> list[str]:
    """An option with its value, as the command line has it: on or off where the option takes no value."""
    if value.lower() in ("true", "false") and f"--no-{option}" in _options(settings_class, program):
        return [f"--{option}" if value.lower() == "true" else f"--no-{option}"]
    return [f"--{option}", value]


def _value_of(option: str, argv: list[str]) -> str | None:
    for index, word in enumerate(argv):
        if word == option and index + 1 < len(argv):
            return argv[index + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _parse(task: str, program: str, target, argv: list[str]):
    """tyro's parse; an option that `target` does not have is an error."""
    result, unknown = _parse_known(target, program, argv)
    if unknown:
        options = _options(target, program)
        raise UserError(
            f"{unknown[0]!r} is no option of {program}{did_you_mean(unknown[0], options)}\n"
            f"{program} --help lists the options"
        )
    return result


def _parse_known(target, program: str, argv: list[str]) -> tuple:
    """tyro's parse, its framed error messages turned into a line; also gives the words that are not its own."""
    if any(word in ("-h", "--help") for word in argv):
        return tyro.cli(target, prog=program, args=argv, config=FLAT), []
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            return tyro.cli(target, prog=program, args=argv, config=FLAT, return_unknown_args=True)
    except SystemExit:
        message = _unframed(messages.getvalue(), _options(target, program))
        raise UserError(f"{message}\n{program} --help lists the options") from None


def _options(target, program: str) -> list[str]:
    help_text = io.StringIO()
    with contextlib.redirect_stdout(help_text), contextlib.suppress(SystemExit):
        tyro.cli(target, prog=program, args=["--help"], config=FLAT)
    return [word.strip(",│") for word in help_text.getvalue().split() if word.startswith("--")]


def _unframed(text: str, options: list[str]) -> str:
    lines = [line.strip("│╭╰╮╯─┌┐└┘ ").strip() for line in text.splitlines()]
    kept = []
    for line in lines:
        if line.startswith(("For full helptext", "Parsing error", "Required options", "Perhaps you meant")) or not line:
            continue
        kept.append(line)
    message = " ".join(kept)
    # pydantic's report of one mistake, framed by tyro: the setting, what is wrong, and what was given.
    mistake = re.search(
        r"validation errors? for \w+ (?:(\w+) )?(Value error, |Input )(.*?) \[type=.*?input_value=(.*?), input_type",
        message,
    )
    if mistake:
        setting, kind, reason, given = mistake.groups()
        reason = reason if kind == "Value error, " else f"{given} {reason}".replace(" should be", ": it should be")
        if not setting:
            return reason
        option = f"--{setting.replace('_', '-')}"
        return f"{option if option in options else setting}: {reason}"  # what is given by its place has no dashes
    message = re.sub(r"^(Value error|Invalid choice|Missing argument) ", "", message)
    message = re.sub(r"^Error parsing (--[\w-]+): ", r"\1: ", message).replace(" Argument helptext: ", "; ")
    unfit = re.match(r"(--[\w-]+): no type matching (\S+) could be instantiated from \['(.*?)'\]", message)
    if unfit:
        option, types, given = unfit.groups()
        return f"{option}: {given!r} is none of {types.replace('|', ', ').replace('{None}', 'none')}"
    required = re.search(r"Missing from .*?: (--[\w-]+ )?\S+ (.*?) \(required\)", message)
    if required:
        return f"{(required[1] or 'an argument ').strip()} is missing: {required[2]}"
    return message or "the command line could not be read"


# --- running


def _train(function: Callable, arguments: dict) -> None:
    with contextlib.redirect_stdout(sys.stderr):  # Keras draws its progress bar on standard output
        run = function(**arguments, verbose=1 if sys.stderr.isatty() else 2)
    print(run.path)


def load(function: str) -> Callable:
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("tasks").setLevel(logging.INFO)
    module, _, name = function.partition(":")
    with quiet_start():
        loaded = getattr(importlib.import_module(module), name)
        if "tensorflow" in sys.modules:
            sys.modules["tensorflow"].config.list_logical_devices()
    return loaded


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keeps what TensorFlow writes on standard error while it starts; shows it only if the start fails.

    The lines are written by C++ code before its logger reads TF_CPP_MIN_LOG_LEVEL, so the file descriptor is turned
    away.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    own = os.dup(2)
    # A pipe would block when it is full.
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(own, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(own, 2)
            os.close(own)
