"""Waits for the answer of a signature, with a deadline; used by every interface."""

import asyncio
import time
from collections.abc import Mapping

import numpy as np

from tasks.serving.server.errors import late
from tasks.serving.server.loading import LoadedVersion


async def answered(
    version: LoadedVersion, signature: str, inputs: Mapping[str, np.ndarray], deadline: float
) -> Mapping[str, np.ndarray]:
    """Return the outputs of a signature.

    Args:
        version: The version.
        signature: The signature's name.
        inputs: Its inputs by name.
        deadline: When the request is given up, by `time.monotonic`.

    Raises:
        RequestError: If the model refuses the inputs, the queue is full, or the deadline is over.
    """
    future = version.submit(signature, inputs, deadline)
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            return await asyncio.wrap_future(future)
    except TimeoutError:
        raise late() from None
