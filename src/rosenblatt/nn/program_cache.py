"""Compiled programs that equal networks share: folds of a cross-validation, members of an ensemble, refits.

Takes the parts that a program is made from. Returns the executable, from memory if the same was made before.
Executables are immutable; workspaces and parameters belong to their users. Never shares a program with a user's
function, which might do something else the next time.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from rosenblatt.ir.compile import Executable
from rosenblatt.nn.graph import Graph

__all__ = ["cached_executable"]

MAX_KEPT = 64
PACKAGE = "rosenblatt."


class UnknownParts(TypeError):
    """A part whose equality says too little."""


PLAIN = frozenset((type(None), str, bool, int, float))
_kept: OrderedDict[Any, Executable] = OrderedDict()
_lock = threading.Lock()


def cached_executable(make: Callable[[], Executable], *parts: Any) -> Executable:
    """The executable that `make` compiles, unless one was made from equal parts recently."""
    try:
        key = key_of(parts)
    except UnknownParts:
        key = None
    if key is None:  # not above, where an error of the user's function would seem to come of this one
        return make()
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = make()  # two threads may do so at once, which is harmless
    with _lock:
        _kept[key] = made
        while len(_kept) > MAX_KEPT:
            _kept.popitem(last=False)
    return made


def key_of(value: Any) -> Any:
    """A hashable value that is equal for equal parts only; `UnknownParts` for what is neither plain nor our record."""
    if type(value) in PLAIN or isinstance(value, np.generic):
        return type(value), value
    if isinstance(value, (tuple, list)):
        return type(value), tuple(key_of(item) for item in value)
    if isinstance(value, frozenset):
        return frozenset(key_of(item) for item in value)
    if isinstance(value, Mapping):
        return tuple((name, key_of(value[name])) for name in sorted(value))
    if isinstance(value, Graph):
        return graph_key(value)
    kind = type(value)
    # All of a record stands in its fields. That is not so of nodes, of which two that look alike are two.
    if is_dataclass(kind) and kind.__module__.startswith(PACKAGE):
        settings = kind.__dataclass_params__  # type: ignore[attr-defined]
        if settings.eq and settings.frozen:
            return record_key(value)
    raise UnknownParts(kind.__name__)


def graph_key(graph: Graph) -> Any:
    """The key of what a graph computes; one name stands for one layer, however often it is applied."""
    number = {node: i for i, node in enumerate(graph.nodes)}
    nodes = []
    for node in graph.nodes:
        if not type(node.layer).__module__.startswith(PACKAGE):  # a user's layer may do anything
            raise UnknownParts(type(node.layer).__name__)
        inputs = tuple(number[given] for given in node.inputs)
        nodes.append((graph.names[node], record_key(node.layer), inputs, node.width, node.kind))
    heads = tuple((head, number[node], key_of(graph.output[head])) for head, node in graph.heads.items())
    return Graph, tuple(nodes), heads


def record_key(value: Any) -> Any:
    """The key of a dataclass: its type and fields."""
    kind: Any = type(value)
    return kind, tuple([key_of(getattr(value, name)) for name in field_names(kind)])


@functools.cache
def field_names(kind: type) -> tuple[str, ...]:
    """The names of a dataclass's fields."""
    return tuple(field.name for field in fields(kind))
