"""Labels: the spelling in which they are compared, the classes that they name, and what looks wrong about them."""

import collections
import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from tasks import comma_lists
from tasks.data.records import Record, without_invisible
from tasks.errors import UserError

SHOWN_CLASSES = 20
# What a column of zeros and ones is called where a program wrote it as truth values.
BOOLEANS = {"false": "0", "true": "1"}
# Names that may stand for a missing value, and may be a class.
DOUBTFUL = ("none", "null", "na", "n/a", "-", "?")
# Short spellings of labels.
ABBREVIATIONS = {"y": "yes", "n": "no", "t": "true", "f": "false", "pos": "positive", "neg": "negative"}
# Share of the texts with a list of labels from which on the data is taken for multi-label data.
LISTS = 0.9
# The same for a warning, where the parts of the lists are no labels elsewhere: a name may have such separators too.
DOUBTFUL_LISTS = 0.1


def clean_label(value: str) -> str:
    """Return a label as it is compared.

    Blanks around it and invisible characters are removed, all blanks are alike, its Unicode normal form is NFC, a whole
    number has neither decimals nor full-width digits ("1.0" is "1", and "-0" is "0"), and truth values are in lower
    case.
    """
    label = " ".join(unicodedata.normalize("NFC", without_invisible(value)).split())
    number = re.fullmatch(r"([+-]?[0-9]+)(?:\.0*)?", unicodedata.normalize("NFKC", label))
    if number:
        label = "0" if number[1] in ("-0", "+0") else number[1]
    return label.lower() if label.lower() in BOOLEANS else label


def class_names(counts: Mapping[str, int]) -> list[str]:
    """Return the names of the classes in order, numbers by their value.

    Args:
        counts: Label, as `clean_label` returns it -> number of training texts. Of 0, 1, false and true in one column,
            the numbers are kept; see `LabelIds`.
    """
    labels = list(counts)
    if set(labels) <= {*BOOLEANS, *BOOLEANS.values()} and set(labels) & set(BOOLEANS.values()):
        labels = list(dict.fromkeys(BOOLEANS.get(label, label) for label in labels))
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


class LabelIds:
    """Labels -> class ids.

    Args:
        labels: The names of the classes in the order of their ids.
    """

    def __init__(self, labels: list[str]):
        self.labels = labels
        self._ids = {clean_label(label): index for index, label in enumerate(labels)}
        for word, digit in BOOLEANS.items():
            if digit in self._ids:
                self._ids.setdefault(word, self._ids[digit])

    def __call__(self, record: Record) -> int:
        """Return the class id of a (text, label) record.

        Raises:
            UserError: If training did not have the label; names the place.
        """
        problem = self.problem(record)
        if problem is not None:
            raise UserError(f"{record.location}: {problem}. Correct or remove the row")
        return self._ids[clean_label(record.values[1])]

    def problem(self, record: Record) -> str | None:
        """Return what is wrong with the label of a record; None if it names a class."""
        label = clean_label(record.values[1])
        if label in self._ids:
            return None
        return f"unknown label {label!r}; the model knows: {', '.join(self.labels[:SHOWN_CLASSES])}"


def check_single_labels(counts: Mapping[str, int], location: str) -> list[str]:
    """Return a warning if some labels are lists of labels, such as "a,b", "a|b", "a/b" or "['a', 'b']".

    Args:
        counts: Label -> number of training texts.
        location: The source, for messages.

    Raises:
        UserError: If nearly all labels are lists.
    """
    parts = {label: [part.strip(" '\"[](){}") for part in re.split("[,;|/+&]", label)] for label in counts}
    lists = {label: found for label, found in parts.items() if len(found) > 1 and all(found)}
    uses = collections.Counter(part for found in lists.values() for part in set(found))
    total = sum(counts.values())
    doubtful = [label for label in lists if re.search("[;|]", label)]
    # "Paris, France" is one label, unless "Paris" occurs elsewhere too.
    lists = {label: found for label, found in lists.items() if all(part in counts or uses[part] > 1 for part in found)}
    if not lists and sum(counts[label] for label in doubtful) < DOUBTFUL_LISTS * total:
        return []
    share = sum(counts[label] for label in lists) / total
    what = (
        f"labels such as {next(iter(lists or doubtful))!r} look like several labels of one text, which is not supported"
    )
    if share >= LISTS:
        raise UserError(
            f"{location}: {what} (multi-label classification).\nKeep one label for each text, or train one classifier "
            "for each label, with --label-column"
        )
    return [f"{what} (multi-label): each list is a separate class"]


def label_warnings(counts: Mapping[str, int]) -> list[str]:
    """Return what looks wrong about the labels: several spellings of one label, names of missing values."""
    spellings = collections.defaultdict(list)
    for label in counts:
        spellings[_spelling(label)].append(label)
    warnings = []
    for word, digit in BOOLEANS.items():
        if word in counts and digit in counts:
            merged = digit in class_names(counts) and word not in class_names(counts)
            relation = "are one class" if merged else "are separate classes"
            warnings.append(f"labels {digit!r} ({counts[digit]:,}) and {word!r} ({counts[word]:,}) {relation}")
    for alike in spellings.values():
        if len(alike) > 1:
            shown = ", ".join(f"{label!r} ({counts[label]:,})" for label in alike)
            how = "case" if len({label.casefold() for label in alike}) == 1 else "spelling"
            warnings.append(f"labels differ only in {how}, and are separate classes: {shown}")
    for label in counts:
        if label.casefold() in DOUBTFUL:
            warnings.append(f"the class {label!r} ({counts[label]:,} texts) may stand for missing labels")
    return warnings


def _spelling(label: str) -> str:
    """Return what labels have in common that are probably one: the value of a number, the words without signs."""
    text = unicodedata.normalize("NFKC", label).casefold()
    if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", text):
        return str(float(text))
    words = " ".join(re.split(r"[\s_-]+", text)).strip(" .!:") or text
    return ABBREVIATIONS.get(words, words)


def class_table(labels: Sequence[str], training: Sequence[int], validation: Sequence[int]) -> str:
    """Return the lines of a table: each class with its numbers of texts, the most frequent classes if there are many.

    Args:
        labels: The names of the classes.
        training: Number of training texts of each class.
        validation: Number of validation texts of each class.
    """
    total, order = sum(training), range(len(labels))
    shown = sorted(sorted(order, key=lambda index: -training[index])[:SHOWN_CLASSES])
    width = max(len("class"), *(len(labels[index]) for index in shown))
    lines = [f"{'class':<{width}}  {'training':>10}  {'share':>7}  {'validation':>10}"]
    for index in shown:
        share = f"{training[index] / total:.1%}"
        lines.append(f"{labels[index]:<{width}}  {training[index]:>10,}  {share:>7}  {validation[index]:>10,}")
    if len(labels) > len(shown):
        rarest = min(order, key=lambda index: training[index])
        lines.append(f"and {len(labels) - len(shown):,} more; the rarest, {labels[rarest]}: {training[rarest]:,}")
    largest = max(order, key=lambda index: training[index])
    lines.append(f"the largest class, {labels[largest]}, has {training[largest] / total:.1%} of the training texts")
    return "\n".join(lines)


def left_out_line(counts: Mapping[str, int]) -> str:
    """Return a line with what was left out of the data, by reason."""
    reasons = [f"{reason}: {count:,}" for reason, count in counts.items() if count]
    return f"left out: {'; '.join(reasons) or 'nothing'}"


def class_weights(setting: str | None, labels: list[str], counts: np.ndarray) -> np.ndarray:
    """Return the weight of the examples of each class: float32 (classes,).

    Args:
        setting: None; "balanced": examples / (classes * examples of the class); or "NAME=WEIGHT,...", 1 for the others.
        labels: The names of the classes.
        counts: Number of examples of each class.

    Raises:
        UserError: If the setting has none of these forms, or names an unknown class.
    """
    weights = np.ones(len(labels), np.float32)
    if setting == "balanced":
        # A class has no examples where a training goes on from another run with other data.
        return (counts.sum() / (len(labels) * np.maximum(counts, 1))).astype(np.float32)
    try:
        pairs = comma_lists.pairs(setting or "", "NAME=WEIGHT")
    except ValueError as error:
        raise UserError(f"--class-weight {setting}: {error}; give one for each class to weigh, or balanced") from None
    for name, value in pairs:
        try:
            weights[labels.index(clean_label(name))] = weight = float(value)
            if not 0.0 <= weight < float("inf"):
                raise ValueError
        except ValueError:
            raise UserError(
                f"--class-weight {setting}: {f'{name}={value}'!r} is not NAME=WEIGHT with a class of "
                f"{', '.join(labels[:20])}; or give balanced"
            ) from None
    return weights
