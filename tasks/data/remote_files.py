"""Files in cloud storage: Amazon S3, Google Cloud Storage, Azure Blob Storage.

`pyarrow.fs` reads them. Credentials, region and endpoint are found where each cloud's tools put them: `CREDENTIALS`.
"""

import contextlib
import functools
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from tasks.errors import TemporaryError, Unreadable, UserError
from tasks.url_secrets import has_secret

log = logging.getLogger(__name__)

# The scheme of a URL -> as `pyarrow.fs` names it. Spark and Hadoop write s3a.
SCHEMES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "abfss": "abfss", "abfs": "abfs"}
CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`",
    "abfss": "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or `az login`",
}
CREDENTIALS["abfs"] = CREDENTIALS["abfss"]
PLACES = {
    "s3": "the bucket, AWS_REGION and AWS_ENDPOINT_URL",
    "gs": "the bucket",
    "abfss": "the URL, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH",
}
PLACES["abfs"] = PLACES["abfss"]
# Added to the URL: by default, Google's client tries for a quarter of an hour.
OPTIONS = {"gs": "?retry_limit_seconds=20"}
# Of a request to S3. By default there are ten: with a server that does not answer, 100 seconds.
MAX_ATTEMPTS = 3
# Each read is one request; a larger buffer needs fewer. The first ones are small: often a header is all that is read.
BUFFER_BYTES, FIRST_BYTES = 1 << 22, 1 << 16
MAX_REASON = 200

DENIED = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY|INVALID_CLIENT_TOKEN|SIGNATURE_DOES_NOT_MATCH|EXPIRED_TOKEN|MISSING_AUTH"
    r"|UNRECOGNIZED_CLIENT|INVALID_TOKEN|HTTP status 40[13]|PERMISSION_DENIED|UNAUTHENTICATED|OAuth2 access token"
    r"|DefaultAzureCredential|AuthenticationException|AuthenticationFailed|AuthorizationFailure"
)
# Of a bucket in another region, or of no region at all.
ELSEWHERE = re.compile(r"HTTP status 30\d|PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint")


class Status(NamedTuple):
    """What is known of a file without reading it, as `os.stat_result` names it."""

    st_size: int
    st_mtime_ns: int | None

    @property
    def st_mtime(self) -> float | None:
        """Seconds since 1970."""
        return None if self.st_mtime_ns is None else self.st_mtime_ns / 1e9


class RemotePath(PurePosixPath):
    """The URL of a file or folder in cloud storage, with those methods of a `Path` that read.

    What a listing or a request says of a path is kept with the object.

    Example:
        >>> path = RemotePath("s3://bucket/reviews/train.csv")
        >>> path.name, str(path.with_name("test.csv"))
        ('train.csv', 's3://bucket/reviews/test.csv')
    """

    _info: Any = None

    def __str__(self) -> str:
        # pathlib joins the two slashes after the scheme.
        scheme, colon, rest = super().__str__().partition(":/")
        return f"{scheme}://{rest.lstrip('/')}" if colon and scheme in SCHEMES else super().__str__()

    def __fspath__(self) -> str:
        return str(self)

    @property
    def scheme(self) -> str:
        """As `pyarrow.fs` names it."""
        return SCHEMES[self.parts[0].removesuffix(":")]

    def is_file(self) -> bool:
        """Return whether there is a file."""
        return self._found().is_file

    def is_dir(self) -> bool:
        """Return whether there are files below it."""
        return self._found().type.name == "Directory"

    def exists(self) -> bool:
        """Return whether there is a file or a folder.

        Raises:
            UserError: If its bucket does not exist, or may not be read.
        """
        return self._found().type.name != "NotFound"

    def stat(self) -> Status:
        """Return the size of a file, and its time of modification."""
        return Status(self._found().size or 0, self._found().mtime_ns)

    def absolute(self) -> "RemotePath":
        """Return the path."""
        return self

    resolve = absolute

    def iterdir(self) -> Iterator["RemotePath"]:
        """Yield the files and folders in a folder."""
        return iter(self._listed(recursive=False))

    def below(self) -> list["RemotePath"]:
        """Return the files and folders at any depth of a folder."""
        return self._listed(recursive=True)

    def open(self, mode: str = "rb", buffering: int = -1) -> BinaryIO:
        """Open a file.

        Args:
            mode: "rb".
            buffering: 0 reads what is asked for, and no more.

        Raises:
            UserError: If it does not exist or may not be read; or later, if the connection is lost.
        """
        if mode != "rb":
            raise ValueError(f"mode {mode!r}: remote files are only read")
        file_system, path = self._place()
        with _errors(self):
            raw = _RemoteFile(file_system.open_input_file(path), self, 1 << 62 if buffering == 0 else FIRST_BYTES)
        return raw if buffering == 0 else io.BufferedReader(raw, BUFFER_BYTES)

    def _place(self) -> tuple[Any, str]:
        """Return the file system, and the path in it."""
        bucket, *names = self.parts[1:]
        file_system, base = _file_system(self.scheme, bucket)
        return file_system, "/".join([base, *names])

    def _found(self) -> Any:
        if self._info is None:
            file_system, path = self._place()
            with _errors(self):
                self._info = file_system.get_file_info(path)
                bucket = path.partition("/")[0]
                missing = self._info.type.name == "NotFound"
                if missing and file_system.get_file_info(bucket).type.name == "NotFound":
                    raise UserError(f"{self}: there is no bucket {bucket!r}; check {PLACES[self.scheme]}.")
        return self._info

    def _listed(self, recursive: bool) -> list["RemotePath"]:
        import pyarrow.fs

        file_system, place = self._place()
        with _errors(self):
            selector = pyarrow.fs.FileSelector(place, allow_not_found=True, recursive=recursive)
            infos = file_system.get_file_info(selector)
        paths = []
        for info in sorted(infos, key=lambda info: info.path):
            name = info.path[len(place) + 1 :]
            if str(PurePosixPath(name)) != name or name.startswith("/"):
                if info.is_file:
                    _warn_of_name(f"{self}/{name}")
                continue
            path = self / name
            path._info = info
            paths.append(path)
        return paths


AnyPath = Path | RemotePath


def remote_path(scheme: str, rest: str) -> RemotePath:
    """Return the path of a URL.

    Args:
        scheme: One of `SCHEMES`.
        rest: What follows "://".

    Raises:
        UserError: If it names no bucket, or contains credentials.
    """
    bucket, url = rest.partition("/")[0], f"{scheme}://{rest}"
    if not bucket:
        raise UserError(f"{url!r}: names no bucket; expected {scheme}://BUCKET/PATH.")
    if has_secret(url):
        raise UserError(
            f"{url}: credentials are not part of a URL, which is stored with the settings; they are read from "
            f"{CREDENTIALS[SCHEMES[scheme]]}."
        )
    if any(character in bucket for character in "*?["):
        raise UserError(f"{url}: a pattern stands for files of one bucket; name the bucket.")
    return RemotePath(url)


@functools.cache
def _file_system(scheme: str, bucket: str) -> tuple[Any, str]:
    """Return the file system of a bucket, and the bucket's name in it."""
    import pyarrow.fs  # imported here because it takes half a second

    url = f"{scheme}://{bucket}"
    try:
        file_system, base = pyarrow.fs.FileSystem.from_uri(url + OPTIONS.get(scheme, ""))
        if isinstance(file_system, pyarrow.fs.S3FileSystem):
            # A URL finds the region of the bucket and the endpoint, but cannot say how often to try.
            _, (options,) = file_system.__reduce__()
            options["retry_strategy"] = pyarrow.fs.AwsStandardS3RetryStrategy(max_attempts=MAX_ATTEMPTS)
            file_system = pyarrow.fs.S3FileSystem(**options)
        return file_system, base
    except (pyarrow.ArrowException, OSError, ValueError, TypeError) as error:
        raise _user_error(url, scheme, error) from None


@functools.cache  # a folder is listed several times
def _warn_of_name(url: str) -> None:
    log.warning("%s: left out, since a part of its name is empty or a dot; copy it to a name without such a part", url)


class _RemoteFile(io.RawIOBase):
    """A file of `pyarrow.fs`, whose errors name the file.

    Args:
        file: The file.
        path: Its path.
        limit: Maximum bytes of the first read; the next may be twice as large, and so on.
    """

    def __init__(self, file: Any, path: RemotePath, limit: int):
        self._file, self._path, self._limit = file, path, limit
        with _errors(path):
            self._size = file.size()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer) -> int:
        position = self.tell()
        with _errors(self._path, f" after {position:,} of {self._size:,} bytes"):
            # `size` cannot be 0: there is nothing to ask for at the end.
            size = min(len(buffer), self._size - position, self._limit)
            self._limit *= 2
            part = self._file.read(size) if size > 0 else b""
            if not part and size > 0:
                raise OSError("the connection was closed")
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(OSError):
                self._file.close()
        super().close()


@contextlib.contextmanager
def _errors(path: RemotePath, when: str = "") -> Iterator[None]:
    """Turn what `pyarrow.fs` raises into a `UserError` that names the file."""
    import pyarrow

    try:
        yield
    except (OSError, pyarrow.ArrowException) as error:
        raise _user_error(str(path), path.scheme, error, when) from None


def _user_error(url: str, scheme: str, error: Exception, when: str = "") -> UserError:
    """Return the error for a file that cannot be read."""
    reason = " ".join(str(error).split())
    if isinstance(error, FileNotFoundError):
        return UserError(f"{url}: no such file.")
    if "NO_SUCH_BUCKET" in reason:
        return UserError(f"{url}: there is no such bucket; check {PLACES[scheme]}.")
    if DENIED.search(reason):
        return Unreadable(f"{url}: access is denied; credentials are read from {CREDENTIALS[scheme]}.")
    reason = re.sub(r"^.*?AWS Error ", "", reason)
    reason = re.sub(r"^.*?last message of ", "", reason)
    reason = re.sub(r" \(Request ID: \w+\)| error_info=.*", "", reason)
    reason = re.sub(r"^NETWORK_CONNECTION.*?curlCode: \d+, ([^;]*).*", r"\1", reason)
    reason = reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]} ..."
    if ELSEWHERE.search(reason):
        return UserError(f"{url}: not in this region ({reason}); check {PLACES[scheme]}.")
    if not isinstance(error, OSError):
        return UserError(f"{url}: cannot be read ({reason}); check {PLACES[scheme]}.")
    return TemporaryError(f"{url}: cannot be read{when} ({reason}); repeat the command, or check {PLACES[scheme]}.")
