"""What is measured while models are served, in the format of Prometheus."""

import time
from collections.abc import Callable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tasks.serving.server.models import Models

SIGNATURE = ("model", "version", "signature")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Measurements:
    """Requests, batches, queues and versions."""

    def __init__(self):
        disable_created_metrics()
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "serving_requests", "Requests by status.", ("api", *SIGNATURE, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "serving_request_seconds",
            "Seconds until a request is answered.",
            ("api", *SIGNATURE),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._rows = Histogram(
            "serving_batch_rows", "Rows of a call of a model.", SIGNATURE, buckets=ROWS, registry=self._registry
        )
        self._waiting = Gauge("serving_queue_requests", "Waiting requests.", SIGNATURE, registry=self._registry)
        self._available = Gauge(
            "serving_version_available",
            "1 if a version answers requests.",
            ("model", "version"),
            registry=self._registry,
        )
        self._uptime = Gauge("serving_uptime_seconds", "Seconds since the start.", registry=self._registry)
        self._began = time.monotonic()
        self._measured: dict[tuple[str, ...], tuple[Counter, Histogram]] = {}  # the lookup costs more than the counting

    def request(self, api: str, labels: Mapping[str, str], status: int | str, seconds: float) -> None:
        """Count a request.

        Args:
            api: rest or grpc.
            labels: Model, version and signature; empty where the request names none that exists.
            status: The status of the answer.
            seconds: Seconds that the answer took.
        """
        names = (api, *(labels[name] for name in SIGNATURE), str(status))
        if names not in self._measured:
            self._measured[names] = (self._requests.labels(*names), self._seconds.labels(*names[:-1]))
        requests, duration = self._measured[names]
        requests.inc()
        duration.observe(seconds)

    def rows(self, model: str, version: int, signature: str) -> Callable[[int], None]:
        """Return the function that is called with the number of rows of each call of a model."""
        return self._rows.labels(model=model, version=str(version), signature=signature).observe

    def page(self, models: Models) -> tuple[bytes, str]:
        """Return the page that Prometheus reads, and its media type."""
        self._waiting.clear()
        self._available.clear()
        for model in models.all:
            for version in model.status:
                available = version.state == "AVAILABLE"
                self._available.labels(model=model.name, version=str(version.number)).set(available)
            for loaded in model.available:
                for signature, waiting in loaded.waiting.items():
                    self._waiting.labels(model=model.name, version=str(loaded.number), signature=signature).set(waiting)
        self._uptime.set(time.monotonic() - self._began)
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
