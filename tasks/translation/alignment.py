"""The attention of a translator for a sentence: as numbers, and drawn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.interruptible import interruptible
from tasks.serving.batched_inference import string_tensor
from tasks.translation.data import SIDES


def align_sentence(align: Callable, text: str) -> dict:
    """Translate a sentence, and return the attention.

    Args:
        align: `TextAligner.align`, or the exported signature.
        text: The sentence.

    Returns:
        `translation`; `source_pieces`; `target_pieces`, with the end, </s>, and empty if the sentence has no piece;
        `attention`, weights (target pieces, source pieces), as lists.
    """
    out = interruptible(lambda: align(text=string_tensor([text])))
    out = {name: value.numpy()[0] for name, value in out.items()}
    source, target = ([piece.decode() for piece in out[f"{side}_pieces"] if piece] for side in SIDES)
    return {
        "translation": out["translation"].decode(),
        "source_pieces": source,
        "target_pieces": target,
        "attention": out["attention"][: len(target), : len(source)].tolist(),
    }


def draw(found: dict, path: Path) -> Path:
    """Draw what `align_sentence` returned; return the path."""
    from tasks.reports import explanation_plots  # matplotlib takes half a second, and a translation needs none

    return explanation_plots.attention(
        np.array(found["attention"]), found["source_pieces"], found["target_pieces"], path
    )
