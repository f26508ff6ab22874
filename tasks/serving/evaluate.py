"""Evaluates a run of any task on a split."""

import contextlib
import json
import logging
import os
from pathlib import Path

import pydantic

from tasks import atomic_files
from tasks.arguments import EvaluateArguments
from tasks.data.evaluated_data import is_of_training
from tasks.data.library_logs import hidden_retracing_warnings
from tasks.data.overlap import WHOLE, Overlap
from tasks.errors import UserError
from tasks.reports.tables import print_results
from tasks.serving.weights import load_weights
from tasks.task import Task, check_task
from tasks.training import locks
from tasks.training.run_copies import pretrained_texts_of
from tasks.training.runs import Run
from tasks.validation import describe_validation_error

log = logging.getLogger(__name__)

Results = dict[str, float | int | None]


def main(task: Task, arguments: EvaluateArguments) -> None:
    """Run the command `evaluate`."""
    results, stored = _evaluate(task, arguments)
    if arguments.json_:
        print(json.dumps(results))
        return
    run = Run(arguments.run)
    print_results(results)
    task.print_evaluation(run, stored)
    for path in [*(run.path / name for name in task.evaluation_files), *sorted(run.plots.glob("*.png"))]:
        if path.exists():
            print(path)


def evaluate(task: Task, run: Path | str, **arguments) -> Results:
    """Evaluate a run; write evaluation.json, the files of the task, and pictures into the run's folder.

    Args:
        task: The task.
        run: The run's folder. While the run is training, its best weights so far are evaluated.
        **arguments: Other arguments of the command, under the names of `task.evaluate_arguments`: `data`, another
            source than the run's (a single file is read whole, unless a split is given), or data in memory, such as a
            data frame; `split`, one or several joined with +; and those of the task.

    Returns:
        The task's metrics by name, `examples`, `seconds` of inference, and `training_overlap`: the share of the
        examples that are also in the training data, of pairs also that of each side; `pretrained_overlap`: the share
        that language models, with which the training began, were trained on. A metric is None if it is not defined for
        the data.

    Raises:
        UserError: If an argument is unknown or invalid, the run or the source cannot be used, or another process
            evaluates the run.

    Example:
        >>> from tasks.sentiment.task import SENTIMENT
        >>> results = evaluate(SENTIMENT, "runs/mine", split="validation")
        >>> 0.0 <= results["accuracy"] <= 1.0
        True
    """
    check_task(task)
    try:
        parsed = task.evaluate_arguments(run=str(Run(run).path), **arguments)
    except pydantic.ValidationError as error:
        raise UserError(describe_validation_error(error, settings_class=task.evaluate_arguments)) from None
    return _evaluate(task, parsed)[0]


@hidden_retracing_warnings()
def _evaluate(task: Task, arguments: EvaluateArguments) -> tuple[Results, dict]:
    """Return the results, and the content of evaluation.json."""
    run = Run(arguments.run)
    with contextlib.ExitStack() as evaluation:
        if run.path.is_dir():  # another evaluation would write other files of the results
            evaluation.enter_context(locks.locked(run.evaluation_file))
        return _evaluate_locked(task, run, arguments)


def _evaluate_locked(task: Task, run: Run, arguments: EvaluateArguments) -> tuple[Results, dict]:
    settings = run.open_trained(task.name, task.settings_class)
    before = run.model_file.stat()
    source = task.open_evaluation_source(settings, arguments)
    # Data in memory is named again for each evaluation, also that of the training, of which a split is evaluated.
    other_data = arguments.data is not None and not (source.origin and is_of_training(source, settings.data))
    split = arguments.split or ("all" if other_data and source.single_file else "test")
    records, overlap = source.records(split), None
    if run.training_texts.exists():  # a run of an earlier version has none
        overlap = Overlap(run.training_texts, task.compared_texts(settings))
        records = overlap.counted(records)
    pretrained = None
    if pretrained_texts_of(run).exists():  # it began with language models
        pretrained = Overlap(pretrained_texts_of(run), task.compared_texts(settings))
        records = pretrained.counted(records)
    predictor = load_weights(task, run, settings, arguments.overrides)
    outcome = task.run_inference(predictor, settings, source, split, records)
    results = {metric.name: metric.compute(outcome) for metric in task.evaluation_metrics}
    results |= {"examples": outcome.examples, "seconds": outcome.seconds}
    if overlap is not None:
        for name, share in overlap.shares().items():
            results["training_overlap" + ("" if name == WHOLE else f"_{name}")] = share
        report = overlap.report()
        if report and (other_data or "train" not in split.split("+")):
            log.warning("%s: %s; results on these are not those on new texts", source.location, report)
    if pretrained is not None:
        share = results["pretrained_overlap"] = pretrained.shares()[WHOLE]
        if share and (arguments.data is not None or "test" in split.split("+")):
            log.warning(
                "%s: the language model has read %s of %s texts (%.1f%%) without their labels; results on these are "
                "not those on new texts",
                *(source.location, f"{round(share * pretrained.examples):,}", f"{pretrained.examples:,}", 100 * share),
            )
    if run.finished and not os.path.samestat(before, run.model_file.stat()):
        raise UserError(f"{run.path} was replaced by another training while it was evaluated; evaluate it again")
    run.plots.mkdir(exist_ok=True)
    further = task.write_evaluation(run, settings, predictor, outcome)
    data = arguments.data if arguments.data is not None else settings.data.data
    stored = {"data": source.origin or data, "split": split, **results, **further}
    atomic_files.write_json(run.evaluation_file, stored)
    return results, stored
