"""How long a translation may be: learned from the training pairs, and stored with the vocabularies.

A search that stops at a fixed ratio of the lengths cuts translations of languages, or of tasks such as writing numbers
in words, in which the target has many more pieces than the source.
"""

import json
import math
from pathlib import Path

from models.generation_settings import DEFAULT_MAX_LENGTH_RATIO, SearchSettings
from models.text_translator import SPARE_PIECES
from tasks import atomic_files
from tasks.data.sequence_store import SequenceStore
from tasks.errors import UserError

FILE = "length_ratio.json"
# A test sentence may have a translation longer than that of any training sentence of its length.
MARGIN = 1.2


def learn(pairs: SequenceStore, folder: Path) -> None:
    """Write length_ratio.json: the `max_length_ratio` at which no target of the training pairs would be cut.

    The spare pieces of the search are taken into account, so a short pair does not raise the limit of long ones.

    Args:
        pairs: The training pairs.
        folder: The folder of the vocabularies, whose files an export contains.
    """
    sources = pairs.columns["source_length"]
    needed = ((pairs.lengths - sources) * MARGIN - SPARE_PIECES) / sources
    ratio = max(DEFAULT_MAX_LENGTH_RATIO, math.ceil(float(needed.max()) * 10) / 10)
    atomic_files.write_json(folder / FILE, {"max_length_ratio": ratio})


def resolved(search: SearchSettings, folder: Path) -> SearchSettings:
    """Return the settings of the search with the ratio of the training pairs where they name none.

    Args:
        search: The settings.
        folder: The folder that `learn` wrote to.

    Raises:
        UserError: If the file is needed and is missing or damaged.
    """
    if search.max_length_ratio is not None:
        return search
    try:
        ratio = float(json.loads((folder / FILE).read_text(encoding="utf-8"))["max_length_ratio"])
        if not 0 < ratio < math.inf:
            raise ValueError(f"max_length_ratio is {ratio}")
    except (ValueError, KeyError, TypeError, OSError, RecursionError, OverflowError) as error:
        raise UserError(
            f"{folder / FILE} cannot be read ({error}); train the run again with --overwrite, or add --max-length-ratio"
        ) from None
    return search.model_copy(update={"max_length_ratio": max(ratio, search.min_length_ratio)})
