"""The contract of a task: everything that shared code needs to know about it. Imports no TensorFlow.

A task is one package. Its module `task.py` holds one instance of a subclass of `Task`. Training, evaluation, inference,
export, explanations and comparisons are implemented once, in the shared rooms, and call the methods below.
"""

import abc
import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from models.recurrent_settings import Settings
from tasks.arguments import EvaluateArguments, ExplainArguments, ExportArguments, PredictArguments
from tasks.errors import UserError
from tasks.metrics import ACCURACY, LOSS, Metric
from tasks.predictor import Predictor
from tasks.references import find
from tasks.task_parts import Exportable, Network, Outcome, TrainingData
from tasks.validation import check_settings

if TYPE_CHECKING:
    import keras

    from models.network_sizes import Part
    from tasks.data.overlap import ComparedTexts
    from tasks.data.records import Record
    from tasks.data.sources import Source
    from tasks.serving.batched_inference import Window
    from tasks.serving.partial_output import PartialOutput
    from tasks.training.runs import Run


class Task(abc.ABC):
    """A task, such as sentiment. Its module does not import TensorFlow; see `implemented_by`.

    Attributes:
        name: The name of its package below `tasks`, also stored in the settings of its runs.
        settings_class: Settings of `train`; with a group `data`, `recurrent` and `training` at least.
        validation_metrics: The metrics that training measures on the validation split; `monitor` names one of them.
        compared_metric: The one of them that a comparison draws against the time of training.
        evaluation_metrics: The metrics of `evaluate`; the first is the default of a comparison.
        predict_command: The name of the command that answers texts.
        evaluate_arguments: Arguments of `evaluate`.
        predict_arguments: Arguments of the command that answers texts.
        export_arguments: Arguments of `export`.
        explain_arguments: Arguments of `explain`; None if the task has no such command.
        comparison_arguments: Arguments of `evaluate` in a comparison.
        evaluation_files: The files that its evaluation writes into the run's folder.
    """

    name: ClassVar[str]
    settings_class: ClassVar[type[Settings]]
    validation_metrics: ClassVar[tuple[Metric, ...]] = (LOSS, ACCURACY)
    compared_metric: ClassVar[Metric] = ACCURACY
    evaluation_metrics: ClassVar[tuple[Metric, ...]]
    predict_command: ClassVar[str] = "predict"
    evaluate_arguments: ClassVar[type[EvaluateArguments]] = EvaluateArguments
    predict_arguments: ClassVar[type[PredictArguments]] = PredictArguments
    export_arguments: ClassVar[type[ExportArguments]] = ExportArguments
    explain_arguments: ClassVar[type[ExplainArguments] | None] = None
    comparison_arguments: ClassVar[Mapping[str, Any]] = {}
    evaluation_files: ClassVar[tuple[str, ...]] = ()

    # --- data

    @abc.abstractmethod
    def open_source(self, settings: Settings, location: str | Sequence[str] | None = None) -> "Source":
        """Open the data that the settings name.

        Args:
            settings: The settings of a run.
            location: Another source than that of the settings.

        Raises:
            UserError: If the source does not exist or has another form.
        """

    def check_source(self, settings: Settings) -> None:
        """Check that the files of the data can be opened, before anything else is done; raise `UserError`."""
        data = settings.data.data
        if not isinstance(data, str) or not data.startswith("tfds:"):  # several locations are files
            self.open_source(settings)

    def open_evaluation_source(self, settings: Settings, arguments: EvaluateArguments) -> "Source":
        """Open the data that `evaluate` reads: that of the run, or `--data`."""
        return self.open_source(settings, arguments.data)

    def check(self, settings: Settings) -> None:  # noqa: B027
        """Check what can be checked before a run's folder is created; raise `UserError`."""

    def resolve(self, settings: Settings) -> tuple[Settings, str]:
        """Replace each setting that is "auto" by a value that fits the training data.

        Called once, before `prepare`; settings.json then holds the values.

        Returns:
            The settings, and a line for the log: what each of them became, and why; empty if none is "auto".
        """
        return settings, ""

    def check_initial_run(self, settings: Settings, initial: Settings) -> None:  # noqa: B027
        """Check that a training can go on from another run; the shared code compares the settings of the networks.

        Args:
            settings: The settings of the training.
            initial: Those of the run that it goes on from.

        Raises:
            UserError: If it cannot.
        """

    @abc.abstractmethod
    def prepare(self, settings: Settings, run: "Run") -> None:
        """Write `run.vocabulary`, `run.training_texts`, and ids of both splits below `run.checkpoint`.

        With `settings.training.initial_run` the vocabulary is there already, and is kept.
        """

    def compared_texts(self, settings: Settings) -> "ComparedTexts":
        """Return which texts of an evaluation are looked up among the training texts; `prepare` stores these."""
        return find("tasks.data.overlap:compared_texts")(settings)

    @abc.abstractmethod
    def open_data(self, settings: Settings, run: "Run") -> TrainingData:
        """Open what `prepare` wrote."""

    def resolve_epochs(self, settings: Settings, data: TrainingData) -> tuple[Settings, str]:
        """Replace epochs that are "auto" by a number that fits the prepared data; otherwise like `resolve`."""
        return settings, ""

    # --- network

    def validated_part(self, settings: Settings) -> str:
        """Return which part of the network the validation metrics of a training measure; empty if it is the whole.

        Args:
            settings: The settings of a run, without "auto".
        """
        return ""

    def network_parts(self, settings: Settings, data: TrainingData | None) -> Sequence["Part"]:
        """Return the parts of the network, from which the memory of a training is estimated; none if it is not.

        Without data, before they are read, the vocabulary counts as one id.
        """
        return ()

    @abc.abstractmethod
    def build(self, settings: Settings, data: TrainingData, run: "Run") -> Network:
        """Build the untrained network."""

    def complete(self, settings: Settings, asked: Settings, data: TrainingData, run: "Run") -> Settings:
        """Choose what needs the trained network and the validation data; called before the run is finished.

        Args:
            settings: The settings in force.
            asked: The settings as they were given, where some may be "auto".
            data: The data.
            run: The run, with the best weights; may be changed, and may have been changed by an earlier call.

        Returns:
            The settings in force from now on.
        """
        return settings

    # --- inference

    @abc.abstractmethod
    def from_run(self, run: "Run", settings: Settings, model: "keras.Model", overrides: Mapping) -> Predictor:
        """Make a predictor of a finished run."""

    @abc.abstractmethod
    def from_export(self, saved_model: Any, settings: Settings, folder: Path, overrides: Mapping) -> Predictor:
        """Make a predictor of an exported model.

        Args:
            saved_model: As `tf.saved_model.load` returns it.
            settings: The settings of the exported run.
            folder: The folder with the files of its vocabulary.
            overrides: Settings of inference that differ from those of the run, such as the beam size.
        """

    @abc.abstractmethod
    def exportable(self, predictor: Predictor, run: "Run") -> Exportable:
        """Return what is exported of a run."""

    def example_arguments(self, settings: Settings) -> str:
        """Return arguments of the command that answers texts, as the end of a training proposes it."""
        return '"A TEXT"'

    def answers(
        self, predictor: Predictor, texts: Iterable[str], arguments, window: "Window", done: int
    ) -> Iterator[dict]:
        """Yield the answers of the command that answers texts.

        Args:
            predictor: The model.
            texts: The texts that are not answered yet.
            arguments: Of the command.
            window: How many texts are read before they are answered.
            done: Number of answers that an interrupted command has written.
        """
        return predictor.predict(texts, window=window)

    @abc.abstractmethod
    def format_answer(self, predictor: Predictor, answer: dict, number: int, arguments) -> str:
        """Return the lines that the command prints for an answer.

        Args:
            predictor: The model that answered.
            answer: From `answers`.
            number: Of the text, counted from 1.
            arguments: Of the command.
        """

    def answer_step_by_step(
        self, predictor: Predictor, arguments, out: TextIO, output: "PartialOutput | None" = None
    ) -> bool:
        """Write the answer while it is made, if the command asks for that; return whether it did.

        Args:
            predictor: The model.
            arguments: Of the command.
            out: The stream to write to.
            output: The file that it belongs to, if it is one, which an interrupted command may have begun.
        """
        return False

    # --- evaluation

    @abc.abstractmethod
    def run_inference(
        self, predictor: Predictor, settings: Settings, source: "Source", split: str, records: Iterator["Record"]
    ) -> Outcome:
        """Run a model over a split.

        Args:
            predictor: The model.
            settings: The settings of the run.
            source: The source.
            split: The split of the source; "all" is the whole source.
            records: The records of the split, read as a stream.

        Raises:
            UserError: If a record cannot be used.
        """

    def write_evaluation(self, run: "Run", settings: Settings, predictor: Predictor, outcome: Outcome) -> dict:
        """Write the files and pictures of an evaluation; return further entries of evaluation.json."""
        return {}

    def print_evaluation(self, run: "Run", results: Mapping) -> None:  # noqa: B027
        """Print what `evaluate` shows below the metrics: examples from the files that it wrote."""

    # --- explanations

    def explain(self, arguments) -> dict:
        """Return the numbers of an explanation, and draw `arguments.picture`."""
        raise NotImplementedError

    def format_explanation(self, explanation: dict) -> str:
        """Return the lines that `explain` prints."""
        raise NotImplementedError

    # --- names

    @property
    def reference(self) -> str:
        """`module:attribute` of the instance, from which another process finds the task."""
        module = importlib.import_module(type(self).__module__)
        [attribute] = [name for name, value in vars(module).items() if value is self]
        return f"{module.__name__}:{attribute}"

    def evaluation_metric(self, name: str) -> Metric:
        """Return the metric of `evaluate` with this name."""
        return next(metric for metric in self.evaluation_metrics if metric.name == name)


def check_task(task: Any, *settings: Any) -> None:
    """Check what a caller in Python gives as a task, and as the settings of a training of it.

    Raises:
        UserError: If they are something else.
    """
    if not isinstance(task, Task):
        kind = "class" if isinstance(task, type) else type(task).__name__
        raise UserError(f"expected a task, such as tasks.sentiment.task.SENTIMENT, found a {kind}")
    for given in settings:
        check_settings(given, task.settings_class)
