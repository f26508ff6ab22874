"""The three tasks, and the rooms that they share; `CONTRIBUTING.md` describes them.

Raises:
    ImportError: If `models` is another module of that name, such as a file of the user.
"""

from pathlib import Path

import models

_ROOT = Path(__file__).resolve().parents[1]
if models.__file__ is None or Path(models.__file__).resolve().parent != _ROOT / "models":
    raise ImportError(
        f"`models` is {models.__file__ or ', '.join(models.__path__)}, not that of this suite: rename it, or put "
        f"{_ROOT} before its folder in sys.path",
        name=__name__,
    )
