"""The importance of each column: how much worse a model is without it, or how much it contributes to the outputs.

Takes a fitted estimator, a table and perhaps its targets. Returns an `Explanation`. Never reads or prepares the table
more than once: columns are substituted in the inputs of the networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_random_state, column_or_1d

from rosenblatt._checks import check_count
from rosenblatt._frames import Framed
from rosenblatt._html import bar, paragraph, table, view
from rosenblatt._suggestions import join_names
from rosenblatt.estimators.labels import plain_labels
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.estimators.tabular.explain.column_substitution import (
    Substitution,
    column_slices,
    part_of,
    predict_variants,
    sample_rows,
)
from rosenblatt.estimators.tabular.explain.mixtures import input_values, parts_of
from rosenblatt.estimators.tabular.explain.output_names import target_columns
from rosenblatt.estimators.tabular.explain.shortened import short_name
from rosenblatt.estimators.tabular.metrics import CLASS_METRICS
from rosenblatt.estimators.tabular.predictions import predictions_of
from rosenblatt.metrics import LOG_LOSS, Metric
from rosenblatt.tables.encoders import Prepared
from rosenblatt.tables.readers.reading import is_nameless, names_columns, read_table, require_names
from rosenblatt.tables.table import Table, TableError
from rosenblatt.tables.targets import find_target, labels_of_column, numbers_of_column

__all__ = ["MAX_SHOWN", "METHODS", "Explanation", "explain", "note_on", "read_rows"]

Array = NDArray[Any]
METHODS = ("permutation", "gradient")
"""Those of the importances; contributions to rows have their own."""
DEFAULT_REPEATS, DEFAULT_ROWS = 5, 2000
MAX_SHOWN = 50
KNOWN_SHARE = 0.5
"""Of rows that equal training rows, from which on a note says so."""


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Framed):
    """How much each column of a raw table matters to a model.

    Attributes
    ----------
    columns : tuple of str
        All raw columns, in the order of the training table. Those that the model leaves out have importance 0.
    importance, deviation : ndarray of shape (n_columns,)
        For "permutation", mean and standard deviation over the repeats. For "gradient", the mean absolute contribution,
        and the standard deviation of this mean between single networks.
    baseline : float or None, or ndarray
        The score with all columns as they are, or None if no target was given. For "integrated_gradients" and "shapley"
        it is something else: see `RowExplanation`.
    score_name : str
        Name of the metric whose value is `baseline`.
    method : {"permutation", "gradient"}
    quantity : str
        The quantity that the importance measures, in words.
    rows : ndarray of int64
        Numbers of the rows of X that were used.
    contributions : ndarray of shape (n_rows, n_columns) or (n_rows, n_columns, n_outputs), or None
        For "gradient", the signed share of each of `columns` in the deviation of the row from the mean training row.
    note : str
        A sentence if rows equal those that the model was trained on, or nothing.
    """

    columns: tuple[str, ...]
    importance: NDArray[np.float64]
    deviation: NDArray[np.float64]
    baseline: Any
    score_name: str
    method: str
    quantity: str
    rows: NDArray[np.int64]
    contributions: NDArray[np.float64] | None = None
    note: str = ""

    @property
    def order(self) -> list[int]:
        """The numbers of the columns, the most important first."""
        return [int(i) for i in np.argsort(-self.importance, kind="stable")]

    @property
    def ranked(self) -> tuple[str, ...]:
        """The columns, the most important first."""
        return tuple(self.columns[i] for i in self.order)

    def headings(self) -> list[str]:
        """What was measured, and the score of the rows."""
        lines = [f"{self.method}, {len(self.rows):,} rows: {self.quantity}"]
        if self.baseline is not None:
            lines.append(f"{self.score_name} {self.baseline:.4f} with all columns as they are")
        return lines

    def table(self, most: int = MAX_SHOWN) -> str:
        """The `most` important columns as aligned text."""
        check_count("most", most)
        lines = self.headings()
        shown = self.order[:most]
        names = [short_name(self.columns[i]) for i in shown]
        width = max(map(len, (*names, "column")))
        lines += ["", f"{'column':{width}}  importance   deviation"]
        cells = [(name, self.importance[i], self.deviation[i]) for name, i in zip(names, shown, strict=True)]
        lines += [f"{name:{width}}  {mean:10.4f}  {deviation:10.4f}" for name, mean, deviation in cells]
        if rest := len(self.columns) - len(shown):
            lines.append(f"and {rest:,} more")
        return "\n".join([*lines, "", self.note] if self.note else lines)

    def __str__(self) -> str:
        return self.table()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title, *notes = self.headings()
        largest = float(np.abs(self.importance).max(initial=0.0)) or 1.0
        shown = [(self.columns[i] or '""', float(self.importance[i]), float(self.deviation[i])) for i in self.order]
        rows = [(name, f"{mean:.4f}", bar(mean / largest), f"{deviation:.4f}") for name, mean, deviation in shown]
        heads = ("column", "importance", "", "deviation")
        return view(title, *map(paragraph, notes), table(heads, rows, most=MAX_SHOWN), paragraph(self.note))

    def to_dict(self) -> dict[str, list[Any]]:
        """Columns "column", "importance" and "deviation" as lists."""
        parts = {"importance": self.importance.tolist(), "deviation": self.deviation.tolist()}
        return {"column": list(self.columns), **parts}

    def frame_columns(self) -> dict[str, list[Any]]:
        """Those of `to_dict`."""
        return self.to_dict()


def explain(
    model: Any,
    X: Any,
    y: Any,
    method: str,
    metric: str | None,
    n_repeats: int | None,
    n_rows: int | None,
    random_state: Any,
) -> Explanation:
    """See `TabularEstimator.explain`."""
    n_repeats = DEFAULT_REPEATS if n_repeats is None else n_repeats
    n_rows = DEFAULT_ROWS if n_rows is None else n_rows
    check_count("n_repeats", n_repeats)
    check_count("n_rows", n_rows)
    metric_used, measure = scoring_of(model, metric)
    table, target = read_rows(model, X, y)
    rng = check_random_state(check_random_state(random_state).randint(2**31))  # as scikit-learn's, for equal shuffles
    rows = sample_rows(table.n_rows, n_rows, rng)
    if method == "permutation" and target is None:
        raise ValueError("method='permutation' needs y: it measures how much worse predictions become.")
    if method == "permutation" and len(rows) < 2:
        raise ValueError("a single row cannot be shuffled; give more rows, or method='gradient'.")
    prepared = model.preparation_.transform(table.take(rows))
    measured = target is not None and len(rows) > 1
    baseline = measure(target[rows], predictions_of(model, model.ensemble_.predict(prepared))) if measured else None
    names, contributions = [kind.name for kind in model.preparation_.kinds], None
    if method == "gradient":
        contributions, mean, deviation, quantity = contributions_of(model, prepared, names)
    else:
        orders = [rng.permutation(len(rows)) for _ in range(n_repeats)]
        places = column_slices(model.preparation_)
        variants = [Substitution(place, part_of(prepared, place), order) for place in places for order in orders]
        found = [measure(target[rows], values) for values in predict_variants(model, prepared, variants)]
        scores = np.full((n_repeats, len(names)), baseline)
        scores[:, [names.index(place.name) for place in places]] = np.reshape(found, (len(places), n_repeats)).T
        harm = baseline - scores if metric_used.greater_is_better else scores - baseline
        change = "drop" if metric_used.greater_is_better else "rise"
        quantity = f"{change} of the {metric_used.name} when a column is shuffled"
        mean, deviation = harm.mean(axis=0), harm.std(axis=0)
    used = (baseline, metric_used.name, method, quantity, rows, contributions)
    return Explanation(tuple(names), mean, deviation, *used, note_on(model, prepared))


def note_on(model: Any, prepared: Prepared) -> str:
    """A sentence if at least half of the rows equal training rows, or nothing."""
    if (share := model.background_.share_of_known(prepared)) < KNOWN_SHARE:
        return ""
    return (
        f"{'All' if share == 1 else f'About {share:.0%}'} of these rows equal rows that the model was trained on. Only "
        "other rows show what generalizes."
    )


# Rows, targets, scores ---------------------------------------------------------------------------------------------


def read_rows(model: Any, X: Any, y: Any, n_targets: int | None = None) -> tuple[Table, Any]:
    """The inputs, and the targets as measures take them: labels, numbers [n, k], or None if there are no targets.

    `n_targets` is the k of a model that is being fitted.
    """
    is_class, names, preparation = hasattr(model, "classes_"), list[str](), model.preparation_
    if names_columns(y, several=not is_class and not is_nameless(X)):
        names = list(map(str, y)) if isinstance(y, list) else [str(y)]
        require_names(X, names[0])
        X = read_table(X, text=preparation.text_columns, reads={*preparation.names, *names}.__contains__)
    table = model._read(X, reset=False)
    inputs = {kind.name for kind in preparation.kinds}
    if y is None and set(known := target_columns(model, n_targets)) <= set(table.columns) - inputs:
        names = known
    if used := [name for name in names if name in inputs]:
        raise TableError(f"y names {used[0]!r}, which is one of the columns that the model predicts from.")
    if not names and y is None:
        return table, None
    if names:
        columns, table = [find_target(table, name) for name in names], table.drop(names)
        y = None if is_class else np.column_stack([numbers_of_column(column) for column in columns])
    if names and is_class:
        return table, labels_of_column(columns[0], model.classes_)
    target = labels_of(model, y) if is_class else numbers_of(y, n_targets or len(model.target_scaler_.center))
    if len(target) != table.n_rows:
        raise ValueError(f"X has {table.n_rows} rows, y has {len(target)}: each row needs a target.")
    return table, target


def labels_of(model: Any, y: Any) -> NDArray[np.int64]:
    """The labels of y; raises a `ValueError` for a class that training did not see."""
    given, classes = column_or_1d(plain_labels(y)), model.classes_.tolist()
    place = {name: label for label, name in enumerate(classes)}
    labels = np.array([place.get(name, -1) for name in given.tolist()], dtype=np.int64)
    if len(unknown := np.flatnonzero(labels < 0)):
        raise ValueError(
            f"y holds the class {given.tolist()[unknown[0]]!r} in row {unknown[0] + 1}; training did not see it. The "
            f"classes are: {join_names(list(map(str, classes)))}."
        )
    return labels


def numbers_of(y: Any, n_targets: int) -> NDArray[np.float64]:
    """The targets y of a regression, [n, k]."""
    targets = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    targets = np.asarray(targets).reshape(len(targets), -1)
    if targets.shape[1] != n_targets:
        raise ValueError(f"y has {targets.shape[1]} targets, but the model was fitted to {n_targets}.")
    return targets


def scoring_of(model: Any, name: str | None) -> tuple[Metric, Callable[[Any, Array], float]]:
    """The metric that scores predictions, and a function of targets and predictions that computes it."""
    weights: Any = 1.0
    if hasattr(model, "classes_"):
        if name not in (None, *CLASS_METRICS):
            raise ValueError(f"metric is {name!r}; allowed: {', '.join(map(repr, CLASS_METRICS))}.")
        metric = LOG_LOSS if name in (None, "log_loss") else CLASS_METRICS[name].score
        weights = weights if metric.needs_probabilities else model.decision_weights_
    elif name is not None:
        raise ValueError(f"metric is {name!r}, but a regressor has none; it is scored by {model.score_name}.")
    else:
        metric = model.goal.score
    return metric, lambda y, predicted: metric.measure(y, predicted * weights, None)


# Gradients times inputs --------------------------------------------------------------------------------------------


def contributions_of(
    model: Any, prepared: Prepared, names: Sequence[str]
) -> tuple[Array, NDArray[np.float64], NDArray[np.float64], str]:
    """Contributions [n_rows, n_columns(, n_outputs)], importances, their deviations, and the explained quantity."""
    what, cotangents, scales = directions(model, prepared)
    networks = model.ensemble_.networks
    found = np.zeros((len(networks), len(prepared.numbers), len(names), len(cotangents)))
    for own, network in zip(found, networks, strict=True):
        for j, cotangent in enumerate(cotangents):
            add_contributions(own[..., j], network, cotangent, model, prepared, names)
    mean = found.mean(axis=0)
    importance = np.mean(np.abs(mean) / scales, axis=(0, 2))
    deviation = np.mean(np.abs(found) / scales, axis=(1, 3)).std(axis=0)
    quantity = f"mean absolute contribution to {what}"
    return mean[..., 0] if len(cotangents) == 1 else mean, importance, deviation, quantity


def directions(model: Any, prepared: Prepared) -> tuple[str, list[Array], Array]:
    """The explained quantity in words and as cotangents of raw outputs, and the scale of each for importances.

    For classes it is a logit, because logits do not saturate as probabilities do.
    """
    n_outputs = model.ensemble_.networks[0].graph.n_outputs
    if hasattr(model, "classes_"):
        if model.fitted_parameter("ordered") is not False:
            return "the mean log odds of lying above a class", [np.full(n_outputs, 1 / n_outputs)], np.ones(1)
        probabilities = predictions_of(model, model.ensemble_.predict(prepared)) * model.decision_weights_
        chosen = np.eye(n_outputs)[probabilities.argmax(axis=1)]
        cotangent = (chosen - (1 - chosen) / (n_outputs - 1)) / model.ensemble_.temperature
        odds, margin = "the log odds of the predicted class", "the predicted class's logit above the mean of the others"
        return odds if n_outputs == 2 else margin, [cotangent], np.ones(1)
    units = model.target_scaler_
    scale = np.ones(n_outputs) if units.kind == "mean" else np.broadcast_to(np.array(units.scale), n_outputs)
    what = "the prediction" if units.kind == "linear" else "the logarithm of the prediction"
    if n_outputs == 1:
        return what, [scale], np.ones(1)
    unit = " in standard deviations of the target" if units.kind == "linear" else ""
    return f"{what}{unit}, mean of {n_outputs}", list(np.diag(scale)), scale


def add_contributions(
    total: Array, network: Any, cotangent: Array, model: Any, prepared: Prepared, names: Sequence[str]
) -> None:
    """Add a network's gradient times (input - mean training input) to `total` [n_rows, n_columns], input by input."""
    inputs, at = feed(prepared), parts_of(prepared)
    gradients = network.input_gradients(inputs, cotangent, at=at, raw=True)
    shares = {}
    for name, gradient in gradients.items():
        difference = input_values(network, inputs, name) - model.background_.base(network, name)
        shares[name] = gradient.astype(np.float64) * difference
    for place in column_slices(model.preparation_):
        column = names.index(place.name)
        parts = [shares[name][:, getattr(place, name)] for name in ("numbers", "indicators") if name in shares]
        parts += [shares[f"embedding{i}"] for i in range(place.codes.start, place.codes.stop)]
        parts += [shares[f"topics{i}"] for i in range(place.words.start, place.words.stop)]
        total[:, column] += sum(part.sum(axis=1) for part in parts)
