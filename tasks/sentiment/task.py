"""The sentiment task, many-to-one: what shared code needs to know about it. Imports no TensorFlow."""

from models.network_sizes import classifier_parts
from tasks.metrics import ACCURACY, LOSS, Metric
from tasks.references import implemented_by
from tasks.sentiment.metrics import METRICS
from tasks.sentiment.settings import SentimentEvaluateArguments, SentimentExplainArguments, SentimentSettings
from tasks.task import Task

MACRO_F1 = Metric("macro_f1", higher_is_better=True)


class SentimentTask(Task):
    """A text in, a label and its probability out."""

    name = "sentiment"
    settings_class = SentimentSettings
    validation_metrics = (LOSS, ACCURACY, MACRO_F1)
    evaluation_metrics = METRICS
    evaluate_arguments = SentimentEvaluateArguments
    explain_arguments = SentimentExplainArguments
    comparison_arguments = {"baseline": False}  # it is the same for each row
    evaluation_files = ("mistakes.csv",)

    def validated_part(self, settings):
        """Return "recurrent path alone" if the linear model is fitted before the training; see `tasks.task.Task`."""
        fitted_before = settings.network.wide_ngrams and settings.network.wide_features == "tf_idf"
        return "recurrent path alone" if fitted_before else ""

    def network_parts(self, settings, data):
        """Return the parts of the network; see `tasks.task.Task.network_parts`."""
        sizes = {}
        if data is not None:
            counts = [0 if keys is None else len(keys) for keys in (data.ngrams.ngram_keys, data.ngrams.wide_keys)]
            sizes = {"vocabulary_size": len(data.pieces), "classes": len(data.labels)}
            sizes |= {"ngram_count": counts[0], "wide_count": counts[1]}
            table = data.ngrams.piece_characters
            sizes["piece_width"] = 0 if table is None else table.shape[1]
        parts = classifier_parts(settings.network.provisional(), settings.recurrent, **sizes)
        if settings.training.adversarial_epsilon:  # a step reads a text twice
            parts = [part._replace(activations=2 * part.activations) for part in parts]
        return parts

    open_source = implemented_by("tasks.sentiment.source:open_labelled_texts")
    open_evaluation_source = implemented_by("tasks.sentiment.source:open_evaluation_source")
    check = implemented_by("tasks.sentiment.data:check")
    resolve = implemented_by("tasks.sentiment.automatic:resolve")
    prepare = implemented_by("tasks.sentiment.data:prepare")
    open_data = implemented_by("tasks.sentiment.labelled_texts:LabelledTexts")
    build = implemented_by("tasks.sentiment.network:build")
    complete = implemented_by("tasks.sentiment.wide_share:choose")
    from_run = implemented_by("tasks.sentiment.predict:from_run")
    from_export = implemented_by("tasks.sentiment.predict:from_export")
    exportable = implemented_by("tasks.sentiment.predict:exportable")
    format_answer = implemented_by("tasks.sentiment.predict:format_answer")
    run_inference = implemented_by("tasks.sentiment.evaluate:run_inference")
    write_evaluation = implemented_by("tasks.sentiment.evaluate:write_evaluation")
    print_evaluation = implemented_by("tasks.sentiment.evaluate:print_evaluation")
    explain = implemented_by("tasks.sentiment.explain:explain_arguments")
    format_explanation = implemented_by("tasks.sentiment.explain:format_explanation")


SENTIMENT = SentimentTask()
