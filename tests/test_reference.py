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


CHECKS = {
    "GL06",  # no section that numpydoc does not know
    "GL07",  # sections in numpydoc's order
    "GL09",  # a deprecation stands first
    "PR02",  # no parameter that does not exist
    "PR03",  # parameters in the order of the signature
    "PR05",  # a type does not end with a full stop
    "PR10",  # a space before the colon
    "RT02",  # the one value that is returned has no name
    "SS01",  # a summary
    "SS04",  # no blanks before it
}
"""What every public docstring keeps, by numpydoc's codes (https://numpydoc.readthedocs.io/en/latest/validation.html)."""


def documented():
    """What has a docstring of its own: functions, classes, and their public methods and properties."""
    for address, value in NAMES.values():
        if inspect.isroutine(value) or inspect.isclass(value):
            yield address, value
        for name, member in inspect.getmembers(value) if inspect.isclass(value) else ():
            function = member.fget if isinstance(member, property) else member
            home = str(getattr(function, "__module__", ""))
            is_function = inspect.isfunction(function) or inspect.ismethod(function)
            if not name.startswith("_") and is_function and home.startswith("rosenblatt"):
                yield f"{address}.{name}", getattr(value, name)


def test_every_public_name_and_method_has_a_docstring():
    assert [address for address, value in documented() if not inspect.getdoc(value)] == []


@pytest.mark.long
def test_docstrings_are_what_numpydoc_expects():
    validation = pytest.importorskip("numpydoc.validate")
    found = [
        f"{address}: {code} {text}"
        for address, value in documented()
        if value.__doc__  # of a method without one, the method that it replaces has it
        for code, text in validation.validate(address)["errors"]
        if code in CHECKS
    ]
    assert found == []


@pytest.mark.long
def test_every_parameter_is_documented():
    scrape = pytest.importorskip("numpydoc.docscrape")
    missing = []
    for address, value in NAMES.values():
        if not (inspect.isroutine(value) or inspect.isclass(value)) or is_error_or_warning(value):
            continue
        parents = value.__mro__[1:-1] if inspect.isclass(value) else ()  # which describe what they hand down
        described = [scrape.get_doc_object(one) for one in (value, *parents) if one.__module__.startswith("rosenblatt")]
        kinds = ("Parameters", "Other Parameters", "Attributes")
        parts = [part for sections in described for name in kinds for part in sections[name]]
        names = {name.strip().lstrip("*") for part in parts for name in part.name.split(",")}
        given = set(inspect.signature(value).parameters) - {"args", "kwargs"}
        missing += [f"{address}: {name}" for name in sorted(given - names)]
    assert missing == []


def is_error_or_warning(value):
    """Whether it is an error or a warning, which the library makes and others only read."""
    return inspect.isclass(value) and issubclass(value, BaseException)
