"""Opens the labelled texts of a training or an evaluation. Imports no TensorFlow."""

from pathlib import Path

from tasks.data.evaluated_data import options_of_other_data
from tasks.data.records import Column
from tasks.data.sources import Source, open_source
from tasks.sentiment.labels import clean_label
from tasks.sentiment.settings import SentimentEvaluateArguments, SentimentSettings

SAMPLE = Path(__file__).parents[1] / "samples" / "sentiment"


def open_labelled_texts(settings: SentimentSettings, location: str | None = None) -> Source:
    """Open the records of (text, label) that the settings name; see `tasks.task.Task.open_source`."""
    chosen = settings.data
    return open_source(
        location or chosen.data,
        [Column("text", chosen.text_column), Column("label", chosen.label_column, required=True)],
        sample=SAMPLE,
        validation_fraction=chosen.validation_fraction,
        test_fraction=chosen.test_fraction,
        skip_bad_rows=chosen.skip_bad_rows,
        class_of=lambda record: clean_label(record.values[1]),
        options=chosen,
        files=chosen.split_files if location is None else {},
    )


def open_evaluation_source(settings: SentimentSettings, arguments: SentimentEvaluateArguments) -> Source:
    """Open the source of an evaluation, with the columns that the arguments name."""
    columns = {name: getattr(arguments, name) for name in ("text_column", "label_column")}
    chosen = {name: value for name, value in columns.items() if value is not None}
    chosen["skip_bad_rows"] = settings.data.skip_bad_rows or arguments.skip_bad_rows
    chosen |= options_of_other_data(settings.data, arguments, columns_named=bool({*columns.values()} - {None}))
    named = settings.data.model_copy(update=chosen)
    source = open_labelled_texts(settings.model_copy(update={"data": named}), arguments.data)
    if arguments.data is not None:
        source.report_files()
    return source
