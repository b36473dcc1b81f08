"""What goes in and out as files: photos from a tab, models, programs and reports of runs."""

import asyncio
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response
from starlette.requests import ClientDisconnect

from glassnet.errors import GlassnetError
from glassnet.lab import answers
from glassnet.lab.pages.tryit import MOST_BYTES, MOST_PHOTOS
from glassnet.lab.shelf import find_run
from glassnet.lab.tab import Lab
from glassnet.runs import MODEL

GONE = 499
"""What is answered to a page that has gone while it was sending: nobody reads it."""


def add_routes(app: FastAPI, lab: Lab) -> None:
    """Let an application take photos and give files of runs."""
    waiting: dict[str, int] = {}

    @app.post("/photo/{key}")
    async def take_photo(key: str, request: Request) -> Response:
        tab = lab.tabs.get(key)
        if tab is None or tab.receive_photo is None:
            return PlainTextResponse("This page is no longer known to the lab; load it again.", 404)
        if waiting.get(key, 0) >= MOST_PHOTOS:
            return PlainTextResponse(f"{MOST_PHOTOS} photos are waiting already.", 429)
        tab.touch()
        waiting[key] = waiting.get(key, 0) + 1
        body = bytearray()
        try:
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_BYTES:
                    return PlainTextResponse(f"A picture may have {MOST_BYTES // 1_000_000} MB at most.", 413)
            if not body:
                return PlainTextResponse("The picture is empty (0 bytes); save it again.", 400)
            with tab.client:
                await tab.receive_photo(bytes(body))
        except ClientDisconnect:
            return Response(status_code=GONE)
        finally:
            waiting[key] -= 1
            if not waiting[key]:
                del waiting[key]
        return Response(status_code=204)

    @app.get("/runs/{name}/model.keras")
    def give_model(name: str) -> Response:
        run = find_run(lab.folder, name)
        return _missing() if run is None else FileResponse(run / MODEL, filename=f"{name}.keras")

    @app.get("/runs/{name}/code.py")
    async def give_code(name: str) -> Response:
        run = find_run(lab.folder, name)
        if run is None:
            return _missing()
        try:
            code = await asyncio.wrap_future(lab.study.ask(answers.code, run))
        except GlassnetError as error:
            return PlainTextResponse(f"{error}\n", 500)
        # In UTF-8, as RFC 6266 has it: a header itself holds Latin letters only.
        return PlainTextResponse(
            code, headers={"content-disposition": f"attachment; filename*=utf-8''{quote(name)}.py"}
        )

    @app.get("/runs/{name}/report.html")
    def give_report(name: str) -> Response:
        run = find_run(lab.folder, name)
        if run is None or not (run / "report.html").is_file():
            return _missing()
        return FileResponse(run / "report.html", media_type="text/html")


def _missing() -> Response:
    return PlainTextResponse("There is no such file in the lab's folder of runs.\n", 404)
