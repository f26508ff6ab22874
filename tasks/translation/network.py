"""The translator that the settings describe, how it is trained, and its BLEU on validation data."""

import logging
from collections.abc import Callable

import keras
from sacrebleu.metrics import BLEU

from models.losses import SmoothedCrossentropy
from models.translator import build_translator
from tasks.serving.inference import override
from tasks.task_parts import Network
from tasks.training.runs import Run
from tasks.translation import data, length_limit, preprocessing, scoring, translate, validation_pairs
from tasks.translation.pairs import SentencePairs
from tasks.translation.settings import TranslationSettings

log = logging.getLogger(__name__)


def build(settings: TranslationSettings, pairs: SentencePairs, run: Run) -> Network:
    """Build the untrained network."""
    model = build_translator(settings.network, settings.recurrent, *pairs.vocabulary_sizes)
    return Network(
        model=model,
        training_model=model.training_model(),
        loss=SmoothedCrossentropy(settings.training.label_smoothing),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        validation_metrics=_validation_bleu(settings, model, run) if settings.training.bleu_epochs else None,
    )


def _validation_bleu(settings: TranslationSettings, model: keras.Model, run: Run) -> Callable[[int], dict]:
    """Return a function that measures BLEU of greedy translations, in the epochs that the settings choose."""
    chosen = settings.training
    sources, references = zip(*validation_pairs.read(run), strict=True)
    search = override(settings.search, {"beam_size": 1, "coverage_penalty": 0.0})
    search = length_limit.resolved(search, run.vocabulary)
    predictor = translate.from_model(
        model, data.load_vocabularies(run.vocabulary), search, rules=preprocessing.load(run.vocabulary)
    )
    normalize = scoring.Normalizer(settings.vocabulary)
    references = normalize(references)
    scorer = BLEU(tokenize=scoring.choose_tokenizer(settings.evaluation, references))

    def measure(epoch: int) -> dict[str, float | None]:
        if epoch % chosen.bleu_epochs and epoch != chosen.epochs:
            return {"bleu": None}
        found = normalize(answer["translation"] for answer in predictor.predict(sources))
        bleu = scorer.corpus_score(found, [references]).score
        log.info("BLEU of %s validation pairs: %.2f", f"{len(found):,}", bleu)
        return {"bleu": bleu}

    return measure
