"""``rosenblatt playground``: a page on which a network learns, served until Ctrl-C.

Takes options and, if there is one, a table. Returns nothing: it shows the address, and opens the browser. Never serves
before the table was read.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import webbrowser
from typing import Any

from rosenblatt.cli.display import Display
from rosenblatt.cli.session import Interrupted, named
from rosenblatt.playground_page.extra import require_extra

__all__ = ["playground"]

END_SECONDS = 1.0


def playground(given: Any, display: Display) -> None:
    """Read, listen, show the address, serve."""
    require_extra()
    from rosenblatt.playground_page.security import is_loopback
    from rosenblatt.playground_page.serving import DEFAULT_PORT, make_server

    with display.warnings():
        table = read_own_table(given, display)
    host, wanted = "127.0.0.1" if given.host is None else given.host, given.port or DEFAULT_PORT
    server = make_server(host, wanted, table=table, encoding=given.encoding)
    if server.access.port != wanted:
        display.note(f"port {wanted} is in use; {server.access.port}, the next free one, is taken instead")
    if not is_loopback(host):
        display.note(
            "other machines can reach the page, and what is sent is not encrypted: whoever has the address can use "
            "this server"
        )
    show_address(server.access.address, given, display)
    if not given.no_browser and has_screen():
        threading.Thread(target=webbrowser.open, args=(server.access.address,), daemon=True).start()
    try:
        server.serve_until_stopped()
    except KeyboardInterrupt:
        leave()
        raise Interrupted("") from None  # this is how it ends


def leave() -> None:
    """End the process at once if a table is still parsed, or a run made, in a step that cannot be told to stop."""
    from rosenblatt.playground_page.background import all_ended

    if not all_ended(END_SECONDS):
        sys.stdout.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)


def read_own_table(given: Any, display: Display) -> Any:
    """The table in the file, for the page; None without a file."""
    if given.file is None:
        if given.target is not None:
            raise ValueError("--target names a column of a table; give its FILE, too.")
        return None
    from rosenblatt.playground_page.own_data import table_of

    table = table_of(given.file, given.target, named(given.file), given.encoding)
    found = table.describe()
    display.table(named(given.file), found["rows"], len(found["columns"]))
    if found["note"]:
        display.note(found["note"])
    return table


def show_address(address: str, given: Any, display: Display) -> None:
    """Write the address at once: as a line, alone, or as JSON."""
    from rosenblatt.cli.terminal import write_result

    display.data |= {"command": "playground", "address": address}
    if given.json:
        import json

        write_result(display.result, json.dumps(display.data, ensure_ascii=False, allow_nan=False) + "\n")
    elif given.quiet:
        write_result(display.result, f"{address}\n")
    display.line("address", address)
    display.line("stop", "Ctrl-C ends the page")
    sys.stdout.flush()


def has_screen() -> bool:
    """Whether a browser has somewhere to open."""
    return not sys.platform.startswith("linux") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))
