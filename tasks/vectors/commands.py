"""The commands of `python -m tasks.vectors`. Imports no TensorFlow, and no gensim before a command runs."""

from tasks.commands import Command, CommandGroup
from tasks.vectors.settings import (
    AnalogyArguments,
    ExportVectorsArguments,
    NeighboursArguments,
    PlotArguments,
    VectorSettings,
)

VECTORS = CommandGroup(
    name="vectors",
    settings_class=VectorSettings,
    commands={
        "train": Command("tasks.vectors.train:train", VectorSettings),
        "neighbours": Command("tasks.vectors.queries:neighbours", NeighboursArguments),
        "analogy": Command("tasks.vectors.queries:analogy", AnalogyArguments),
        "plot": Command("tasks.vectors.queries:plot", PlotArguments),
        "export": Command("tasks.vectors.queries:export", ExportVectorsArguments),
    },
    short_forms={
        "--cbow": ("--architecture", "cbow"),
        "--skipgram": ("--architecture", "skipgram"),
    },
)
