"""Continues prompts, with a run or an exported model."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from models.characters import Characters
from models.generation_settings import SamplingSettings
from models.interruptible import interruptible
from models.language_model import StepModel
from models.pieces import Pieces
from models.text_generator import TextGenerator
from models.text_stream import TextStream
from tasks.chargen import data, long_texts
from tasks.chargen.settings import FIXED_IN_EXPORTS, ChargenSettings, EvaluationSettings, GenerateArguments
from tasks.data.library_logs import hidden_retracing_warnings
from tasks.errors import UserError
from tasks.predictor import Predictor, check_count
from tasks.serving.batched_inference import Window, string_tensor, windows
from tasks.serving.inference import override, override_groups
from tasks.task_parts import Exportable
from tasks.texts import checked_texts
from tasks.training.checkpoint import check_size
from tasks.training.runs import Run

log = logging.getLogger(__name__)

PROMPTS_PER_BATCH = 64
# The same in characters: long texts are written one by one, and memory does not hold them all.
CHARACTERS_PER_BATCH = 1_000_000
# Texts of each prompt, at most, for which prompts share a batch.
SAMPLES_TOGETHER = 16
BETWEEN_TEXTS = "-" * 15


class CharacterGenerator(Predictor):
    """A character model of a run or of an export.

    Args:
        generate: `TextGenerator.generate`, or the exported signature of that name.
        sampling: How characters are drawn, and how many.
        characters: The vocabulary.
        evaluation: What `evaluate` generates.
        writes_records: Whether each line is a separate text with an end token.
        reverse: Whether the model reads texts from their end, so that it continues none.
        owner: The object that `generate` belongs to; a `tf.function` does not keep its object alive.
        module: The `TextGenerator` of a run.
    """

    answer_names = ("prompt", "seed", "text", "continuation")

    def __init__(
        self,
        generate: Callable,
        sampling: SamplingSettings,
        characters: Characters | Pieces,
        *,
        evaluation: EvaluationSettings | None = None,
        writes_records: bool = False,
        reverse: bool = False,
        owner=None,
        module: TextGenerator | None = None,
    ):
        self._generate, self.sampling, self.characters = generate, sampling, characters
        self.evaluation = evaluation or EvaluationSettings()
        self.writes_records, self.reverse = writes_records, reverse
        self._owner, self.module = owner, module

    def predict(
        self,
        texts: Iterable[str],
        *,
        window: int | Window = PROMPTS_PER_BATCH,
        samples: int = 1,
        skip: int = 0,
        **sampling: Any,
    ) -> Iterator[dict]:
        """Yield continuations of prompts, in the order of the prompts; see `tasks.predictor.Predictor.predict`.

        Args:
            texts: The prompts.
            window: Number of prompts that are read before their continuations are yielded.
            samples: Texts for each prompt; the first uses the seed, the second the next one, and so on.
            skip: Number of the first prompt's texts that are left out.
            **sampling: Settings of sampling that differ from those of the predictor, such as `temperature`.

        Returns:
            {"prompt": str, "seed": int, "text": str, "continuation": str} for each text.
        """
        check_count("--samples", samples)
        fixed = [name for name in sampling if name in FIXED_IN_EXPORTS]
        if fixed:
            raise UserError(f"{fixed[0]} is fixed when a model is opened: load(RUN, {fixed[0]}=...)")
        chosen = override(self.sampling, sampling)
        seeds = range(chosen.sampling_seed, chosen.sampling_seed + samples)
        # Many texts of a prompt are yielded one by one: nobody waits for the last, and memory does not hold them all.
        window = window if isinstance(window, Window) else Window(window)
        asked = self._warned(checked_texts(texts))
        self.check_direction()
        for prompt in itertools.islice(asked, 1 if skip else 0):
            for seed in seeds[skip:]:
                yield {"prompt": prompt, "seed": seed, **self._continue([prompt], chosen, seed)[0]}
        together = max(1, min(PROMPTS_PER_BATCH, CHARACTERS_PER_BATCH // chosen.length))
        for prompts in windows(asked, window.at_most(1 if samples > SAMPLES_TOGETHER else together)):
            answers = (self._continue(prompts, chosen, seed) for seed in seeds)
            if len(prompts) == 1:
                for seed, [of_seed] in zip(seeds, answers, strict=True):
                    yield {"prompt": prompts[0], "seed": seed, **of_seed}
                continue
            answers = list(answers)
            for row, prompt in enumerate(prompts):
                for seed, of_seed in zip(seeds, answers, strict=True):
                    yield {"prompt": prompt, "seed": seed, **of_seed[row]}

    def answers_per_text(self, options: Mapping[str, Any]) -> int:
        """Return the number of samples; see `tasks.predictor.Predictor.answers_per_text`."""
        return options.get("samples", 1)

    def check_direction(self) -> None:
        """Raise `UserError` if the model continues no text."""
        if self.reverse:
            raise UserError(
                "the model reads texts from their end (go_backwards), so it continues none; train one without "
                "--go-backwards"
            )

    @hidden_retracing_warnings()
    def _continue(self, prompts: list[str], sampling: SamplingSettings, seed: int) -> list[dict[str, str]]:
        """Return the text and the continuation of each prompt; each is what the prompt gives alone with this seed."""
        prompts = [*map(self.characters.as_read, prompts)]
        if sampling.length > long_texts.PART:
            if self.module is None:
                return long_texts.continue_in_parts(self._owner.signatures, prompts, sampling, seed, self.characters)
            out = long_texts.generate_in_parts(self.module, string_tensor(prompts), sampling, seed)
        else:
            arguments = {
                "prompt": string_tensor(prompts),
                "seed": tf.fill([len(prompts)], tf.constant(seed, tf.int64)),
                **long_texts.sampling_inputs(sampling, len(prompts), sampling.length),
            }
            out = interruptible(lambda: self._generate(**arguments))
        rows = zip(out["text"].numpy(), out["continuation"].numpy(), strict=True)
        return [{"text": text.decode(), "continuation": continuation.decode()} for text, continuation in rows]

    def _warned(self, prompts: Iterable[str]) -> Iterator[str]:
        """Yield the prompts, with a warning before the first that has unknown characters."""
        warned = False
        for prompt in prompts:
            warned = warned or warn_of_unknown(self.characters, prompt)
            yield prompt


def warn_of_unknown(characters: Characters | Pieces, prompt: str) -> bool:
    """Log the characters of a prompt that are not in the vocabulary; return whether there are any."""
    unknown = characters.unknown_in(prompt)
    if unknown:
        shown = " ".join(map(repr, unknown[:10])) + (" ..." if len(unknown) > 10 else "")
        log.warning("not among the model's characters, read as unknown: %s", shown)
    return bool(unknown)


def writes_records(settings: ChargenSettings, vocabulary: Characters | Pieces) -> bool:
    """Return whether each text that is generated is one line, which ends by itself."""
    return not vocabulary.has_line_ends if isinstance(vocabulary, Pieces) else settings.data.records is not None


def from_run(
    run: Run, settings: ChargenSettings, model: keras.Model, overrides: Mapping[str, Any]
) -> CharacterGenerator:
    """Make a predictor of a finished run; see `tasks.task.Task.from_run`.

    The overrides are settings of sampling, and of the evaluation.
    """
    sampling, evaluation = override_groups(settings, overrides, "sampling", "evaluation")
    characters = data.load_vocabulary(settings, run.vocabulary)
    file = "sentencepiece.model" if isinstance(characters, Pieces) else "characters.json"
    check_size(run, file, len(characters), model.vocabulary_size)
    data.check_stops(sampling.stop, characters)
    sampling = override(sampling, {"stop": tuple(map(characters.as_read, sampling.stop))})
    boundary = data.boundary_of(settings, characters)
    generator = TextGenerator(StepModel(model, boundary), data.text_module(characters), sampling)
    return CharacterGenerator(
        generator.generate,
        sampling,
        characters,
        evaluation=evaluation,
        reverse=settings.recurrent.go_backwards,
        writes_records=writes_records(settings, characters),
        module=generator,
    )


def from_export(
    saved_model: Any, settings: ChargenSettings, folder: Path, overrides: Mapping[str, Any]
) -> CharacterGenerator:
    """Make a predictor of an exported model; see `tasks.task.Task.from_export`."""
    fixed = [name for name in overrides if name in FIXED_IN_EXPORTS]
    if fixed:
        raise UserError(f"{fixed[0]} is fixed in an exported model: set it in train or export, or name the run")
    sampling = override(settings.sampling, overrides)
    characters = data.load_vocabulary(settings, folder)
    if "continue" not in saved_model.signatures:
        raise UserError(f"{folder.parent} was exported by another version; export the run again")
    return CharacterGenerator(
        saved_model.signatures["generate"],
        sampling,
        characters,
        writes_records=writes_records(settings, characters),
        owner=saved_model,
    )


def answers(
    predictor: CharacterGenerator, texts: Iterable[str], arguments: GenerateArguments, window: Window, done: int
) -> Iterator[dict]:
    """Yield the continuations of the prompts; see `tasks.task.Task.answers`."""
    skip = done % arguments.samples
    return predictor.predict(texts, window=window, samples=arguments.samples, skip=skip)


def format_answer(predictor: CharacterGenerator, answer: dict, number: int, arguments: GenerateArguments) -> str:
    """Return the text, below a line that separates it from the text before; of a record nothing but its line."""
    return answer["text"] if number == 1 or predictor.writes_records else f"{BETWEEN_TEXTS}\n{answer['text']}"


def exportable(predictor: CharacterGenerator, run: Run) -> Exportable:
    """Return what is exported; it loads with TensorFlow alone. See `models.text_generator.TextGenerator`.

    Signatures:

    - serving_default: prompt -> text, continuation; with the run's settings of sampling;
    - generate: prompt, length, temperature, top_k, top_p, seed -> text, continuation;
    - begin: prompt, seed -> text, pending, and the state;
    - continue: the state, length, temperature, top_k, top_p -> text, pending, finished, and the state;
    - step: ids and states -> logits and states;
    - score: text -> nats_per_character.
    """
    predictor.check_direction()
    generator = predictor.module
    stream = TextStream(generator)
    some = "".join(predictor.characters.symbols[4:12])
    numbers = {"length": [8], "temperature": [1.0], "top_p": [0.9]}  # both ways of sampling are part of one graph
    return Exportable(
        generator.step_model.model,
        {
            "serving_default": generator.generate_default,
            "generate": generator.generate,
            "begin": stream.begin,
            "continue": stream.go_on,
            "step": generator.step,
            "score": generator.score,
        },
        resources=[generator.text],
        warmup={
            "serving_default": [{"prompt": [prompt]} for prompt in ("", some)],
            "generate": [{"prompt": [some], **numbers}],
            "begin": [{"prompt": [some]}],
            "continue": [{"pending": [""], **numbers}],
            "step": [{}],
            "score": [{"text": [some]}],
        },
        inputs={"generate": generator.inputs, "begin": {"seed": generator.inputs["seed"]}, "continue": stream.inputs},
    )
