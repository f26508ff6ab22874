"""The data of an evaluation next to those of the training. Imports no TensorFlow."""

from typing import Any, Protocol

from tasks.arguments import EvaluateArguments
from tasks.data import locations
from tasks.file_options import FileOptions
from tasks.settings import SourceSettings


class OpenedSource(Protocol):
    """What is compared of a source."""

    location: str
    origin: str


def is_of_training(source: OpenedSource, training: SourceSettings) -> bool:
    """Return whether a source that an evaluation has opened is that of the training data, with the same splits.

    Args:
        source: The source.
        training: The settings of the training data.
    """
    return (source.origin or source.location) == locations.shown(training.data) and not training.split_files


def options_of_other_data(training: FileOptions, given: EvaluateArguments, *, columns_named: bool) -> dict[str, Any]:
    """Return the file options of an evaluation, by name.

    Args:
        training: The options of the training data, which hold if no other data are named.
        given: The arguments of the evaluation.
        columns_named: Whether the arguments name a column. Otherwise the columns are those of the training data, and if
            these are numbers, the other data have no header either.
    """
    if given.data is None:
        return {}
    header = given.header and (training.header or columns_named)
    return {"delimiter": given.delimiter, "encoding": given.encoding, "header": header}
