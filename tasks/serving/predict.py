"""Answers texts with a run or an exported model of any task: from arguments, files and pipes."""

import json
import sys

from tqdm import tqdm

from tasks.arguments import PredictArguments
from tasks.serving import text_io
from tasks.serving.batched_inference import WINDOW
from tasks.serving.inference import load_export, load_run
from tasks.task import Task


def main(task: Task, arguments: PredictArguments) -> None:
    """Run the command that answers texts: `predict`, `generate` or `translate`."""
    if arguments.run is not None:
        predictor = load_run(task, arguments.run, arguments.overrides)
    else:
        predictor = load_export(task, arguments.model, arguments.overrides)
    rows, texts = None, arguments.texts
    if arguments.input is not None:
        kept = arguments.output_kind != "text"
        read = (arguments.input, arguments.input_kind, arguments.text_column, arguments)
        rows = text_io.Rows(text_io.read_texts(*read, all_columns=kept))
        texts = rows.texts()
    interactive = arguments.input == "-" and sys.stdin.isatty()  # a person waits for the answer to each line
    answers = task.answers(predictor, texts, arguments, 1 if interactive else WINDOW)
    # A progress bar appears on a terminal only, and only where it is not mixed with the answers.
    hidden = None if arguments.input is not None and arguments.output is not None else True
    with text_io.open_output(arguments.output) as out:
        if task.answer_step_by_step(predictor, arguments, out):
            return
        table = text_io.TableWriter(out, kind) if (kind := arguments.output_kind) in ("csv", "tsv") else None
        for number, answer in enumerate(tqdm(answers, unit=" texts", disable=hidden), start=1):
            row = text_io.NO_ROW if rows is None else rows.of_answer(number, arguments.answers_per_text)
            if table is not None:
                table.write(answer, row)
            elif kind == "jsonl":
                joined = row.fields | text_io.added(answer, row)
                print(text_io.encodable(json.dumps(joined, ensure_ascii=False)), file=out)
            else:
                print(task.format_answer(predictor, answer, number, arguments), file=out)
