"""Seconds from the start of a command to its end, next to those of `import tensorflow` alone; minimum of the rounds.

The commands answer one text with the small networks of the tests, so nearly all of the time is that of starting and
ending. With `--former FOLDER`, another checkout of this project takes turns with this one.
"""

import shlex
from pathlib import Path

import pytest

from tasks.cli.main import main
from tests.benchmarks.processes import ROOT, Cost, cost
from tests.tasks.examples import EXAMPLES

# Command lines; RUN, MODEL and NEW stand for a run, its export and a new folder.
ANSWERING = {
    "sentiment": ["predict 'A fine film.' --run RUN", "predict 'A fine film.' --model MODEL"],
    "chargen": ["generate 'The ' --length 50 --run RUN", "generate 'The ' --length 50 --model MODEL"],
    "translation": ["translate 'A dog runs.' --run RUN", "translate 'A dog runs.' --model MODEL"],
}
OTHER = ("evaluate --run RUN", "explain 'A fine film.' --run RUN", "export --run RUN --to NEW")
PLACES = {"RUN": "{}/run", "MODEL": "{}/model", "NEW": "{}/new"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Small data, a run and an export of each task."""
    folder = tmp_path_factory.mktemp("start_up")
    for name, example in EXAMPLES.items():
        data = folder / name / "data"
        data.mkdir(parents=True)
        example.write(data)
        run, model = folder / name / "run", folder / name / "model"
        train = ["train", "--data", data / example.run_data, "--run", run, *example.options, *example.runs["tiny"]]
        for arguments in (train, ["export", "--run", run, "--to", model]):
            assert main(example.task, list(map(str, arguments))) == 0
    return folder


@pytest.mark.parametrize("commands", [ANSWERING, dict.fromkeys(ANSWERING, OTHER)], ids=["answering", "others"])
def test_seconds_until_a_command_ends(folder, commands, rounds, former, report):
    alone, roots = "import tensorflow", {"now": ROOT, **({} if former is None else {"before": former.resolve()})}
    lines = {alone: ["-c", alone]}
    for name, of_task in commands.items():
        for line in of_task:
            words = [PLACES.get(word, word).format(name) for word in shlex.split(line)]
            lines[f"{name} {line}"] = ["-m", f"tasks.{name}", *words]
    measured = {(line, when): [] for line in lines for when in roots}
    for _ in range(rounds):
        for line, when in measured:
            measured[line, when].append(cost(*lines[line], root=roots[when], folder=folder))
    best = {key: Cost(*map(min, zip(*costs, strict=True))) for key, costs in measured.items()}
    for title, field in (("seconds until the end", "seconds"), ("seconds of the processors", "processor")):
        heads = "".join(f"{when:>12}{'less import':>12}" for when in roots)
        report(f"\n{title:<60}{heads}")
        for line in lines:
            figures = [(getattr(best[line, when], field), getattr(best[alone, when], field)) for when in roots]
            report(f"{line:<60}" + "".join(f"{total:>12.2f}{total - first:>12.2f}" for total, first in figures))
