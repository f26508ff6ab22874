"""What a translator looks at in the source as it writes each piece of its translation."""

import json
from pathlib import Path

from tasks.errors import UserError
from tasks.settings import ExplainArguments
from tasks.translation import translate


def main(arguments: ExplainArguments) -> None:
    found = explain(arguments.run, arguments.text, picture=arguments.picture)
    if arguments.json_:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"{found['translation']}\n\npiece written, the piece of the source that it looks at most, and how much")
    for piece, weights in zip(found["target_pieces"], found["attention"], strict=True):
        most = max(range(len(weights)), key=weights.__getitem__)
        print(piece, found["source_pieces"][most], f"{weights[most]:.2f}", sep="\t")
    print(f"\n{found['picture']}")


def explain(run: Path | str, text: str, *, picture: Path | str | None = None) -> dict:
    """Translates a sentence, and tells what was attended to.

    Args:
      run: the run's folder.
      text: the sentence.
      picture: a PNG file to draw the attention into; none if None.

    Returns: translation; source_pieces; target_pieces, the end </s> included; attention, weights (target pieces, source
      pieces); picture.

    Raises:
      UserError: the run cannot be used, has no attention, or the sentence has no piece.
    """
    translator = translate.load(run)
    if not translator.network.attends:
        raise UserError(f"{run} was trained with attention=none, so there is none to show; train with attention")
    found = translate.alignment(translator.align, text)
    if not found["target_pieces"]:
        raise UserError(f"{text!r} has no piece for this model, so there is nothing to explain; give another sentence")
    if picture is not None:
        translate.draw_attention(found, Path(picture))
    return {"text": text, **found, "picture": None if picture is None else str(picture)}
