"""python -m tasks.translation train | evaluate | translate | export"""

import sys

from tasks.cli import Command, main
from tasks.settings import ExportArguments
from tasks.translation.settings import TranslateArguments, TranslationEvaluateArguments, TranslationSettings

COMMANDS = {
    "train": Command("tasks.translation.train:train", TranslationSettings),
    "evaluate": Command("tasks.translation.evaluate:main", TranslationEvaluateArguments),
    "translate": Command("tasks.translation.translate:main", TranslateArguments),
    "export": Command("tasks.translation.export:main", ExportArguments),
}

if __name__ == "__main__":
    sys.exit(main("translation", COMMANDS))
