"""Layers of the user's own in model files: a file names their class, and `load` is given it.

Takes classes, or a layer. Returns the classes by name, checked, or the class that a file names. Never stores code, and
never imports what a file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rosenblatt._suggestions import closest
from rosenblatt.nn.layers import LAYERS
from rosenblatt.nn.layers.base import Layer
from rosenblatt.storage.container import ModelFileError

__all__ = ["class_of_layer", "custom_layers", "require_storable"]

HOW = "Pass it as rosenblatt.load(path, custom=[{name}])."


def custom_layers(custom: Any) -> dict[str, type[Layer]]:
    """The classes by name.

    Raises
    ------
    TypeError
        If one is not a class of layers.
    ValueError
        If two have one name, one has that of a layer of the library, or is no dataclass.
    """
    if isinstance(custom, (str, bytes, type, Mapping)) or not hasattr(custom, "__iter__"):
        raise TypeError(f"custom is {custom!r}; give a list of classes of layers, such as custom=[MyLayer].")
    found: dict[str, type[Layer]] = {}
    for given in custom:
        if not isinstance(given, type) or not issubclass(given, Layer):
            what = f"an instance of {type(given).__name__}" if isinstance(given, Layer) else repr(given)
            raise TypeError(f"custom holds {what}; give classes below nn.Layer, such as custom=[MyLayer].")
        name = given.__name__
        if LAYERS.get(name) is given:
            continue
        require_name(given)
        if found.setdefault(name, given) is not given:
            raise ValueError(f"custom holds two classes called {name}; rename one, as a file tells classes by name.")
    return found


def require_name(kind: type[Layer]) -> None:
    """Refuse a class that a file could not tell from another, or whose fields are not known."""
    name = kind.__name__
    if name in LAYERS:
        raise ValueError(
            f"your class {name} has the name of a layer of rosenblatt.nn, by which a file tells layers; rename it."
        )
    if hides_configuration(kind):
        raise ValueError(
            f"your class {name} is no dataclass, so its configuration is not known; write @dataclass(frozen=True, "
            "eq=False) above it, and its configuration as fields."
        )


def hides_configuration(kind: type[Layer]) -> bool:
    """Whether a class, or one between it and the library's, is no dataclass but has a constructor or fields."""
    own = (c for c in kind.__mro__ if issubclass(c, Layer) and LAYERS.get(c.__name__) is not c and c is not Layer)
    undecorated = (c for c in own if "__dataclass_fields__" not in vars(c))
    return any(
        "__init__" in vars(c) or any("ClassVar" not in str(a) for a in vars(c).get("__annotations__", {}).values())
        for c in undecorated
    )


def require_storable(layer: Layer, name: str) -> None:
    """Refuse a layer of the user's own of which a file cannot hold class name and fields, or with hidden settings."""
    kind = type(layer)
    try:
        require_name(kind)
    except ValueError as error:
        raise ModelFileError(f"layer {name!r}: {error}") from None
    not_given = [field.name for field in fields(kind) if not field.init]
    if not_given:
        raise ModelFileError(
            f"layer {name!r} is a {kind.__name__}, whose field {not_given[0]!r} its constructor does not take; a file "
            "can only hold fields that it takes."
        )


def class_of_layer(name: Any, i: int, custom: Mapping[str, type[Layer]]) -> type[Layer]:
    """The class that a file names for its layer `i`: one of the library, or one that was given."""
    kind = LAYERS.get(name) or custom.get(name) if isinstance(name, str) else None
    if kind is not None:
        return kind
    if isinstance(name, str) and name.isidentifier():
        near = closest(name, [*custom])
        given = f" Given are {', '.join(custom)}." if custom else ""
        hint = f" Did you mean to rename {near[0]}?" if near else ""
        raise ModelFileError(
            f"layer {i} is a {name!r}, which is no layer of rosenblatt.nn but a class of the model's author. "
            f"{HOW.format(name=name)}{given}{hint}"
        )
    raise ModelFileError(f"layer {i} is a {str(name)[:80]!r}; known are {', '.join(LAYERS)}.")
