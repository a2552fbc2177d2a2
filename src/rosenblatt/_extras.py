"""Packages that are installed only by who needs them.

Takes imports, as the block of a ``with`` statement. Raises an error that says what to install if a package is missing.
Never hides why a package that is installed cannot be imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["needed"]


@contextmanager
def needed(purpose: str, *packages: str, extra: str | None = None) -> Iterator[None]:
    """Import `packages` in the block.

    Parameters
    ----------
    purpose : str
        The beginning of the message, with its verb: "plots need".
    packages : str
        Names as they are imported.
    extra : str, optional
        The extra of rosenblatt that installs them; without one, they are installed by their own names.

    Raises
    ------
    ModuleNotFoundError
        If one is not installed: "plots need matplotlib: pip install 'rosenblatt[plot]'".
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in packages:
            raise
        install = f"'rosenblatt[{extra}]'" if extra else package
        raise ModuleNotFoundError(f"{purpose} {package}: pip install {install}", name=package) from None
