"""The names that a server without authentication answers to.

A web page can have its own name resolve to this machine (DNS rebinding), and then reads the answers as those of its own
server. Browsers send the page's name in the header Host, by which such a request is refused.
"""

import functools
import ipaddress
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response

# A name of DNS has 253 characters or less; a port can follow it.
MAX_LENGTH = 300


class HostMiddleware:
    """Refuses requests to a name that is not that of the server. Addresses, and no name at all, are accepted.

    Args:
        app: The application.
        names: The names besides localhost.
    """

    def __init__(self, app, names: Iterable[str]):
        self._app, self._names = app, {"localhost", *(name.lower() for name in names)}
        self._is_accepted = functools.lru_cache(maxsize=1000)(self._names_the_server)

    async def __call__(self, scope, receive, send):
        """Answer a request."""
        headers = Headers(scope=scope).getlist("host") if scope["type"] == "http" else []
        # What is too long for a name is not kept in memory.
        refused = (one for one in headers if one and (len(one) > MAX_LENGTH or not self._is_accepted(one)))
        if header := next(refused, ""):
            error = f"The server does not answer to the name {header[:200]}; start it with --allowed-hosts NAME"
            response = Response(json.dumps({"error": error}), 403, media_type="application/json")
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _names_the_server(self, header: str) -> bool:
        try:
            name = (urlsplit(f"//{header}").hostname or "").rstrip(".")
        except ValueError:
            return False
        return name in self._names or name.endswith(".localhost") or _is_address(name)


def is_loopback(address: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    return ipaddress.ip_address(address).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
