"""Writes on from prompts, by a run or by an exported model."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import tensorflow as tf

from models.characters import Characters, CharacterText, as_read, composed
from models.language_model import StepModel
from models.network_settings import SamplingSettings
from models.sampling import uniforms
from models.text_generator import TextGenerator
from tasks.chargen import data
from tasks.chargen.settings import ChargenSettings, GenerateArguments
from tasks.serving import export as exporting
from tasks.serving import text_io as lines
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run

log = logging.getLogger(__name__)

PROMPTS_AT_ONCE = 64
# Characters between two looks at the screen: a reader takes them as one, and the loop in the graph is worth its start.
SHOWN_AT_ONCE = 16
BETWEEN_TEXTS = "-" * 15


def main(arguments: GenerateArguments) -> None:
    if arguments.run is not None:
        generator = load(arguments.run, arguments)
        generate, sampling, characters = generator.generate, generator.settings, generator.text.characters
    else:
        generate, sampling, characters = _exported(Path(arguments.model), arguments)
    prompts = arguments.texts or ("",)
    if arguments.input is not None:
        prompts = lines.read(arguments.input, arguments.input_key)
    if arguments.choose:
        _let_choose(generator, prompts[0], arguments.choose)
        return
    with lines.writer(arguments.output) as out:
        one = arguments.run is not None and arguments.input is None and len(prompts) * arguments.samples == 1
        if one and not arguments.json_:
            _warn_of_unknown(characters, prompts)
            for part in stream(generator, prompts[0]):
                print(part, end="", file=out, flush=True)
            print(file=out)
            return
        first = True
        # Somebody who types waits for the answer to each line.
        at_once = 1 if arguments.input == "-" and sys.stdin.isatty() else PROMPTS_AT_ONCE
        for answer in texts(generate, _warned(characters, prompts), sampling, arguments.samples, at_once):
            if arguments.json_:
                print(json.dumps(answer, ensure_ascii=False), file=out)
            else:
                print("" if first else f"{BETWEEN_TEXTS}\n", answer["text"], sep="", file=out)
            first = False


def load(run: Path | str, arguments: GenerateArguments | None = None) -> TextGenerator:
    """The generator of a finished run: a prompt in, text out.

    Args:
      run: its folder.
      arguments: what is given there beats the run's settings of sampling.

    Raises:
      UserError: the run is missing, of another task, or not finished.
      pydantic.ValidationError: an argument is out of its range.
    """
    folder = Run(run)
    settings = folder.open_finished("chargen", ChargenSettings)
    sampling = arguments.sampling(settings.sampling) if arguments else settings.sampling
    text = CharacterText(data.load_characters(folder.vocabulary))
    return TextGenerator(StepModel(load_model(folder), settings.network, settings.recurrent), text, sampling)


def write_texts(
    generate: Callable, prompts: list[str], sampling: SamplingSettings, seed: int | None = None
) -> list[dict[str, str]]:
    """What is written on from each prompt: what it gives alone, with the same seed for each.

    Args:
      generate: `TextGenerator.generate`, or the signature of that name of an exported model.
      prompts: any number of them, as one batch.
      sampling: how characters are drawn, and how many.
      seed: another than that of `sampling`.

    Returns: {"text": the prompt and what follows it, "continuation": what follows it} for each prompt.
    """
    out = generate(
        prompt=tf.constant([prompt.encode("utf-8", "replace") for prompt in prompts]),
        length=tf.constant(sampling.length, tf.int32),
        temperature=tf.constant(sampling.temperature, tf.float32),
        top_k=tf.constant(sampling.top_k, tf.int32),
        top_p=tf.constant(sampling.top_p, tf.float32),
        seed=tf.constant(sampling.sampling_seed if seed is None else seed, tf.int64),
    )
    rows = zip(out["text"].numpy(), out["continuation"].numpy(), strict=True)
    return [{"text": text.decode(), "continuation": continuation.decode()} for text, continuation in rows]


def texts(
    generate: Callable,
    prompts: Iterable[str],
    sampling: SamplingSettings,
    samples: int = 1,
    at_once: int = PROMPTS_AT_ONCE,
) -> Iterator[dict]:
    """What is written on from each prompt, in their order; any number of them.

    Args:
      generate, sampling: see `write_texts`.
      samples: texts for each prompt; the first has the seed, the second the next one, and so on.
      at_once: prompts in a batch.

    Yields: {"prompt": str, "seed": int, "text": str, "continuation": str}.
    """
    prompts = iter(prompts)
    while some := list(islice(prompts, at_once)):
        seeds = range(sampling.sampling_seed, sampling.sampling_seed + samples)
        written = [write_texts(generate, some, sampling, seed) for seed in seeds]
        for row, prompt in enumerate(some):
            for seed, answers in zip(seeds, written, strict=True):
                yield {"prompt": prompt, "seed": seed, **answers[row]}


def stream(generator: TextGenerator, prompt: str) -> Iterator[str]:
    """The prompt and what follows it, in parts as they are made; together what `write_texts` gives."""
    chosen = generator.settings
    hangul = generator.text.characters.hangul
    shown, waiting = _complete_syllables(prompt, hangul)
    yield shown
    writing = generator.begin(tf.constant([prompt.encode("utf-8", "replace")]))
    uniform = uniforms(tf.constant([chosen.sampling_seed]), tf.constant(chosen.length))
    scalars = (tf.constant(chosen.temperature), tf.constant(chosen.top_k), tf.constant(chosen.top_p))
    for start in range(0, chosen.length, SHOWN_AT_ONCE):
        ids, writing = generator.go_on(writing, uniform[:, start : start + SHOWN_AT_ONCE], *scalars)
        shown, waiting = _complete_syllables(waiting + generator.shown(ids).numpy()[0].decode(), hangul)
        yield shown
        if writing.finished.numpy()[0]:
            break
    yield composed(waiting, hangul)


def _complete_syllables(text: str, hangul: str) -> tuple[str, str]:
    """What can be shown, and the jamo at the end that may yet become part of a syllable."""
    if hangul != "jamo":
        return text, ""
    text = as_read(text, "identity", hangul)
    last = re.search(r"[\u1100-\u115f][\u1160-\u11ff]*\Z", text)
    place = last.start() if last else len(text)
    return composed(text[:place], hangul), text[place:]


# --- prompts with unknown characters


def _warned(characters: Characters, prompts: Iterable[str]) -> Iterator[str]:
    """The prompts, with a warning before the first that has unknown characters."""
    warned = False
    for prompt in prompts:
        warned = warned or _warn_of_unknown(characters, [prompt])
        yield prompt


def _warn_of_unknown(characters: Characters, prompts: Iterable[str]) -> bool:
    unknown = characters.unknown_in("".join(prompts))
    if unknown:
        shown = " ".join(map(repr, unknown[:10])) + (" ..." if len(unknown) > 10 else "")
        log.warning("not among the model's characters, read as unknown: %s", shown)
    return bool(unknown)


# --- an exported model


def _exported(path: Path, arguments: GenerateArguments):
    """Its signature `generate`, the settings to call it with, and its characters."""
    model, settings, extra = exporting.load_with_settings(path, "chargen", ChargenSettings, "generate")

    def generate(**inputs):  # a signature does not keep its model alive
        return model.signatures["generate"](**inputs)

    return generate, arguments.sampling(settings.sampling), data.load_characters(extra)


# --- picking by hand


def _let_choose(generator: TextGenerator, prompt: str, most: int) -> None:
    """Writes with the reader's help: Enter takes the likeliest character, a number another, q ends it."""
    _warn_of_unknown(generator.text.characters, [prompt])
    model, known = generator.step_model, generator.text.characters
    text = as_read(prompt, known.normalization, known.hangul)
    writing = generator.begin(tf.constant([prompt.encode("utf-8", "replace")]))
    logits, states = writing.logits, list(writing.states)
    advance = tf.function(lambda ids, states: (after := model.advance(ids, states), generator.logits(after)))
    for _ in range(generator.settings.length):
        likeliest = tf.math.top_k(tf.nn.softmax(logits)[0], min(most, len(known) - 1))
        options = [known.characters[index - 1] for index in likeliest.indices.numpy()]
        print(f"\n{composed(text, known.hangul)}")
        for number, (option, probability) in enumerate(zip(options, likeliest.values.numpy(), strict=True), start=1):
            print(f"{number:4}  {option!r:8} {probability:7.2%}")
        picked = _picked(options, known.characters)
        if picked is None:
            break
        text += picked
        states, logits = advance(tf.constant([known.characters.index(picked) + 1]), states)
    print(f"\n{composed(text, known.hangul)}")


def _picked(options: list[str], known: tuple[str, ...]) -> str | None:
    """A character: by its number, or itself; None to end."""
    while True:
        print("number, character, Enter for 1, q to end> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        answer = line.removesuffix("\n")
        if not line or answer == "q":
            return None
        if not answer:
            return options[0]
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(options):
            return options[int(answer) - 1]
        if answer in known:
            return answer
        print(f"{answer!r} is neither a number from 1 to {len(options)} nor a character that the model knows")
