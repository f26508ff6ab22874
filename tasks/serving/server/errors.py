"""Errors of requests: the codes of gRPC, and the status of HTTP that TensorFlow Serving returns for each."""

import re

# As in TensorFlow Serving, but for RESOURCE_EXHAUSTED, which is also a full queue here.
HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
}
CODES = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
MAX_MESSAGE_LENGTH = 1024
# Lines of TensorFlow's messages that name places in its code or in a graph.
_PLACES = ("Graph execution error", "Detected at node", "<stack traces", '  File "', "    ", "\t [[", "Errors may have")


class RequestError(Exception):
    """A request that cannot be answered.

    Args:
        code: A code of gRPC, such as `INVALID_ARGUMENT`.
        message: What is wrong; the client sees it.
        status: The status of HTTP; that of the code if None.
    """

    def __init__(self, code: str, message: str, status: int | None = None):
        # A name from the request may have half of a surrogate pair, which no answer can be written with.
        super().__init__(message[:MAX_MESSAGE_LENGTH].encode("utf-8", "replace").decode())
        self.code, self.status = code, status or HTTP_STATUS[code]


def invalid(message: str) -> RequestError:
    """Return the error of a request that is not as the signature or the interface needs it."""
    return RequestError("INVALID_ARGUMENT", message)


def late() -> RequestError:
    """Return the error of a request whose answer took too long."""
    return RequestError("DEADLINE_EXCEEDED", "The request was not answered in time")


def of_model(error: Exception) -> RequestError:
    """Return the error of a request at which the model raised one.

    Args:
        error: From TensorFlow. Its message is shown without places in code and graph; other errors are not shown.
    """
    code = getattr(error, "error_code", None)  # tf.errors.OpError
    if not isinstance(code, int) or not 0 < code < len(CODES):
        return RequestError("INTERNAL", "The model failed; the log of the server has the reason")
    lines = [line for line in str(getattr(error, "message", error)).splitlines() if not line.startswith(_PLACES)]
    message = re.sub(r" \[Op:[^]]*\]", "", " ".join(" ".join(lines).split()))
    return RequestError(CODES[code], message or type(error).__name__)
