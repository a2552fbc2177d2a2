"""The transformers of scikit-learn that a model file can hold, each with its fitted attributes.

This module is the list: a class that is not in `TRANSFORMERS` is in no file. Takes a fitted transformer. Returns its
parameters and fitted attributes as JSON and tensors; and from those a transformer that transforms the same, after each
attribute was checked and a row was tried. Never stores or makes functions, except for those that are named here.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn import feature_selection
from sklearn.utils._param_validation import validate_parameter_constraints

from rosenblatt._checks import is_count
from rosenblatt._suggestions import article
from rosenblatt.persistence.limits import MAX_COLUMNS
from rosenblatt.persistence.step_checks import (
    Check,
    Sizes,
    cells,
    columns,
    count,
    dtype,
    each,
    either,
    flag,
    floats,
    integers,
    levels,
    mask,
    masks,
    maybe,
    missing_places,
    number,
    text,
    vocabulary,
    whole,
)
from rosenblatt.persistence.step_relations import require_relations
from rosenblatt.persistence.step_values import StepReader, StepWriter
from rosenblatt.storage.container import ModelFileError, require_keys

__all__ = ["SCORE_FUNCTIONS", "TRANSFORMERS", "UFUNCS", "class_of", "read_transformer", "transformer_entry"]

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


# The list --------------------------------------------------------------------------------------------------------


def made_of(name: str) -> Check:
    """A transformer of this class."""
    return lambda value, sizes: type(value) is class_of(name)


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
            f"{where} is {article(name)}, which a model file cannot hold. Allowed are {', '.join(TRANSFORMERS)}, "
            "'passthrough' and 'drop'. Use one of them, transform the table beforehand, or pickle the pipeline."
        )
    require_fitted(transformer, name)
    require_relations(transformer)
    kind = TRANSFORMERS[name]
    stored = {*kind.fitted, *kind.optional, *SHARED}
    fitted = {key: value for key, value in vars(transformer).items() if key in stored}
    return {
        "class": name,
        "parameters": parameters_entry(transformer, where, writer),
        "fitted": {key: writer.entry(value, f"{key} of {where}, {article(name)},") for key, value in fitted.items()},
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
        entries[key] = writer.entry(value, f"parameter {key!r} of {where}, {article(name)},")
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
    kept = getattr(estimator, "__dict__", {}).get("_sklearn_output_config", {}).get("transform")
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
    require_keys(fitted, {*kind.fitted, *shared}, optional, f"the fitted part of {article(name)}")
    sizes: Sizes = {}
    require_names_of(fitted, sizes)
    checks = {**kind.fitted, **kind.optional}
    for key, value in fitted.items():
        if key in checks and not checks[key](value, sizes):
            raise ModelFileError(f"{key} of {article(name)} is {str(value)[:80]}, which it cannot be.")
        setattr(made, key, value)
    if sizes.get("k", 0) != fitted.get("n_components_", sizes.get("k", 0)):
        raise ModelFileError(f"n_components_ of {article(name)} is not the number of its components.")
    require_relations(made)
    if kind.trial == "text":
        vars(made)["_stop_words_id"] = id(made.stop_words)  # which were checked before
    return made


def made_with(kind: Any, entry: Any, reader: StepReader, **given: Any) -> Any:
    """An object of a class with the parameters of an entry, which are checked as `fit` would."""
    parameters = {name: reader.value(value) for name, value in entry["parameters"].items()}
    made = kind(**parameters, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        constraints = getattr(made, "_parameter_constraints", {})
        validate_parameter_constraints(constraints, made.get_params(deep=False), kind.__name__)
    if (output := entry["output"]) is not None:
        if output not in ("default", "pandas", "polars"):
            raise ModelFileError(f"the output of a step is {str(output)[:40]!r}; known are default, pandas, polars.")
        vars(made)["_sklearn_output_config"] = {"transform": output}
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
