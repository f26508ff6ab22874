"""python -m tasks.chargen train | evaluate | generate | export | explain | compare"""

import sys

from tasks.chargen.settings import ChargenSettings, GenerateArguments
from tasks.cli.main import Command, main
from tasks.comparison.settings import CompareArguments
from tasks.settings import EvaluateArguments, ExplainGatesArguments, ExportArguments

COMMANDS = {
    "train": Command("tasks.chargen.train:train", ChargenSettings),
    "evaluate": Command("tasks.chargen.evaluate:main", EvaluateArguments),
    "generate": Command("tasks.chargen.generate:main", GenerateArguments),
    "export": Command("tasks.chargen.export:main", ExportArguments),
    "explain": Command("tasks.chargen.explain:main", ExplainGatesArguments),
    "compare": Command("tasks.comparison.compare:main", CompareArguments),
}

if __name__ == "__main__":
    sys.exit(main("chargen", COMMANDS))
