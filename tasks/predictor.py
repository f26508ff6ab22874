"""Models that answer texts, of any task: a finished run or an exported model. Imports no TensorFlow."""

import abc
import itertools
import numbers
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tasks.errors import UserError
from tasks.texts import is_single, one_text_or_missing, texts_or_missing

if TYPE_CHECKING:
    from tasks.serving.batched_inference import Window


class Predictor(abc.ABC):
    """A finished run or an exported model, ready for inference.

    Attributes:
        answer_names: The names that each answer has.
        module: The `tf.Module` with the graph functions of a run; None for an exported model.
    """

    answer_names: ClassVar[tuple[str, ...]] = ("text",)
    module: Any = None

    @abc.abstractmethod
    def predict(self, texts: Iterable[str], *, window: "int | Window", **options) -> Iterator[dict]:
        """Yield the answer to each text as a dict, in the order of the texts.

        Args:
            texts: Any number of texts; they are read as a stream.
            window: Number of texts that are read before their answers are yielded, or a `Window`.
            **options: Options of the task.
        """

    def __call__(self, texts: str | Iterable[str | None], **options) -> dict | list:
        """Return the answer to one text, or a list with the answer to each text.

        A missing value, such as None or NaN, has an answer whose values are all None. So the answers of a column of a
        data frame are as many as its rows.

        Args:
            texts: One text; or a list, a column of a data frame, or anything else that yields texts.
            **options: Options of `predict`.

        Returns:
            The answer, see `predict`; a list of answers if `texts` is not one text. With an option that asks for
            several answers to each text, each of these is a list.

        Raises:
            UserError: If one of the texts is no text, such as bytes or a number.

        Example:
            >>> from tasks.sentiment import load
            >>> classify = load("runs/mine")
            >>> classify("Arrived late and broken.")["label"] in ("negative", "positive")
            True
            >>> [answer["text"] for answer in classify(["Arrived late.", "A good film."])]
            ['Arrived late.', 'A good film.']
        """
        if is_single(texts):
            return self([one_text_or_missing(texts)], **options)[0]
        texts = texts_or_missing(texts)
        count = self.answers_per_text(options)
        answers = iter([*self.predict([text for text in texts if text is not None], **options)])
        missing = [dict.fromkeys(self.answer_names)] * count
        of_texts = [missing if text is None else [*itertools.islice(answers, count)] for text in texts]
        return of_texts if count > 1 else [answer for [answer] in of_texts]

    def answers_per_text(self, options: Mapping[str, Any]) -> int:
        """Return how many answers `predict` yields for each text with these options."""
        return 1


def check_count(option: str, count: Any) -> None:
    """Raise `UserError` if a number of answers is no whole number above zero; names the option."""
    if not isinstance(count, numbers.Integral) or count < 1:
        raise UserError(f"{option} {count}: expected a whole number, 1 or more")
