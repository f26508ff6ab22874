"""python -m tasks.translation train | evaluate | translate | export | explain | compare"""

import sys

from tasks.cli.main import Command, main
from tasks.comparison.settings import CompareArguments
from tasks.settings import ExplainArguments, ExportArguments
from tasks.translation.settings import TranslateArguments, TranslationEvaluateArguments, TranslationSettings

COMMANDS = {
    "train": Command("tasks.translation.train:train", TranslationSettings),
    "evaluate": Command("tasks.translation.evaluate:main", TranslationEvaluateArguments),
    "translate": Command("tasks.translation.translate:main", TranslateArguments),
    "export": Command("tasks.translation.export:main", ExportArguments),
    "explain": Command("tasks.translation.explain:main", ExplainArguments),
    "compare": Command("tasks.comparison.compare:main", CompareArguments),
}

if __name__ == "__main__":
    sys.exit(main("translation", COMMANDS))
