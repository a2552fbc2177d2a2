"""Pipelines of scikit-learn around models of the library, as plain data, and back.

Takes a fitted `Pipeline`, `ColumnTransformer`, `FeatureUnion` or `TransformedTargetRegressor`. Returns a state for JSON
and arrays; or, from those, an object that predicts the same bits, after widths were compared from step to step. What
transformers may be inside is listed in `rosenblatt.persistence.transformers`. Never stores code.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from rosenblatt._checks import is_count, is_number
from rosenblatt.persistence.limits import MAX_LISTED_COLUMNS
from rosenblatt.persistence.pipeline_widths import require_widths
from rosenblatt.persistence.step_values import StepReader, StepWriter
from rosenblatt.persistence.transformers import (
    function_entry,
    made_with,
    output_of,
    parameters_entry,
    read_function,
    read_transformer,
    transformer_entry,
)
from rosenblatt.storage.container import Arrays, ModelFileError, errors_of, require_keys
from rosenblatt.storage.values import is_text, shown

__all__ = ["STORABLE_TRANSFORMERS", "VersionWarning", "is_storable", "pipeline_from_state", "pipeline_state"]

COMPOSITES: dict[str, Any] = {
    kind.__name__: kind for kind in (Pipeline, ColumnTransformer, FeatureUnion, TransformedTargetRegressor)
}
STORABLE_TRANSFORMERS = (*COMPOSITES,)
MACHINE = ("n_jobs", "memory")
"""Parameters that are a matter of the machine, and so in no file."""
MAX_FORM = 200
"""Signs of the form of names."""
WORDS = ("passthrough", "drop", None)
TakeApart = Callable[[Any], tuple[str, dict[str, Any], Arrays]]
PutTogether = Callable[[str, Any, Arrays], Any]
LISTS = {"Pipeline": "steps", "FeatureUnion": "transformer_list"}


class VersionWarning(InconsistentVersionWarning):  # type: ignore[misc]
    """A pipeline was saved under another minor version of scikit-learn."""

    def __str__(self) -> str:
        return (
            f"the {self.estimator_name} in this file was saved under scikit-learn {self.original_sklearn_version}, and "
            f"this is {self.current_sklearn_version}. Its steps transform a row, but may compute other numbers: "
            "compare predictions, or save it again under this version."
        )


def is_storable(model: Any) -> bool:
    """Whether it is of one of the classes that hold steps; a class derived from one is another."""
    return type(model) in COMPOSITES.values()


def pipeline_state(model: Any, take_apart: TakeApart) -> tuple[dict[str, Any], Arrays]:
    """State and arrays of a fitted pipeline; `take_apart` gives kind, state and arrays of a model in it.

    Raises
    ------
    ModelFileError
        If a step is of a class that a file cannot hold, or has functions; if columns are selected by a function.
    sklearn.exceptions.NotFittedError
        If it, or a step, is not fitted.
    """
    writer = PipelineWriter(take_apart)
    part = writer.part(model, "the model")
    require_widths(model)
    return {"scikit_learn": sklearn.__version__, "part": part}, {**writer.steps.arrays, **writer.models}


@errors_of("a pipeline")
def pipeline_from_state(state: Any, arrays: Mapping[str, NDArray[Any]], put_together: PutTogether) -> Any:
    """The object that `pipeline_state` took apart, with models made from their parts by `put_together`.

    A `ModelFileError` if state and arrays do not describe one.
    """
    require_keys(state, {"scikit_learn", "part"}, what="the pipeline")
    if not isinstance(state["part"], dict) or set(state["part"]) != {"holds"}:
        raise ModelFileError("the file does not hold a pipeline.")
    reader = PipelineReader(arrays, put_together)
    model = reader.steps.value(state["part"])
    reader.steps.require_all_used()
    if reader.models:
        raise ModelFileError(f"tensor {min(reader.models)[:80]!r} belongs to no model of the pipeline.")
    require_widths(model)
    saved_under = shown(str(state["scikit_learn"]), 20)[1:-1]
    if saved_under.split(".")[:2] != sklearn.__version__.split(".")[:2]:
        versions = {"current_sklearn_version": sklearn.__version__, "original_sklearn_version": saved_under}
        warnings.warn(VersionWarning(estimator_name=type(model).__name__, **versions), stacklevel=5)
    return model


# To entries ------------------------------------------------------------------------------------------------------


class PipelineWriter:
    """Makes the entries of a pipeline's parts, and collects the arrays of its steps and models."""

    def __init__(self, take_apart: TakeApart) -> None:
        self.steps = StepWriter(self.other)
        self.models: Arrays = {}
        self.n_models = 0
        self.take_apart = take_apart

    def other(self, value: Any, where: str) -> dict[str, Any] | None:
        """The entry of a value that is no plain one."""
        return self.part(value, where) if hasattr(value, "get_params") else function_entry(value)

    def part(self, part: Any, where: str) -> Any:
        """The entry of a step, a model, or a word."""
        if part is None or isinstance(part, str):
            return part
        if is_storable(part):
            return {"holds": self._composite(part, where)}
        if type(part).__module__.startswith("rosenblatt."):
            return {"model": self._model(part)}
        return {"transformer": transformer_entry(part, where, self.steps)}

    def _model(self, model: Any) -> dict[str, Any]:
        kind, state, arrays = self.take_apart(model)
        place, self.n_models = self.n_models, self.n_models + 1
        self.models |= {f"models/{place}/{name}": array for name, array in arrays.items()}
        return {"kind": kind, "state": state, "place": place}

    def _composite(self, model: Any, where: str) -> dict[str, Any]:
        name = type(model).__name__
        leave_out: tuple[str, ...]
        if name in LISTS:
            leave_out = (LISTS[name],)
            given = getattr(model, LISTS[name])
            parts = {"steps": [[key, self.part(word_of(step, name), f"step {key!r}")] for key, step in given]}
        elif name == "ColumnTransformer":
            leave_out, parts = ("transformers", "remainder"), self._columns(model)
        else:
            leave_out, parts = ("regressor", "transformer"), self._target(model)
        parameters = parameters_entry(model, where, self.steps, leave_out + MACHINE)
        return {"class": name, "parameters": parameters, "output": output_of(model), **parts}

    def _columns(self, model: Any) -> dict[str, Any]:
        check_is_fitted(model, "transformers_")
        steps, indices = [], vars(model)["_transformer_to_input_indices"]
        given = {name: (step, columns) for name, step, columns in model.transformers}
        for name, step, columns in model.transformers_:
            original, selected = given.get(name, (model.remainder, columns))
            if callable(selected):
                raise ModelFileError(
                    f"step {name!r} selects its columns by {type(selected).__name__}, a function, which a model file "
                    f"cannot hold. Give their names, such as {str(columns)[:60]}, and fit again."
                )
            word = original if isinstance(original, str) else "drop" if len(indices[name]) == 0 else step
            entry, what = self.part(word, f"step {name!r}"), f"the columns of step {name!r}"
            places = [int(place) for place in indices[name]]
            steps.append([name, entry, self.steps.entry(columns, what), places, output_of(step)])
        fitted = {key: getattr(model, key) for key in ("n_features_in_", "feature_names_in_") if hasattr(model, key)}
        return {
            "steps": steps,
            "fitted": {key: self.steps.entry(value, key) for key, value in fitted.items()},
            "sparse": bool(model.sparse_output_),
            "rest": model.remainder if isinstance(model.remainder, str) else None,
        }

    def _target(self, model: Any) -> dict[str, Any]:
        check_is_fitted(model, "regressor_")
        own = model.transformer is None
        return {
            "steps": [["regressor", self.part(model.regressor_, "the regressor")]],
            "target": None if own else self.part(model.transformer_, "the transformer of the target"),
            "n_targets": int(model.transformer_.n_features_in_),
            "n_axes": int(vars(model)["_training_dim"]),
        }


# From entries ----------------------------------------------------------------------------------------------------


class PipelineReader:
    """Gives the parts of entries."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], put_together: PutTogether) -> None:
        self.put_together = put_together
        own = {name: array for name, array in arrays.items() if not name.startswith("models/")}
        self.models = {name: array for name, array in arrays.items() if name.startswith("models/")}
        self.steps = StepReader(own, self.part)

    def part(self, tag: str, entry: Any) -> Any:
        """The part of a tag."""
        if tag == "transformer":
            return read_transformer(entry, self.steps)
        if tag == "model":
            return self._model(entry)
        if tag == "holds":
            return self._composite(entry)
        return read_function(tag, entry)

    def _model(self, entry: Any) -> Any:
        require_keys(entry, {"kind", "state", "place"}, what="the entry on a model")
        if not is_count(entry["place"], 0):
            raise ModelFileError("a model of the pipeline has no place.")
        prefix = f"models/{entry['place']}/"
        found = {name: self.models.pop(name) for name in [*self.models] if name.startswith(prefix)}
        arrays = {name.removeprefix(prefix): array for name, array in found.items()}
        if entry["kind"] in ("pipeline", "network"):
            raise ModelFileError(f"a {entry['kind']} cannot be a step.")
        return self.put_together(entry["kind"], entry["state"], arrays)

    def _composite(self, entry: Any) -> Any:
        name = entry.get("class") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in COMPOSITES:
            raise ModelFileError(f"the file holds a {str(name)[:80]!r}; known are {', '.join(COMPOSITES)}.")
        shared = {"class", "parameters", "output", "steps"}
        if name == "ColumnTransformer":
            require_keys(entry, shared | {"fitted", "sparse", "rest"}, what="the entry on a ColumnTransformer")
            return self._columns(entry)
        if name == "TransformedTargetRegressor":
            require_keys(entry, shared | {"target", "n_targets", "n_axes"}, what="the entry on a regressor")
            return self._target(entry)
        require_keys(entry, shared, what=f"the entry on a {name}")
        steps = [(self._name(key), self._step(part)) for key, part in entry["steps"]]
        if name == "FeatureUnion":  # as its fit leaves them
            if any(step is None for _, step in steps):
                raise ModelFileError("a step of a FeatureUnion is null; write 'drop' or 'passthrough'.")
            same = FunctionTransformer(feature_names_out="one-to-one")
            steps = [(key, clone(same) if step == "passthrough" else step) for key, step in steps]
        made = made_with(COMPOSITES[name], entry, self.steps, **{LISTS[name]: steps})
        if len({key for key, _ in steps}) != len(steps) or not steps:
            raise ModelFileError(f"a {name} has no steps, or two of one name.")
        require_options(made, {key for key, _ in steps})
        return made

    def _name(self, name: Any) -> str:
        if not isinstance(name, str) or "__" in name or not is_text(name):
            raise ModelFileError("the name of a step is no text, or holds two underscores.")
        return name

    def _step(self, entry: Any) -> Any:
        step = self.steps.value(entry)
        if step not in WORDS and not hasattr(step, "get_params"):
            raise ModelFileError("a step is neither a transformer nor a model.")
        return step

    def _columns(self, entry: Any) -> Any:
        fitted = {key: self.steps.value(value) for key, value in entry["fitted"].items()}
        require_keys(fitted, {"n_features_in_"}, {"feature_names_in_"}, "the fitted part of a ColumnTransformer")
        require_table(fitted)
        rows = [self._selection(row, fitted["n_features_in_"]) for row in entry["steps"]]
        named = [row for row in rows if row[0] != "remainder"]
        rest = next((row for row in rows if row[0] == "remainder"), None)
        remainder = entry["rest"] if entry["rest"] is not None else unfitted(rest[1]) if rest else "drop"
        given = [(name, unfitted(step), columns) for name, step, columns, _, _ in named]
        made = made_with(ColumnTransformer, entry, self.steps, transformers=given, remainder=remainder)
        require_options(made, {name for name, *_ in rows})
        places = {name: where for name, _, _, where, _ in rows}
        taken = {place for name, _, _, where, _ in named for place in where}
        left = [place for place in range(fitted["n_features_in_"]) if place not in taken]
        if len(places) != len(rows) or places.setdefault("remainder", left) != left:
            raise ModelFileError("the steps of a ColumnTransformer have one name, or columns of others.")
        attributes = {
            **fitted,
            "sparse_output_": entry["sparse"] is True,
            "transformers_": [(name, fitted_word(step, fitted, *more), columns) for name, step, columns, *more in rows],
            "_columns": [columns for _, _, columns, _, _ in named],
            "_transformer_to_input_indices": places,
            "_remainder": ("remainder", remainder, rest[2] if rest else []),
        }
        for name, value in attributes.items():
            setattr(made, name, value)
        return made

    def _selection(self, row: Any, n_columns: int) -> tuple[Any, ...]:
        if not isinstance(row, list) or len(row) != 5:
            raise ModelFileError("a step of a ColumnTransformer has an unknown form.")
        name, step, columns, places, output = row
        if not isinstance(places, list) or not all(is_count(p, 0) and p < n_columns for p in places):
            raise ModelFileError(f"the columns of step {str(name)[:40]!r} are not among the {n_columns} of its table.")
        found = self._step(step)
        if found is None or output not in (None, "default", "pandas", "polars"):
            raise ModelFileError("a step of a ColumnTransformer is no transformer.")
        return self._name(name), found, self.steps.value(columns), places, output

    def _target(self, entry: Any) -> Any:
        regressor = self._step(entry["steps"][0][1])
        target = None if entry["target"] is None else self._step(entry["target"])
        given = {"regressor": unfitted(regressor), "transformer": unfitted(target)}
        made = made_with(TransformedTargetRegressor, entry, self.steps, **given)
        if not is_count(entry["n_targets"]) or entry["n_axes"] not in (1, 2) or not hasattr(regressor, "predict"):
            raise ModelFileError("the file does not say how many targets a regressor has, or it is none.")
        if target is None:
            pair = {"func": made.func, "inverse_func": made.inverse_func}
            target = FunctionTransformer(**pair, validate=True, check_inverse=made.check_inverse)
            target.n_features_in_ = entry["n_targets"]
        made.regressor_, made.transformer_ = regressor, target
        vars(made)["_training_dim"] = entry["n_axes"]
        if hasattr(regressor, "feature_names_in_"):
            made.feature_names_in_ = regressor.feature_names_in_
        return made


def require_options(made: Any, names: set[str]) -> None:
    """Refuse what scikit-learn looks at only when it fits or transforms."""
    weights, n_jobs = (getattr(made, name, None) for name in ("transformer_weights", "n_jobs"))
    numbers = isinstance(weights, dict) and all(is_number(weight) for weight in weights.values())
    if weights is not None and not (numbers and names.issuperset(weights)):
        raise ModelFileError("transformer_weights are not numbers for steps of these names.")
    if n_jobs is not None:
        raise ModelFileError("a file does not say how many processes work (n_jobs): that is a matter of the machine.")
    if not isinstance(made.verbose, bool):
        raise ModelFileError("verbose is true or false.")
    form = getattr(made, "verbose_feature_names_out", True)
    if not isinstance(form, bool) and not is_form(form):
        raise ModelFileError(
            f"verbose_feature_names_out is {shown(form)}; a file may hold true, false, or a text such as "
            "'{transformer_name}__{feature_name}'."
        )


def is_form(form: Any) -> bool:
    """Whether it is a text with places for the names of steps and columns, and nothing else in braces."""
    if not isinstance(form, str) or len(form) > MAX_FORM:
        return False
    fields = [(name, how, to) for _, name, how, to in Formatter().parse(form) if name is not None]
    return all(name in ("feature_name", "transformer_name") and not how and not to for name, how, to in fields)


def require_table(fitted: Mapping[str, Any]) -> None:
    """Refuse columns that are none, or whose names are not as many."""
    n, names = fitted["n_features_in_"], fitted.get("feature_names_in_")
    if not is_count(n) or n > MAX_LISTED_COLUMNS:
        raise ModelFileError(
            f"n_features_in_ of a ColumnTransformer is {str(n)[:40]}; it must be from 1 to {MAX_LISTED_COLUMNS}."
        )
    if names is not None and not (
        isinstance(names, np.ndarray) and names.shape == (n,) and all(type(s) is str for s in names)
    ):
        raise ModelFileError("feature_names_in_ of a ColumnTransformer must have one name per column.")


def word_of(step: Any, composite: str) -> Any:
    """A step, or "passthrough" where a `FeatureUnion` made a transformer without a function of that word."""
    made = composite == "FeatureUnion" and type(step) is FunctionTransformer
    return "passthrough" if made and step.func is None and step.inverse_func is None else step


def unfitted(part: Any) -> Any:
    """A clone; words are what they are."""
    return part if part is None or isinstance(part, str) else clone(part)


def fitted_word(step: Any, fitted: Mapping[str, Any], places: list[int], output: str | None) -> Any:
    """What scikit-learn makes of "passthrough" when it fits; other steps as they are."""
    if step != "passthrough" or not places:
        return step
    made = FunctionTransformer(accept_sparse=True, check_inverse=False, feature_names_out="one-to-one")
    if output is not None:
        made.set_output(transform=output)
    made.n_features_in_ = len(places)
    if "feature_names_in_" in fitted:
        made.feature_names_in_ = fitted["feature_names_in_"][places]
    return made
