"""The classifier that the settings describe, and how it is trained."""

from models import language_model_loss
from models.classifier import build_classifier
from models.losses import PathCrossentropy
from models.metrics import PathAccuracy, PathMacroF1
from tasks.data import word_vectors
from tasks.data.locations import to_path
from tasks.sentiment import pretrained_head
from tasks.sentiment.labelled_texts import LabelledTexts
from tasks.sentiment.settings import SentimentSettings
from tasks.task_parts import Network
from tasks.training.runs import Run


def build(settings: SentimentSettings, data: LabelledTexts, run: Run) -> Network:
    """Build the untrained network, with the word vectors and the vocabularies of n-grams that the settings ask for."""
    training, vectors = settings.training, None
    if training.vectors:
        vectors = word_vectors.read(to_path(training.vectors), data.pieces, settings.network.embedding_size)
    model = build_classifier(
        settings.network,
        settings.recurrent,
        vocabulary_size=len(data.pieces),
        classes=len(data.labels),
        vectors=vectors,
        **data.ngrams._asdict(),
    )
    if training.pretrained is not None:
        pretrained_head.set_weights(model, run)
        if training.fine_tuning == "off":
            pretrained_head.freeze(model)
    paths = model.trained_paths  # the adversarial path counts in no metric
    losses = pretrained_head.language_model_losses(settings, model, run) if training.lm_loss_weight else []
    tables = ((model.ngrams, training.ngram_learning_rate), (model.wide, training.wide_learning_rate))
    return Network(
        model=model,
        training_model=(
            language_model_loss.training_model(model, losses)
            if losses
            else model.training_model(training.adversarial_epsilon)
        ),
        loss=PathCrossentropy(training.label_smoothing),
        metrics=[
            PathAccuracy(settings.network.wide_share, paths=paths),
            PathMacroF1(settings.network.wide_share, len(data.labels), paths=paths),
        ],
        sparse_learning_rates=[
            (layer, rate) for layer, rate in tables if layer is not None and layer.trainable_variables
        ],
        layer_rates=pretrained_head.layer_rates(model, losses) if training.fine_tuning == "gradual" else (),
        is_fitted=training.pretrained is not None,
    )
