"""What objects show in a notebook: headings, tables and texts as HTML, in the colours of the page around them.

Takes texts and cells. Returns HTML in which every text is escaped; a control character is written as its code. Never
needs a script: where scripts are run, one sorts the tables that can be sorted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from typing import Any

__all__ = ["MAX_ROWS", "Markup", "bar", "folded", "paragraph", "preformatted", "table", "view"]

MAX_ROWS = 200
"""Rows of a table, unless it is asked for more: a page with many thousand of them would be slow."""
MAX_CELL = 200
"""Characters of a cell."""
NUMBER = re.compile(r"[-+−]?[\d,]*\.?\d+(e[-+]?\d+)?( ?%| ± \S+)?|nan|[-+]?inf|…|", re.IGNORECASE)
"""Cells that are aligned on the right, if all of a column are like this."""
STYLE = """
.rosenblatt-view{color:inherit;line-height:1.45;overflow-x:auto}
.rosenblatt-view p{margin:.3em 0}
.rosenblatt-view pre{margin:.3em 0;padding:0;background:none;color:inherit;white-space:pre-wrap;font-size:.92em}
.rosenblatt-view summary{cursor:pointer}
.rosenblatt-view table{border-collapse:collapse;border:none;margin:.4em 0;width:auto;color:inherit;font-size:.92em}
.rosenblatt-view table tr,.rosenblatt-view table tr:nth-child(n){background:none}
.rosenblatt-view table th,.rosenblatt-view table td{border:none;border-bottom:1px solid rgba(128,128,128,.35);
 padding:.2em .8em .2em 0;max-width:45em;color:inherit;text-align:left;vertical-align:top;overflow-wrap:break-word}
.rosenblatt-view table thead th{border-bottom:2px solid rgba(128,128,128,.7);font-weight:600;white-space:nowrap}
.rosenblatt-view table .rosenblatt-number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.rosenblatt-view button{all:unset}
.rosenblatt-view button:focus-visible{outline:2px solid currentColor;outline-offset:2px}
.rosenblatt-sorts .rosenblatt-sortable thead th{cursor:pointer}
.rosenblatt-sorts button{text-decoration:underline dotted}
.rosenblatt-bar{display:inline-block;height:.75em;min-width:1px;background:#4a7fb5}
.rosenblatt-bar.rosenblatt-negative{background:#c65d3b}
""".strip()
SORTING = """
(function(){
var page=document.documentElement;
if(page.classList.contains('rosenblatt-sorts'))return;
page.classList.add('rosenblatt-sorts');
function value(row,i){var text=row.cells[i]?row.cells[i].textContent.trim():'',
 number=parseFloat(text.replace(/,/g,'').replace('−','-'));
 return isNaN(number)?text:number}
function compare(a,b){var of=typeof a==='number',other=typeof b==='number';
 if(of!==other)return of?-1:1;
 return of?a-b:a.localeCompare(b)}
document.addEventListener('click',function(event){
 var head=event.target.closest&&event.target.closest('table.rosenblatt-sortable thead th');
 if(!head)return;
 var i=head.cellIndex,body=head.closest('table').tBodies[0],
 down=head.getAttribute('aria-sort')==='ascending';
 Array.from(head.parentNode.cells).forEach(function(cell){cell.removeAttribute('aria-sort')});
 head.setAttribute('aria-sort',down?'descending':'ascending');
 Array.from(body.rows).map(function(row){return[value(row,i),row]}).sort(function(a,b){
 var sign=typeof a[0]===typeof b[0]&&down?-1:1;return sign*compare(a[0],b[0])})
 .forEach(function(pair){body.appendChild(pair[1])})})})()
""".strip()


class Markup(str):
    """HTML that is shown as it is; any other text is escaped."""

    __slots__ = ()


def view(title: str, *parts: str) -> str:
    """What an object shows: a title in bold, then parts of HTML."""
    heading = f"<p><strong>{shown(title)}</strong></p>" if title else ""
    return f'<div class="rosenblatt-view"><style>{STYLE}</style>{heading}{"".join(parts)}</div>'


def paragraph(text: str) -> Markup:
    """A line of text; nothing for an empty one."""
    return Markup(f"<p>{shown(text, most=2000)}</p>" if text else "")


def preformatted(text: str) -> Markup:
    """Lines as they are."""
    return Markup("<pre>" + "\n".join(map(legible, text.splitlines())) + "</pre>")


def folded(summary: str, *parts: str) -> Markup:
    """Parts that are seen after a click on the summary, which needs no script."""
    return Markup(f"<details><summary>{shown(summary)}</summary>{''.join(parts)}</details>")


def bar(share: float) -> Markup:
    """A bar of this share of the full length; another colour for a negative one, and nothing for NaN."""
    if share != share:
        return Markup("")
    kind = "rosenblatt-bar rosenblatt-negative" if share < 0 else "rosenblatt-bar"
    return Markup(f'<span class="{kind}" style="width:{min(abs(share), 1.0) * 8:.2f}em"></span>')


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Any]], *, sortable: bool = False, most: int = MAX_ROWS
) -> Markup:
    """The first `most` rows, and how many more there are.

    A cell is a text, a number, which is shown to six digits, or `Markup`. Columns of numbers are aligned on the right.
    A sortable table is sorted by a click on a heading, where scripts are run.
    """
    rows = list(rows)
    texts = [[cell if isinstance(cell, Markup) else cell_text(cell) for cell in row] for row in islice(rows, most)]
    kinds = [' class="rosenblatt-number"' if is_numeric([row[i] for row in texts]) else "" for i in range(len(heads))]
    titles = [f'<button type="button">{shown(head)}</button>' if sortable else shown(head) for head in heads]
    lines = [f'<th scope="col"{kind}>{title}</th>' for title, kind in zip(titles, kinds, strict=True)]
    body = [
        "<tr>" + "".join(f"<td{kind}>{shown(cell)}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in texts
    ]
    more = paragraph(f"and {len(rows) - most:,} more") if len(rows) > most else ""
    name = ' class="rosenblatt-sortable"' if sortable else ""
    made = f"<table{name}><thead><tr>{''.join(lines)}</tr></thead><tbody>{''.join(body)}</tbody></table>{more}"
    return Markup(f"{made}<script>{SORTING}</script>" if sortable else made)


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers, and not only empty cells."""
    return any(cells) and all(not isinstance(cell, Markup) and NUMBER.fullmatch(cell) for cell in cells)


def cell_text(cell: Any) -> str:
    """A cell as text: floats to six digits, None as nothing."""
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def shown(text: str, most: int = MAX_CELL) -> str:
    """A text on one line, escaped unless it is `Markup`, and cut if it is long."""
    if isinstance(text, Markup):
        return text
    return legible(text if len(text) <= most else f"{text[: most - 1]}…")


def legible(text: str) -> str:
    """A text escaped, with the codes of characters that cannot be seen, such as a surrogate."""
    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
