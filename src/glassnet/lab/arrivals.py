"""Arrivals: pictures, folders and archives that come in through the page, checked, decoded within limits, and kept."""

import asyncio
import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.requests import ClientDisconnect

from glassnet.datasets.sources.names import clean
from glassnet.errors import GlassnetError, InputError
from glassnet.lab.files import GONE
from glassnet.lab.ownset import LONGEST_SIDE, MOST_CLASSES, MOST_IMAGES, OwnSet, checked_name
from glassnet.lab.ownsets import OwnSets
from glassnet.lab.tab import Lab
from glassnet.lab.telling import Tell, tell_on_the_way

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from glassnet.datasets.items import Arrays, Files

MOST_BYTES, MOST_ARCHIVE_BYTES, MOST_LIST_BYTES = 20_000_000, 500_000_000, 4_000_000
"""Of a picture, of an archive, of a list of the places of files."""

MOST_WAITING = 12
"""Pictures of one page that are being read."""

MOST_AT_ONCE = 2
"""Pictures that are decoded at the same moment."""

NAME, ARRIVING = "x-name", ".arriving-"

SECONDS_TO_ARRIVE = 3600.0
"""Older than this, what was arriving never will."""


def add_routes(app: FastAPI, lab: Lab, sets: OwnSets) -> None:
    """Let an application take images of a user's own, and show them.

    A page sends with its own secret name, which no other site knows; the door has looked at host and origin before.
    """
    waiting: Counter[str] = Counter()
    for old in sets.folder.glob(f"{ARRIVING}*"):  # what a killed lab left
        if time.time() - old.stat().st_mtime > SECONDS_TO_ARRIVE:
            old.unlink(missing_ok=True)
    decoding = asyncio.Semaphore(MOST_AT_ONCE)

    async def receive(
        tab: str, key: str, request: Request, most: int, keep: Callable[[OwnSet, Path, str], Any]
    ) -> Response:
        """Stream a body into the lab's folder, and let it be kept in a thread."""
        own = sets.find(key)
        if tab not in lab.tabs or own is None:
            return PlainTextResponse("This page or this set is no longer known to the lab; load the page again.", 404)
        if waiting[tab] >= MOST_WAITING:
            return PlainTextResponse(f"{MOST_WAITING} files are being read already; wait a moment.", 429)
        lab.tabs[tab].touch()
        waiting[tab] += 1
        name = unquote(request.headers.get(NAME, ""))[:200] or "a picture"
        try:
            with _arriving(sets.folder) as path:
                with path.open("wb") as stream:
                    await _receive(request, stream, most)
                async with decoding:
                    return JSONResponse(await asyncio.to_thread(keep, own, path, name))
        except GlassnetError as error:  # what people bring may be no picture: no failure of the request
            text = str(error)
            return JSONResponse({"problem": f"{text[:1].upper()}{text[1:]}."})
        except ClientDisconnect:
            return Response(status_code=GONE)
        except OSError as error:
            return PlainTextResponse(f"The lab cannot write to its folder: {error.strerror or error}.", 507)
        finally:
            waiting[tab] -= 1
            if not waiting[tab]:
                del waiting[tab]

    @app.post("/own/{tab}/{key}/places")
    async def take_places(tab: str, key: str, request: Request) -> Response:
        return await receive(tab, key, request, MOST_LIST_BYTES, place_files)

    @app.post("/own/{tab}/{key}/archive")
    async def take_archive(tab: str, key: str, request: Request) -> Response:
        return await tell_on_the_way(
            lambda tell: receive(tab, key, request, MOST_ARCHIVE_BYTES, partial(keep_archive, on_progress=tell))
        )

    @app.post("/own/{tab}/{key}/{label}")
    async def take_picture(tab: str, key: str, label: str, request: Request) -> Response:
        camera, split = "camera" in request.query_params, request.query_params.get("split")

        def keep(own: OwnSet, path: Path, name: str) -> dict[str, Any]:
            return keep_picture(own, label, path, name, split=split, camera=camera)

        return await receive(tab, key, request, MOST_BYTES, keep)

    @app.get("/own/{key}/{label}/{image}")
    def give_image(key: str, label: str, image: str) -> Response:
        own = sets.find(key)
        path = own and own.path(label, image)
        if path is None or not path.is_file():
            return PlainTextResponse("There is no such image.\n", 404)
        return FileResponse(path, headers={"cache-control": "private, max-age=86400"})


@contextmanager
def _arriving(folder: Path) -> Iterator[Path]:
    """Give a new file, not open, and take it away afterwards: Windows opens no file again that is open for writing."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=ARRIVING)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        with suppress(OSError):  # still read, for a page that has left: it goes when a lab starts
            path.unlink()


async def _receive(request: Request, stream: IO[bytes], most: int) -> None:
    """Write the body of a request to a file, up to a limit."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise InputError(f"it has more than {most // 1_000_000} MB, the most for this; make it smaller")
        stream.write(piece)
    if not size:
        raise InputError("it is empty (0 bytes); save it again")


def keep_picture(
    own: OwnSet, label: str, path: Path, name: str, *, split: str | None = None, camera: bool = False
) -> dict[str, Any]:
    """Decode a file and keep it as an image of a class; return its name and how many the class has.

    Raises:
        InputError: it is no picture (which is noted with the set), or there is no room.
    """
    image = own.add_image(label, _decoded(own, path, name), split=split, camera=camera)
    return {"image": image, "count": len(own.used(label))}


def place_files(own: OwnSet, path: Path, name: str) -> list[list[str] | None]:
    """Return for each of the files of a folder the key of its class, and its split, as its place says.

    Classes that are new are made. `path` is a JSON list of the places, parts joined by "/".

    Raises:
        InputError: it is no such list, or none of the files lies in a folder.
    """
    from glassnet.datasets.sources.layout import read_places

    try:
        places = [str(one).replace("\\", "/").rpartition("/")[0] for one in json.loads(path.read_bytes())]
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"the list of files cannot be read ({type(error).__name__}); choose the folder again"
        ) from error
    if len(places) > MOST_IMAGES:
        raise InputError(
            f"the folder holds {len(places):,} files, and {MOST_IMAGES:,} are the most here; open it with "
            "glassnet lab --data FOLDER"
        )
    meanings = read_places(Counter(places))
    labels = {label for _, label in meanings.values() if label}
    if not labels:
        raise InputError("no picture lies in a folder that could be its class; put them into a folder for each class")
    keys = _classes_named(own, labels)
    found = [meanings[place] for place in places]
    return [[keys[label], split or ""] if label else None for split, label in found]


def keep_archive(own: OwnSet, path: Path, name: str, on_progress: Tell | None = None) -> dict[str, Any]:
    """Keep the pictures of an archive, each in the class that its place says; `on_progress` is told how many are done.

    Raises:
        InputError: it is no archive of pictures, or holds too many.
    """
    from glassnet.datasets.sources.opening import open_source

    shown = clean(name, 80)
    try:
        source = open_source(path)
    except InputError as error:
        raise InputError(str(error).replace(str(path), shown).replace(path.name, shown)) from error
    images, refused = keep_source(own, source, shown, on_progress)
    for one in refused:
        own.note_refused(*one)
    return {"taken": len(images), "refused": len(refused)}


def keep_source(
    own: OwnSet, source: "Files | Arrays", shown: str, on_progress: Tell | None = None
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Keep all pictures of a source.

    Args:
        own: where they are kept.
        source: where they come from.
        shown: what the source is called in an error.
        on_progress: is told how many pictures are done, from none to all.

    Returns:
        What each is called here, by its name in the source; and what could not be used, with the reason.

    Raises:
        InputError: it holds too many.
    """
    from PIL import Image

    from glassnet.datasets.items import Files

    total = len(source.items) if isinstance(source, Files) else sum(len(one) for one, _ in source.splits.values())
    if total > MOST_IMAGES:
        raise InputError(
            f"{shown} holds {total:,} images, and {MOST_IMAGES:,} are the most here; open it with "
            "glassnet lab --data PATH"
        )
    keys = _classes_named(own, source.classes)
    refused = [(one.name, one.reason) for one in source.problems if one.left_out]
    kept: dict[str, str] = {}
    tell = on_progress or (lambda _done, _total: None)
    tell(0, total)
    if isinstance(source, Files):
        for done, item in enumerate(source.items, 1):
            try:
                picture = _opened(item.read())
            except (GlassnetError, OSError, ValueError) as error:
                refused.append((item.name, str(error)))
            else:
                kept[item.name] = own.add_image(keys[item.label], picture, split=item.split)
            tell(done, total)
        return kept, refused
    for split, (images, labels) in source.splits.items():
        for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            picture = Image.fromarray(image)
            # As packed images are called, so that what is found in them is found here.
            name = f"{split or 'image'} {number}"
            kept[name] = own.add_image(keys[source.classes[label]], picture, split=split or None)
            tell(len(kept), total)
    return kept, refused


def _classes_named(own: OwnSet, names: Any) -> dict[str, str]:
    """Return the keys of classes by their names; those that are new take the places of empty ones first.

    Raises:
        InputError: there are too many, or two that would have the same name here.
    """
    wanted: dict[str, str] = {}  # what each is called here, where names are not long
    for name in sorted(names):
        short = checked_name(name, "the class")
        if short in wanted:
            both = f"{clean(wanted[short], 80)} and {clean(name, 80)}"
            raise InputError(f"the classes {both} would both be called {short} here; rename one of them")
        wanted[short] = name
    there = {one.name for one in own.shown}
    if len(there | set(wanted)) > MOST_CLASSES + 2:
        raise InputError(f"there are {len(wanted)} classes in it, and {MOST_CLASSES} are the most here")
    for one in own.shown:  # "Class 1" and "Class 2" of a new set give way
        new = [short for short in wanted if short not in there]
        if new and re.fullmatch(r"Class \d+", one.name) and not own.images[one.key] and one.name not in wanted:
            own.rename_class(one.key, new[0])
            there.add(new[0])
    return {name: own.class_named(short) for short, name in wanted.items()}


def _decoded(own: OwnSet, path: Path, name: str) -> "Picture":
    try:
        return _opened(path.read_bytes())
    except InputError as error:
        own.note_refused(name, str(error))
        raise


def _opened(data: bytes) -> "Picture":
    """Decode a picture; one that shows no colour becomes grayscale."""
    import numpy as np

    from glassnet.datasets.decoding import decode

    picture = decode(data, mode="RGB", near=(LONGEST_SIDE, LONGEST_SIDE))
    pixels = np.asarray(picture)
    gray = bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all())
    return picture.convert("L") if gray else picture
