"""The application of the HTTP server: routes, errors and headers."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from tasks.serving.server import openapi, rest, streaming
from tasks.serving.server.bodies import read_body
from tasks.serving.server.errors import RequestError
from tasks.serving.server.hosts import HostMiddleware
from tasks.serving.server.json_answers import finite
from tasks.serving.server.measurements import Measurements
from tasks.serving.server.models import Models
from tasks.serving.server.runs import Runs

log = logging.getLogger(__name__)

PAGE = Path(__file__).with_name("page")


@dataclass(frozen=True)
class Limits:
    """Limits of a request.

    Attributes:
        timeout: Seconds until it is given up.
        max_body_bytes: Maximum size of its body.
    """

    timeout: float = 30.0
    max_body_bytes: int = 4 << 20


class DirectRoute:
    """Answers the requests below a path by one function; Starlette's routes would cost as much as the answer itself.

    Args:
        app: Answers all other requests.
        prefix: Of the path, in lower case.
        endpoint: The function.
    """

    def __init__(self, app, prefix: str, endpoint: Callable[[Request], Awaitable[Response]]):
        self._app, self._prefix, self._endpoint = app, prefix, endpoint

    async def __call__(self, scope, receive, send):
        """Answer a request."""
        if scope["type"] == "http" and scope["path"][: len(self._prefix)].lower() == self._prefix:
            response = await self._endpoint(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Application:
    """Answers the requests of HTTP.

    Args:
        models: The models.
        limits: Limits of a request.
        measurements: What is measured.
        runs: What the page shows the inside of; None for no run.

    Attributes:
        stopping: Whether the server answers its last requests; `/readyz` then says so.
    """

    def __init__(self, models: Models, limits: Limits, measurements: Measurements, runs: Runs | None = None):
        self.models, self.limits, self.measurements = models, limits, measurements
        self.runs = runs or Runs(())
        self.stopping = False
        self._explaining = asyncio.Semaphore(1)  # those that wait take no thread

    def asgi(self, cors: bool, names: Collection[str] | None = None) -> ASGIApp:
        """Return the application.

        Args:
            cors: Whether pages of other origins may read the answers.
            names: The names that it answers to besides localhost; None for all.
        """
        routes = [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.show_metrics),
            Route("/monitoring/prometheus/metrics", self.show_metrics),
            Route("/openapi.json", self.openapi),
            Route("/examples/{model}/{signature}", self.example),
            Route("/runs", self.listed_runs),
            Route("/runs/{name}", self.explained, methods=["POST"]),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ]
        app = DirectRoute(Starlette(routes=routes), "/v1/", self.v1)
        if cors:
            app = CORSMiddleware(
                app, allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=["Content-Type"]
            )
        return app if names is None else HostMiddleware(app, names)

    async def healthz(self, request: Request) -> Response:
        """Answer that the process lives."""
        return _json({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """Answer whether every model of the start is loaded and warmed."""
        if self.stopping:
            return _json({"status": "stopping"}, 503)
        waiting = self.models.not_ready
        return _json({"status": "loading", "models": waiting}, 503) if waiting else _json({"status": "ok"})

    async def show_metrics(self, request: Request) -> Response:
        """Answer what was measured, in the format of Prometheus."""
        text, media_type = self.measurements.page(self.models)
        return Response(text, media_type=media_type)

    async def openapi(self, request: Request) -> Response:
        """Answer with the description of the interface for the models that are served."""
        return _json(openapi.description(self.models))

    async def example(self, request: Request) -> Response:
        """Answer with an example of a request of a signature."""
        try:
            return _json(rest.example(self.models, request.path_params["model"], request.path_params["signature"]))
        except RequestError as error:
            return failure(error)

    async def listed_runs(self, request: Request) -> Response:
        """Answer with the runs of the page."""
        return _json({"runs": self.runs.listed})

    async def explained(self, request: Request) -> Response:
        """Answer how a run processes a text."""
        try:
            body = await read_body(request, self.limits.max_body_bytes, self.limits.timeout)
            async with self._explaining:
                return await asyncio.to_thread(lambda: _json(self.runs.explain(request.path_params["name"], body)))
        except RequestError as error:
            return failure(error)
        except Exception:
            return _failed(request)

    async def v1(self, request: Request) -> Response:
        """Answer a request of TensorFlow Serving's REST interface."""
        began = time.monotonic()
        labels = {"model": "", "version": "", "signature": ""}
        try:
            response = await self._answer(request, labels)
        except RequestError as error:
            response = failure(error)
        except Exception:
            response = _failed(request)
        self.measurements.request("rest", labels, response.status_code, time.monotonic() - began)
        return response

    async def _answer(self, request: Request, labels: dict[str, str]) -> Response:
        # The path as it was sent: a name may have %2F in it.
        path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1")
        target = rest.parse_path(request.method, path)
        if target.action == "list":
            return _json(rest.listed(self.models))
        if self.models.model(target.model) is not None:  # a name that does not exist is no label
            labels["model"] = target.model
        if target.action == "status":
            return _json(rest.status(self.models, target))
        if target.action == "metadata":
            return _json(rest.metadata(self.models, target))
        body = await read_body(request, self.limits.max_body_bytes, self.limits.timeout)
        if target.action == "stream":
            events = streaming.events(self.models, target, body, self.limits.timeout, labels)
            return streaming.EventResponse(events, await anext(events))
        if target.action != "predict":
            raise rest.not_classified(self.models, target)
        answer, version, signature = await rest.predict(self.models, target, body, self.limits.timeout)
        labels.update(version=str(version.number), signature=signature)
        return Response(answer, media_type="application/json")


def failure(error: RequestError) -> Response:
    """Return the answer to a request that cannot be answered."""
    response = _json({"error": str(error)}, error.status)
    if error.status == 408:  # the rest of the body may still come, and is no request
        response.headers["connection"] = "close"
    return response


def _failed(request: Request) -> Response:
    """Return the answer to a request at which the server fails; called where the exception is handled."""
    log.exception("%s %s failed", request.method, request.url.path)
    return failure(RequestError("INTERNAL", "The server failed; its log has the reason"))


def _json(content: dict, status: int = 200) -> Response:
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(finite(content), ensure_ascii=False)
    return Response(text, status, media_type="application/json")
