"""The API reference: one page for each public package and each public name, and links from every mention to them.

Takes the package as it is imported: its public packages and their ``__all__``. Returns pages in ``docs/api``, which
autodoc fills. Never has a list of names of its own, so that no name can be forgotten.

A name that several packages share has one page, under the shortest address: `rosenblatt.Network`, not
`rosenblatt.nn.Network`. The other packages link to it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

PACKAGE = "rosenblatt"
COMMANDS = {f"{PACKAGE}.cli"}
"""Packages that are called by a shell, not imported; docs/command-line.md describes them."""
PAGES = "api/packages"
NAMES = "api/names"
KINDS = {"class": "Classes", "function": "Functions", "exception": "Errors and warnings", "data": "Values"}


@dataclass
class Package:
    """A public package: the names that have their page here, and those that have it elsewhere, with that address."""

    name: str
    summary: str
    own: dict[str, Any] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)


def public_packages() -> list[str]:
    """The package, and the packages in it whose ``__init__`` offers names; private ones and commands are left out."""
    parts = (f"{PACKAGE}.{part.name}" for part in pkgutil.iter_modules(importlib.import_module(PACKAGE).__path__))
    public = (name for name in parts if not name.startswith(f"{PACKAGE}._") and name not in COMMANDS)
    modules = [(name, importlib.import_module(name)) for name in public]
    return [PACKAGE, *(name for name, module in modules if hasattr(module, "__path__") and hasattr(module, "__all__"))]


def reference() -> list[Package]:
    """Every public name, each with one home."""
    homes: dict[int, str] = {}
    packages = []
    for name in public_packages():
        module = importlib.import_module(name)
        package = Package(name, inspect.getdoc(module) or "")
        for public in module.__all__:
            value = getattr(module, public)
            if isinstance(value, ModuleType) or public == "__version__":
                continue
            home = homes.setdefault(id(value), f"{name}.{public}")
            if home == f"{name}.{public}":
                package.own[public] = value
            else:
                package.elsewhere[public] = home
        packages.append(package)
    return packages


def kind_of(value: Any) -> str:
    """What autodoc calls it."""
    if isinstance(value, type):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if inspect.isroutine(value) else "data"


def title(text: str, under: str = "=") -> list[str]:
    """A heading."""
    return [text, under * len(text), ""]


def page_of_package(package: Package) -> str:
    """The names of a package in tables, under headings."""
    lines = [*title(package.name), f".. module:: {package.name}", "", package.summary, ""]
    for heading, names in by_heading(package).items():
        lines += title(heading, "-")
        lines += table_of_values(package, names) if heading == KINDS["data"] else table_of_names(names)
        lines += [".. toctree::", "   :hidden:", ""]
        lines += [*(f"   {name} <../names/{package.name}.{name}>" for name in names), ""]
    if package.elsewhere:
        links = ", ".join(f":py:obj:`{name} <{home}>`" for name, home in sorted(package.elsewhere.items()))
        lines += [*title("Also importable from here", "-"), links, ""]
    return "\n".join(lines)


def by_heading(package: Package) -> dict[str, list[str]]:
    """The names in order, by the part of the package that offers them, such as `nn.layers`; others by kind."""
    found: dict[str, list[str]] = {}
    for part in pkgutil.iter_modules(importlib.import_module(package.name).__path__):
        if part.ispkg and package.name != PACKAGE:
            offered = getattr(importlib.import_module(f"{package.name}.{part.name}"), "__all__", ())
            found[part.name.capitalize()] = [name for name in package.own if name in offered]
    found = {
        heading: [name for name in names if kind_of(package.own[name]) != "data"] for heading, names in found.items()
    }
    placed = {name for names in found.values() for name in names}
    for kind, heading in KINDS.items():
        found[heading] = [name for name, value in package.own.items() if kind_of(value) == kind and name not in placed]
    return {heading: sorted(names, key=str.lower) for heading, names in found.items() if names}


def table_of_names(names: list[str]) -> list[str]:
    """Each name with the first sentence of its docstring."""
    return [".. autosummary::", "   :nosignatures:", "", *(f"   {name}" for name in names), ""]


def table_of_values(package: Package, names: list[str]) -> list[str]:
    """The same for values, which have no docstring of their own."""
    lines = [".. list-table::", ""]
    for name in names:
        lines += [f"   * - :py:obj:`~{package.name}.{name}`", f"     - {value_doc(name, package.own[name])}"]
    return [*lines, ""]


def value_doc(name: str, value: Any) -> str:
    """The string below the assignment of a value, in the module that makes it."""
    for module_name, module in sorted(sys.modules.items()):
        if module_name.startswith(PACKAGE) and vars(module).get(name) is value and module.__spec__.origin:
            if not module.__spec__.origin.endswith(".py"):
                continue
            documented = ModuleAnalyzer.for_module(module_name).find_attr_docs()
            if ("", name) in documented:
                return " ".join(documented["", name]).strip()
    return ""


def page_of_name(package: str, name: str, value: Any) -> str:
    """The page that autodoc fills; that of a value has its text, and the names in it if it is a family."""
    kind = kind_of(value)
    lines = [*title(f"{package}.{name}"), f".. currentmodule:: {package}", ""]
    if kind == "data":
        lines += [f".. py:data:: {name}", "", f"   {value_doc(name, value)}", ""]
        if isinstance(value, Mapping):
            lines += ["   " + ", ".join(f"``{member}``" for member in value), ""]
        return "\n".join(lines)
    lines += [f".. auto{kind}:: {name}"]
    if kind == "class":
        lines += ["   :members:", "   :inherited-members:"]
    return "\n".join([*lines, ""])


def write_pages(app: Sphinx, _config: Any) -> None:
    """Write all pages; those that do not change keep their time, so that Sphinx does not read them again."""
    pages = {}
    for package in filter(lambda package: package.own, reference()):
        pages[f"{PAGES}/{package.name}.rst"] = page_of_package(package)
        for name, value in package.own.items():
            pages[f"{NAMES}/{package.name}.{name}.rst"] = page_of_name(package.name, name, value)
    for folder in (PAGES, NAMES):
        (Path(app.srcdir) / folder).mkdir(parents=True, exist_ok=True)
        for path in (Path(app.srcdir) / folder).glob("*.rst"):
            if f"{folder}/{path.name}" not in pages:
                path.unlink()
    for name, text in pages.items():
        path = Path(app.srcdir) / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def skip_inherited(_app: Any, _what: str, _name: str, member: Any, skip: bool, _options: Any) -> bool | None:
    """Leave out what a class has from elsewhere, such as from scikit-learn or from a built-in type."""
    function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    home = getattr(inspect.unwrap(function) if callable(function) else function, "__module__", None)
    return True if inspect.isroutine(function) and not str(home).startswith(PACKAGE) else None


@cache
def used_otherwise() -> set[str]:
    """Names that are also those of methods, parameters or extras, which a page mostly means: `fit`, `plot`."""
    found = set(metadata(PACKAGE).get_all("Provides-Extra") or ())
    for value in (value for package in reference() for value in package.own.values()):
        if inspect.isclass(value):
            found |= set(dir(value))
        if kind_of(value) in ("class", "function"):
            found |= set(inspect.signature(value).parameters)
    return found


def linked_names(found_docs: Iterable[str]) -> dict[str, str]:
    """The pages by the ways to write a name: with its package, or by itself if that can mean nothing else."""
    pages = {page.rpartition("/")[2]: page for page in found_docs if page.startswith("api/")}
    names = {address: page for address, page in pages.items() if page.startswith(f"{NAMES}/")}
    homes = Counter(address.rpartition(".")[2] for address in names)
    found = {address: page for address, page in pages.items() if address not in (PACKAGE, "index")}
    for address, page in names.items():
        _, _, within = address.partition(".")
        name = within.rpartition(".")[2]
        is_word = name.isalpha() and name.islower() and within != name
        if within != name:
            found[within] = page
        if homes[name] == 1 and name not in used_otherwise() and not is_word:
            found[name] = page
    return found


class LinkNames(SphinxPostTransform):
    """Make a link of every literal that is a public name, on pages and in docstrings: `TabularTask`, `nn.Dense`."""

    default_priority = 400

    def run(self, **_: Any) -> None:
        known = linked_names(self.env.found_docs)
        for node in list(self.document.findall(nodes.literal)):
            page = known.get(node.astext().removesuffix("()"))
            if page and page != self.env.current_document.docname and self.is_free(node):
                link = make_refnode(self.app.builder, self.env.current_document.docname, page, None, [])
                node.replace_self(link)
                link += node

    @staticmethod
    def is_free(node: nodes.Node) -> bool:
        """Whether the node is in no link and no heading."""
        parent = node.parent
        while parent is not None and not isinstance(parent, nodes.reference | nodes.title):
            parent = parent.parent
        return parent is None


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    app.connect("config-inited", write_pages)
    app.connect("autodoc-skip-member", skip_inherited)
    app.add_post_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
