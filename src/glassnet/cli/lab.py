"""glassnet lab."""

from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli.output import Json, console, print_json, say


def lab(
    *,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; default the first free one from 8080.", show_default=False)
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's own get a token.")
    ] = "127.0.0.1",
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Images of your own, to choose in the lab: a folder, a zip, …; repeat for more."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs"),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    json: Json = False,
) -> None:
    """Open the lab: build, train, look inside and try your own images, in the browser. Ctrl-C ends it."""
    from glassnet.lab.app import Address, serve
    from glassnet.lab.sets import admit

    for path in data or ():
        admit(path)

    def tell(address: Address) -> None:
        if json:
            print_json({"url": address.url, "host": address.host, "port": address.port, "runs": str(runs)})
        else:
            say(f"The lab is open at {address.url}\nRuns are kept in {runs}. Ctrl-C ends it.")
        console.file.flush()
        if browser:
            import threading
            import webbrowser

            threading.Thread(target=webbrowser.open, args=(address.url,), daemon=True).start()

    serve(host, port, runs=runs, on_ready=tell)
