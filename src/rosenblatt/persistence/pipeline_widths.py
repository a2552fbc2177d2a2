"""Whether the steps of a pipeline fit together: what one makes, the next takes.

Takes a pipeline of scikit-learn with fitted steps. Returns nothing, or raises a `ModelFileError` that names the step.
Each transformer is tried with a row of its own, so no table is needed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from sklearn.base import clone

from rosenblatt._suggestions import article
from rosenblatt.persistence.limits import MAX_COLUMNS
from rosenblatt.persistence.transformers import TRANSFORMERS
from rosenblatt.storage.container import ModelFileError, errors_of

__all__ = ["require_widths"]

MAX_DEGREE = 30
"""Of `PolynomialFeatures`."""
MAX_LEVELS = 5
"""Levels of pipelines in a pipeline."""
MAX_TRIED = 4 * MAX_COLUMNS
"""Columns of all trial rows together, and of products and hashes that are made of them."""


@dataclass(frozen=True)
class Widths:
    """Columns that a part takes and makes; None: any, and what it is given. Some parts take texts, one a row."""

    takes: int | None
    makes: int | None
    of_texts: bool = False


@errors_of("a pipeline that predicts")
def require_widths(model: Any) -> None:
    """Refuse steps that do not fit together, or that make more columns than a file may ask for."""
    require_levels(model)
    if (total := sum(columns_tried(part) for part in parts_of(model))) > MAX_TRIED:
        raise ModelFileError(f"the steps have {total} columns together; a file may hold steps of {MAX_TRIED}.")
    widths_of(model, "the model")


def require_levels(model: Any) -> None:
    """Refuse pipelines in pipelines in pipelines: scikit-learn's time doubles with each level."""
    level, n_levels = [model], -1
    while level := [step for part in level for step in steps_of(part) if not isinstance(step, str)]:
        n_levels += 1
        if n_levels > MAX_LEVELS:
            raise ModelFileError(f"pipelines are in others over more than {MAX_LEVELS} levels; join some of them.")


def steps_of(part: Any) -> list[Any]:
    """The steps that a part holds itself."""
    lists = (getattr(part, name, ()) for name in ("steps", "transformer_list", "transformers_"))
    pair = [vars(part)[name] for name in ("regressor_", "transformer_") if name in getattr(part, "__dict__", ())]
    return [step for steps in lists for _, step, *_ in steps] + pair


def parts_of(part: Any) -> Iterator[Any]:
    """The transformers in a pipeline, however deep."""
    if type(part).__name__ in TRANSFORMERS:
        yield part
    for step in steps_of(part):
        yield from parts_of(step)


def columns_tried(transformer: Any) -> int:
    """Columns of the trial row and, where they do not follow from arrays in the file, of what is made of it."""
    n = getattr(transformer, "n_features_in_", 1)
    if type(transformer).__name__ == "PolynomialFeatures":
        require_degree(transformer)
        return int(n + comb(n + vars(transformer)["_max_degree"], n))
    return int(n + getattr(transformer, "n_features", 0))


def widths_of(part: Any, where: str) -> Widths:
    """What a part takes and makes, after its own parts were compared."""
    name = type(part).__name__
    if part is None or isinstance(part, str) or name == "FunctionTransformer":
        return Widths(None, None)
    if name == "Pipeline":
        return chain(part.steps)
    if name == "FeatureUnion":
        return union(part.transformer_list)
    if name == "ColumnTransformer":
        return of_columns(part)
    if name == "TransformedTargetRegressor":
        require_inverse(part)
        return widths_of(part.regressor_, "the regressor")
    if name not in TRANSFORMERS:
        return Widths(part.n_features_in_, None)
    try:
        made = width_of(part)
    except ModelFileError as error:
        raise ModelFileError(f"{where}: {error}") from None
    if made > MAX_COLUMNS:
        raise ModelFileError(f"{where} makes {made} columns; the most is {MAX_COLUMNS}.")
    of_texts = TRANSFORMERS[name].trial == "text"
    return Widths(None if of_texts else part.n_features_in_, made, of_texts)


def chain(steps: Any) -> Widths:
    """Steps one after the other."""
    first: Widths | None = None
    now: Widths | None = None
    for name, step in steps:
        widths, where = widths_of(step, f"step {name!r}"), f"step {name!r}"
        if step is None or isinstance(step, str):
            continue
        if now is not None and (now.makes is None or widths.of_texts or widths.takes not in (None, now.makes)):
            raise ModelFileError(
                f"{where} takes {what(widths)}, but the step before it makes {now.makes or 'no'} columns."
            )
        first, now = first or widths, widths
    if first is None or now is None:
        return Widths(None, None)
    return Widths(first.takes, now.makes, first.of_texts)


def what(widths: Widths) -> str:
    """What a step takes, in words."""
    return "texts" if widths.of_texts else f"{widths.takes} columns"


def union(steps: Any) -> Widths:
    """Steps side by side on the same columns."""
    found = [widths_of(step, f"step {name!r}") for name, step in steps if step != "drop"]
    taken = {(w.takes, w.of_texts) for w in found if (w.takes, w.of_texts) != (None, False)}
    if len(taken) > 1:
        raise ModelFileError("the steps of a FeatureUnion take different numbers of columns.")
    takes, of_texts = next(iter(taken), (None, False))
    made = [takes if w.makes is None else w.makes for w in found]
    known = [width for width in made if width is not None]
    return Widths(takes, sum_of(known) if len(known) == len(made) else None, of_texts)


def of_columns(model: Any) -> Widths:
    """Steps side by side, each on its own columns; sets where each one's columns are in the result."""
    places, at = vars(model)["_transformer_to_input_indices"], 0
    output: dict[str, slice] = {}
    for name, step, columns in model.transformers_:
        where, n_columns = f"step {name!r}", len(places[name])
        if (isinstance(step, str) and step == "drop") or n_columns == 0:
            continue
        one = isinstance(columns, (str, int, np.integer))
        if type(step).__name__ == "FunctionTransformer":
            widths = Widths(n_columns, n_columns)
        else:
            widths = widths_of(step, where)
        if widths.of_texts != one or (not one and widths.takes not in (None, n_columns)):
            raise ModelFileError(f"{where} takes {what(widths)}, but is given {'one text' if one else n_columns}.")
        if (made := widths.makes if widths.makes is not None else widths.takes) is None:
            made = n_columns
        output[name], at = slice(at, at + made), sum_of([at, made])
    for name in (*(name for name, _, _ in model.transformers), "remainder"):
        output.setdefault(name, slice(0, 0))
    if vars(model).setdefault("output_indices_", output) != output:
        raise ModelFileError("the columns of a ColumnTransformer are not those of its fit. Fit again.")
    return Widths(model.n_features_in_, at)


def sum_of(widths: list[int]) -> int:
    """Columns side by side, which may not be too many."""
    if sum(widths) > MAX_COLUMNS:
        raise ModelFileError(f"the steps make {sum(widths)} columns; the most is {MAX_COLUMNS}.")
    return sum(widths)


def require_inverse(model: Any) -> None:
    """Refuse a transformer of the target that cannot bring a prediction back."""
    n_targets = model.transformer_.n_features_in_
    n_outputs = getattr(model.regressor_, "n_outputs_", n_targets)
    with np.errstate(all="ignore"):
        found = model.transformer_.inverse_transform(np.ones((1, n_targets)))
    if n_outputs != n_targets or found.shape != (1, n_targets) or not np.isfinite(found).all():
        raise ModelFileError("the transformer of the target does not fit the predictions.")


# A trial ---------------------------------------------------------------------------------------------------------


def width_of(transformer: Any) -> int:
    """Columns of a transformer's output for a row; a `ModelFileError` if the row cannot be transformed."""
    name = type(transformer).__name__
    if name == "PolynomialFeatures":
        require_products(transformer)
    if name == "HashingVectorizer" and transformer.n_features > MAX_COLUMNS:
        raise ModelFileError(f"n_features of a step is {transformer.n_features}; the most is {MAX_COLUMNS}.")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = transformer.transform(trial_of(transformer, TRANSFORMERS[name].trial))
    if len(found.shape) != 2 or found.shape[0] != 1:
        raise ModelFileError(f"{article(name)} makes {found.shape} of a row.")
    numbers = np.asarray(found.data if hasattr(found, "tocsr") else found)
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        raise ModelFileError(f"{article(name)} makes infinite numbers or NaN of an ordinary row.")
    return int(found.shape[1])


def trial_of(transformer: Any, kind: str) -> Any:
    """One row that the transformer should take."""
    if kind == "text":
        return ["a text"]
    if kind == "categories":
        return np.array([[levels[0] for levels in transformer.categories_]], object)
    row = np.ones((1, transformer.n_features_in_))
    fitted_on: np.dtype[Any] = vars(transformer).get("_fit_dtype", row.dtype)
    if fitted_on.kind in "OU":
        return np.full(row.shape, "1", object)
    return row


def require_degree(transformer: Any) -> None:
    """Refuse more products of columns than a file may ask for."""
    own, n = vars(transformer), transformer.n_features_in_
    degree, least = own["_max_degree"], own["_min_degree"]
    given = transformer.degree if isinstance(transformer.degree, tuple) else (0, transformer.degree)
    if tuple(given) != (least, degree) or degree > MAX_DEGREE or comb(n + degree, degree) > MAX_COLUMNS:
        raise ModelFileError(
            f"the degree of a PolynomialFeatures of {n} columns is {transformer.degree}; a file may hold a degree of "
            f"{MAX_DEGREE} and {MAX_COLUMNS} products at most."
        )


def require_products(transformer: Any) -> None:
    """Refuse numbers of products that are not those of the parameters."""
    n = transformer.n_features_in_
    counted = clone(transformer).fit(np.zeros((1, n)))  # which counts products, and does not look at numbers
    names = TRANSFORMERS["PolynomialFeatures"].fitted
    if any(getattr(counted, name) != getattr(transformer, name) for name in names):
        raise ModelFileError("the products of a PolynomialFeatures are not those of its parameters.")
