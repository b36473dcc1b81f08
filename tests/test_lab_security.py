"""Who may talk to the lab."""

import contextlib
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from glassnet.errors import InputError
from glassnet.lab import app
from glassnet.lab.app import bind, check_folder
from glassnet.lab.security import Guard


class ReachedError(Exception):
    """The application behind the guard was asked."""


async def application(scope: Any, receive: Any, send: Any) -> None:
    raise ReachedError


def ask(guard: Guard, kind: str = "http", query: str = "", **headers: str) -> list[Any]:
    """What the guard sends; ReachedError if it lets the request through."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "headers": pairs, "query_string": query.encode(), "path": "/"}
    with contextlib.suppress(StopIteration):  # nothing here waits, so no event loop is needed
        guard(scope, None, send).send(None)
    return sent


LOCAL = Guard(application, "127.0.0.1", 8080, None)
OPEN = Guard(application, "0.0.0.0", 8080, "a-token")
COOKIE = OPEN.cookie


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost"])
def test_own_names_are_let_through(host: str) -> None:
    with pytest.raises(ReachedError):
        ask(LOCAL, host=host)
    with pytest.raises(ReachedError):
        ask(LOCAL, "websocket", host=host, origin=f"http://{host}")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8080", "192.168.1.5:8080", "", "[", "a@localhost.evil"]
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_other_hosts_are_refused(kind: str, host: str) -> None:
    first = ask(LOCAL, kind, host=host)[0]
    assert first.get("status") == 403 or first["type"] == "websocket.close"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null", "http://127.0.0.1:80801", ""])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_other_origins_are_refused(kind: str, origin: str) -> None:
    first = ask(LOCAL, kind, host="127.0.0.1:8080", origin=origin)[0]
    assert first.get("status") == 403 or first["type"] == "websocket.close"


def test_other_sites_may_link_but_not_embed() -> None:
    with pytest.raises(ReachedError):
        ask(LOCAL, host="localhost:1", sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert ask(LOCAL, host="localhost:1", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")[0]["status"] == 403


def test_an_open_address_asks_for_the_token() -> None:
    assert ask(OPEN, host="192.168.1.5:8080")[0]["status"] == 401
    assert ask(OPEN, host="192.168.1.5:8080", query="token=wrong")[0]["status"] == 401
    assert ask(OPEN, host="192.168.1.5:8080", query="token=")[0]["status"] == 401
    assert ask(OPEN, "websocket", host="192.168.1.5:8080", query="token=a-token")[0]["type"] == "websocket.close"
    assert ask(OPEN, host="evil.example", query="token=a-token")[0]["status"] == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    answer = ask(OPEN, host="192.168.1.5:8080", query="epochs=3&token=a-token&hide=seed")[0]
    headers = dict(answer["headers"])
    assert answer["status"] == 303
    assert headers[b"location"] == b"/?epochs=3&hide=seed"
    cookie = headers[b"set-cookie"].decode()
    assert "HttpOnly" in cookie
    with pytest.raises(ReachedError):
        ask(OPEN, host="192.168.1.5:8080", cookie=cookie.split(";")[0])
    assert ask(OPEN, host="192.168.1.5:8080", cookie=f"{COOKIE}=a-toke")[0]["status"] == 401


def test_the_link_with_the_token_can_be_opened_again() -> None:
    answer = ask(OPEN, host="192.168.1.5:8080", query="token=a-token&epochs=3", cookie=f"{COOKIE}=a-token")[0]
    assert (answer["status"], dict(answer["headers"])[b"location"]) == (303, b"/?epochs=3")


def test_labs_on_two_ports_of_a_host_do_not_log_each_other_out() -> None:
    other = Guard(application, "0.0.0.0", 8081, "another-token")
    cookies = [
        dict(ask(one, host="192.168.1.5:8080", query=f"token={one.token}")[0]["headers"])[b"set-cookie"].decode()
        for one in (OPEN, other)
    ]
    kept = {name: value for name, _, value in (one.split(";")[0].partition("=") for one in cookies)}
    for one in (OPEN, other):
        with pytest.raises(ReachedError):
            ask(one, host="192.168.1.5:8080", cookie="; ".join("=".join(pair) for pair in kept.items()))


@pytest.mark.parametrize(
    "others",
    ['a={"x":1}; %s', "flag; %s", "x=a b; %s", "sid@x=1; %s", "%s; a=é; =; ;", "glassnet-lab=old; %s", "a=1;%s", "%s"],
)
def test_cookies_of_others_on_the_same_host_do_not_matter(others: str) -> None:
    for kind in ("http", "websocket"):
        with pytest.raises(ReachedError):
            ask(OPEN, kind, host="192.168.1.5:8080", cookie=others % f"{COOKIE}=a-token")
    for wrong in (f"{COOKIE}=", COOKIE, "a-token", f"x{COOKIE}=a-token", f"x={COOKIE}=a-token", f"{COOKIE}=a-token2"):
        assert ask(OPEN, host="192.168.1.5:8080", cookie=others % wrong)[0]["status"] == 401


def test_a_taken_port_costs_one_line() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"127\.0\.0\.1 port {port}: address already in use; .*--port"):
            bind("127.0.0.1", port)


def test_no_port_is_shared_where_the_system_would_let_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for system, reused in (("posix", True), ("nt", False)):
        monkeypatch.setattr(app, "os", SimpleNamespace(name=system))
        with bind("127.0.0.1", 0) as bound:
            assert bool(bound.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)) == reused


def test_a_free_port_is_found() -> None:
    with bind("127.0.0.1", None) as first, bind("127.0.0.1", None) as second:
        assert first.getsockname()[1] != second.getsockname()[1]
        assert first.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000), ("no such name", 0)])
def test_addresses_that_are_not_this_machine_cost_one_line(host: str, port: int) -> None:
    with pytest.raises(InputError) as caught:
        bind(host, port)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_costs_one_line(tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another folder with --runs"):
        check_folder(tmp_path / "file" / "runs")
