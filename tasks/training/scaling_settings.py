"""Arguments of the command that says what a training on several workers costs. Imports no TensorFlow."""

from typing import Annotated

from pydantic import Field

from models.recurrent_settings import Settings


class ScalingArguments(Settings):
    """Measures a network on its data, and prints what its training on several workers would cost."""

    workers: tuple[Annotated[int, Field(ge=1)], ...] = Field((1, 2, 4, 8, 16), min_length=1)
    """Numbers of workers."""
    gigabits: float = Field(2.0, gt=0.0)
    """What a worker sends, in Gbit/s."""
    latency: float = Field(0.5, ge=0.0)
    """Milliseconds for which a message takes longer than its bytes."""
    steps: int = Field(20, ge=2)
    """Number of batches that are measured."""
