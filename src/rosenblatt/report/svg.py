"""Matplotlib's figures as SVG that stands inside a page: small, deterministic, and in the page's colours and fonts.

Takes a function that draws on a figure. Returns one ``svg`` element as text. Never opens a window, never leaves a
figure or a setting of matplotlib behind, and never lets a label become markup.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from rosenblatt.plots.style import COLOURS

__all__ = ["HUES", "INKS", "draw_svg"]

INKS = range(0, 101, 5)
"""Shares of ink in the greys of a picture, in percent: the page defines a colour ``--ink-N`` for each."""
SETTINGS = {
    "svg.fonttype": "none", "svg.hashsalt": "rosenblatt", "path.simplify_threshold": 0.5,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#999999",
    "xtick.color": "#999999", "ytick.color": "#999999", "xtick.labelcolor": "black", "ytick.labelcolor": "black",
}  # fmt: skip
HUES = tuple(colour.lower() for colour in COLOURS)
"""Colours of the plots, for which the page defines ``--hue-0`` and so on."""
PIXELS_PER_POINT = 4 / 3
DRAWING = threading.Lock()
"""Matplotlib's settings belong to the process: two pictures must not change and restore them at a time."""
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
NO_TURN = re.compile(r"rotate\(-?0 ")
ROUNDED = frozenset({"d", "x", "y", "width", "height", "points", "cx", "cy"})
UNUSED = frozenset({"metadata", "title"})


def draw_svg(
    draw: Callable[..., Any],
    name: str,
    label: str,
    size: tuple[float, float] = (4.4, 3.6),
    mark: tuple[float, float] | None = None,
) -> str:
    """What `draw` draws on the Axes it is given, as an SVG element.

    Parameters
    ----------
    draw : function that draws on the matplotlib Axes ``ax``
    name : str
        Letters and digits by which the ids of this picture differ from those of others on the page.
    label : str
        What the picture shows, for those who do not see it.
    size : (float, float)
        Width and height in inches.
    mark : (float, float), optional
        A point in the units of the axes that a script may move. The attribute ``data-frame`` then holds the positions
        of (0, 0) and (1, 1) in the picture.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with DRAWING, warnings.catch_warnings(), matplotlib.style.context(["default", SETTINGS]):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # text stays text, in the reader's fonts
        figure = Figure(figsize=size, dpi=72, layout="constrained")
        axes = figure.subplots()
        draw(ax=axes)
        parts: list[Any] = [figure, *figure.axes]
        for part in parts:
            part.patch.set_visible(False)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        corners = axes.transData.transform([(0, 0), (1, 1)]).tolist()
    root = ElementTree.fromstring(file.getvalue())
    clean(root, name)
    describe(root, label)
    if mark is not None:
        add_mark(root, corners, mark)
    return ElementTree.tostring(root, encoding="unicode")


def describe(root: ElementTree.Element, label: str) -> None:
    """Give the picture a role, a label and its natural width, and let it shrink."""
    box = root.get("viewBox", "")
    width, height = (round(PIXELS_PER_POINT * float(value)) for value in box.split()[2:])
    root.attrib.clear()
    root.attrib |= {"class": "plot", "role": "img", "aria-label": label, "viewBox": box}
    root.attrib |= {"width": str(width), "height": str(height)}


def add_mark(root: ElementTree.Element, corners: list[list[float]], mark: tuple[float, float]) -> None:
    """A point at `mark`, and where the corners of the unit square lie."""
    height = float(root.get("viewBox", "").split()[3])
    (x0, y0), (x1, y1) = ((x, height - y) for x, y in corners)
    root.set("data-frame", " ".join(f"{value:.2f}" for value in (x0, y0, x1, y1)))
    x, y = x0 + mark[0] * (x1 - x0), y0 + mark[1] * (y1 - y0)
    root.append(ElementTree.Element("circle", {"class": "mark", "r": "5", "cx": f"{x:.2f}", "cy": f"{y:.2f}"}))


def clean(root: ElementTree.Element, name: str) -> None:
    """Leave only what is seen: few digits, short unique ids, the page's fonts and inks."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
        element.tail = None
        if element.text and not element.text.strip():
            element.text = None
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in UNUSED or (child.tag == "defs" and child.find("style") is not None):
                parent.remove(child)
    rename_ids(root, name)
    for element in root.iter():
        shorten(element)
    for parent in list(root.iter("g")):
        share_style(parent)
    flatten(root)


def rename_ids(root: ElementTree.Element, name: str) -> None:
    """Number the ids that something refers to, and drop all others."""
    used: dict[str, str] = {}
    for element in root.iter():
        for key, value in element.attrib.items():
            found = [value[1:]] if key == "href" and value.startswith("#") else REFERENCE.findall(value)
            for old in found:
                used.setdefault(old, f"{name}-{len(used)}")
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id" and value not in used:
                del element.attrib[key]
            elif key == "id":
                element.set(key, used[value])
            elif key == "href" and value.startswith("#"):
                element.set(key, f"#{used[value[1:]]}")
            elif REFERENCE.search(value):
                element.set(key, REFERENCE.sub(lambda match: f"url(#{used[match[1]]})", value))


def shorten(element: ElementTree.Element) -> None:
    """Round coordinates to a tenth of a point, and say only what differs from the page's own style."""
    for key in ROUNDED.intersection(element.keys()):
        element.set(key, " ".join(NUMBER.sub(lambda match: f"{float(match[0]):.1f}", element.get(key, "")).split()))
    if NO_TURN.match(element.get("transform", "")):
        del element.attrib["transform"]
    if style := element.attrib.pop("style", None):
        parts = [
            part.strip() for part in style.split(";") if part.strip() and not part.strip().startswith("font-family")
        ]
        element.set("style", ";".join(COLOUR.sub(page_colour, part.replace(": ", ":")) for part in parts))


def page_colour(match: re.Match[str]) -> str:
    """The page's name for a grey of matplotlib or a colour of the plots; others stay."""
    found = match[0]
    if found in HUES:
        return f"var(--hue-{HUES.index(found)})"
    red, green, blue = (int(found[i : i + 2], 16) for i in (1, 3, 5))
    return f"var(--ink-{round(20 * (1 - red / 255)) * 5})" if red == green == blue else found


def share_style(parent: ElementTree.Element) -> None:
    """Say once what all the parts of a group repeat."""
    styles = {child.get("style") for child in parent}
    if len(parent) > 2 and len(styles) == 1 and None not in styles and "style" not in parent.attrib:
        parent.set("style", str(styles.pop()))
        for child in parent:
            del child.attrib["style"]


def flatten(parent: ElementTree.Element) -> None:
    """Put the parts of groups without attributes into their parents."""
    parts: list[ElementTree.Element] = []
    for child in parent:
        flatten(child)
        parts += list(child) if child.tag == "g" and not child.attrib else [child]
    parent[:] = parts
