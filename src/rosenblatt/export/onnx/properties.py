"""What a file says of itself: its properties.

Takes the class of a model, and facts about it. Returns texts by name, all but the first two as JSON. Never holds what
no file can: text that is no Unicode is escaped.
"""

from __future__ import annotations

import json
from typing import Any

from rosenblatt._version import __version__

__all__ = ["properties_of"]


def properties_of(model: Any, **facts: Any) -> dict[str, str]:
    """The name of the model's class, the version of rosenblatt, and the facts as JSON."""
    written = {name: as_json(value) for name, value in facts.items()}
    return {"model": type(model).__name__, "rosenblatt": __version__, **written}


def as_json(value: Any) -> str:
    """JSON with all characters as they are, unless there are halves of some."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text
