"""A single text, written while it is generated, or with a person who chooses each character."""

import re
import sys
from collections.abc import Iterator
from typing import TextIO

import tensorflow as tf

from models.characters import compose_jamo, normalize
from models.text_generator import TextGenerator
from tasks.chargen import records
from tasks.chargen.generate import CharacterGenerator, warn_of_unknown
from tasks.chargen.settings import GenerateArguments
from tasks.serving.batched_inference import string_tensor

# Characters that are generated between two updates of the screen: the loop in the graph has a cost to start.
CHARACTERS_PER_UPDATE = 16


def answer_step_by_step(predictor: CharacterGenerator, arguments: GenerateArguments, out: TextIO) -> bool:
    """Let the user choose, or write a single text while it is generated; see `tasks.task.Task.answer_step_by_step`."""
    prompt = (*arguments.texts, "")[0]
    if arguments.choose:
        _let_choose(predictor.module, prompt, arguments.choose)
        return True
    single = arguments.input is None and max(1, len(arguments.texts)) * arguments.samples == 1
    if predictor.module is None or not single or arguments.json_:
        return False
    _write_stream(predictor, prompt, out)
    return True


def _write_stream(predictor: CharacterGenerator, prompt: str, out: TextIO) -> None:
    """Write a prompt and its continuation in parts, as they are generated."""
    warn_of_unknown(predictor.characters, prompt)
    for part in stream(predictor.module, prompt):
        print(part, end="", file=out, flush=True)
    print(file=out)


def stream(generator: TextGenerator, prompt: str) -> Iterator[str]:
    """Yield a prompt and its continuation in parts, as they are generated; together they are what `predict` yields."""
    sampling, hangul = generator.settings, generator.text.characters.hangul
    complete, incomplete = _complete_syllables(_visible_prompt(generator, prompt), hangul)
    yield complete
    prompts = string_tensor([prompt])
    state = generator.initial_state(prompts)
    noise = generator.noise(prompts, tf.constant([sampling.sampling_seed]), tf.constant(sampling.length))
    scalars = (tf.constant(sampling.temperature), tf.constant(sampling.top_k), tf.constant(sampling.top_p))
    for start in range(0, sampling.length, CHARACTERS_PER_UPDATE):
        ids, state = generator.continue_generation(state, noise[:, start : start + CHARACTERS_PER_UPDATE], *scalars)
        generated = generator.decode(ids).numpy()[0].decode()
        complete, incomplete = _complete_syllables(incomplete + generated, hangul)
        yield complete
        if state.finished.numpy()[0]:
            break
    yield compose_jamo(incomplete, hangul)


def _visible_prompt(generator: TextGenerator, prompt: str) -> str:
    """Return the part of a prompt that is part of the text: of records, the one that is continued."""
    return prompt if generator.step_model.boundary is None else prompt.rpartition(records.BOUNDARY)[2]


def _complete_syllables(text: str, hangul: str) -> tuple[str, str]:
    """Return the text that is complete, and the jamo at its end that may become part of a syllable."""
    if hangul != "jamo":
        return text, ""
    text = normalize(text, "identity", hangul)
    last = re.search(r"[\u1100-\u115f][\u1160-\u11ff]*\Z", text)
    end = last.start() if last else len(text)
    return compose_jamo(text[:end], hangul), text[end:]


def _let_choose(generator: TextGenerator, prompt: str, count: int) -> None:
    """Write a text with the user's help: Enter takes the most probable character, a number another, q ends it.

    Args:
        generator: The generator.
        prompt: The beginning of the text.
        count: Number of characters to choose from.
    """
    known = generator.text.characters
    warn_of_unknown(known, prompt)
    text = normalize(_visible_prompt(generator, prompt), known.normalization, known.hangul)
    state = generator.initial_state(string_tensor([prompt]))
    logits, states = state.logits, list(state.states)
    for _ in range(generator.settings.length):
        top = tf.math.top_k(tf.nn.softmax(logits)[0], min(count, len(known) - 1))
        options = [known.characters[index - 1] for index in top.indices.numpy()]
        print(f"\n{compose_jamo(text, known.hangul)}")
        for number, (option, probability) in enumerate(zip(options, top.values.numpy(), strict=True), start=1):
            print(f"{number:4}  {option!r:8} {probability:7.2%}")
        chosen = _ask(options, known.characters)
        if chosen is None or (chosen == records.BOUNDARY and generator.step_model.boundary is not None):
            break
        text += chosen
        after = generator.step(tf.constant([known.characters.index(chosen) + 1]), *states)
        states = [after[name] for name in generator.step_model.state_names]
        logits = generator.logits(states)
    print(f"\n{compose_jamo(text, known.hangul)}")


def _ask(options: list[str], known: tuple[str, ...]) -> str | None:
    """Return a character, chosen by its number or typed; None to end."""
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
