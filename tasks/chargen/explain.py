"""How a character model reads a text: the surprise of each character, its gates, and what its units track."""

import logging
import math
import re
from pathlib import Path

import keras
import numpy as np

from models.characters import Characters, normalize
from models.gates import layer_gates
from models.graph_methods import as_graph
from models.text_generator import TextGenerator
from tasks.arguments import ExplainGatesArguments
from tasks.chargen.records import BOUNDARY
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.task import CHARGEN
from tasks.chargen.text_source import open_text
from tasks.data.library_logs import hidden_retracing_warnings
from tasks.errors import UserError
from tasks.reports import explanation_plots
from tasks.serving.batched_inference import string_tensor
from tasks.serving.weights import load_weights
from tasks.training.runs import Run

log = logging.getLogger(__name__)

# Passages of the validation text that are read side by side to find units that track something, and their characters.
PASSAGES, PASSAGE_LENGTH = 20, 1000
# Of records, the same number of characters; a longer one is cut at this multiple of the mean, which bounds the memory.
LONGEST_RECORD = 4
NEXT_CHARACTERS = 5
QUOTES = {'"': '"', "“": "”", "「": "」", "『": "』", "«": "»"}


def format_explanation(explanation: dict) -> str:
    """Return the lines that `explain` prints."""
    lines = ["bits of surprise, character"]
    pairs = zip(explanation["surprise"], explanation["characters"], strict=True)
    lines += [f"{bits:6.2f}  {_visible(character)}" for bits, character in pairs]
    following = "  ".join(f"{_visible(c)} {p:.1%}" for c, p in explanation["next"].items())
    lines += ["", f"most probable next: {following}"]
    for name, unit in explanation["tracking"].items():
        found = "not in the text" if unit is None else f"unit {unit['unit']}, correlation {unit['correlation']:+.2f}"
        lines.append(f"{name}: {found}")
    return "\n".join(lines)


def explain_arguments(arguments: ExplainGatesArguments) -> dict:
    """Return what `explain` returns for the arguments of the command.

    Raises:
        UserError: If they ask for the backward direction.
    """
    if arguments.direction != "forward":
        raise UserError("--direction backward: a language model has one direction; leave it out")
    return explain(arguments.run, arguments.text, layer=arguments.layer, picture=arguments.picture)


@hidden_retracing_warnings()
def explain(run: Path | str, text: str, *, layer: int = 1, picture: Path | str | None = None) -> dict:
    """Follow a character model through a text.

    Args:
        run: The run's folder.
        text: The text; not empty.
        layer: The recurrent layer whose gates are shown, counted from 1.
        picture: A PNG file to draw into; none if None.

    Returns:
        `characters`, as the model reads them; `surprise` (characters,), -log2 p(character | those before it), in bits;
        `next`, the most probable characters after the text and their probabilities; `gates`, name -> (characters,
        units), see `models.gates`; `tracking`: for "line length", "quotes" and "indentation" the unit of the layer
        whose state has the largest correlation with it in the run's validation text: its number, the correlation, and
        its states in this text; None if the validation text has no such feature or cannot be read; empty for a model of
        pieces; `picture`.

    Raises:
        UserError: If the run cannot be used or has no such layer.
    """
    folder = Run(run)
    settings = folder.open_trained("chargen", ChargenSettings)
    generator = load_weights(CHARGEN, folder, settings).module
    known, boundary = generator.text.characters, generator.step_model.boundary
    if settings.data.records and BOUNDARY in text[:-1]:
        raise UserError("the text has several lines, and this model reads each as a separate record; give one")
    ids = _ids(generator, known.as_read(text))
    characters = [known.symbols[index] for index in ids[0]]
    if isinstance(known, Characters):
        characters = list(normalize(text, known.normalization, known.hangul))  # the unknown ones too
    if settings.recurrent.go_backwards:
        ids, characters = ids[:, ::-1], characters[::-1]
    # A text with a boundary is read from there.
    before = [] if boundary is None else [boundary]
    ids = np.insert(ids, 0, before, axis=1) if before else ids
    try:
        states, logits = _read(generator, ids, layer)
    except ValueError as error:
        raise UserError(f"{run}: {error}; name another --layer") from None
    states, logits, ids = {name: values[0, len(before) :] for name, values in states.items()}, logits[0], ids[0]
    if before:
        ids = ids[len(before) :]
    else:
        logits = np.concatenate([generator.first_logits.numpy()[None], logits])
    chances = keras.ops.convert_to_numpy(keras.ops.log_softmax(logits, axis=-1))
    most_probable = np.argsort(-chances[-1])[:NEXT_CHARACTERS]
    found = {
        "text": text,
        "characters": characters,
        "surprise": [float(-chances[place, index] / math.log(2)) for place, index in enumerate(ids)],
        "next": {known.symbols[index] or "(end)": float(np.exp(chances[-1, index])) for index in most_probable},
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
        explanation_plots.explanation(tokens, curve, states, Path(picture), tracks=tracks)
    return found


def _read(generator: TextGenerator, ids: np.ndarray, layer: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the gates of a layer, name -> (batch, characters, units), and the logits after each character.

    Args:
        generator: The generator.
        ids: int (batch, characters).
        layer: Number of the layer.

    Returns:
        The gates, and logits (batch, characters, vocabulary_size).
    """
    model = generator.step_model.model
    window = model.inputs[0].shape[1] or ids.shape[1]  # with `unroll` the length is fixed
    states = [np.zeros((len(ids), state.shape[-1]), np.float32) for state in model.inputs[1:]]
    predict, parts, logits = as_graph(model), [], []
    for start in range(0, ids.shape[1], window):
        part = ids[:, start : start + window]
        inputs = [np.pad(part, [(0, 0), (0, window - part.shape[1])]), *states]
        found = layer_gates(model, layer, inputs)
        after, *states = map(keras.ops.convert_to_numpy, predict(*inputs))
        parts.append({name: values[:, : part.shape[1]] for name, values in found.items()})
        logits.append(after[:, : part.shape[1]])
    joined = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
    return joined, np.concatenate(logits, axis=1)


def _ids(generator: TextGenerator, text: str) -> np.ndarray:
    """Return the ids of a text: int (1, characters)."""
    return generator.text.ids(string_tensor([text])).to_tensor().numpy()


def _tracking(generator: TextGenerator, settings: ChargenSettings, layer: int, states: dict) -> dict[str, dict | None]:
    """Return for each feature of a text the unit whose state has the largest correlation with it.

    `states` are the states in the explained text.
    """
    if not isinstance(generator.text.characters, Characters):
        return {}  # a piece is not at one place of a line
    try:
        text = open_text(settings).text("validation")
    except UserError as error:
        log.warning("%s: so no unit is reported that tracks a feature", error)
        return dict.fromkeys(features(""))
    known = generator.text.characters
    text = normalize(text, known.normalization, known.hangul)[: PASSAGES * PASSAGE_LENGTH]
    # An LSTM keeps its memory in the cell state; its output gate hides parts of it from the state.
    memory = "cell" if "cell" in states else "state"
    if generator.step_model.boundary is None:
        rows = max(1, len(text) // PASSAGE_LENGTH)
        text = text[: rows * (len(text) // rows)]
        values = _read(generator, _ids(generator, text).reshape(rows, -1), layer)[0][memory]
        values = values.reshape(len(text), -1)  # (characters, units)
        counted = np.ones(len(text), bool)
    else:
        records = text.removesuffix(BOUNDARY).split(BOUNDARY)
        longest = LONGEST_RECORD * (len(text) // len(records) + 1)
        records = [record[:longest] for record in records]
        ids = generator.text.ids(string_tensor([BOUNDARY + record for record in records])).to_tensor().numpy()
        lengths = np.array([len(record) for record in records])
        values = _read(generator, ids, layer)[0][memory][:, 1:]
        values = values[np.arange(values.shape[1]) < lengths[:, None]]
        text = BOUNDARY.join(records)
        counted = np.array([character != BOUNDARY for character in text])
    values = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)
    tracking = {}
    for name, feature in features(text).items():
        feature = feature[counted]
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
    """Return features that a unit may track, float (characters,) each, as they are after the character was read.

    line length: characters since the line began. quotes: 1 within a pair of quotation marks, which ends at the end of
    the paragraph at the latest. indentation: blanks at the beginning of the line, as far as they have been read.
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
