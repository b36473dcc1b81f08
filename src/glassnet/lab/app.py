"""The lab's server: binds to this machine, guards the door, and gives each tab its page."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from nicegui import ui

from glassnet.errors import InputError
from glassnet.lab import arrivals, files, idle
from glassnet.lab.desk import Desk
from glassnet.lab.jobs import Crew
from glassnet.lab.pages.frame import build_page
from glassnet.lab.security import LOOPBACK, Guard
from glassnet.lab.sets import keep_sets
from glassnet.lab.tab import Lab

PORTS = range(8080, 8100)
"""Tried in this order if none is asked for."""

RECONNECT_SECONDS = 20.0
"""A page that is closed is dropped after so long; a machine that is busy may keep one silent for some of them."""

MOST_TABS = 300
"""Open at the same moment; each holds about a megabyte here."""


@dataclass(frozen=True)
class Address:
    """Where the lab is.

    Args:
        host: the address that it listens on.
        port: its port.
        token: what visitors must know; None on this machine's own address.
    """

    host: str
    port: int
    token: str | None

    @property
    def url(self) -> str:
        """What to open."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104  (only compared)
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{self.port}/" + (f"?token={self.token}" if self.token else "")


SECONDS_FOR_THE_PAGE = 1.0
"""The first page has both cores for so long, until the processes that work are started."""


def serve(
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    runs: Path = Path("runs"),
    workers: int | None = None,
    idle_seconds: float = idle.SECONDS_UNTIL_IDLE,
    on_ready: Callable[[Address], None] = lambda address: None,
) -> None:
    """Serve the lab until Ctrl-C.

    Args:
        host: the address to listen on; another than this machine's own gets a token.
        port: None takes the first free one from 8080 on; 0 any.
        runs: folder of the runs.
        workers: trainings at the same moment; one for each core if None.
        idle_seconds: for how long a page may go unused until it is put away.
        on_ready: is called with the address once pages are served.

    Raises:
        InputError: a port that is taken, an address that is not this machine's, a folder that cannot be written.
    """
    check_folder(runs)
    bound = bind(host, port)
    token = None if host in LOOPBACK else secrets.token_urlsafe(16)
    address = Address(host, bound.getsockname()[1], token)
    lab = Lab(runs, Crew(runs, workers), Desk("glassnet-desk"), Desk("glassnet-study"))

    def awaken() -> None:
        """Start the processes that work, or those that have ended while nobody was here."""
        lab.crew.start()
        lab.desk.start()

    @asynccontextmanager
    async def lifespan(_: FastAPI):
        asyncio.get_running_loop().call_later(SECONDS_FOR_THE_PAGE, awaken)
        watching = asyncio.create_task(idle.watch(lab, idle_seconds))
        on_ready(address)
        yield
        watching.cancel()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    files.add_routes(app, lab)
    arrivals.add_routes(app, lab, keep_sets(runs))
    idle.add_routes(app, idle_seconds)

    def page(request: Request) -> Response | None:
        if len(lab.tabs) >= MOST_TABS:
            return PlainTextResponse(f"{MOST_TABS} pages of the lab are open already; close some, then load this.", 503)
        asyncio.get_running_loop().call_later(SECONDS_FOR_THE_PAGE / 2, awaken)
        build_page(lab, request.query_params)
        tab = next(tab for tab in lab.tabs.values() if tab.client is ui.context.client)
        idle.note_use(tab, idle_seconds)
        return None

    ui.page("/", title="glassnet lab", response_timeout=20)(page)
    ui.run_with(
        app,
        title="glassnet lab",
        favicon=Path(__file__).with_name("icon.svg"),
        dark=None,
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_SECONDS,
        show_welcome_message=False,
    )
    logging.getLogger("nicegui").setLevel(logging.ERROR)  # a mistyped address is no news for the terminal
    config = uvicorn.Config(
        Guard(app, host, address.port, token),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    try:
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn ends in order, then passes Ctrl-C on
            uvicorn.Server(config).run(sockets=[bound])
    finally:
        lab.crew.close()
        lab.desk.close()
        lab.study.close()


def bind(host: str, port: int | None) -> socket.socket:
    """Return a socket that is bound to the address, on the port or on the first free one.

    Raises:
        InputError: the port is taken, or the address is not this machine's.
    """
    if port is not None and not 0 <= port < 2**16:
        raise InputError(f"port is {port}; it must be from 0 to {2**16 - 1}")
    for number in [*PORTS, 0] if port is None else [port]:
        bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # elsewhere it would share a port that is taken
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, number))
            bound.listen()
        except OSError as error:
            bound.close()
            if port is None and number:
                continue
            why = (error.strerror or str(error)).lower()
            raise InputError(
                f"cannot listen on {host} port {number}: {why}; choose another with --port, or leave it out"
            ) from error
        return bound
    raise AssertionError  # the last of several ports is 0, which the system chooses


def check_folder(runs: Path) -> None:
    """Make the folder of runs, or raise InputError if it cannot be written."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=runs):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot write runs to {runs}: {reason}; choose another folder with --runs") from error
