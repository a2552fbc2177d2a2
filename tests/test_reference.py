"""The API reference has every public name, and every one is documented: what numpydoc checks, and what we do."""

import importlib.util
import inspect
import sys
from pathlib import Path

import pytest

import rosenblatt

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def reference():
    """The extension that writes the pages; it needs Sphinx."""
    pytest.importorskip("sphinx")
    spec = importlib.util.spec_from_file_location("api_reference", DOCS / "_ext" / "api_reference.py")
    module = sys.modules["api_reference"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def public_names():
    """Every name in the ``__all__`` of the package and of each package in it, found without the extension."""
    folders = sorted(path.parent.name for path in Path(rosenblatt.__file__).parent.glob("*/__init__.py"))
    addresses = ["rosenblatt", *(f"rosenblatt.{folder}" for folder in folders if folder[0] != "_" and folder != "cli")]
    for package in map(importlib.import_module, addresses):
        for name in getattr(package, "__all__", ()):
            value = getattr(package, name)
            if not inspect.ismodule(value) and name != "__version__":
                yield f"{package.__name__}.{name}", value


NAMES = {id(value): (address, value) for address, value in reversed(list(public_names()))}
"""Each thing once, under the address that comes first."""


def test_every_public_name_has_a_page(reference):
    packages = reference.reference()
    paged = {id(value) for package in packages for value in package.own.values()}
    assert [address for address, value in public_names() if id(value) not in paged] == []
    listed = {f"{package.name}.{name}" for package in packages for name in (*package.own, *package.elsewhere)}
    assert sorted({address for address, _ in public_names()} - listed) == []
