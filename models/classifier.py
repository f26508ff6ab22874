"""Many-to-one network: ids, embedding, recurrent stack, classes."""

import keras
import numpy as np

from models.adversarial import AdversarialPath
from models.gates import layer_gates, recurrent_layers_of
from models.linear_ngrams import LinearModel, LinearNgrams
from models.network import Network, TrainingModel, settings_dict
from models.network_settings import ClassifierSettings
from models.ngrams import NgramEmbedding, projected
from models.piece_characters import PieceCharacters
from models.pooling import MaskedPooling, SumPooling1D
from models.recurrent import PaddingMask, recurrent_layers, recurrent_stack, reverse_time
from models.recurrent_settings import RecurrentSettings
from models.separate_directions import read
from models.wide_ngrams import WideNgrams


@keras.saving.register_keras_serializable("models")
class Classifier(Network):
    """Text classifier: int32 ids `(batch, timesteps)`, padded on the right with 0, to logits `(batch, classes)`.

    Use `build_classifier`, which also fills the vocabularies of n-grams.

    Args:
        settings: `ClassifierSettings`, or their fields.
        recurrent: `RecurrentSettings`, or their fields.
        vocabulary_size: Number of ids.
        classes: Number of classes.
        ngram_count: Number of n-grams with a vector; used if `settings.ngrams` is above 1.
        wide_count: Number of n-grams in the linear model; used if `settings.wide_ngrams` is above 0.
        piece_width: Number of characters of the longest piece; used if `settings.wide_units` is "characters".

    Attributes:
        settings: `ClassifierSettings`.
        recurrent: `RecurrentSettings`.
        classes: Number of classes.
        timesteps: The fixed number of timesteps with `unroll`, else None.
        embedding: The `keras.layers.Embedding`; with `separate_directions` that of the first direction.
        ngrams: The `NgramEmbedding` that is added to it; None without `ngrams`.
        token_vectors: Symbolic `(batch, timesteps, embedding_size)`: their sum, before dropout and pooling. With two
            separate directions, their vectors side by side.
        directions: List of `models.separate_directions.Direction`; empty without `separate_directions`.
        recurrent_layers: List of recurrent layers, first to last; with two separate directions the forward ones first.
        recurrent_logits: The `keras.layers.Dense` that computes the logits of the recurrent path.
        wide: The `WideNgrams` or `LinearNgrams` that computes the logits of the wide path; None without `wide_ngrams`.
        wide_ids: Symbolic `(batch, units)`: what it reads, the ids or those of characters.
        piece_characters: The `PieceCharacters` that computes these; None if the units are pieces.

    Raises:
        ValueError: If `recurrent` has an option that a classifier cannot use.
    """

    def __init__(
        self,
        settings: ClassifierSettings | dict,
        recurrent: RecurrentSettings | dict,
        vocabulary_size: int,
        classes: int,
        ngram_count: int = 0,
        wide_count: int = 0,
        piece_width: int = 0,
    ):
        settings = ClassifierSettings.model_validate(settings)
        recurrent = RecurrentSettings.model_validate(recurrent)
        settings.check_recurrent(recurrent)
        timesteps = settings.max_tokens if recurrent.unroll else None
        ids = keras.Input((timesteps,), dtype="int32", name="ids")
        mask = PaddingMask(name="mask")(ids)
        directions, ngrams, added = [], None, None
        if settings.ngrams > 1:
            size = settings.ngram_size or settings.embedding_size
            ngrams = NgramEmbedding(2, settings.ngrams, ngram_count, size, settings.ngram_dropout, name="ngrams")
            added = ngrams(ids)  # (batch, timesteps, size)
        if settings.separate_directions:
            directions, token_vectors, x = read(settings, recurrent, vocabulary_size, ids, mask, added)
            embedding, layers = directions[0].embedding, [layer for one in directions for layer in one.layers]
        else:
            embedding = keras.layers.Embedding(vocabulary_size, settings.embedding_size, name="embedding")
            token_vectors = embedding(ids)  # (batch, timesteps, embedding_size)
            if added is not None:
                token_vectors = token_vectors + projected(settings, added)
            layers, x = _joined_directions(settings, recurrent, token_vectors, mask)
        if settings.output_dropout:
            x = keras.layers.Dropout(settings.output_dropout, name="output_dropout")(x)
        # Logits are float32 also under a mixed precision policy: a softmax needs the range.
        recurrent_logits = keras.layers.Dense(classes, dtype="float32", name="recurrent_logits")
        logits = recurrent_logits(x)
        wide, wide_ids, piece_characters = None, ids, None
        if settings.wide_ngrams:
            kind = LinearNgrams if settings.wide_features == "tf_idf" else WideNgrams
            wide = kind(1, settings.wide_ngrams, wide_count, classes, dtype="float32", name="wide_logits")
            if settings.wide_units == "characters":
                piece_characters = PieceCharacters(vocabulary_size, piece_width, name="piece_characters")
                wide_ids = piece_characters(ids)
            logits = (1.0 - settings.wide_share) * logits + settings.wide_share * wide(wide_ids)
        super().__init__(ids, logits, name="classifier")
        self.settings, self.recurrent = settings, recurrent
        self.vocabulary_size, self.classes, self.timesteps = vocabulary_size, classes, timesteps
        self.embedding, self.ngrams, self.token_vectors = embedding, ngrams, token_vectors
        self.directions, self.recurrent_layers = directions, layers
        self.recurrent_logits, self.wide = recurrent_logits, wide
        self.wide_ids, self.piece_characters = wide_ids, piece_characters

    def arguments(self) -> dict:
        """Return the constructor's arguments."""
        return {
            "settings": settings_dict(self.settings, ClassifierSettings),
            "recurrent": settings_dict(self.recurrent, RecurrentSettings),
            "vocabulary_size": self.vocabulary_size,
            "classes": self.classes,
            "ngram_count": self.ngrams.size if self.ngrams is not None else 0,
            "wide_count": self.wide.size if self.wide is not None else 0,
            "piece_width": self.piece_characters.width if self.piece_characters is not None else 0,
        }

    def gates(self, layer: int, ids, *, direction: str = "forward") -> dict[str, np.ndarray]:
        """Compute the gates and states of a recurrent layer at each token; see `models.gates.gates`.

        Args:
            layer: Number of the layer, counted from 1.
            ids: Int32 `(batch, timesteps)`.
            direction: `"forward"` or `"backward"`.

        Returns:
            Float32 arrays `(batch, steps, units)`, in the order of the text; a step is `pool_size` tokens.

        Raises:
            ValueError: If the model has no such layer or direction.
        """
        if not self.directions:
            return layer_gates(self, layer, ids, direction=direction)
        layers = {one.name: one.layers for one in self.directions}
        if direction not in layers:
            raise ValueError(f"the model {self.name} has no direction {direction}, only {' and '.join(layers)}")
        if not 1 <= layer <= len(layers[direction]):
            raise ValueError(f"no recurrent layer {layer}: the model {self.name} has {len(layers[direction])}")
        number = recurrent_layers_of(self).index(layers[direction][layer - 1]) + 1
        # The first step is the end token, before the text.
        found = {name: values[:, 1:] for name, values in layer_gates(self, number, ids).items()}
        if direction == "backward":
            lengths = np.maximum((np.asarray(ids) != 0).sum(axis=1), 1)
            found = {
                name: np.stack(
                    [
                        np.concatenate([row[:length][::-1], row[length:]])
                        for row, length in zip(values, lengths, strict=True)
                    ]
                )
                for name, values in found.items()
            }
        return found

    @property
    def trained_paths(self) -> int:
        """Number of paths that are trained: 1, or 2 with a wide path that is not fitted before."""
        return 1 + (self.wide is not None and bool(self.wide.trainable_variables))

    def training_model(self, adversarial_epsilon: float = 0.0) -> TrainingModel:
        """Return a model that shares the weights and returns the logits of each path that is trained.

        Each path is trained with its own loss, `models.losses.PathCrossentropy`. A `LinearNgrams` is fitted before.

        Args:
            adversarial_epsilon: Above 0, a training step has a further path, the last one: the recurrent path with
                vectors of the tokens that were moved by this share of their length; see
                `models.adversarial.AdversarialPath`. `PathAccuracy` and `PathMacroF1` then need
                `paths=model.trained_paths`.

        Returns:
            A model from ids `(batch, timesteps)` to logits `(batch, paths, classes)`. With a `WideNgrams` its inputs
            are (ids, labels): it needs the labels, int32 `(batch,)`, to subtract each text's own counts. Adversarial
            training needs them too.
        """
        inputs, recurrent, paths = self.input, self.recurrent_logits.output, []
        wide = self.trained_paths > 1
        if wide or adversarial_epsilon:
            labels = keras.Input((), dtype="int32", name="labels")
            inputs = (self.input, labels)
        if wide:
            paths.append(self.wide(self.wide_ids, labels))
        if adversarial_epsilon:
            read = [self.input, self.token_vectors, *(one.end_vector for one in self.directions)]
            path = keras.Model(read, recurrent, name="recurrent_path")
            outputs = AdversarialPath(path, adversarial_epsilon, name="adversarial_path")(read, labels)
            outputs = keras.ops.concatenate([outputs[:, :1], *(one[:, None] for one in paths), outputs[:, 1:]], axis=1)
        else:
            outputs = keras.ops.stack([recurrent, *paths], axis=1)
        arguments = {"adversarial_epsilon": adversarial_epsilon} if adversarial_epsilon else {}
        return TrainingModel(self, inputs, outputs, name="classifier_training", arguments=arguments)


def _joined_directions(settings: ClassifierSettings, recurrent: RecurrentSettings, x, mask) -> tuple:
    """Connect one recurrent stack to the vectors of the tokens; return its layers, and the features of the text."""
    if settings.embedding_dropout:
        x = keras.layers.SpatialDropout1D(settings.embedding_dropout, name="embedding_dropout")(x)
    if settings.pool_size > 1:
        x = SumPooling1D(settings.pool_size, name="sum_pooling")(x, mask)
        mask = mask[:, :: settings.pool_size]  # padding is on the right, so the first timestep of a window decides
    layers = recurrent_layers(recurrent)
    dropout, residual = settings.layer_dropout, settings.residual
    x = recurrent_stack(recurrent, x, mask=mask, layer_dropout=dropout, residual=residual, layers=layers)
    if recurrent.return_sequences:
        if recurrent.go_backwards:  # Keras returns the last timestep first; the mask has the opposite order
            x = reverse_time(x)
        x = MaskedPooling(settings.pooling or "max_mean", name="pooling")(x, mask=mask)
    return layers, x


def build_classifier(
    settings: ClassifierSettings,
    recurrent: RecurrentSettings,
    *,
    vocabulary_size: int,
    classes: int,
    vectors: np.ndarray | None = None,
    ngram_keys: np.ndarray | None = None,
    wide_keys: np.ndarray | None = None,
    wide_counts: np.ndarray | None = None,
    wide_model: LinearModel | None = None,
    piece_characters: np.ndarray | None = None,
) -> Classifier:
    """Build an untrained classifier.

    Args:
        settings: Settings of the network.
        recurrent: Settings of the recurrent stack.
        vocabulary_size: Number of ids.
        classes: Number of classes, two or more.
        vectors: Initial values of the embedding, float `(vocabulary_size, embedding_size)`; random if None.
        ngram_keys: Vocabulary of the n-gram embedding, int32 `(n-grams,)`, from
            `models.ngram_counts.frequent_ngrams`; needed with `ngrams`.
        wide_keys: Vocabulary of the wide path, likewise; needed with `wide_ngrams`.
        wide_counts: Counts of the wide path, float32 `(n-grams + 1, classes)`, from
            `models.ngram_counts.ngram_class_counts`; needed with `wide_ngrams` and features of log_count_ratios.
        wide_model: The fitted linear model of the wide path; needed with `wide_ngrams` and features of tf_idf.
        piece_characters: From `models.piece_characters.character_table`; needed with `wide_units` of characters.

    Returns:
        The network. With `wide_ngrams` its logits are the weighted average of those of its two paths.

    Raises:
        ValueError: If `recurrent` has an option that a classifier cannot use, or if the settings need a table that is
            missing.

    Example:
        >>> settings, recurrent = ClassifierSettings(embedding_size=16, wide_ngrams=0), RecurrentSettings(units=8)
        >>> model = build_classifier(settings, recurrent, vocabulary_size=100, classes=3)
        >>> model(np.array([[5, 9, 0], [7, 8, 6]])).shape  # logits: batch, classes
        TensorShape([2, 3])
    """
    wide, tf_idf = settings.wide_ngrams > 0, settings.wide_features == "tf_idf"
    needed = {
        "ngram_keys": (ngram_keys, settings.ngrams > 1, "ngrams", "models.ngram_counts.frequent_ngrams"),
        "wide_keys": (wide_keys, wide, "wide_ngrams", "models.ngram_counts.frequent_ngrams"),
        "wide_counts": (wide_counts, wide and not tf_idf, "wide_ngrams", "models.ngram_counts.ngram_class_counts"),
        "wide_model": (wide_model, wide and tf_idf, "wide_features", "models.linear_ngrams.LinearModel"),
        "piece_characters": (
            piece_characters,
            wide and settings.wide_units == "characters",
            "wide_units",
            "models.piece_characters.character_table",
        ),
    }
    for argument, (value, is_needed, setting, source) in needed.items():
        if is_needed and value is None:
            raise ValueError(
                f"{setting}={getattr(settings, setting)} needs the argument {argument}, see {source}; or leave "
                f"{setting} out"
            )
    model = Classifier(
        settings,
        recurrent,
        vocabulary_size,
        classes,
        ngram_count=0 if ngram_keys is None else len(ngram_keys),
        wide_count=0 if wide_keys is None else len(wide_keys),
        piece_width=0 if piece_characters is None else piece_characters.shape[1],
    )
    if vectors is not None:
        model.embedding.set_weights([vectors])
    if model.ngrams is not None:
        model.ngrams.set_keys(ngram_keys)
    if model.piece_characters is not None:
        model.piece_characters.table.assign(piece_characters)
    if model.wide is not None:
        model.wide.set_keys(wide_keys)
        if settings.wide_features == "tf_idf":
            model.wide.set_model(wide_model)
        else:
            model.wide.set_counts(wide_counts)
    return model
