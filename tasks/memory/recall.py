"""How long does it remember? Runs the studies, and sets the claims of textbooks beside what was measured."""

import json
import logging
from pathlib import Path

from tasks import atomic_files
from tasks.memory import plots, verdicts
from tasks.memory.experiments import experiments
from tasks.memory.measure import Measurer
from tasks.memory.results import Results
from tasks.memory.settings import RecallArguments
from tasks.memory.tables import Table

log = logging.getLogger(__name__)


def main(arguments: RecallArguments) -> None:
    table, found, files = study(arguments)
    if arguments.json_:
        print(json.dumps(_as_json(table, found)))
        return
    print(table.as_text(1.0 / arguments.symbols))
    luck = "; from one seed, --seeds 3 tells how much is luck" if arguments.seeds == 1 else ""
    print(f"\nVerdicts, on this task and with these settings{luck}\n{verdicts.as_text(found)}\n")
    for file in files:
        print(file)


def study(arguments: RecallArguments) -> tuple[Table, dict[str, verdicts.Verdict], list[Path]]:
    """Measures what is asked for and not in the folder yet; writes the tables, the verdicts and the pictures.

    Returns: the tables, the verdict on the claim of each study, and the files written.

    Raises:
      UserError: the folder holds something else, or results of other settings.
    """
    results = Results(arguments)
    wanted, measurer = experiments(arguments), Measurer(arguments)
    for number, experiment in enumerate(wanted, start=1):
        row = results.get(experiment)
        done = " (done before)" if row else ""
        if row is None:
            row = measurer.measure(experiment)
            results.add(row)
        end = "solved" if row["solved"] else "diverged" if row["diverged"] else "stopped"
        log.info(
            "%d of %d: %s: %.3f right, %s after %d steps, %.1f s%s",
            *(number, len(wanted), experiment, row["accuracy"], end, row["steps"], row["seconds"], done),
        )
    table = Table(results.get(experiment) for experiment in wanted)
    found = verdicts.verdicts(table, arguments)
    files = table.write(results.path)
    atomic_files.write_json(results.path / "verdicts.json", _as_json(table, found)["verdicts"])
    files.append(results.path / "verdicts.json")
    files += plots.draw(table, arguments, results.plots)
    return table, found, files


def _as_json(table: Table, found: dict[str, verdicts.Verdict]) -> dict:
    return {
        "accuracy": table.accuracy(),
        "state_gradients": table.state_gradients(),
        "explosion": table.explosion(),
        "verdicts": {name: verdict.as_dict() for name, verdict in found.items()},
    }
