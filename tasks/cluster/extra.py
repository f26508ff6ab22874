"""The packages of the extra `cluster`, imported when a command needs them."""

import contextlib
import importlib
import logging.config
from collections.abc import Iterator
from types import ModuleType

from tasks.errors import UserError


def imported(package: str) -> ModuleType:
    """Import a package of the extra `cluster`.

    Args:
        package: Its name, such as ray.

    Raises:
        UserError: If it is not installed; the message has the command that installs it.
    """
    try:
        with _logging_is_kept():
            return importlib.import_module(package)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != package:
            raise  # it is installed, and lacks something else
        raise UserError(
            f"this needs the package {package}, which is not installed: pip install -e '.[cluster]' in the folder of "
            f"this project, or pip install {package}"
        ) from None


@contextlib.contextmanager
def _logging_is_kept() -> Iterator[None]:
    """Ignore configurations of logging: that of submitit, at its import, closes every handler of the process."""
    configured = logging.config.dictConfig
    logging.config.dictConfig = lambda config: None
    try:
        yield
    finally:
        logging.config.dictConfig = configured
