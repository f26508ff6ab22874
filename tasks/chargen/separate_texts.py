"""Separate texts, each with an end, from any source that has rows: what a model of pieces is trained on.

Imports no TensorFlow.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence

from tasks.chargen import text_files, text_source
from tasks.chargen.records import BOUNDARY
from tasks.chargen.settings import ChargenEvaluateArguments, ChargenSettings
from tasks.chargen.text_source import TextSource
from tasks.data.evaluated_data import options_of_other_data
from tasks.data.records import Column, Record, is_blank
from tasks.data.sources import Source, open_source
from tasks.errors import UserError

# A text is read in parts of whole lines of at least this number of characters.
PART = 4000


def open_source_of(settings: ChargenSettings, location: str | Sequence[str] | None = None) -> Source | TextSource:
    """Open the text or the texts that the settings name; see `tasks.task.Task.open_source`."""
    if settings.vocabulary.tokenizer == "sentencepiece":
        return open_separate_texts(settings, location)
    return text_source.open_text(settings, location)


def check_source(settings: ChargenSettings) -> None:
    """Check what can be checked of the texts without reading them; raise `UserError`."""
    if settings.vocabulary.tokenizer == "sentencepiece" and text_source.has_rows(settings.data.data, settings.data):
        if not str(settings.data.data).startswith("tfds:"):
            open_separate_texts(settings)
        return
    text_source.check_text(settings)


def open_evaluation_source(settings: ChargenSettings, arguments: ChargenEvaluateArguments) -> Source | TextSource:
    """Open the text that `evaluate` reads: that of the run, or `--data`."""
    column = {} if arguments.text_column is None else {"text_column": arguments.text_column}
    options = options_of_other_data(settings.data, arguments, columns_named=bool(column))
    options["skip_bad_rows"] = settings.data.skip_bad_rows or arguments.skip_bad_rows
    data = settings.data.model_copy(update=column | options)
    return open_source_of(settings.model_copy(update={"data": data}), arguments.data)


def open_separate_texts(settings: ChargenSettings, location: str | Sequence[str] | None = None) -> Source | TextSource:
    """Open separate texts: the rows of a table or of a TensorFlow data set, or the lines or the whole of a text.

    Args:
        settings: The settings of a run.
        location: Another source than that of the settings.

    Raises:
        UserError: If the location does not exist, or has no text.
    """
    chosen = settings.data
    of_run = location is None
    location = chosen.data if of_run else location
    if not text_source.has_rows(location, chosen):
        if of_run and chosen.splits != "train":
            raise UserError(
                f"--splits {chosen.splits}: {location} is a text without named splits; leave it out, or name the "
                "column of a table with --text-column"
            )
        return text_source.open_text(settings, None if of_run else location)
    source = open_source(
        location,
        [Column("text", chosen.text_column)],
        sample=text_files.SAMPLE,
        validation_fraction=chosen.validation_fraction,
        test_fraction=chosen.test_fraction,
        skip_bad_rows=chosen.skip_bad_rows,
        options=chosen,
        files=chosen.split_files if of_run else {},
    )
    return _with_training_splits(source, chosen.splits) if of_run else source


def _with_training_splits(source: Source, splits: str) -> Source:
    """Return a source whose training split consists of several splits."""
    names = splits.split("+")
    unknown = [name for name in names if name not in source.readers]
    if unknown or len({*names}) < len(names):
        raise UserError(
            f"--splits {splits}: {source.location} has the splits {', '.join(source.splits)}; name some of them, each "
            "once, joined by +"
        )
    for name, use in (("validation", "chooses the weights"), ("test", "is for the evaluation")):
        if name in names:
            raise UserError(f"--splits {splits}: the {name} split {use}, so it is not trained on; leave it out")
    readers = [source.readers[name] for name in names]
    training = lambda: itertools.chain.from_iterable(reader() for reader in readers)  # noqa: E731
    return dataclasses.replace(source, readers={**source.readers, "train": training})


def texts(source: Source | TextSource, split: str, lines: bool) -> Iterator[Record]:
    """Yield the texts of a split, without those that are blank.

    Args:
        source: The source.
        split: Its split.
        lines: Whether each line is a text, see `ChargenSourceSettings.records`.
    """
    return texts_of(source.records(split), lines)


def texts_of(records: Iterable[Record], lines: bool) -> Iterator[Record]:
    """Yield the texts of records, see `texts`."""
    for record in records:
        texts = [Record((line,), record.location) for line in record.values[0].split(BOUNDARY)] if lines else [record]
        yield from (text for text in texts if not is_blank(text.values[0]))


def parts(text: str) -> Iterator[str]:
    """Yield the parts of a text: `PART` characters or a little more, to the end of a line or, if that is long, a word.

    The pieces of all parts are those of the text. Only a text with `2 * PART` characters without a blank or a line end
    is cut elsewhere, where the pieces can differ.
    """
    start = 0
    while start < len(text):
        ends = (text.find(end, start + PART - 1, start + 2 * PART) + 1 for end in ("\n", " "))
        end = next(filter(None, ends), start + 2 * PART)
        yield text[start:end]
        start = end
