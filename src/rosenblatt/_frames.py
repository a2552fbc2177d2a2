"""What can be seen as a data frame.

Takes columns by name. Returns a frame of the library that the user names. Never needs one of these libraries itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from rosenblatt._extras import needed

__all__ = ["Framed"]


class Framed:
    """What can be seen as a data frame."""

    def frame_columns(self) -> dict[str, Any]:
        """The columns of the frame."""
        raise NotImplementedError

    def to_frame(self, backend: str = "pandas") -> Any:
        """The same as a data frame.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}

        Raises
        ------
        ImportError
            If that library is not installed.
        """
        return data_frame(self.frame_columns(), backend)


def data_frame(columns: Mapping[str, Any], backend: str) -> Any:
    """The columns as a data frame of pandas, Polars or PyArrow. An `ImportError` says what to install."""
    import narwhals as nw

    if backend not in ("pandas", "polars", "pyarrow"):
        raise ValueError(f"backend is {backend!r}; allowed: pandas, polars, pyarrow")
    with needed(f"to_frame(backend={backend!r}) needs", backend):
        importlib.import_module(backend)
    return nw.from_dict(dict(columns), backend=backend).to_native()  # type: ignore[arg-type]
