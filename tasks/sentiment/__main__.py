"""python -m tasks.sentiment train | evaluate | predict | export | explain | compare"""

import sys

from tasks.cli.main import Command, main
from tasks.comparison.settings import CompareArguments
from tasks.sentiment.settings import SentimentEvaluateArguments, SentimentExplainArguments, SentimentSettings
from tasks.settings import ExportArguments, PredictArguments

COMMANDS = {
    "train": Command("tasks.sentiment.train:train", SentimentSettings),
    "evaluate": Command("tasks.sentiment.evaluate:main", SentimentEvaluateArguments),
    "predict": Command("tasks.sentiment.predict:main", PredictArguments),
    "export": Command("tasks.sentiment.export:main", ExportArguments),
    "explain": Command("tasks.sentiment.explain:main", SentimentExplainArguments),
    "compare": Command("tasks.comparison.compare:main", CompareArguments),
}

if __name__ == "__main__":
    sys.exit(main("sentiment", COMMANDS))
