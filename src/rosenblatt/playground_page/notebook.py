"""`rosenblatt.playground`: the page from Python, in a notebook's frame or at its address.

Takes data, if there are any. Returns a `Playground`, whose server runs in a thread with an event loop of its own. Never
touches the loop of the caller.
"""

from __future__ import annotations

import html
import sys
import threading
import time
from typing import Any

from rosenblatt._checks import check_count
from rosenblatt.playground_page.extra import require_extra

__all__ = ["Playground", "playground"]

MAX_PORT, MAX_HEIGHT = 65_535, 10_000
START_SECONDS = 10.0
BEGUN: dict[str, Playground] = {}
"""The playground without data, which later calls show again."""


class Playground:
    """A page that is served; at the end of a cell, a notebook shows it in a frame. `rosenblatt.playground` makes one.

    Parameters
    ----------
    server : PlaygroundServer
        What serves the page.
    height : int
        Of the frame, in pixels.

    Attributes
    ----------
    url : str
        The address, which holds a secret: whoever has it can use the page.
    height : int
        Of the frame, in pixels.
    """

    def __init__(self, server: Any, height: int = 900) -> None:
        self.url: str = server.access.address
        self.height = height
        self._server = server
        self._thread = threading.Thread(target=server.serve_until_stopped, name="rosenblatt-playground", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        if not server.started:
            raise OSError("the playground's server did not start.")

    @property
    def is_running(self) -> bool:
        """Whether the page is still served."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the server and all trainings of its pages. It may be called twice."""
        self._server.stop()
        self._thread.join(START_SECONDS)

    def wait(self) -> None:
        """Serve until Ctrl-C, which stops the server: the end of a script."""
        try:
            while self.is_running:
                self._thread.join(1.0)
        except KeyboardInterrupt:
            self.stop()

    def __repr__(self) -> str:
        return f"Playground({self.url})" if self.is_running else "Playground(stopped)"

    def _repr_html_(self) -> str:
        if not self.is_running:
            return "<p>The playground was stopped.</p>"
        address = html.escape(self.url, quote=True)
        style = f"width: 100%; height: {self.height}px; border: 0"
        return f'<iframe src="{address}" style="{style}" title="Playground of rosenblatt"></iframe>'


def playground(X: Any = None, y: Any = None, *, port: int | None = None, height: int = 900) -> Playground:
    """Open a page on which a network learns while one watches.

    In a notebook the result is shown in a frame, which works where the notebook runs on the same machine as the
    browser. A script prints the address; the page is served until the script ends, or as long as ``wait()`` waits.

    Parameters
    ----------
    X : path, data frame, mapping of columns, or array of shape (n_rows, n_columns), optional
        A table of your own. Without it, the page has the built-in problems only.
    y : str, or array-like of shape (n_rows,), optional
        The name of the column to predict, or its values.
    port : int, optional
        Where the page is served, in [1, 65535]. If the port is in use, the next free one is taken, and a `UserWarning`
        says so. Default: 8958 or the next free one.
    height : int, default=900
        Of the frame in a notebook, in pixels.

    Returns
    -------
    Playground
        With the address as `url`, and ``stop()``. Each call with data makes another server; calls without data show the
        same one.

    Raises
    ------
    ImportError
        If the extra is not installed: ``pip install 'rosenblatt[playground]'``.
    TableError
        If the data are no table, or lack the column y.
    OSError
        If no port is free.
    """
    check_count("height", height, 100, MAX_HEIGHT)
    if port is not None:
        check_count("port", port, 1, MAX_PORT)
    require_extra()
    known = BEGUN.get("page")
    if X is None and y is None and port is None and known is not None and known.is_running:
        known.height = height
        return announced(known)
    from rosenblatt.playground_page.own_data import given_table
    from rosenblatt.playground_page.serving import make_server, warn_of_port

    server = make_server(port=port, table=given_table(X, y), embeddable=True)
    warn_of_port(server.access.port, port)
    page = Playground(server, height)
    if X is None and port is None:
        BEGUN["page"] = page
    return announced(page)


def announced(page: Playground) -> Playground:
    """The page, whose address was printed where no notebook shows it."""
    if "ipykernel" not in sys.modules:
        print(f"The playground is at {page.url}")
    return page
