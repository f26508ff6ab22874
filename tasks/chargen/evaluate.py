"""Measures a character model on a split, and has it write."""

import json
import logging
import math
import re
import time
from pathlib import Path

import tensorflow as tf

from models.characters import as_read
from models.text_generator import TextGenerator
from tasks import atomic_files
from tasks.chargen import data, generate
from tasks.chargen.memorization import longest_common_passage
from tasks.chargen.settings import ChargenSettings, EvaluationSettings
from tasks.errors import UserError
from tasks.reports import results
from tasks.settings import EvaluateArguments
from tasks.training.runs import Run

log = logging.getLogger(__name__)

NOWHERE = "\0"  # in no text: nothing that spans two is found


def main(arguments: EvaluateArguments) -> None:
    result = evaluate(arguments.run, location=arguments.data, split=arguments.split)
    if arguments.json_:
        print(json.dumps(result))
        return
    results.show(result)
    print()
    print(Run(arguments.run).samples_file.read_text(encoding="utf-8"))
    print(Run(arguments.run).samples_file)


def evaluate(run: Path | str, *, location: str | None = None, split: str = "test") -> dict[str, float | None]:
    """Measures a run; writes evaluation.json, and samples.md with what the model writes.

    The text is read from its beginning to its end as one, the state carried all the way.

    Args:
      run: the run's folder.
      location: another source than the run's own. A single file is read whole.
      split: splits of the source, joined with +.

    Returns:
      nats_per_character and bits_per_character (of a Hangul syllable also where the model reads jamo), perplexity
      (exp of the nats), unknown_share (of the characters), word_share (of the words written, those that occur in the
      training text), longest_copy (characters of the longest passage written that stands in the training text), loss
      (nats per symbol that the network reads: a character, or a jamo), examples (characters), seconds. The two
      about the training text are None where it cannot be read any more.

    Raises:
      UserError: the run or the source cannot be used.
    """
    folder = Run(run)
    settings = folder.open_finished("chargen", ChargenSettings)
    source = data.open_text(settings.data, location)
    if location is not None and source.single_file:
        split = "all"
    text = source.text(split)
    generator = generate.load(run)
    characters = generator.text.characters
    began = time.monotonic()
    spelt = characters.spelt(text)  # the graph would leave several marks on a letter in the order that they have
    scored = generator.score(tf.constant([spelt]))
    seconds = time.monotonic() - began
    nats = float(scored["nats_per_character"][0])
    read = as_read(text, characters.normalization, characters.hangul)
    known = {*characters.characters}
    result = {
        "nats_per_character": nats,
        "bits_per_character": nats / math.log(2),
        "perplexity": math.exp(min(nats, 700.0)),
        "unknown_share": sum(character not in known for character in read) / len(read),
        "loss": nats * len(spelt) / len(read),
        "examples": len(spelt),
        "seconds": seconds,
    }
    result |= _write_samples(folder, settings, generator, source if location is None else None)
    results.keep(folder, settings.data.data if location is None else location, split, result)
    return result


def _write_samples(
    folder: Run, settings: ChargenSettings, generator: TextGenerator, source: data.TextSource | None
) -> dict[str, float | None]:
    """Writes samples.md; gives the figures about the text that the model has written.

    Args:
      source: what the run was trained on; opened here if None.
    """
    chosen = settings.evaluation
    try:
        source = source or data.open_text(settings.data)
        training_text = generator.text.characters.spelt(source.text("train"))
        known_words = {*words(training_text)}
    except UserError as error:
        log.warning("no comparison with the training text: %s", error)
        training_text = None
    written = {temperature: _continuations(generator, chosen, temperature) for temperature in chosen.temperatures}
    found, longest = None, ""
    if training_text is not None:
        everything = [text for texts in written.values() for text in texts]
        found = [word in known_words for text in everything for word in _whole_words(text)]
        longest = longest_common_passage(NOWHERE.join(everything), training_text)
    with atomic_files.replacing(folder.samples_file) as path:
        path.write_text(_page(chosen.prompts, written, longest), encoding="utf-8")
    return {
        "word_share": sum(found) / len(found) if found else None,
        "longest_copy": None if training_text is None else len(longest),
    }


def _continuations(generator: TextGenerator, chosen: EvaluationSettings, temperature: float) -> list[str]:
    """What is written after each prompt."""
    sampling = generator.settings.model_copy(update={"temperature": temperature, "length": chosen.evaluation_length})
    answers = generate.write_texts(generator.generate, list(chosen.prompts), sampling)
    return [answer["continuation"] for answer in answers]


def words(text: str) -> list[str]:
    """The words of a text as the figures count them, in small letters."""
    return re.findall(r"\w+(?:['’]\w+)*", text.lower())


def _whole_words(text: str) -> list[str]:
    """Those that were not cut off by the length, or begun by the prompt."""
    return words(re.sub(r"\A[\w'’]+|[\w'’]+\Z", "", text))


def _page(prompts: tuple[str, ...], written: dict[float, list[str]], longest: str) -> str:
    """Markdown: a section for each prompt, in it what was written at each temperature."""
    sections = []
    for number, prompt in enumerate(prompts):
        sections.append(f"## Prompt {prompt!r}\n")
        for temperature, texts in written.items():
            sections.append(f"Temperature {temperature:g}:\n\n```text\n{prompt}{texts[number]}\n```\n")
    sections.append(f"## Longest passage that stands in the training text\n\n```text\n{longest}\n```\n")
    return "\n".join(sections)
