"""The translation task, sequence-to-sequence: what shared code needs to know about it. Imports no TensorFlow."""

from models.network_sizes import translator_parts
from tasks.arguments import ExplainArguments
from tasks.errors import UserError
from tasks.metrics import ACCURACY, LOSS, Metric
from tasks.references import implemented_by
from tasks.task import Task
from tasks.translation.metrics import METRICS
from tasks.translation.settings import (
    TranslateArguments,
    TranslationEvaluateArguments,
    TranslationExportArguments,
    TranslationSettings,
)

BLEU = Metric("bleu", higher_is_better=True)


class TranslationTask(Task):
    """A sentence in, a sentence out."""

    name = "translation"
    settings_class = TranslationSettings
    validation_metrics = (LOSS, ACCURACY, BLEU)
    compared_metric = BLEU
    evaluation_metrics = METRICS
    predict_command = "translate"
    evaluate_arguments = TranslationEvaluateArguments
    predict_arguments = TranslateArguments
    export_arguments = TranslationExportArguments
    explain_arguments = ExplainArguments
    evaluation_files = ("translations.csv",)

    def network_parts(self, settings, data):
        """Return the parts of the network; see `tasks.task.Task.network_parts`."""
        sizes = (1, 1) if data is None else data.vocabulary_sizes
        return translator_parts(settings.network, settings.recurrent, *sizes)

    def check_initial_run(self, settings: TranslationSettings, initial: TranslationSettings) -> None:
        """Check that the run translates in the same direction; see `Task.check_initial_run`."""
        names, before = settings.data.names, initial.data.names
        if None not in names and names == before[::-1]:
            raise UserError(
                f"--initial-run {settings.training.initial_run} translates {before[0]} to {before[1]}, not {names[0]} "
                f"to {names[1]}; name a run of that direction"
            )

    open_source = implemented_by("tasks.translation.source:open_pairs")
    open_evaluation_source = implemented_by("tasks.translation.source:open_evaluation_source")
    prepare = implemented_by("tasks.translation.data:prepare")
    compared_texts = implemented_by("tasks.translation.data:compared_texts")
    open_data = implemented_by("tasks.translation.pairs:SentencePairs")
    build = implemented_by("tasks.translation.network:build")
    from_run = implemented_by("tasks.translation.translate:from_run")
    from_export = implemented_by("tasks.translation.translate:from_export")
    exportable = implemented_by("tasks.translation.translate:exportable")
    answers = implemented_by("tasks.translation.translate:answers")
    format_answer = implemented_by("tasks.translation.translate:format_answer")
    run_inference = implemented_by("tasks.translation.evaluate:run_inference")
    write_evaluation = implemented_by("tasks.translation.evaluate:write_evaluation")
    print_evaluation = implemented_by("tasks.translation.evaluate:print_evaluation")
    explain = implemented_by("tasks.translation.explain:explain_arguments")
    format_explanation = implemented_by("tasks.translation.explain:format_explanation")


TRANSLATION = TranslationTask()
