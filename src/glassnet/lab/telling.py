"""Answers that tell how far they are: lines of JSON, of which the last one is the answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi.responses import Response, StreamingResponse

Tell = Callable[[int, int], None]
"""Is called, from any thread, with how much is done, and of how much."""

MOST_LINES = 100
"""An answer says how far it is about so many times."""

LINES = "application/x-ndjson"

_under_way: set[asyncio.Future[Response]] = set()


async def tell_on_the_way(work: Callable[[Tell], Awaitable[Response]]) -> Response:
    """Do some work, and answer from its first news on; without any, as the work does.

    The work goes on when nobody listens any more.
    """
    loop = asyncio.get_running_loop()
    news: asyncio.Queue[dict[str, int] | None] = asyncio.Queue()

    def tell(done: int, total: int) -> None:
        if done % max(1, total // MOST_LINES) == 0 or done == total:
            loop.call_soon_threadsafe(news.put_nowait, {"done": done, "total": total})

    task = asyncio.ensure_future(work(tell))
    _under_way.add(task)  # the loop itself would not keep it
    task.add_done_callback(_under_way.discard)
    task.add_done_callback(lambda _: news.put_nowait(None))
    first = await news.get()
    if first is None:
        return await task

    async def lines() -> AsyncIterator[bytes]:
        one: Any = first
        while one is not None:
            yield json.dumps(one).encode() + b"\n"
            one = await news.get()
        answer = await task
        text = bytes(answer.body)
        yield text if answer.media_type == "application/json" else json.dumps({"problem": text.decode()}).encode()

    # Whoever compresses answers would hold the lines back; those that have an encoding are left alone.
    return StreamingResponse(lines(), media_type=LINES, headers={"content-encoding": "identity"})
