"""The packages that the server needs.

Takes nothing. Returns nothing, or says how to install them. Imports nothing else.
"""

from __future__ import annotations

__all__ = ["require_extra"]


def require_extra() -> None:
    """Import the server's packages; ImportError if one is not installed."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError:
        raise ImportError("the playground needs a server: pip install 'rosenblatt[playground]'") from None
