"""The addresses of the workers of a training: `TF_CONFIG` read and checked. Imports no TensorFlow."""

import dataclasses
import json
import re
import socket

from tasks.errors import UserError

# The exit code of a worker that has lost another one: the training can be resumed. EX_TEMPFAIL of sysexits.h.
LOST_WORKER = 75
MAX_PORT = 65535
EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclasses.dataclass(frozen=True)
class WorkerAddresses:
    """The workers of a training, and which of them this process is.

    Attributes:
        addresses: HOST:PORT of each worker.
        index: The place of this process among them; 0 is the first worker, which writes the run.
    """

    addresses: tuple[str, ...]
    index: int

    def __str__(self) -> str:
        return f"worker {self.index} of {len(self.addresses)} ({self.addresses[self.index]})"


def parse(text: str | None) -> WorkerAddresses | None:
    """Return the workers that the variable `TF_CONFIG` names; None if this process trains alone.

    Args:
        text: The value of the variable; None if it is not set. A `chief` is the first worker.

    Raises:
        UserError: If it cannot be used.
    """
    if not text or not text.strip():
        return None
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        unknown = sorted({*cluster} - {"chief", "worker"})
        kind, index = task.get("type", "worker"), int(task.get("index", 0))
        chief, workers = (cluster.get(name, []) for name in ("chief", "worker"))
        addresses = [str(address) for address in [*chief, *workers]]
        if isinstance(chief, str) or isinstance(workers, str):  # one address, and not a list of them
            raise ValueError
    except (ValueError, TypeError, AttributeError):
        raise UserError(f"TF_CONFIG={text}: not as expected; write it as {EXAMPLE}, or unset it") from None
    if unknown or kind not in ("chief", "worker"):
        other = unknown[0] if unknown else kind
        raise UserError(f"TF_CONFIG names a {other}: a training has workers alone, and a chief; leave out the {other}")
    if len(addresses) < 2:
        return None
    for address in addresses:
        found = re.fullmatch(r"([^\s:/]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})", address)
        if not (found and 1 <= int(found[2]) <= MAX_PORT):
            raise UserError(
                f"TF_CONFIG names the worker {address!r}: expected HOST:PORT, such as host1:2222, with a port up to "
                f"{MAX_PORT}"
            )
    if len({*addresses}) < len(addresses):
        twice = next(address for address in addresses if addresses.count(address) > 1)
        raise UserError(f"TF_CONFIG names the address {twice} twice; each worker needs a separate port")
    if not 0 <= index < len(chief if kind == "chief" else workers):
        raise UserError(f"TF_CONFIG: no {kind} has the index {index}; its addresses: {', '.join(addresses)}")
    return WorkerAddresses(tuple(addresses), index + (len(chief) if kind == "worker" else 0))


def check_port(workers: WorkerAddresses) -> None:
    """Check that the port of this process is free: gRPC would share it with another program of the same user.

    Raises:
        UserError: If it is in use.
    """
    port = int(workers.addresses[workers.index].rpartition(":")[2])
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that a training has just left is free
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            probe.bind(("", port))
            probe.listen(1)
        except OSError as error:
            raise UserError(
                f"{workers}: port {port} cannot be used here ({error.strerror}); wait until the program that has it "
                "ends, or give the workers another port"
            ) from None
