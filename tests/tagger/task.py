"""The tagger, synchronised many-to-many: what shared code needs to know about it."""

from tasks.metrics import LOSS, Metric
from tasks.task import Task
from tests.tagger.settings import TaggerSettings

ERROR_RATE = Metric("error_rate", higher_is_better=False, compute=lambda outcome: error_rate(outcome))


def error_rate(outcome) -> float:
    """Returns the share of wrong tags."""
    return float((outcome.true != outcome.found).mean())


class TaggerTask(Task):
    """A text in, a tag for each of its characters out."""

    name = "tagger"
    settings_class = TaggerSettings
    validation_metrics = (LOSS, ERROR_RATE)
    compared_metric = ERROR_RATE
    evaluation_metrics = (
        ERROR_RATE,
        Metric("accuracy", higher_is_better=True, compute=lambda outcome: 1.0 - error_rate(outcome)),
    )
    evaluation_files = ("mistakes.txt",)

    def open_source(self, settings, location=None):
        """Opens records of (text, tags)."""
        from tests.tagger import data

        return data.tagged_source(settings.data, location)

    def prepare(self, settings, run):
        """Writes the characters, ids and tags."""
        from tests.tagger import data

        data.prepare(settings, run)

    def open_data(self, settings, run):
        """Opens what `prepare` wrote."""
        from tests.tagger import data

        return data.TaggedTexts(settings, run)

    def build(self, settings, data, run):
        """Builds the network."""
        from tests.tagger import network

        return network.build(settings, data)

    def from_run(self, run, settings, model, overrides):
        """Makes a predictor of a finished run."""
        from models.characters import CharacterText
        from tests.tagger import data, predictor

        tagger = predictor.TextTagger(model, CharacterText(data.load_characters(run.vocabulary)))
        return predictor.TaggerPredictor(tagger.tag, module=tagger)

    def from_export(self, saved_model, settings, folder, overrides):
        """Makes a predictor of an exported model."""
        from tests.tagger import predictor

        return predictor.TaggerPredictor(saved_model.signatures["serving_default"], owner=saved_model)

    def exportable(self, predictor, run):
        """Returns the signature `serving_default`."""
        from tests.tagger import predictor as module

        return module.exportable(predictor)

    def format_answer(self, predictor, answer, number, arguments):
        """Returns the numbers, separated by tabs."""
        return "\t".join(answer["numbers"])

    def run_inference(self, predictor, settings, source, split, records):
        """Tags the records."""
        from tests.tagger import predictor as module

        return module.run_inference(predictor, records)

    def write_evaluation(self, run, settings, predictor, outcome):
        """Writes the texts with a wrong tag."""
        (run.path / "mistakes.txt").write_text("".join(f"{text}\n" for text in outcome.mistakes), encoding="utf-8")
        return {"mistakes": len(outcome.mistakes)}


TAGGER = TaggerTask()
