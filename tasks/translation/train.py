"""Trains a translator, or goes on with an interrupted training."""

import itertools
import logging
from collections.abc import Callable
from pathlib import Path

import keras
import sacrebleu

from models.losses import SmoothedCrossentropy
from models.network_settings import SearchSettings
from models.text_translator import TextTranslator
from models.translator import StepTranslator, build_translator
from tasks.training import fit as training
from tasks.training import runs
from tasks.training.runs import Run
from tasks.translation import data, translate
from tasks.translation.settings import TranslationSettings

log = logging.getLogger(__name__)


def train(settings: TranslationSettings, run: Path | str, *, overwrite: bool = False, verbose: int = 1) -> Run:
    """Trains a translator in the folder `run`.

    Args:
      settings: all of them.
      run: a new folder, or that of the same training, interrupted, which then goes on.
      overwrite: puts the new run in the place of a finished one.
      verbose: Keras's: 0 silent, 1 a progress bar, 2 a line for each epoch.

    Returns: the finished run.

    Raises:
      UserError: the data or the folder cannot be used.
      tasks.errors.TrainingDiverged: the loss became NaN; the run is finished with the last good weights.
    """
    folder = runs.begin(run, "translation", settings, overwrite=overwrite)
    data.prepare(settings, folder)
    chosen = settings.training
    sizes = [processor.get_piece_size() for processor in data.load_vocabularies(folder.vocabulary)]
    sampled = settings.vocabulary.segmentation_alpha is not None
    pairs = data.Pairs(folder.checkpoint, "train", chosen.tokens_per_batch, sampled)
    held_out = data.Pairs(folder.checkpoint, "validation", chosen.tokens_per_batch)
    training.set_up(chosen)
    with training.explained_cudnn():
        model = build_translator(settings.network, settings.recurrent, *sizes)
    log.info(
        "%s pairs to train on, %s to validate on; vocabularies of %s and %s pieces",
        *(f"{number:,}" for number in (len(pairs), len(held_out), *sizes)),
    )
    training.describe(model, settings.recurrent, pairs.steps_per_pass, pairs.tokens)
    with runs.finishing(folder, run):
        training.train(
            model,
            # The same weights: what is kept has no optimizer, and so a quarter of the size.
            keras.Model(model.inputs, model.outputs, name="translator_training"),
            loss=SmoothedCrossentropy(chosen.label_smoothing),
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
            batches=lambda epoch, step: pairs.training_batches(chosen.seed, epoch, step),
            steps_per_pass=pairs.steps_per_pass,
            tokens_per_pass=pairs.tokens,
            validation=held_out.validation_batches(),
            settings=chosen,
            run=folder,
            judge=_bleu_judge(settings, model, folder) if chosen.bleu_epochs else None,
            verbose=verbose,
        )
    return Run(run)


def _bleu_judge(settings: TranslationSettings, model: keras.Model, run: Run) -> Callable[[int], dict]:
    """Measures BLEU of greedy translations of validation pairs, in the epochs that the settings choose."""
    chosen = settings.training
    records = data.with_both_sides(data.pair_source(settings.data).records("validation"), data.LeftOut())
    sources, references = zip(*(r.values for r in itertools.islice(records, chosen.bleu_pairs)), strict=True)
    pieces = [processor.serialized_model_proto() for processor in data.load_vocabularies(run.vocabulary)]
    network = StepTranslator(model, settings.network, settings.recurrent)
    search = SearchSettings(**settings.search.model_dump() | {"beam_size": 1, "coverage_penalty": 0.0})
    translator = TextTranslator(network, *pieces, search)

    def judge(epoch: int) -> dict[str, float | None]:
        if epoch % chosen.bleu_epochs and epoch != chosen.epochs:
            return {"bleu": None}
        found = [answer["translation"] for answer in translate.translations(translator.translate, sources)]
        bleu = sacrebleu.corpus_bleu(found, [references], tokenize=settings.evaluation.sacrebleu_tokenizer).score
        log.info("BLEU of %s validation pairs: %.2f", f"{len(found):,}", bleu)
        return {"bleu": bleu}

    return judge
