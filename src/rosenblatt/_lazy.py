"""Names that are imported on first use.

Takes a package and the public names of its modules. Returns the ``__getattr__`` and ``__dir__`` of the package. Never
imports anything before a name is used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Import each of `names` from the submodule that holds it; ``""`` stands for the submodules themselves."""
    homes = {name: module for module, of_module in names.items() for name in of_module}

    def __getattr__(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        value = getattr(import_module(f"{package}.{home}"), name) if home else import_module(f"{package}.{name}")
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__, lambda: sorted(sys.modules[package].__all__)
