"""Runs the study: measures all experiments, and writes tables, plots and checked claims."""

import json
import logging
from pathlib import Path

from tasks import atomic_files
from tasks.memory import claims
from tasks.memory.experiments import list_experiments
from tasks.memory.plots import draw_plots
from tasks.memory.results_folder import ResultsFolder
from tasks.memory.settings import MemoryArguments
from tasks.memory.tables import ResultTables
from tasks.memory.training import ExperimentRunner, check
from tasks.training import locks, process_state

log = logging.getLogger(__name__)


def main(arguments: MemoryArguments) -> None:
    """Run the study, and print its results."""
    tables, claim_results, files = run_study(arguments)
    if arguments.json_:
        print(json.dumps(_as_json(tables, claim_results)))
        return
    print(tables.as_text(1.0 / arguments.symbols))
    one_seed = "; one seed: --seeds 3 shows how much results vary" if arguments.seeds == 1 else ""
    print(f"\nClaims, checked on this task with these settings{one_seed}\n{claims.as_text(claim_results)}\n")
    for file in files:
        print(file)


def run_study(
    arguments: MemoryArguments, *, reopen: bool = False
) -> tuple[ResultTables, dict[str, claims.ClaimResult], list[Path]]:
    """Measure the experiments that are not in the folder of the results, and write tables, claims and plots.

    Args:
        arguments: Settings of the study.
        reopen: Whether results of other settings are removed; those of the same settings are not measured again.

    Returns:
        The tables, the result of the claim of each study, and the files written.

    Raises:
        UserError: If the folder contains something else, or results of other settings, or another process writes to
            it, or a network cannot be trained, or another thread of this process trains.
    """
    with process_state.trains(arguments.run):
        check(arguments)
        with locks.locked(arguments.run):
            return _run_study(arguments, reopen)


def _run_study(
    arguments: MemoryArguments, reopen: bool
) -> tuple[ResultTables, dict[str, claims.ClaimResult], list[Path]]:
    folder = ResultsFolder(arguments, replace=reopen)
    experiments, runner = list_experiments(arguments), ExperimentRunner(arguments)
    for number, experiment in enumerate(experiments, start=1):
        result = folder.get(experiment)
        stored = " (stored result)" if result else ""
        if result is None:
            result = runner.run(experiment)
            folder.add(result)
        outcome = "solved" if result["solved"] else "diverged" if result["diverged"] else "not solved"
        log.info(
            "%d of %d: %s: accuracy %.3f, %s after %d steps, %.1f s%s",
            *(number, len(experiments), experiment, result["accuracy"], outcome, result["steps"], result["seconds"]),
            stored,
        )
    tables = ResultTables(folder.get(experiment) for experiment in experiments)
    claim_results = claims.check_claims(tables, arguments)
    files = tables.write(folder.path)
    files.append(folder.path / "claims.json")
    atomic_files.write_json(files[-1], _as_json(tables, claim_results)["claims"])
    files += draw_plots(tables, arguments, folder.plots)
    return tables, claim_results, files


def _as_json(tables: ResultTables, claim_results: dict[str, claims.ClaimResult]) -> dict:
    return {
        "accuracy": tables.accuracy(),
        "state_gradients": tables.state_gradients(),
        "explosion": tables.explosion(),
        "claims": {study: result.as_dict() for study, result in claim_results.items()},
    }
