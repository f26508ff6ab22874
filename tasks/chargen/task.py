"""The character generation task, one-to-many: what shared code needs to know about it. Imports no TensorFlow."""

from models.network_sizes import language_model_parts
from tasks.arguments import ExplainGatesArguments
from tasks.chargen.metrics import METRICS
from tasks.chargen.settings import (
    ChargenEvaluateArguments,
    ChargenExportArguments,
    ChargenSettings,
    GenerateArguments,
)
from tasks.metrics import LOSS
from tasks.references import implemented_by
from tasks.task import Task


class ChargenTask(Task):
    """A prompt in, text out."""

    name = "chargen"
    settings_class = ChargenSettings
    compared_metric = LOSS
    evaluation_metrics = METRICS
    predict_command = "generate"
    evaluate_arguments = ChargenEvaluateArguments
    predict_arguments = GenerateArguments
    export_arguments = ChargenExportArguments
    explain_arguments = ExplainGatesArguments
    evaluation_files = ("samples.md",)

    def network_parts(self, settings, data):
        """Return the parts of the network; see `tasks.task.Task.network_parts`."""
        return language_model_parts(settings.network, settings.recurrent, 1 if data is None else len(data.characters))

    def example_arguments(self, settings: ChargenSettings) -> str:
        """Propose records without a prompt, if the model writes records."""
        return "--samples 20" if settings.data.records else super().example_arguments(settings)

    def resolve(self, settings: ChargenSettings):
        """Replace the normalization that is "auto", and what pieces need; see `tasks.task.Task.resolve`."""
        changes = {"vocabulary": settings.vocabulary.resolved()}
        if settings.vocabulary.tokenizer == "sentencepiece":  # windows of different lengths are not unrolled
            tied = settings.network.tied_embeddings
            changes["network"] = settings.network.model_copy(update={"output_bias": tied})
            changes["recurrent"] = settings.recurrent.model_copy(update={"unroll": False})
        return settings.model_copy(update=changes), ""

    open_source = implemented_by("tasks.chargen.separate_texts:open_source_of")
    check_source = implemented_by("tasks.chargen.separate_texts:check_source")
    open_evaluation_source = implemented_by("tasks.chargen.separate_texts:open_evaluation_source")
    prepare = implemented_by("tasks.chargen.data:prepare")
    compared_texts = implemented_by("tasks.chargen.text_source:compared_texts")
    open_data = implemented_by("tasks.chargen.data:open_data")
    resolve_epochs = implemented_by("tasks.chargen.training_length:resolve_epochs")
    build = implemented_by("tasks.chargen.network:build")
    from_run = implemented_by("tasks.chargen.generate:from_run")
    from_export = implemented_by("tasks.chargen.generate:from_export")
    exportable = implemented_by("tasks.chargen.generate:exportable")
    answers = implemented_by("tasks.chargen.generate:answers")
    format_answer = implemented_by("tasks.chargen.generate:format_answer")
    answer_step_by_step = implemented_by("tasks.chargen.step_by_step:answer_step_by_step")
    run_inference = implemented_by("tasks.chargen.evaluate:run_inference")
    write_evaluation = implemented_by("tasks.chargen.evaluate:write_evaluation")
    print_evaluation = implemented_by("tasks.chargen.evaluate:print_evaluation")
    explain = implemented_by("tasks.chargen.explain:explain_arguments")
    format_explanation = implemented_by("tasks.chargen.explain:format_explanation")


CHARGEN = ChargenTask()
