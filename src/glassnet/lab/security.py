"""Who may talk to the lab: this machine's own browser, or whoever has the link with the token."""

import hmac
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Vue compiles the templates of components in the browser, which needs unsafe-eval. Nothing comes from elsewhere.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """Lets through what this lab's own pages ask, and refuses the rest before it reaches them.

    A page of another site cannot read from the lab (the Host must be the lab's own, so that a name that is pointed at
    this machine is refused), nor act in it (the Origin must be the lab's own, for websockets too).

    Args:
        app: the ASGI application behind it.
        host: the address that the lab listens on,
        port: and its port.
        token: what a visitor must know; None lets everybody of this machine in.
    """

    def __init__(self, app: Any, host: str, port: int, token: str | None) -> None:
        self.app, self.token = app, token
        self.cookie = f"glassnet-lab-{port}"  # all ports of a host share its cookies
        self.names = set(LOOPBACK) if host in LOOPBACK else {host, *LOOPBACK, *_own_names()}
        self.any_address = host not in LOOPBACK

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if reason := self.why_not(headers):
            await _refuse(scope, send, 403, reason)
            return
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if self.token and scope["type"] == "http" and self._is_token(dict(query).get("token", "")):
            await self._keep_token(query, send)
            return
        if self.token and not self._knows_token(headers):
            await _refuse(scope, send, 401, "open the whole link that glassnet lab printed, with its token")
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self.app(scope, receive, with_headers)

    def why_not(self, headers: dict[str, str]) -> str:
        """Say why a request is refused; "" if it is not."""
        host = headers.get("host", "")
        if not self._is_own(host):
            return "this lab is not called that; open the address that glassnet lab printed"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "another site may not talk to the lab"
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return "another site may not read from the lab"
        return ""

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.names or (self.any_address and _is_address(name))

    def _knows_token(self, headers: dict[str, str]) -> bool:
        # By hand: other servers of this host set cookies here too, and http.cookies drops all when it dislikes one.
        pairs = (one.strip().partition("=") for one in headers.get("cookie", "").split(";"))
        return any(name == self.cookie and self._is_token(value) for name, _, value in pairs)

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), (self.token or "").encode())

    async def _keep_token(self, query: list[tuple[str, str]], send: Any) -> None:
        """Put the token of a link into a cookie, and take it out of the address."""
        rest = urlencode([pair for pair in query if pair[0] != "token"])
        # "/" and nothing of the path: a path such as //elsewhere would lead there.
        place = "/" + (f"?{rest}" if rest else "")
        cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Lax"
        headers = [(b"location", place.encode()), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": [*headers, *HEADERS]})
        await send({"type": "http.response.body", "body": b""})


async def _refuse(scope: Any, send: Any, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    body = f"glassnet lab: {reason}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _own_names() -> Iterable[str]:
    name = socket.gethostname().lower()
    return {name, f"{name.split('.')[0]}.local", name.split(".")[0]}
