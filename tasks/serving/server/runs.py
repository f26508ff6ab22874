"""What only runs can show: the gates and states of their networks, for the page."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

from tasks.errors import UserError
from tasks.references import find
from tasks.serving.server.errors import RequestError, invalid
from tasks.training import stored_settings
from tasks.training.runs import Run

# A task -> the kind of signature that its page is for.
KINDS = {"sentiment": "classification", "chargen": "generation", "translation": "translation"}
# Characters of a text. The time of an explanation grows with the square of its length.
MAX_CHARACTERS = 1000


class Runs:
    """Runs that the page explains texts with.

    Args:
        paths: Their folders.

    Raises:
        UserError: If a folder is no run, or two have one name.
    """

    def __init__(self, paths: Sequence[str]):
        self._runs: dict[str, tuple[Path, str]] = {}
        # One explanation at a time: each loads its run.
        self._lock = threading.Lock()
        for path in map(Path, paths):
            name, file = path.resolve().name, Run(path).settings_file
            if not file.exists():
                raise UserError(f"--run {path} is no run; name a folder that train has written")
            task = stored_settings.read(file, "train again")["task"]
            if task not in KINDS:
                raise UserError(f"--run {path}: a run of {task} has nothing to show; name one of {', '.join(KINDS)}")
            if name in self._runs:
                raise UserError(f"--run {path}: another run is called {name} too; rename one of them")
            self._runs[name] = path, task

    @property
    def listed(self) -> list[dict]:
        """The names of the runs, and the kind of panel that each belongs to."""
        return [{"name": name, "kind": KINDS[task]} for name, (_, task) in self._runs.items()]

    def explain(self, name: str, body: bytes) -> dict:
        """Return how a run processes a text.

        Args:
            name: The run.
            body: JSON: {"text": the text}.

        Raises:
            RequestError: If there is no such run, or the text cannot be explained.
        """
        if name not in self._runs:
            raise RequestError("NOT_FOUND", f"No run {name} is served; start the server with --run {name}")
        path, task = self._runs[name]
        try:
            text = json.loads(body)["text"]
            text.encode()  # half of a surrogate pair is no text
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            text = None
        if not isinstance(text, str) or not text.strip():
            raise invalid('Expected {"text": "..."} with a text that is not empty')
        if len(text) > MAX_CHARACTERS:
            raise invalid(f"The text has {len(text):,} characters; an explanation takes at most {MAX_CHARACTERS:,}")
        with self._lock:
            try:
                return find(f"tasks.{task}.explain:explain")(path, text)
            except UserError as error:
                raise invalid(str(error)) from None
