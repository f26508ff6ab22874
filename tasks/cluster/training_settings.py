"""Arguments of the commands that train one network on several workers. Imports no TensorFlow."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from models.recurrent_settings import Settings
from tasks.cluster.settings import ResourceWords, check_resources, resource_values

# The options of Ray's actors that --resources can name -> what machines have.
RAY_RESOURCES = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
SMALLEST_SHARE = 0.0001
LOOPBACK = "127.0.0.1"


class ClusterTrainArguments(Settings):
    """Trains one network on several workers, and starts all of them again when one dies."""

    workers: int = Field(2, ge=2)
    """Number of processes; each computes its share of the rows of every batch."""
    on: Literal["local", "slurm", "ray"] = "local"
    """Where they run: on this machine; on the nodes of a Slurm allocation, by srun; or in a cluster of Ray."""
    address: str = LOOPBACK
    """The address at which workers on this machine reach each other. TensorFlow listens at every address."""
    port: int | None = Field(None, ge=1, le=65535)
    """The port of the first worker; the others have the next ones. None: free ports; with slurm, 12321 and the next."""
    resources: ResourceWords = ()
    """With ray, what each worker gets: num_cpus=4 num_gpus=1, and memory in bytes. One CPU if not given."""
    restarts: int = Field(3, ge=0)
    """Maximum number of restarts in a row without a new checkpoint in between."""

    @field_validator("resources")
    @classmethod
    def _resources_are_amounts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_resources(value)
        for name, amount in resource_values(value).items():
            if name not in RAY_RESOURCES or isinstance(amount, str) or not 0 <= amount < float("inf"):
                raise ValueError(
                    f"{name}={amount}: expected numbers for {', '.join(RAY_RESOURCES)}, such as num_cpus=4"
                )
            if 0 < amount < SMALLEST_SHARE or (name == "num_gpus" and amount > 1 and amount % 1):
                raise ValueError(
                    f"{name}={amount:g}: Ray divides a processor or a GPU into shares of {SMALLEST_SHARE:g} or more, "
                    "and several GPUs must be a whole number"
                )
        return value

    @model_validator(mode="after")
    def _options_fit_the_engine(self):
        if self.resources and self.on != "ray":
            raise ValueError(f"--resources are those of Ray; add --on ray, or leave them out with --on {self.on}")
        if self.address != LOOPBACK and self.on != "local":
            raise ValueError(f"--address is for workers on this machine; leave it out with --on {self.on}")
        return self

    @model_validator(mode="after")
    def _ports_exist(self):
        if self.port is not None and self.port + self.workers - 1 > 65535:
            raise ValueError(f"port={self.port}: the ports of {self.workers} workers would go beyond 65535; lower it")
        return self
