"""Links that are right on GitHub and on the site: to files of the repository outside ``docs``.

Takes the Markdown of a page. Returns it with each relative link that leaves ``docs`` turned into one to a page of the
site (an example of a gallery, the first page, the contributors' page) or, if it has none, to the repository. Never
changes a file.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from sphinx.application import Sphinx

REPOSITORY = "https://github.com/rosenblatt-nn/rosenblatt"
LINK = re.compile(r"(\]\(|^\[[^\]]+\]: )((?!https?:|mailto:)[^)#\s]+)", re.M)
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "examples/README.md": "lessons/index.rst"}
GALLERIES = {"examples/book": "lessons", "examples/tables": "lessons-tables"}
FENCE = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)\s*?$)", re.M | re.S)


def page_of(path: str) -> str | None:
    """The source of the page, relative to ``docs``, that shows a file of the repository; None if there is none."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    folder, name = posixpath.split(path)
    if folder in GALLERIES and name.endswith(".py") and not name.startswith("_"):
        return f"{GALLERIES[folder]}/{name.removesuffix('.py')}.rst"
    return f"{GALLERIES[path]}/index.rst" if path in GALLERIES else PAGES.get(path)


def rewritten(text: str, folder: str, page: str, root: Path) -> str:
    """Markdown of a file in `folder` of the repository, to be shown on the page `page` of ``docs``."""

    def target(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, match[2]))
        if path.startswith("docs/") and folder.startswith("docs"):
            return match[0]
        home = page_of(path)
        is_section = match.string[match.end() : match.end() + 1] == "#"
        if home is not None and not (path == "README.md" and is_section):  # the first page has other sections
            return match[1] + os.path.relpath(home, posixpath.dirname(page) or ".")
        kind = "tree" if (root / path).is_dir() else "blob"
        return f"{match[1]}{REPOSITORY}/{kind}/main/{path}"

    parts = FENCE.split(text)
    return "".join(part if FENCE.match(part) else LINK.sub(target, part) for part in parts)


def rewrite_page(app: Sphinx, docname: str, content: list[str]) -> None:
    """Rewrite the links of a page, and take in what it includes from the repository."""
    if not str(app.env.doc2path(docname)).endswith(".md"):
        return
    root = Path(app.srcdir).parent
    folder = posixpath.normpath(posixpath.join("docs", posixpath.dirname(docname)))

    def included(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, match[1]))
        app.env.note_dependency(str(root / path))
        return rewritten((root / path).read_text(encoding="utf-8"), posixpath.dirname(path), docname, root)

    text = rewritten(content[0], folder, docname, root)
    content[0] = re.sub(r"^```\{include\} (\.\./\S+)\n(?::.*\n)*```$", included, text, flags=re.M)


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrite each page when it is read."""
    app.connect("source-read", rewrite_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
