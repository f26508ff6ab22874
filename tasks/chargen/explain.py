"""What a character model does as it reads: how each character surprises it, its gates, what its units track."""

import json
import logging
import math
import re
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.characters import as_read
from models.gates import layer_gates
from models.text_generator import TextGenerator
from tasks.chargen import data, generate
from tasks.chargen.settings import ChargenSettings
from tasks.errors import UserError
from tasks.reports import plots
from tasks.settings import ExplainGatesArguments
from tasks.training.runs import Run

log = logging.getLogger(__name__)

# Of the validation text, to find units that track something: passages read side by side, and characters of each.
PASSAGES, PASSAGE = 20, 1000
LIKELIEST = 5
QUOTES = {'"': '"', "“": "”", "「": "」", "『": "』", "«": "»"}


def main(arguments: ExplainGatesArguments) -> None:
    if arguments.direction != "forward":
        raise UserError("--direction backward: a character model reads forwards only; leave it out")
    found = explain(arguments.run, arguments.text, layer=arguments.layer, picture=arguments.picture)
    if arguments.json_:
        print(json.dumps(found, ensure_ascii=False))
        return
    print("bits of surprise, character")
    for bits, character in zip(found["surprise"], found["characters"], strict=True):
        print(f"{bits:6.2f}  {_visible(character)}")
    print("\nlikeliest next: " + "  ".join(f"{_visible(c)} {p:.1%}" for c, p in found["next"].items()))
    for name, unit in found["tracking"].items():
        shown = "not in the text" if unit is None else f"unit {unit['unit']}, correlation {unit['correlation']:+.2f}"
        print(f"{name}: {shown}")
    print(f"\n{found['picture']}")


def explain(run: Path | str, text: str, *, layer: int = 1, picture: Path | str | None = None) -> dict:
    """Follows a character model through a text.

    Args:
      run: the run's folder.
      text: not empty.
      layer: the recurrent layer whose gates are shown, counted from 1.
      picture: a PNG file to draw into; none if None.

    Returns:
      characters, as the model reads them; surprise (characters,), -log2 p(character | those before it), bits; next, the
      likeliest characters after the text and their probabilities; gates, name -> (characters, units): see
      `models.gates`; tracking: for "line length", "quotes" and "indentation" the unit of the layer whose state goes
      with it most in the run's validation text: its number, its correlation there, and its states in this text; None
      where the validation text has no such thing or cannot be read any more; picture.

    Raises:
      UserError: the run cannot be used or has no such layer.
    """
    settings = Run(run).open_finished("chargen", ChargenSettings)
    generator = generate.load(run)
    known = generator.text.characters
    characters = as_read(text, known.normalization, known.hangul)
    ids = _ids(generator, characters)
    try:
        states, logits = _read(generator, ids, layer)
    except ValueError as error:
        raise UserError(f"{run}: {error}; name another --layer") from None
    states, logits, ids = {name: values[0] for name, values in states.items()}, logits[0], ids[0]
    first = generator.begin(tf.constant([""])).logits.numpy()
    chances = keras.ops.convert_to_numpy(keras.ops.log_softmax(np.concatenate([first, logits]), axis=-1))
    likeliest = np.argsort(-chances[-1])[:LIKELIEST]
    found = {
        "text": text,
        "characters": list(characters),
        "surprise": [float(-chances[place, index] / math.log(2)) for place, index in enumerate(ids)],
        "next": {
            ("�" if index == 0 else known.characters[index - 1]): float(np.exp(chances[-1, index]))
            for index in likeliest
        },
        "gates": {name: values.tolist() for name, values in states.items()},
        "tracking": _tracking(generator, settings, layer, states),
        "picture": None if picture is None else str(picture),
    }
    if picture is not None:
        tracks = {
            f"{name}: unit {unit['unit']}": np.array(unit["states"])
            for name, unit in found["tracking"].items()
            if unit is not None
        }
        tokens = [_visible(character) for character in characters]
        curve = ("surprise (bits)", np.array(found["surprise"]))
        plots.explanation(tokens, curve, states, Path(picture), tracks=tracks)
    return found


def _read(generator: TextGenerator, ids: np.ndarray, layer: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Gates of a layer, name -> (batch, characters, units), and logits (batch, characters, vocabulary) after each.

    Args:
      ids: int (batch, characters).
    """
    model = generator.step_model.model
    window = model.inputs[0].shape[1] or ids.shape[1]  # with `unroll` the length is fixed
    states = [np.zeros((len(ids), state.shape[-1]), np.float32) for state in model.inputs[1:]]
    parts, logits = [], []
    for start in range(0, ids.shape[1], window):
        part = ids[:, start : start + window]
        inputs = [np.pad(part, [(0, 0), (0, window - part.shape[1])]), *states]
        found = layer_gates(model, layer, inputs)
        after, *states = map(keras.ops.convert_to_numpy, model(inputs, training=False))
        parts.append({name: values[:, : part.shape[1]] for name, values in found.items()})
        logits.append(after[:, : part.shape[1]])
    joined = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
    return joined, np.concatenate(logits, axis=1)


def _ids(generator: TextGenerator, text: str) -> np.ndarray:
    """int (1, characters)."""
    return generator.text.ids(tf.constant([text.encode("utf-8", "replace")])).to_tensor().numpy()


def _tracking(generator: TextGenerator, settings: ChargenSettings, layer: int, states: dict) -> dict[str, dict | None]:
    """For each feature of text the unit whose state goes with it most; `states` are those in the explained text."""
    try:
        text = data.open_text(settings.data).text("validation")
    except UserError as error:
        log.warning("%s: so no unit is told that tracks something", error)
        return dict.fromkeys(features(""))
    known = generator.text.characters
    text = as_read(text, known.normalization, known.hangul)[: PASSAGES * PASSAGE]
    rows = max(1, len(text) // PASSAGE)
    text = text[: rows * (len(text) // rows)]
    # An LSTM remembers in its cell state; what it shows of it is the state.
    memory = "cell" if "cell" in states else "state"
    values = _read(generator, _ids(generator, text).reshape(rows, -1), layer)[0][memory]
    values = values.reshape(len(text), -1)  # (characters, units)
    values = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)
    tracking = {}
    for name, feature in features(text).items():
        spread = feature.std()
        if not spread:
            tracking[name] = None
            continue
        correlations = ((feature - feature.mean()) / spread) @ values / len(feature)  # Pearson's, (units,)
        unit = int(np.argmax(np.abs(correlations)))
        tracking[name] = {
            "unit": unit,
            "correlation": float(correlations[unit]),
            "states": states[memory][:, unit].tolist(),
        }
    return tracking


def features(text: str) -> dict[str, np.ndarray]:
    """What a unit may track, float (characters,) each, known once the character has been read.

    line length: characters since the line began. quotes: 1 within a pair of quotation marks, which ends with its
    paragraph at the latest. indentation: blanks at the line's beginning, as far as they have been read.
    """
    length, quotes, indentation = (np.zeros(len(text)) for _ in range(3))
    start, indent, closing = 0, 0, None
    for place, character in enumerate(text):
        if place and text[place - 1] == "\n":
            start, indent = place, 0
        if character == "\n" and place == start:  # an empty line: a new paragraph
            closing = None
        if character in " \t" and place - start == indent:
            indent += 1
        if character == closing:
            closing = None
        elif closing is None and character in QUOTES:
            closing = QUOTES[character]
        length[place], quotes[place], indentation[place] = place + 1 - start, closing is not None, indent
    return {"line length": length, "quotes": quotes, "indentation": indentation}


def _visible(character: str) -> str:
    return {"\n": "↵", "\t": "→", " ": "·"}.get(re.sub(r"[\r\v\f]", "\n", character), character)
