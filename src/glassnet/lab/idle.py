"""Idle: a page that nobody uses for hours is put away, and what nobody needs ends; a link brings the page back."""

import asyncio
import html
import json
from contextlib import suppress
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from nicegui import ui
from nicegui.client import Client

from glassnet.lab.links import from_query, to_query
from glassnet.lab.tab import Lab, Tab

SECONDS_UNTIL_IDLE = 2 * 3600.0
"""Without a click or a key; a page that watches a training is not idle."""

SECONDS_BETWEEN_LOOKS = 30.0
SECONDS_TO_LEAVE = 5.0
"""For a page to go of its own accord; then the server lets go of it."""

AWAY = "/away"

STYLE = Path(__file__).with_name("tokens.css").read_text("utf-8") + (
    "body { background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; margin: 0; }"
    "main { max-width: 34rem; margin: 18vh auto 0; padding: 0 1.25rem; }"
    "a { display: inline-block; background: var(--button); color: var(--on-button); padding: .5rem 1rem;"
    " border-radius: var(--radius); text-decoration: none; }"
    "a:focus-visible { outline: 3px solid var(--for); outline-offset: 2px; }"
)


def add_routes(app: FastAPI, seconds: float = SECONDS_UNTIL_IDLE) -> None:
    """Give an application the page that is shown in the place of one that was put away."""

    @app.get(AWAY)
    def show_away(request: Request) -> HTMLResponse:
        return HTMLResponse(write_away(dict(request.query_params), seconds), headers={"cache-control": "no-store"})


def note_use(tab: Tab, seconds: float = SECONDS_UNTIL_IDLE) -> None:
    """Let the page of a tab tell that it is being used, now and then while it is."""
    ui.on("used", lambda _: tab.touch(), args=[])
    ui.run_javascript(_TELL.replace("EVERY", str(int(min(60, seconds / 8) * 1000))))


async def watch(lab: Lab, seconds: float = SECONDS_UNTIL_IDLE) -> None:
    """Put away what is idle, for as long as the lab runs."""
    while True:
        await asyncio.sleep(min(SECONDS_BETWEEN_LOOKS, seconds / 8))
        tidy(lab, seconds)


def tidy(lab: Lab, seconds: float) -> None:
    """Put away the tabs that are idle for so long, and end the processes that nobody has needed for so long."""
    for tab in list(lab.tabs.values()):
        if tab.is_idle(seconds):
            put_away(tab)
    lab.crew.rest(seconds, keep=1 if lab.tabs else 0)
    if not lab.tabs:
        lab.desk.rest(seconds)
        lab.study.rest(seconds)


def put_away(tab: Tab) -> None:
    """Send the page of a tab to where its link stands, and keep nothing of it."""
    address = AWAY + (f"?{query}" if (query := to_query(tab.state)) else "")
    tab.client.run_javascript(f"location.replace({json.dumps(address)})")
    tab.leave()
    asyncio.get_running_loop().call_later(SECONDS_TO_LEAVE, _let_go, tab.client)


def write_away(query: dict[str, str], seconds: float = SECONDS_UNTIL_IDLE) -> str:
    """Return the page that says what happened, and leads back to the state of a link."""
    link = to_query(from_query(query)[0])  # nothing but what a link of the lab can say comes back
    back = "/" + (f"?{link}" if link else "")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>glassnet lab</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
        f"<h1>This page was put away</h1><p>Nobody had used it for {_say(seconds)}, so the lab made room for others. "
        "Finished trainings are saved, and everything is still set as it was; only what was drawn here is gone.</p>"
        f'<p><a href="{html.escape(back, quote=True)}">Go on where I was</a></p></main></body></html>'
    )


def _let_go(client: Client) -> None:
    """Delete what the server holds of a page that is still there; one that has gone is deleted by NiceGUI."""
    if client.id in Client.instances and client.has_socket_connection:
        with suppress(KeyError):
            client.delete()


def _say(seconds: float) -> str:
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}{'s' if round(seconds / size) != 1 else ''}"
    return f"{seconds:.0f} seconds"


_TELL = """
(() => {
  let told = Date.now();
  const tell = () => {
    if (Date.now() - told < EVERY) return;
    told = Date.now();
    emitEvent("used");
  };
  for (const kind of ["pointerdown", "keydown", "wheel", "paste", "drop"])
    addEventListener(kind, tell, { capture: true, passive: true });
})()
"""
