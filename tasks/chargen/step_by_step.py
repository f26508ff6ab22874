"""A single text, written while it is generated, or with a person who chooses each character."""

import base64
import dataclasses
import logging
import re
import sys
from collections.abc import Iterator
from typing import TextIO

import tensorflow as tf

from models.characters import compose_jamo, normalize
from models.pieces import LINE_END, PieceText
from models.sampling import GenerationState
from models.text_generator import TextGenerator
from tasks.chargen import records
from tasks.chargen.generate import CharacterGenerator, warn_of_unknown
from tasks.chargen.settings import GenerateArguments
from tasks.reports.progress import progress_bar
from tasks.serving import partial_output
from tasks.serving.batched_inference import string_tensor
from tasks.serving.partial_output import PartialOutput, Position

log = logging.getLogger(__name__)

# Characters that are generated between two updates of the screen: the loop in the graph has a cost to start.
CHARACTERS_PER_UPDATE = 16


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a text has come.

    Attributes:
        state: The state of the generator; None before the beginning.
        generated: Number of characters that were generated.
        incomplete: Jamo at the end that may become part of a syllable.
        after_blank: Whether the text is empty or ends in a blank or a line end, so that the blank in front of the next
            piece is left out.
    """

    state: GenerationState | None = None
    generated: int = 0
    incomplete: str = ""
    after_blank: bool = False

    def as_json(self) -> dict:
        """Return the progress in values that JSON has."""
        tensors = [tf.io.serialize_tensor(tensor).numpy() for tensor in tf.nest.flatten(self.state)]
        return vars(self) | {"state": [base64.b64encode(tensor).decode() for tensor in tensors]}

    @classmethod
    def from_json(cls, stored: dict, like: GenerationState) -> "Progress":
        """Return the progress from `as_json`; `like` is a state of the same generator."""
        pairs = zip(stored["state"], tf.nest.flatten(like), strict=True)
        tensors = [
            # A former version stored one number of characters for all rows.
            tf.broadcast_to(tf.io.parse_tensor(base64.b64decode(encoded), tensor.dtype), tensor.shape)
            for encoded, tensor in pairs
        ]
        return cls(**stored | {"state": tf.nest.pack_sequence_as(like, tensors)})


# What the end of a text is shown as.
END = "(end)"


def answer_step_by_step(
    predictor: CharacterGenerator, arguments: GenerateArguments, out: TextIO, output: PartialOutput | None = None
) -> bool:
    """Let the user choose, or write a single text while it is generated; see `tasks.task.Task.answer_step_by_step`."""
    prompt = (*arguments.texts, "")[0]
    predictor.check_direction()
    if arguments.choose:
        _let_choose(predictor.module, prompt, arguments.choose)
        return True
    single = arguments.input is None and max(1, len(arguments.texts)) * arguments.samples == 1
    if predictor.module is None or not single or arguments.output_kind != "text":
        return False
    _write_stream(predictor, prompt, out, output)
    return True


def _write_stream(predictor: CharacterGenerator, prompt: str, out: TextIO, output: PartialOutput | None) -> None:
    """Write a prompt and its continuation in parts, as they are generated; continue what is in the file."""
    generator, begun, digest = predictor.module, Progress(), partial_output.extended("", [prompt])
    warn_of_unknown(predictor.characters, prompt)
    prompt = predictor.characters.as_read(prompt)
    if output is not None and output.position.state is not None:
        if output.position.digest == digest:
            like = generator.initial_state(string_tensor([prompt]))
            begun = Progress.from_json(output.position.state, like)
        else:
            log.warning("the prompt is not the one that is continued in %s: starting from the beginning", output.part)
            output.start_again()
    hidden = True if out.isatty() else None  # None: hidden where standard error is no terminal
    total, initial = generator.settings.length, begun.generated
    unit = " pieces" if isinstance(generator.text, PieceText) else " characters"
    with progress_bar(total=total, initial=initial, unit=unit, disable=hidden) as bar:
        for part, progress in stream(generator, prompt, begun):
            print(part, end="", file=out, flush=True)
            bar.update(progress.generated - bar.n)
            if output is not None:
                output.mark(Position(digest=digest, state=progress.as_json))
    print(file=out)


def stream(generator: TextGenerator, prompt: str, progress: Progress) -> Iterator[tuple[str, Progress]]:
    """Yield a prompt and its continuation in parts, as they are generated; together they are what `predict` yields.

    Args:
        generator: The generator.
        prompt: The beginning of the text.
        progress: How far the text has come; only what follows is yielded.

    Yields:
        A part, and the progress after it.
    """
    sampling, hangul = generator.settings, generator.text.characters.hangul
    prompts, (state, generated, incomplete, after_blank) = string_tensor([prompt]), vars(progress).values()
    if state is None:
        complete, incomplete = _complete_syllables(_visible_prompt(generator, prompt), hangul)
        state, after_blank = generator.initial_state(prompts), _ends_in_blank(prompt)
        yield complete, Progress(state, 0, incomplete, after_blank)
    noise = generator.noise(prompts, tf.constant([sampling.sampling_seed]), tf.constant(sampling.length))
    scalars = (tf.constant(sampling.temperature), tf.constant(sampling.top_k), tf.constant(sampling.top_p))
    while generated < sampling.length and not state.finished.numpy()[0]:
        ids, state = generator.continue_generation(
            state, noise[:, generated : generated + CHARACTERS_PER_UPDATE], *scalars
        )
        generated = min(generated + CHARACTERS_PER_UPDATE, sampling.length)
        part = generated_part = generator.decode(ids).numpy()[0].decode()
        if after_blank:
            part = _without_blank(generator, part)
        after_blank = (after_blank and not generated_part) or part.endswith(LINE_END)
        complete, incomplete = _complete_syllables(incomplete + part, hangul)
        yield complete, Progress(state, generated, incomplete, after_blank)
    yield compose_jamo(incomplete, hangul), Progress(state, generated)


def _ends_in_blank(prompt: str) -> bool:
    """Return whether a prompt is empty or ends in a blank; see `models.pieces.ends_in_blank`."""
    return not prompt or prompt[-1] in " \t\n\f\r"


def _without_blank(generator: TextGenerator, part: str) -> str:
    """Return a part of a text after a blank, without its own first blank; characters stay as they are."""
    return part.removeprefix(" ") if isinstance(generator.text, PieceText) else part


def _visible_prompt(generator: TextGenerator, prompt: str) -> str:
    """Return the part of a prompt that is part of the text: of records, the one that is continued."""
    boundary = generator.step_model.boundary
    ends_lines = boundary is not None and generator.text.characters.symbols[boundary] == records.BOUNDARY
    return prompt.rpartition(records.BOUNDARY)[2] if ends_lines else prompt


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
    prompt = known.as_read(prompt)
    text = normalize(_visible_prompt(generator, prompt), known.normalization, known.hangul)
    state, after_blank = generator.initial_state(string_tensor([prompt])), _ends_in_blank(prompt)
    logits, states = state.logits, list(generator.named_states(state.states).values())
    boundary = generator.step_model.boundary
    for _ in range(generator.settings.length):
        top = tf.math.top_k(tf.nn.softmax(logits)[0], min(count, len(known) - 1))
        options = [END if index == boundary else known.symbols[index] for index in top.indices.numpy()]
        print(f"\n{compose_jamo(text, known.hangul)}")
        for number, (option, probability) in enumerate(zip(options, top.values.numpy(), strict=True), start=1):
            print(f"{number:4}  {option!r:8} {probability:7.2%}")
        chosen = _ask(options, known.symbols)
        if chosen in (None, END) or known.symbols.index(chosen) == boundary:
            break
        text += _without_blank(generator, chosen) if after_blank else chosen
        after_blank = (after_blank and not chosen) or chosen.endswith(LINE_END)
        after = generator.step(tf.constant([known.symbols.index(chosen)]), *states)
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
