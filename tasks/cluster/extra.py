"""The packages of the extra `cluster`, imported when a command needs them."""

import importlib
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
        return importlib.import_module(package)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != package:
            raise  # it is installed, and lacks something else
        raise UserError(
            f"this needs the package {package}, which is not installed: pip install -e '.[cluster]' in the folder of "
            f"this project, or pip install {package}"
        ) from None
