"""Whether a transformer's fitted attributes and parameters fit each other, where scikit-learn relies on it.

Takes transformers whose attributes have the right types. Returns nothing, or raises a `ModelFileError`. scikit-learn
writes into memory at the places that encoders compute, and compiles the patterns of words, without a look at either.
Never fits or transforms.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_count
from rosenblatt.storage.container import ModelFileError
from rosenblatt.storage.values import shown

__all__ = ["require_relations"]


def require_relations(transformer: Any) -> None:
    """Refuse attributes that contradict each other."""
    name = type(transformer).__name__
    if (check := RELATIONS.get(name)) is not None and (wrong := check(transformer, vars(transformer))) is not None:
        raise ModelFileError(f"{wrong} of a step, {name}, contradicts its other attributes.")


# Encoders --------------------------------------------------------------------------------------------------------


def groups(encoder: Any, own: dict[str, Any]) -> str | None:
    """Which attribute on rare categories contradicts the categories, if any does."""
    places = own.get("_missing_indices", {})
    if any(place != len(own["categories_"][column]) - 1 for column, place in places.items()):
        return "_missing_indices"
    few, mapped = own.get("_infrequent_indices"), own.get("_default_to_infrequent_mappings")
    if few is None and mapped is None:
        return "_infrequent_enabled" if own["_infrequent_enabled"] else None
    if few is None or mapped is None:
        return "_infrequent_indices"
    for column, (rare, mapping) in enumerate(zip(few, mapped, strict=True)):
        n_levels = len(own["categories_"][column]) - (column in places)
        if rare is not None and (len(rare) == 0 or (np.diff(rare) <= 0).any() or rare[-1] >= n_levels):
            return "_infrequent_indices"
        if (rare is None) != (mapping is None) or (
            rare is not None and not np.array_equal(mapping, grouped(n_levels, rare))
        ):
            return "_default_to_infrequent_mappings"
    return None


def grouped(n_levels: int, rare: NDArray[Any]) -> NDArray[Any]:
    """The places of categories in the output: the frequent ones in their order, then all rare ones together."""
    mapping = np.full(n_levels, n_levels - len(rare))
    mapping[np.setdiff1d(np.arange(n_levels), rare)] = np.arange(n_levels - len(rare))
    return mapping


def one_hot(encoder: Any, own: dict[str, Any]) -> str | None:
    """Which attribute of a `OneHotEncoder` contradicts the categories, if any does."""
    if (wrong := groups(encoder, own)) is not None:
        return wrong
    dropped, after = own["drop_idx_"], own["_drop_idx_after_grouping"]
    if (dropped is None) != (after is None) or not all(
        x is None or isinstance(x, np.ndarray) for x in (dropped, after)
    ):
        return "_drop_idx_after_grouping"
    for column, levels in enumerate(own["categories_"]):
        mapping = own["_default_to_infrequent_mappings"][column] if own["_infrequent_enabled"] else None
        mapping = np.arange(len(levels)) if mapping is None else mapping
        drop = None if dropped is None else dropped[column]
        if drop is not None and drop >= len(levels):
            return "drop_idx_"
        if dropped is not None and after[column] != (None if drop is None else mapping[drop]):
            return "_drop_idx_after_grouping"
        if own["_n_features_outs"][column] != mapping.max() + 1 - (drop is not None):
            return "_n_features_outs"
    return None


def bins(binner: Any, own: dict[str, Any]) -> str | None:
    """Which attribute of a `KBinsDiscretizer` contradicts the edges, if any does."""
    counts = [len(edges) - 1 for edges in own["bin_edges_"]]
    if min(counts) < 1 or counts != own["n_bins_"].tolist():
        return "n_bins_"
    encoder = own.get("_encoder")
    if binner.encode == "ordinal":
        return None
    return None if encoder is not None and counts == [*map(len, encoder.categories_)] else "_encoder"


# Texts -----------------------------------------------------------------------------------------------------------

SIGN = r"(?:\[(?:\\.|[^\[\]\\])+\]|\\[bBdDsSwWnrt]|\\[^A-Za-z0-9]|[^\\\[\](){}*+?|])"
REPEATED = r"(?:[*+?]|\{\d{0,3},\d{0,3}\})\??"
RUN = rf"(?:{SIGN}(?:{REPEATED}|\{{\d{{1,3}}\}})?)*"
RUNS = rf"{RUN}(?:\|{RUN})*"
PATTERN = re.compile(rf"(?:\(\?[aimsu]+\))?{RUNS}(?:\((?:\?:)?{RUNS}\){RUNS})?", re.DOTALL)
"""Signs, classes of signs and repetitions of one; one group that is not repeated. All else can take ages to match."""
MAX_PATTERN, MAX_REPEATED = 1000, 3
"""Signs and repetitions of a pattern: the time for a word grows with its length to the power of the latter."""


def require_texts(vectorizer: Any) -> None:
    """Refuse options by which a vectorizer would open files, fail, or work for ages."""
    name, least_most = type(vectorizer).__name__, vectorizer.ngram_range
    if vectorizer.input != "content":
        raise ModelFileError(
            f"the {name} has input={vectorizer.input!r}, by which it would open files; a model file may only hold "
            "input='content'."
        )
    if len(least_most) != 2 or not all(is_count(n, 0) for n in least_most) or least_most[0] > least_most[1]:
        raise ModelFileError(
            f"the {name} has ngram_range={shown(least_most)}; give two whole numbers, the lesser first."
        )
    try:
        b"a".decode(vectorizer.encoding, "ignore")
    except (LookupError, ValueError):
        raise ModelFileError(f"the {name} has encoding={shown(vectorizer.encoding)}, which is none.") from None
    if vectorizer.token_pattern is not None and not is_quick(vectorizer.token_pattern):
        raise ModelFileError(
            f"the {name} has token_pattern={shown(vectorizer.token_pattern)}, which is no regular expression, or one "
            f"that may take ages. A model file may hold patterns of up to {MAX_PATTERN} signs, with classes such as "
            rf"\w and [a-z], up to {MAX_REPEATED} repetitions of single signs, and one group that is not repeated, "
            r"such as '(?u)\b\w\w+\b'."
        )


def is_quick(pattern: str) -> bool:
    """Whether it is a regular expression that surely does not take ages to match."""
    if len(pattern) > MAX_PATTERN or not PATTERN.fullmatch(pattern):
        return False
    parts = re.findall(rf"\(\?[aimsu]+\)|\(\?:|{SIGN}|({REPEATED})", pattern, re.DOTALL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, OverflowError, Warning):
        return False
    return sum(map(bool, parts)) <= MAX_REPEATED


def words(vectorizer: Any, own: dict[str, Any]) -> str | None:
    """Refuses by a message of its own."""
    require_texts(vectorizer)
    return None


Relation = Callable[[Any, dict[str, Any]], str | None]
RELATIONS: dict[str, Relation] = {
    "OneHotEncoder": one_hot,
    "OrdinalEncoder": groups,
    "KBinsDiscretizer": bins,
    **dict.fromkeys(("CountVectorizer", "TfidfVectorizer", "HashingVectorizer"), words),
}
