"""A sentence in, its translation out, in one graph; this is what an export of the translator contains."""

import tensorflow as tf

from models.beam_search import Penalties, SearchResult, beam_search
from models.generation_settings import DEFAULT_MAX_LENGTH_RATIO, SearchSettings
from models.graph_methods import graph_method
from models.input_ranges import checked, input_schema
from models.logits_processors import RequiredIds
from models.placeholders import Placeholders
from models.source_text import Sentences, SourceText
from models.text import BOS, EOS, PAD, SPACE, SPECIALS, UNKNOWN, SentencePieceText, vocabulary
from models.translator import Memory, StepTranslator
from models.truecasing import Casing, Truecaser

# Number of pieces that any translation may have in addition to its maximum ratio, so that short ones are not cut.
SPARE_PIECES = 10
# The score of a translation that there is not, the lowest finite one: JSON has no infinity.
NO_SCORE = tf.float32.min


class TextTranslator(tf.Module):
    """Translation of sentences with a beam search.

    Args:
        network: The network.
        source: The serialized SentencePiece model of the source language.
        target: The serialized SentencePiece model of the target language.
        settings: Settings of the search. A `max_length_ratio` of None is 2 here; the task derives it from its pairs.
        placeholders: The spans that are copied; None where the vocabularies have no symbols for them.
        casing: The case of the words of the source language; None reads capital letters as they are.

    Attributes:
        network, settings: As given.
        source, target: The tokenizers, the first with what a translation needs of its sentence.
        source_pieces, target_pieces: The pieces of the vocabularies, in the order of their ids.
        inputs: The JSON Schema of each number that `beam` accepts.

    Example:
        >>> from models.network_settings import TranslatorSettings
        >>> from models.recurrent_settings import RecurrentSettings
        >>> from models.text import train_sentencepiece
        >>> from models.translator import StepTranslator, build_translator
        >>> source, target = (train_sentencepiece([text], size=30) for text in ("a dog runs", "ein Hund rennt"))
        >>> settings = TranslatorSettings(embedding_size=4)
        >>> sizes = len(vocabulary(source)), len(vocabulary(target))
        >>> recurrent = RecurrentSettings(units=4, return_sequences=True)
        >>> network = StepTranslator(build_translator(settings, recurrent, *sizes))
        >>> translator = TextTranslator(network, source, target, SearchSettings(beam_size=5))
        >>> list(translator.translate(tf.constant(["a dog runs"])))
        ['translation', 'score', 'truncated', 'unknown']
    """

    def __init__(
        self,
        network: StepTranslator,
        source: bytes,
        target: bytes,
        settings: SearchSettings,
        placeholders: Placeholders | None = None,
        casing: Casing | None = None,
    ):
        super().__init__()
        self.network, self.settings = network, settings
        self.max_tokens = network.settings.max_tokens
        truecaser = Truecaser(casing) if casing is not None and settings.fold_upper_case else None
        self.source = SourceText(source, self.max_tokens, placeholders, truecaser, settings.copy_unknown)
        self.target = SentencePieceText(target, self.max_tokens)
        pieces, target_pieces = vocabulary(source), vocabulary(target)
        self.source_pieces, self.target_pieces = pieces, target_pieces
        size = min(1000, len(target_pieces))
        self.inputs = {
            # A server answers requests together if their answers have the same shape.
            "beam_size": input_schema(settings, "beam_size", maximum=size, **{"x-sizes": ["translations", "scores"]}),
            "length_penalty": input_schema(settings, "length_penalty"),
        }
        self._space = target_pieces.index(SPACE) if SPACE in target_pieces else None
        self._penalties = {
            "coverage": settings.coverage_penalty if network.attends else 0.0,
            "no_repeat_ngram_size": settings.no_repeat_ngram_size,
            "blocked_ids": (UNKNOWN,) if settings.block_unknown else (),
        }

    @graph_method(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def translate(self, text):
        """Translate sentences, with the translator's settings.

        Args:
            text: string `(batch,)`.

        Returns:
            A dict of

            - `translation`: string `(batch,)`, empty for an empty sentence;
            - `score`: float32 `(batch,)`, see `beam_search`; `NO_SCORE` if the settings allow no translation;
            - `truncated`: bool `(batch,)`, whether only the first `max_tokens` pieces of the sentence are translated;
            - `unknown`: bool `(batch,)`, whether most characters of the sentence are unknown to the vocabulary.
        """
        settings = self.settings
        sentences = self.source.read(text)
        result, is_empty = self._search(sentences, settings.beam_size, 1, settings.length_penalty)
        translation = self.source.restore(self.texts(result.ids[:, 0]), sentences)
        return {
            "translation": tf.where(is_empty, self.instead(text, sentences), translation),
            "score": tf.where(is_empty, 0.0, finite(result.scores[:, 0])),
            "truncated": sentences.truncated,
            "unknown": sentences.unknown,
        }

    @graph_method(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([None], tf.int32, name="beam_size"),
            tf.TensorSpec([None], tf.float32, name="length_penalty"),
        ],
    )
    def beam(self, text, beam_size, length_penalty):
        """Translate sentences, with the caller's beam size and length penalty.

        Args:
            text: string `(batch,)`.
            beam_size: int32 `(batch,)`, number of hypotheses and of translations of each sentence.
            length_penalty: float32 `(batch,)`, see `SearchSettings`.

        Returns:
            A dict of

            - `translations`: string `(batch, largest beam size)`, the best first, then empty;
            - `scores`: float32 `(batch, largest beam size)`, `NO_SCORE` after the last translation;
            - `count`: int32 `(batch,)`, number of translations found, at most the sentence's beam size;
            - `truncated`, `unknown`: bool `(batch,)`, as from `translate`.

        Raises:
            tf.errors.InvalidArgumentError: If a number is outside its range (`inputs`).
        """
        beam_sizes = checked("beam_size", beam_size, text, self.inputs["beam_size"])
        length_penalty = checked("length_penalty", length_penalty, text, self.inputs["length_penalty"])
        beam_size = tf.maximum(tf.reduce_max(beam_sizes), 1)  # the maximum of no sentence is negative
        sentences = self.source.read(text)
        result, is_empty = self._search(sentences, beam_size, beam_size, length_penalty, beam_sizes)
        texts = self.texts(tf.reshape(result.ids, [-1, tf.shape(result.ids)[-1]]))
        texts = tf.reshape(self.source.restore(texts, sentences, beam_size), tf.shape(result.scores))
        is_first = tf.range(beam_size) == 0
        scores = tf.where(is_empty[:, None], tf.where(is_first, 0.0, NO_SCORE), finite(result.scores))
        texts = tf.where(is_empty[:, None], self.instead(text, sentences)[:, None], texts)
        return {
            "translations": tf.where(scores > NO_SCORE, texts, ""),
            "scores": scores,
            "count": tf.reduce_sum(tf.cast(scores > NO_SCORE, tf.int32), axis=1),
            "truncated": sentences.truncated,
            "unknown": sentences.unknown,
        }

    @graph_method(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([None], tf.string, name="translation"),
        ],
    )
    def score(self, text, translation):
        """Compute the probability of given translations.

        Args:
            text: string `(batch,)`, the sentences.
            translation: string `(batch,)`, one translation of each.

        Returns:
            A dict of

            - `log_probability`: float32 `(batch,)`, ln p(translation | text) in nats, EOS included;
            - `pieces`: int32 `(batch,)`, number of pieces of the translation, EOS included.
        """
        text, translation = self.masked_pairs(text, translation)
        pieces = self.target.pieces(translation)
        column = lambda id: tf.fill([tf.size(text), 1], id)  # noqa: E731
        labels = tf.concat([pieces, column(EOS)], axis=1).to_tensor(PAD)
        inputs = tf.concat([column(BOS), pieces], axis=1).to_tensor(PAD)
        source_ids = with_end(self.source.tokens.pieces(text)[:, : self.max_tokens])
        logits = self.network.model([source_ids, inputs], training=False)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        mask = labels != PAD
        return {
            "log_probability": -tf.reduce_sum(tf.where(mask, nats, 0.0), axis=1),
            "pieces": tf.reduce_sum(tf.cast(mask, tf.int32), axis=1),
        }

    # --- the parts

    def max_length(self, pieces):
        """Compute the maximum number of pieces of translations.

        Args:
            pieces: int32 `(batch,)`, number of pieces of the sentences.

        Returns:
            int32 `(batch,)`.
        """
        return _scaled(pieces, self.settings.max_length_ratio or DEFAULT_MAX_LENGTH_RATIO) + SPARE_PIECES

    def masked_pairs(self, text, translation):
        """Mask the spans that sentences and given translations of them share, string `(batch,)` each."""
        masks = self.source.placeholders
        return (text, translation) if masks is None else masks.mask_pairs(text, translation)

    def _search(self, sentences: Sentences, *search):
        """Return what `search_ids` returns."""
        ids = with_end(sentences.pieces)
        return self.search_ids(sentences, ids, *self.network.initial_states(ids), *search)

    def search_ids(
        self,
        sentences: Sentences,
        ids,
        memory,
        states,
        beam_size,
        num_return_sequences,
        length_penalty,
        beam_sizes=None,
    ) -> tuple[SearchResult, tf.Tensor]:
        """Return the result for source ids, and bool `(batch,)`, whether a sentence has no translation (`instead`)."""
        settings = self.settings
        pieces = tf.reduce_sum(tf.cast(ids != PAD, tf.int32), axis=1) - 1
        max_length = self.max_length(pieces)
        required = self.source.required_symbols(sentences.pieces)
        is_empty = (pieces == 0) | (sentences.unknown & settings.copy_unknown)
        result = beam_search(
            lambda ids, states, memory: self.network.decode_step(ids, states, Memory(*memory)),
            states,
            [part for part in memory if part is not None],
            beam_size=beam_size,
            beam_sizes=beam_sizes,
            num_return_sequences=num_return_sequences,
            min_length=tf.where(is_empty, 0, tf.minimum(_scaled(pieces, settings.min_length_ratio), max_length)),
            max_length=tf.where(is_empty, 0, max_length),
            symbols=None if required is None else RequiredIds(required, SPECIALS, self._space),
            source_mask=memory.mask,
            penalties=Penalties(length=length_penalty, **self._penalties),
            bos=BOS,
            eos=EOS,
        )
        return result, is_empty

    def instead(self, text, sentences: Sentences):
        """Return the answers to sentences that are not translated: "" without pieces, and otherwise the sentence."""
        return tf.where(sentences.pieces.row_lengths() == 0, "", text)

    def texts(self, ids):
        """Convert ids, int32 `(rows, timesteps)` padded with PAD, to texts, string `(rows,)`."""
        return self.target.text(tf.ragged.boolean_mask(ids, ids != PAD))


def with_end(pieces: tf.RaggedTensor) -> tf.Tensor:
    """Return ids, int32 `(batch, timesteps)`, with EOS after each sentence."""
    ids = tf.concat([pieces, tf.fill([pieces.nrows(), 1], EOS)], axis=1)
    # A recurrent layer needs at least one timestep, even for an empty batch.
    timesteps = tf.maximum(ids.bounding_shape(axis=1), 1)
    return tf.ensure_shape(ids.to_tensor(PAD, shape=tf.stack([-1, timesteps])), (None, None))


def finite(scores):
    """Return scores with `NO_SCORE` in place of -inf."""
    return tf.maximum(scores, NO_SCORE)


def _scaled(pieces, ratio: float):
    """Multiply numbers of pieces, int32 `(batch,)`, by a ratio, and round up."""
    return tf.cast(tf.math.ceil(tf.cast(pieces, tf.float32) * ratio), tf.int32)
