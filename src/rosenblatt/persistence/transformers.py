"""The transformers of scikit-learn that a model file can hold, each with its fitted attributes.

This module is the list: a class that is not in `TRANSFORMERS` is in no file. Takes a fitted transformer. Returns its
parameters and fitted attributes as JSON and tensors; and from those a transformer that transforms the same, after each
attribute was checked and a row was tried. Never stores or makes functions, except for those that are named here.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import comb, isfinite
from typing import Any

import numpy as np
from sklearn import feature_selection

from rosenblatt._checks import is_count
from rosenblatt.persistence.limits import MAX_COLUMNS
from rosenblatt.persistence.step_values import StepReader, StepWriter
from rosenblatt.storage.container import ModelFileError, require_keys

__all__ = ["TRANSFORMERS", "read_transformer", "transformer_entry", "width_of"]

Sizes = dict[str, int]
Check = Callable[[Any, Sizes], bool]
SCORE_FUNCTIONS = {
    name: getattr(feature_selection, name)
    for name in ("chi2", "f_classif", "f_regression", "mutual_info_classif", "mutual_info_regression", "r_regression")
}
"""What `SelectKBest` and `SelectPercentile` may select by."""
UFUNCS = {
    name: getattr(np, name)
    for name in ("abs", "cbrt", "exp", "expm1", "log", "log10", "log1p", "log2", "exp2", "sqrt", "square")
}
"""What `TransformedTargetRegressor` may apply to the target."""
FUNCTIONS: dict[str, dict[str, Any]] = {"score_function": SCORE_FUNCTIONS, "ufunc": UFUNCS}
MAX_DEGREE = 30


# Checks ----------------------------------------------------------------------------------------------------------


def floats(*dims: str, gaps: bool = False) -> Check:
    """An array of floats whose axes have sizes of these names: equal names, equal sizes. `gaps`: NaN and infinity."""

    def check(value: Any, sizes: Sizes) -> bool:
        return (
            isinstance(value, np.ndarray)
            and value.dtype in (np.float32, np.float64)
            and value.ndim == len(dims)
            and all(sizes.setdefault(dim, size) == size for dim, size in zip(dims, value.shape, strict=True))
            and (gaps or bool(np.isfinite(value).all()))
        )

    return check


def integers(dim: str) -> Check:
    """A vector of whole numbers of at least 0."""

    def check(value: Any, sizes: Sizes) -> bool:
        kind = isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.ndim == 1
        return kind and sizes.setdefault(dim, len(value)) == len(value) and not (value < 0).any()

    return check


def columns(value: Any, sizes: Sizes) -> bool:
    """Different numbers of input columns, rising."""
    return integers("chosen")(value, sizes) and bool((np.diff(value) > 0).all() and (value < sizes["n"]).all())


def cells(value: Any, sizes: Sizes) -> bool:
    """A vector of values of any type, one for each column."""
    return isinstance(value, np.ndarray) and value.shape == (sizes["n"],) and value.dtype.kind in "OUfiub"


def masks(value: Any, sizes: Sizes) -> bool:
    """Booleans for each row and column of the training data."""
    shape = (sizes.setdefault("rows", len(value)), sizes["n"]) if isinstance(value, np.ndarray) else None
    return shape is not None and value.shape == shape and value.dtype == bool


def mask(value: Any, sizes: Sizes) -> bool:
    """A boolean for each column."""
    return isinstance(value, np.ndarray) and value.shape == (sizes["n"],) and value.dtype == bool


def each(check: Check) -> Check:
    """A list, or an array of objects, with such a value for each column."""
    return lambda value, sizes: (
        (isinstance(value, list) or (isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 1))
        and len(value) == sizes["n"]
        and all(check(item, {}) for item in value)
    )


def maybe(check: Check) -> Check:
    """None, or such a value."""
    return lambda value, sizes: value is None or check(value, sizes)


def either(*checks: Check) -> Check:
    """What one of the checks allows."""
    return lambda value, sizes: any(check(value, sizes) for check in checks)


def levels(value: Any, sizes: Sizes) -> bool:
    """Categories of a column."""
    return isinstance(value, np.ndarray) and value.ndim == 1 and len(value) > 0 and value.dtype.kind in "OUfiub"


def count(value: Any, sizes: Sizes) -> bool:
    """A number of at least 0 that is whole in principle."""
    return type(value) in (int, float) and isfinite(value) and value >= 0


def whole(value: Any, sizes: Sizes) -> bool:
    """A whole number of at least 0."""
    return is_count(value, 0)


def number(value: Any, sizes: Sizes) -> bool:
    """A finite number."""
    return type(value) in (int, float) and isfinite(value)


def flag(value: Any, sizes: Sizes) -> bool:
    """True or False."""
    return type(value) is bool


def text(value: Any, sizes: Sizes) -> bool:
    """A text."""
    return isinstance(value, str)


def dtype(value: Any, sizes: Sizes) -> bool:
    """A type of arrays."""
    return isinstance(value, np.dtype)


def vocabulary(value: Any, sizes: Sizes) -> bool:
    """Terms with the numbers of their columns, from 0 without gaps."""
    if not isinstance(value, dict) or not all(isinstance(term, str) for term in value):
        return False
    return all(is_count(place, 0) for place in value.values()) and sorted(value.values()) == [*range(len(value))]


def missing_places(value: Any, sizes: Sizes) -> bool:
    """Columns with a category for missing cells, and its number."""
    return isinstance(value, dict) and all(is_count(k, 0) and k < sizes["n"] and is_count(value[k], 0) for k in value)


def made_of(name: str) -> Check:
    """A transformer of this class."""
    return lambda value, sizes: type(value) is class_of(name)


# The list --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Transformer:
    """A class of scikit-learn, and what its fitted attributes must be; `n` is the number of input columns.

    `optional` may be absent. The `trial` row holds the number 1 in each column, or the first category of each column,
    or is a text.
    """

    module: str
    fitted: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    trial: str = "numbers"


VECTOR, GAPPY = floats("n"), floats("n", gaps=True)
SEEN = either(count, floats("n"), integers("n"))
GROUPED = {
    "_infrequent_indices": each(maybe(integers("few"))),
    "_default_to_infrequent_mappings": each(maybe(integers("mapped"))),
}
WORDS: dict[str, Check] = {"fixed_vocabulary_": flag, "vocabulary_": vocabulary}
DECOMPOSED: dict[str, Check] = {
    "components_": floats("k", "n"),
    **dict.fromkeys(("explained_variance_", "explained_variance_ratio_", "singular_values_"), floats("k", gaps=True)),
}
SCORES: dict[str, Check] = {"scores_": GAPPY, "pvalues_": maybe(GAPPY)}
SCALES = ("scale_", "min_", "data_min_", "data_max_", "data_range_")
TRANSFORMERS: dict[str, Transformer] = {
    "StandardScaler": Transformer(
        "preprocessing",
        {"mean_": maybe(VECTOR), "var_": maybe(VECTOR), "scale_": maybe(VECTOR), "n_samples_seen_": SEEN},
    ),
    "MinMaxScaler": Transformer("preprocessing", {**dict.fromkeys(SCALES, VECTOR), "n_samples_seen_": SEEN}),
    "MaxAbsScaler": Transformer("preprocessing", {"max_abs_": VECTOR, "scale_": VECTOR, "n_samples_seen_": SEEN}),
    "RobustScaler": Transformer("preprocessing", {"center_": maybe(VECTOR), "scale_": maybe(VECTOR)}),
    "Normalizer": Transformer("preprocessing"),
    "Binarizer": Transformer("preprocessing"),
    "PowerTransformer": Transformer("preprocessing", {"lambdas_": GAPPY}, {"_scaler": made_of("StandardScaler")}),
    "QuantileTransformer": Transformer(
        "preprocessing",
        {"n_quantiles_": whole, "references_": floats("q"), "quantiles_": floats("q", "n", gaps=True)},
    ),
    "PolynomialFeatures": Transformer(
        "preprocessing", dict.fromkeys(("_min_degree", "_max_degree", "n_output_features_", "_n_out_full"), whole)
    ),
    "KBinsDiscretizer": Transformer(
        "preprocessing",
        {"bin_edges_": each(floats("edges", gaps=True)), "n_bins_": integers("n")},
        {"_encoder": made_of("OneHotEncoder")},
    ),
    "OneHotEncoder": Transformer(
        "preprocessing",
        {
            "categories_": each(levels),
            "_infrequent_enabled": flag,
            "drop_idx_": maybe(each(maybe(whole))),
            "_drop_idx_after_grouping": maybe(each(maybe(whole))),
            "_n_features_outs": each(whole),
        },
        GROUPED,
        trial="categories",
    ),
    "OrdinalEncoder": Transformer(
        "preprocessing",
        {"categories_": each(levels), "_infrequent_enabled": flag, "_missing_indices": missing_places},
        GROUPED,
        trial="categories",
    ),
    "SimpleImputer": Transformer(
        "impute",
        {
            "statistics_": cells,
            "_fit_dtype": dtype,
            "_fill_dtype": dtype,
            "indicator_": maybe(made_of("MissingIndicator")),
        },
    ),
    "KNNImputer": Transformer(
        "impute",
        {
            "_fit_X": floats("rows", "n", gaps=True),
            "_mask_fit_X": masks,
            "_valid_mask": mask,
            "indicator_": maybe(made_of("MissingIndicator")),
        },
    ),
    "MissingIndicator": Transformer("impute", {"features_": columns, "_n_features": whole, "_precomputed": flag}),
    "PCA": Transformer(
        "decomposition",
        {
            **DECOMPOSED,
            "mean_": VECTOR,
            "noise_variance_": number,
            "n_samples_": whole,
            "n_components_": whole,
            "_fit_svd_solver": text,
        },
    ),
    "TruncatedSVD": Transformer("decomposition", DECOMPOSED),
    "SelectKBest": Transformer("feature_selection", SCORES),
    "SelectPercentile": Transformer("feature_selection", SCORES),
    "VarianceThreshold": Transformer("feature_selection", {"variances_": GAPPY}),
    "CountVectorizer": Transformer("feature_extraction.text", WORDS, trial="text"),
    "TfidfVectorizer": Transformer(
        "feature_extraction.text", {**WORDS, "_tfidf": made_of("TfidfTransformer")}, trial="text"
    ),
    "HashingVectorizer": Transformer("feature_extraction.text", trial="text"),
    "TfidfTransformer": Transformer("feature_extraction.text", optional={"idf_": VECTOR}),
}
"""All transformers that a file can hold."""
SHARED = ("n_features_in_", "feature_names_in_")


def class_of(name: str) -> Any:
    """The class of a name in the list."""
    return getattr(importlib.import_module(f"sklearn.{TRANSFORMERS[name].module}"), name)


# To entries ------------------------------------------------------------------------------------------------------


def transformer_entry(transformer: Any, where: str, writer: StepWriter) -> dict[str, Any]:
    """Class, parameters and fitted attributes.

    Raises
    ------
    ModelFileError
        If its class is not in the list, or a parameter is a function.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    name = type(transformer).__name__
    if name not in TRANSFORMERS or type(transformer) is not class_of(name):
        raise ModelFileError(
            f"{where} is a {name}, which a model file cannot hold. Allowed are {', '.join(TRANSFORMERS)}, "
            "'passthrough' and 'drop'. Use one of them, transform the table before the pipeline, or pickle the pipeline."
        )
    require_fitted(transformer, name)
    kind = TRANSFORMERS[name]
    fitted = {
        name: value for name, value in vars(transformer).items() if name in (*kind.fitted, *kind.optional, *SHARED)
    }
    return {
        "class": name,
        "parameters": parameters_entry(transformer, where, writer),
        "fitted": {key: writer.entry(value, f"{key} of {where}, a {name},") for key, value in fitted.items()},
        "output": output_of(transformer),
    }


def require_fitted(transformer: Any, name: str) -> None:
    """Refuse a transformer that was not fitted; those of texts that keep no vocabulary need no fit."""
    from sklearn.utils.validation import check_is_fitted

    if name != "HashingVectorizer":
        needed = [key for key in TRANSFORMERS[name].fitted if not key.startswith("_")]
        check_is_fitted(transformer, needed[:1] or ["n_features_in_"])


def parameters_entry(estimator: Any, where: str, writer: StepWriter, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """The constructor's parameters; generators of random numbers become None."""
    entries, name = {}, type(estimator).__name__
    for key, value in estimator.get_params(deep=False).items():
        if key in leave_out:
            continue
        if isinstance(value, (np.random.RandomState, np.random.Generator)):
            value = None
        entries[key] = writer.entry(value, f"parameter {key!r} of {where}, a {name},")
    return entries


def function_entry(value: Any) -> dict[str, Any] | None:
    """The entry of a function that files may name."""
    for tag, known in FUNCTIONS.items():
        for name, function in known.items():
            if function is value:
                return {tag: name}
    return None


def output_of(estimator: Any) -> str | None:
    """What ``set_output`` was told."""
    kept = vars(estimator).get("_sklearn_output_config", {}).get("transform")
    return kept if isinstance(kept, str) else None


# From entries ----------------------------------------------------------------------------------------------------


def read_transformer(entry: Any, reader: StepReader) -> Any:
    """The transformer of an entry; a `ModelFileError` if it does not describe one that transforms."""
    require_keys(entry, {"class", "parameters", "fitted", "output"}, what="the entry on a transformer")
    name = entry["class"]
    if not isinstance(name, str) or name not in TRANSFORMERS:
        raise ModelFileError(f"a step is a {str(name)[:80]!r}; allowed are {', '.join(TRANSFORMERS)}.")
    kind = TRANSFORMERS[name]
    made = made_with(class_of(name), entry, reader)
    fitted = {key: reader.value(value) for key, value in entry["fitted"].items()}
    shared = set() if kind.trial == "text" else {"n_features_in_"}
    optional = {*kind.optional, "feature_names_in_"}
    require_keys(fitted, {*kind.fitted, *shared}, optional, f"the fitted part of a {name}")
    sizes: Sizes = {}
    require_names_of(fitted, sizes)
    checks = {**kind.fitted, **kind.optional}
    for key, value in fitted.items():
        if key in checks and not checks[key](value, sizes):
            raise ModelFileError(f"{key} of a {name} is {str(value)[:80]}, which it cannot be.")
        setattr(made, key, value)
    if sizes.get("k", 0) != fitted.get("n_components_", sizes.get("k", 0)):
        raise ModelFileError(f"n_components_ of a {name} is not the number of its components.")
    if kind.trial == "text":
        made._stop_words_id = id(made.stop_words)  # which were checked before
    return made


def made_with(kind: Any, entry: Any, reader: StepReader, **given: Any) -> Any:
    """An object of a class with the parameters of an entry, which are checked as `fit` would."""
    parameters = {name: reader.value(value) for name, value in entry["parameters"].items()}
    made = kind(**parameters, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made._validate_params()
    if (output := entry["output"]) is not None:
        if output not in ("default", "pandas", "polars"):
            raise ModelFileError(f"the output of a step is {str(output)[:40]!r}; known are default, pandas, polars.")
        made._sklearn_output_config = {"transform": output}
    return made


def require_names_of(fitted: Mapping[str, Any], sizes: Sizes) -> None:
    """Refuse a number of columns that is none, or names that are not so many."""
    if "n_features_in_" in fitted:
        n = fitted["n_features_in_"]
        if not is_count(n) or n > MAX_COLUMNS:
            raise ModelFileError(f"n_features_in_ of a step is {str(n)[:40]}; it must be from 1 to {MAX_COLUMNS}.")
        sizes["n"] = n
    names = fitted.get("feature_names_in_")
    fits = isinstance(names, np.ndarray) and names.shape == (sizes.get("n"),) and all(isinstance(s, str) for s in names)
    if names is not None and not fits:
        raise ModelFileError("feature_names_in_ of a step must have one name per column.")


def read_function(tag: str, name: Any) -> Any:
    """A function that is named in this module."""
    known = FUNCTIONS.get(tag, {})
    if not isinstance(name, str) or name not in known:
        raise ModelFileError(f"a step names the {tag[:40]} {str(name)[:40]!r}; known are {', '.join(known) or 'none'}.")
    return known[name]


# A trial ---------------------------------------------------------------------------------------------------------


def width_of(transformer: Any) -> int:
    """Columns of a transformer's output for a row; a `ModelFileError` if the row cannot be transformed."""
    name = type(transformer).__name__
    if name == "PolynomialFeatures":
        require_degree(transformer)
    if name == "HashingVectorizer" and transformer.n_features > MAX_COLUMNS:
        raise ModelFileError(f"n_features of a step is {transformer.n_features}; the most is {MAX_COLUMNS}.")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = transformer.transform(trial_of(transformer, TRANSFORMERS[name].trial))
    if len(found.shape) != 2 or found.shape[0] != 1:
        raise ModelFileError(f"a {name} makes {found.shape} of a row.")
    numbers = np.asarray(found.data if hasattr(found, "tocsr") else found)
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        raise ModelFileError(f"a {name} makes infinite numbers or NaN of an ordinary row.")
    return int(found.shape[1])


def trial_of(transformer: Any, kind: str) -> Any:
    """One row that the transformer should take."""
    if kind == "text":
        return ["a text"]
    if kind == "categories":
        return np.array([[levels[0] for levels in transformer.categories_]], object)
    row = np.ones((1, transformer.n_features_in_))
    if getattr(transformer, "_fit_dtype", row.dtype).kind in "OU":
        return np.full(row.shape, "1", object)
    return row


def require_degree(transformer: Any) -> None:
    """Refuse more products of columns than a file may ask for."""
    n, degree, least = transformer.n_features_in_, transformer._max_degree, transformer._min_degree
    given = transformer.degree if isinstance(transformer.degree, tuple) else (0, transformer.degree)
    if (least, degree) != tuple(given) or degree > MAX_DEGREE or comb(n + degree, degree) > MAX_COLUMNS:
        raise ModelFileError(
            f"the degree of a PolynomialFeatures of {n} columns is {transformer.degree}; a file may hold a degree of "
            f"{MAX_DEGREE} and {MAX_COLUMNS} products at most."
        )
