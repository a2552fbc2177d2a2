"""The packages that the server needs.

Takes nothing. Returns nothing, or says how to install them. Imports nothing else.
"""

from __future__ import annotations

from rosenblatt._extras import needed

__all__ = ["require_extra"]


def require_extra() -> None:
    """Import the server's packages; ImportError if one is not installed."""
    with needed("the playground needs", "starlette", "uvicorn", "websockets", extra="playground"):
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
