"""The command lines of commands that also take every option of `train`: comparisons, and trainings on workers."""

import contextlib
import itertools
import re
from collections.abc import Iterator

from models.recurrent_settings import Settings
from tasks.cli.initial_settings import value_of
from tasks.cli.none_values import with_none
from tasks.cli.parsing import TrainArguments, check_values, options_of, parse_known, train_arguments
from tasks.comparison.settings import CompareArguments, Comparison
from tasks.errors import UserError, did_you_mean
from tasks.task import Task
from tasks.training import unlabelled

# Options that are one word of several values.
COMMA_LISTS = ("--cells", "--units")


def comparison(task: Task, program: str, arguments_class: type[CompareArguments], argv: list[str]) -> Comparison:
    """Parse the arguments of `compare`, and for each variation the settings, as `train` would parse them."""
    arguments, rest = parse_first(arguments_class, program, argv)
    metrics = [metric.name for metric in task.evaluation_metrics if metric.higher_is_better is not None]
    if arguments.metric is not None and arguments.metric not in metrics:
        raise UserError(
            f"--metric {arguments.metric}: evaluate does not measure it; take {', '.join(metrics)}"
            f"{did_you_mean(arguments.metric, metrics)}"
        )
    for option in ("epochs", "steps-per-epoch"):
        if arguments.minutes is not None and (option in arguments.axes or value_of(f"--{option}", rest) is not None):
            raise UserError(
                f"--minutes {arguments.minutes:g} with --{option}: the number of steps follows from the minutes; give "
                "one of them"
            )
    settings = {}
    for name, chosen in arguments.variations.items():
        for option in chosen:
            if value_of(f"--{option}", rest) is not None:
                how = "--cells" if option == "cell" else f"--vary {option}=..."
                raise UserError(f"--{option} is what is compared; name its values with {how} alone")
        words = [
            word for option, value in chosen.items() for word in _as_words(option, value, task.settings_class, program)
        ]
        words += ["--run", arguments.run or name]
        with _explained(task, program, arguments_class, argv):
            settings[name] = train_arguments(task, program, [*rest, *words]).settings
        unlabelled.check_trained(settings[name])
        for other in settings:
            if other != name and settings[other] == settings[name]:
                raise UserError(f"{other} and {name} are the same settings; give each value once")
    return Comparison(task, arguments, settings)


def train_on_workers(
    program: str, arguments_class: type[Settings], task: Task, argv: list[str]
) -> tuple[Settings, list[str], TrainArguments]:
    """Parse the arguments of a training on several workers.

    Returns:
        Its own arguments, the words that are options of `train`, and what they ask for.
    """
    arguments, rest = parse_first(arguments_class, program, argv)
    with _explained(task, program, arguments_class, argv):
        return arguments, rest, train_arguments(task, f"python -m tasks.{task.name} train", rest)


def parse_first(arguments_class: type[Settings], program: str, argv: list[str]) -> tuple[Settings, list[str]]:
    """Parse the arguments of a class; also return those of others, which are parsed afterwards."""
    check_values(argv, arguments_class, program)
    return parse_known(arguments_class, program, with_none(argv, arguments_class))


def _as_words(option: str, value: str, settings_class: type[Settings], program: str) -> list[str]:
    """Return an option with its value in words of the command line; an option without a value is on or off."""
    if value.lower() in ("true", "false") and f"--no-{option}" in options_of(settings_class, program):
        return [f"--{option}" if value.lower() == "true" else f"--no-{option}"]
    return [f"--{option}", value]


@contextlib.contextmanager
def _explained(task: Task, program: str, arguments_class: type[Settings], argv: list[str]) -> Iterator[None]:
    """Explain an error of the options of `train` whose cause is a word that was meant for the command itself."""
    try:
        yield
    except UserError as error:
        own = options_of(arguments_class, program)
        for option, values in _values(argv):
            if option in COMMA_LISTS and option in own and len(values) > 1:
                listed = ",".join(value.strip(",") for value in values)
                raise UserError(
                    f"{option} {' '.join(values)}: its values are separated by commas; write {option} {listed}"
                ) from None
        if unknown := re.match(r"'(--[^']*)' is no option of ", str(error)):
            name = unknown[1].partition("=")[0].replace("_", "-")
            hint = did_you_mean(name, [*own, *options_of(task.settings_class, program)])
            if hint in (did_you_mean(one, [one]) for one in own):
                raise UserError(
                    f"{unknown[1]!r} is no option of {program}{hint}\n{program} --help lists the options"
                ) from None
        raise


def _values(argv: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each option with the words that follow it, up to the next option."""
    words = [part for word in argv for part in (word.split("=", 1) if re.match(r"--[\w-]+=", word) else [word])]
    starts = [index for index, word in enumerate(words) if word.startswith("-")]
    for start, end in itertools.pairwise([*starts, len(words)]):
        yield words[start], words[start + 1 : end]
