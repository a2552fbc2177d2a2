"""One type for each column of a table whose parts are files of their own.

Takes parts. Returns PyArrow's type of each column, or what is wrong with it, which names the files and both types where
these do not fit together. Never reads cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rosenblatt._suggestions import join_names
from rosenblatt.tables.readers.contents import first_line
from rosenblatt.tables.readers.forms import EMPTY, Form
from rosenblatt.tables.readers.parts import Part
from rosenblatt.tables.table import TableError

__all__ = ["cast_frame", "settled_form", "union_types"]

EXACT_DIGITS = 15
"""Float64 holds decimal numbers of so many digits."""


def union_types(parts: Sequence[Part]) -> tuple[dict[str, Any], dict[str, str]]:
    """The type of each column, such as PyArrow unites those of the parts, in the order of the first part.

    Beside them is what is wrong with columns whose types do not fit together, by name: they can be left out.
    """
    first, problems = parts[0], dict[str, str]()
    found = own_types(first)
    givers = dict.fromkeys(found, first)
    for part in parts[1:]:
        require_names(first, part)
        for name, kind in own_types(part).items():
            if name in problems:
                continue
            united = union_type(found[name], kind)
            if united is None:
                problems[name] = mismatch(name, givers[name], found[name], part, kind)
            elif united != found[name]:
                found[name], givers[name] = united, part
    return {name: kind for name, kind in found.items() if name not in problems}, problems


def own_types(part: Part) -> dict[str, Any]:
    """The types of the columns whose names occur once."""
    counts = Counter(part.schema.names)
    types = {entry.name: plain_type(entry.type) for entry in part.schema if counts[entry.name] == 1}
    return {**{name: cell.type for name, cell in part.constants.items() if name not in counts}, **types}


def plain_type(kind: Any) -> Any:
    """A type that all of PyArrow's functions know."""
    import pyarrow as pa

    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def require_names(first: Part, part: Part) -> None:
    """Refuse a part that lacks a column of the first, or has another one."""
    expected, names = Counter(first.names), Counter(part.names)
    advice = (
        "All files of a table have the same columns; move this file, or give a pattern such as 'folder/2024-*.csv'."
    )
    if lacking := list(expected - names):
        raise TableError(f"{part.name} lacks the column {join_names(lacking)}, which {first.name} has. {advice}")
    if more := list(names - expected):
        raise TableError(f"{part.name} has the column {join_names(more)}, which {first.name} lacks. {advice}")


def union_type(one: Any, other: Any) -> Any:
    """A type for cells of both, or None."""
    import pyarrow as pa

    if one == other:
        return one
    if {one, other} <= {pa.date32(), pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns")}:
        return max(
            one, other, key=["date32[day]", "timestamp[s]", "timestamp[ms]", "timestamp[us]", "timestamp[ns]"].index
        )
    schemas = [pa.schema([("x", kind)]) for kind in (one, other)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowTypeError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    if pa.types.is_dictionary(one) or pa.types.is_dictionary(other):
        plain = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in (one, other)]
        return union_type(*map(plain_type, plain))
    return None


def mismatch(name: str, one: Part, kind: Any, other: Part, other_kind: Any) -> str:
    """What is wrong with a column that two parts hold in types which do not fit together."""
    as_text = f"say kinds={{{name!r}: 'categorical'}} (or 'numeric', if most cells are numbers), " * other.reads_text
    return (
        f"column {name!r} is {described(kind)} in {one.name}, but {described(other_kind)} in {other.name}. Write it in "
        f"one way in all files, {as_text}or leave it out: ignore=[{name!r}]."
    )


def described(kind: Any) -> str:
    """A type of PyArrow in words, with its name there."""
    import pyarrow as pa

    tests: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("numeric", (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)),
        ("text", (pa.types.is_string, pa.types.is_large_string)),
        ("a date", (pa.types.is_date, pa.types.is_timestamp)),
        ("Boolean", (pa.types.is_boolean,)),
        ("a category", (pa.types.is_dictionary,)),
    )
    word = next((word for word, of_kind in tests if any(test(kind) for test in of_kind)), "")
    return f"{word} ({kind})" if word else str(kind)


def cast_frame(frame: Any, types: Mapping[str, Any]) -> Any:
    """A table of PyArrow with the types of the whole; a `TableError` names a column with cells that do not fit."""
    import pyarrow as pa

    counts = Counter(frame.column_names)
    for place, name in enumerate(frame.column_names):
        kind = types.get(name)
        if counts[name] == 1 and kind is not None and frame.field(place).type != kind:
            try:
                frame = frame.set_column(place, name, cast_cells(frame.column(place), kind))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise TableError(f"column {name!r} cannot be read as {described(kind)}: {first_line(error)}.") from None
    return frame


def cast_cells(cells: Any, kind: Any) -> Any:
    """The cells in another type."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(cells.type):
        return cells.cast(kind.value_type).dictionary_encode().cast(kind)
    return cells.cast(kind)


def settled_form(kind: Any, form: Form) -> Form | None:
    """The form of the whole, if further cells of this type cannot change it."""
    import pyarrow as pa

    if pa.types.is_floating(kind):
        return Form("number")
    if form == EMPTY:
        return EMPTY if pa.types.is_null(kind) else None
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_open = (
        value_type in (pa.int64(), pa.uint64())
        or (pa.types.is_decimal(value_type) and value_type.precision > EXACT_DIGITS)
        or any(test(value_type) for test in (pa.types.is_binary, pa.types.is_large_binary))
        or pa.types.is_fixed_size_binary(value_type)
        or (
            pa.types.is_dictionary(kind)
            and not (pa.types.is_string(value_type) or pa.types.is_large_string(value_type))
        )
    )
    return None if is_open and not form.problem else form
