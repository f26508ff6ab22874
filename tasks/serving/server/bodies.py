"""Reads the bodies of requests, with limits of size and time. They may be compressed with gzip."""

import asyncio
import zlib

from starlette.requests import Request

from tasks.serving.server.errors import RequestError, invalid

# A client that sends a large body reads the answer only after it: so much of it is received and thrown away.
DISCARDED_BYTES = 64 << 20


async def read_body(request: Request, max_bytes: int, timeout: float) -> bytes:
    """Return the body of a request.

    Args:
        request: The request.
        max_bytes: Its maximum size, also after it is decompressed.
        timeout: Seconds in which it must arrive.

    Raises:
        RequestError: If it is larger, too slow, or not what gzip writes.
    """
    too_large = RequestError("RESOURCE_EXHAUSTED", f"The body has more than {max_bytes:,} bytes, the maximum", 413)
    parts, size = [], 0
    try:
        async with asyncio.timeout(timeout):
            more = True
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise RequestError("CANCELLED", "The client has left")
                part, more = message.get("body", b""), message.get("more_body", False)
                size += len(part)
                if size > DISCARDED_BYTES:
                    raise too_large
                if size <= max_bytes:
                    parts.append(part)
    except TimeoutError:
        message = f"The body of the request did not arrive within {timeout:g} seconds"
        raise RequestError("DEADLINE_EXCEEDED", message, 408) from None
    if size > max_bytes:
        raise too_large
    body = b"".join(parts)
    if request.headers.get("content-encoding", "").strip().lower() != "gzip":
        return body
    decompressor = zlib.decompressobj(wbits=31)
    try:
        body = decompressor.decompress(body, max_bytes + 1)
    except zlib.error:
        raise invalid("The body is not what gzip writes, which Content-Encoding says") from None
    if len(body) > max_bytes:
        raise too_large
    if not decompressor.eof:
        raise invalid("The body is cut off: its gzip data have no end")
    return body
