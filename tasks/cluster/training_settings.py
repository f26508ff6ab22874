"""Arguments of the commands that train one network on several workers. Imports no TensorFlow."""

from typing import Literal

from pydantic import Field, model_validator

from models.recurrent_settings import Settings


class ClusterTrainArguments(Settings):
    """Trains one network on several workers, and starts all of them again when one dies."""

    workers: int = Field(2, ge=2)
    """Number of processes; each computes its share of the rows of every batch."""
    on: Literal["local", "slurm"] = "local"
    """Where they run: on this machine, or on the nodes of a Slurm allocation, by srun."""
    address: str = "127.0.0.1"
    """The address at which workers on this machine reach each other. TensorFlow listens at every address."""
    port: int | None = Field(None, ge=1, le=65535)
    """The port of the first worker; the others have the next ones. None: free ports; with slurm, 12321 and the next."""
    restarts: int = Field(3, ge=0)
    """Maximum number of restarts in a row without a new checkpoint in between."""

    @model_validator(mode="after")
    def _ports_exist(self):
        if self.port is not None and self.port + self.workers - 1 > 65535:
            raise ValueError(f"port={self.port}: the ports of {self.workers} workers would go beyond 65535; lower it")
        return self
