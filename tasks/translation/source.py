"""Opens the sentence pairs of a training or an evaluation. Imports no TensorFlow."""

from pathlib import Path

from tasks.data.evaluated_data import options_of_other_data
from tasks.data.records import Column
from tasks.data.sources import Source, open_source
from tasks.errors import UserError
from tasks.translation.settings import TranslationEvaluateArguments, TranslationSettings

SAMPLE = Path(__file__).parents[1] / "samples" / "translation"
SIDES = ("source", "target")


def open_pairs(settings: TranslationSettings, location: str | None = None) -> Source:
    """Open the records of (source, target) that the settings name; see `tasks.task.Task.open_source`."""
    chosen = settings.data
    return open_source(
        location or chosen.data,
        [Column(side, name) for side, name in zip(SIDES, chosen.names, strict=True)],
        sample=SAMPLE,
        validation_fraction=chosen.validation_fraction,
        test_fraction=chosen.test_fraction,
        skip_bad_rows=chosen.skip_bad_rows,
        linked=range(len(SIDES)),
        options=chosen,
        files=chosen.split_files if location is None else {},
    )


def open_evaluation_source(settings: TranslationSettings, arguments: TranslationEvaluateArguments) -> Source:
    """Open the source of an evaluation, with the languages or columns that the arguments name.

    Raises:
        UserError: If the languages are not those that the run translates.
    """
    names = settings.data.names
    languages = (arguments.source_lang, arguments.target_lang)
    columns = (arguments.source_column, arguments.target_column)
    for given, own, other in zip(languages, names, names[::-1], strict=True):
        if given is not None and given == other != own:
            raise UserError(
                f"the run translates {names[0]} to {names[1]}, not {languages[0] or names[0]} to "
                f"{languages[1] or names[1]}; name a run of that direction"
            )
    chosen = [column or language or own for column, language, own in zip(columns, languages, names, strict=True)]
    if chosen[0] is not None and chosen[0] == chosen[1]:
        raise UserError(f"source and target are both {chosen[0]!r}; name two different languages or columns")
    named = {"source_lang": chosen[0], "target_lang": chosen[1], "source_column": None, "target_column": None}
    named["skip_bad_rows"] = settings.data.skip_bad_rows or arguments.skip_bad_rows
    given = bool({*languages, *columns} - {None})
    named |= options_of_other_data(settings.data, arguments, columns_named=given)
    data = settings.data.model_copy(update=named)
    source = open_pairs(settings.model_copy(update={"data": data}), arguments.data)
    if arguments.data is not None:
        source.report_files()
    return source
