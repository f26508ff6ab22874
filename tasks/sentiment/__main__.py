"""python -m tasks.sentiment train | evaluate | predict | export"""

import sys

from tasks.cli import Command, main
from tasks.sentiment.settings import SentimentEvaluateArguments, SentimentSettings
from tasks.settings import ExportArguments, PredictArguments

COMMANDS = {
    "train": Command("tasks.sentiment.train:train", SentimentSettings),
    "evaluate": Command("tasks.sentiment.evaluate:main", SentimentEvaluateArguments),
    "predict": Command("tasks.sentiment.predict:main", PredictArguments),
    "export": Command("tasks.sentiment.export:main", ExportArguments),
}

if __name__ == "__main__":
    sys.exit(main("sentiment", COMMANDS))
