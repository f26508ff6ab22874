"""The options of `python -m tasks.serving`. Imports no TensorFlow."""

from typing import Annotated

import tyro
from pydantic import Field

from models.recurrent_settings import Settings


class ServeArguments(Settings):
    """Serves exported models with the REST interface of TensorFlow Serving."""

    paths: Annotated[tuple[str, ...], tyro.conf.Positional] = ("saved_models",)
    """Models (saved_models/NAME), versions of models (saved_models/NAME/VERSION), or folders of models."""
    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 is every network of the machine. There is no authentication."""
    port: int = Field(8501, ge=0, le=65535)
    """The port of the REST interface; 0 takes a free one."""
    grpc_port: int | None = Field(None, ge=0, le=65535)
    """Also serves gRPC at this port, as TensorFlow Serving does at 8500; 0 takes a free one."""
    num_versions: int = Field(1, ge=1, le=1000)
    """Number of versions of a model that are served, the newest ones. Requests without a version go to the newest."""
    poll_seconds: float = Field(1.0, gt=0.0, le=3600.0)
    """Seconds between two looks for new versions and models."""
    max_batch_size: int = Field(32, ge=1, le=10_000)
    """Maximum number of rows that a model answers together; 1 answers each request alone."""
    batch_milliseconds: float = Field(2.0, ge=0.0, le=1000.0)
    """Maximum milliseconds that a request waits for others to share a batch; not if none was answered just before."""
    intra_op_threads: int = Field(1, ge=0, le=1024)
    """Threads that share one operation of a model. 1 is fastest with small models; 0 leaves it to TensorFlow."""
    queue_size: int = Field(256, ge=1, le=1_000_000)
    """Maximum number of waiting requests of a signature; further ones are refused with status 429."""
    timeout: float = Field(30.0, gt=0.0, le=86_400.0)
    """Seconds until a request that is not answered gets status 504."""
    max_body_size: float = Field(4.0, gt=0.0, le=2048.0)
    """Maximum size of the body of a request, in MiB; larger ones are refused with status 413."""
    run: tuple[str, ...] = ()
    """Runs whose gates and states the page shows too."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that the server answers to besides localhost, such as that of a proxy; other names are refused while it
    listens on this machine alone, or with this option."""
    cors: bool = False
    """Lets pages of other origins read the answers (CORS)."""
    trust: bool = False
    """Loads models whose graphs have operations on files, which can read and write what you can. Exports have none."""
