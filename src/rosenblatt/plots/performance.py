"""Pictures of how good predictions are, by scikit-learn's own displays: of classes, and of numbers.

Takes a fitted estimator, rows and their targets. Returns scikit-learn's displays. Never repeats what these can do: it
adds several classes where they have none, names of classes, and colours that show on light and dark.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.estimators.tabular.explain.output_names import output_names
from rosenblatt.plots.given import chosen_output, classes_of, labels_among, numbers_for, require_estimator
from rosenblatt.plots.style import (
    COLOURS,
    SMALLEST,
    axes,
    colours,
    height_of,
    label_categories,
    label_left,
    legend_above,
    legend_name,
    shade,
    shortened,
    width_of,
)

__all__ = [
    *("plot_calibration", "plot_confusion", "plot_precision_recall", "plot_predictions", "plot_residuals", "plot_roc"),
]

Array = NDArray[Any]
SIZE = (4.4, 4.2)


@suggest_keywords
def plot_roc(model: Any, X: Any, y: Any, *, ax: Any = None) -> Any:
    """Draw receiver operating characteristics: for more than two classes one curve for each class against the others.

    Parameters
    ----------
    model : fitted classifier with ``predict_proba``
    X : rows, as the model takes them
    y : array-like of shape (n_rows,), or str
        Their labels; for tabular estimators also the name of the column of X that holds them. With two classes, the
        second of ``classes_`` is the positive one.
    ax : matplotlib Axes, optional

    Returns
    -------
    sklearn.metrics.RocCurveDisplay

    Raises
    ------
    TypeError
        If the model is not an estimator.
    ValueError
        If the model has no probabilities, y has no label for each row, holds a class that the model does not know, or
        one class only.
    """
    from sklearn.metrics import RocCurveDisplay, roc_auc_score, roc_curve

    names, one_of, probabilities = scored_classes("plot_roc", model, X, y)
    curves = [roc_curve(is_one, p)[:2] for is_one, p in zip(one_of, probabilities, strict=True)]
    areas = [roc_auc_score(is_one, p) for is_one, p in zip(one_of, probabilities, strict=True)]
    fpr, tpr = (list(parts) for parts in zip(*curves, strict=True))
    display = RocCurveDisplay(fpr=fpr, tpr=tpr, roc_auc=areas, name=names)
    chance = {"color": shade(0.5), "label": "chance"}
    display.plot(axes(ax, *SIZE), curve_kwargs=lines_for(names), plot_chance_level=True, chance_level_kw=chance)
    display.ax_.set_xlabel("false positive rate")
    label_left(display.ax_, "true positive rate", 0.4)
    return with_legend(display)


@suggest_keywords
def plot_precision_recall(model: Any, X: Any, y: Any, *, ax: Any = None) -> Any:
    """Draw precision over recall: for more than two classes one curve for each class against the others.

    Parameters
    ----------
    model, X, y, ax
        As for `plot_roc`.

    Returns
    -------
    sklearn.metrics.PrecisionRecallDisplay

    Raises
    ------
    ValueError
        As for `plot_roc`.
    """
    from sklearn.metrics import PrecisionRecallDisplay, average_precision_score, precision_recall_curve

    names, one_of, probabilities = scored_classes("plot_precision_recall", model, X, y)
    pairs = list(zip(one_of, probabilities, strict=True))
    precision, recall = (
        list(part) for part in zip(*(precision_recall_curve(*pair)[:2] for pair in pairs), strict=True)
    )
    means = [average_precision_score(*pair) for pair in pairs]
    display = PrecisionRecallDisplay(precision, recall, average_precision=means, name=names)
    display.plot(axes(ax, *SIZE), curve_kwargs=lines_for(names))
    display.ax_.set(xlabel="recall", ylabel="precision")
    return with_legend(display)


@suggest_keywords
def plot_calibration(model: Any, X: Any, y: Any, *, n_bins: int = 10, ax: Any = None) -> Any:
    """Draw how often rows with a predicted probability are of the class.

    Parameters
    ----------
    model, X, y
        As for `plot_roc`. With two classes, the probability is that of the second one. With more, it is that of the
        predicted class, and the share of rows is that of correct predictions (Guo et al. 2017, arXiv:1706.04599).
    n_bins : int
        Number of groups of rows, which are equally large.
    ax
        As for `plot_roc`.

    Returns
    -------
    sklearn.calibration.CalibrationDisplay

    Raises
    ------
    ValueError
        As for `plot_roc`.
    """
    from sklearn.calibration import CalibrationDisplay

    classes, labels, probabilities = scored_rows("plot_calibration", model, X, y)
    if len(classes) == 2:
        is_right, p, name = labels == 1, probabilities[:, 1], shortened(str(classes[1]))
        where, what = f"probability of class {name}", f"share of class {name}"
    else:
        is_right, p = labels == probabilities.argmax(axis=1), probabilities.max(axis=1)
        where, what = "probability of the predicted class", "share of correct predictions"
    ax = axes(ax, *SIZE)
    ax.plot([0, 1], [0, 1], ":", color=shade(0.5), label="perfectly calibrated")
    display = CalibrationDisplay.from_predictions(
        is_right, p, n_bins=n_bins, strategy="quantile", ax=ax, ref_line=False, color=COLOURS[0], name="model"
    )
    ax.set(xlabel=where, ylabel=what)
    return with_legend(display)


@suggest_keywords
def plot_confusion(model: Any, X: Any, y: Any, *, normalize: str | None = None, ax: Any = None) -> Any:
    """Draw how many rows of each class are predicted to be of each class.

    Parameters
    ----------
    model : fitted classifier
    X, y
        As for `plot_roc`.
    normalize : {"true", "pred", "all"}, optional
        Draw shares of the rows of each true class, of each predicted class, or of all, instead of numbers.
    ax
        As for `plot_roc`.

    Returns
    -------
    sklearn.metrics.ConfusionMatrixDisplay

    Raises
    ------
    ValueError
        If the model is not a classifier, or y holds a class that it does not know.
    """
    from sklearn.metrics import ConfusionMatrixDisplay

    classes = classes_of("plot_confusion", model)
    predicted = model.predict(X)
    labels, n = labels_among(model, X, y, len(predicted)), len(classes)
    ax = axes(ax, 2.2 + 0.42 * n, 1.6 + 0.42 * n)
    letters = len(str(len(predicted))) if normalize is None else 4
    size = 72 * 0.6 * min(width_of(ax), height_of(ax)) / n / (0.65 * letters + 0.5)  # of digits that fill a cell
    display = ConfusionMatrixDisplay.from_predictions(
        classes[labels], predicted, labels=classes, normalize=normalize, ax=ax, cmap="Blues", colorbar=False,
        text_kw={"fontsize": min(9.0, size)}, include_values=size >= SMALLEST,
        values_format=None if normalize is None else ".2f",
    )  # fmt: skip
    side = 0.45 * min(width_of(ax), height_of(ax))
    for axis, length in (("x", width_of(ax)), ("y", height_of(ax))):
        label_categories(ax, classes, axis, share=side / length)
    ax.set(xlabel="predicted class", ylabel="true class")
    return display


@suggest_keywords
def plot_residuals(model: Any, X: Any, y: Any, *, output: int | None = None, ax: Any = None) -> Any:
    """Draw true minus predicted numbers over the predicted ones.

    Parameters
    ----------
    model : fitted regressor
    X : rows, as the model takes them
    y : array-like of shape (n_rows,) or (n_rows, n_targets), or str
        Their targets; for tabular estimators also the name of the column of X that holds them (a list for several).
    output : int, optional
        Number of the output, from 0, if the model predicts several.
    ax : matplotlib Axes, optional

    Returns
    -------
    sklearn.metrics.PredictionErrorDisplay
        At most 1,000 rows are drawn.

    Raises
    ------
    TypeError
        If the model is not an estimator.
    ValueError
        If the model predicts several outputs and none is chosen, there is no such output, or y has no finite number for
        each row.
    """
    return prediction_errors(model, X, y, "plot_residuals", "true - predicted", output, ax)


@suggest_keywords
def plot_predictions(model: Any, X: Any, y: Any, *, output: int | None = None, ax: Any = None) -> Any:
    """Draw true numbers over predicted ones.

    Parameters
    ----------
    model, X, y, output, ax
        As for `plot_residuals`.

    Returns
    -------
    sklearn.metrics.PredictionErrorDisplay
        At most 1,000 rows are drawn.

    Raises
    ------
    TypeError
        If the model is not an estimator.
    ValueError
        If the model predicts several outputs and none is chosen, there is no such output, or y has no finite number for
        each row.
    """
    return prediction_errors(model, X, y, "plot_predictions", "true", output, ax)


def prediction_errors(model: Any, X: Any, y: Any, plot: str, label: str, output: int | None, ax: Any) -> Any:
    """scikit-learn's picture of errors, of the kind that the plot shows."""
    require_estimator(plot, model)
    from matplotlib.ticker import MaxNLocator
    from sklearn.metrics import PredictionErrorDisplay

    if hasattr(model, "classes_"):
        raise ValueError(f"{type(model).__name__} predicts classes: draw plot_confusion, or plot_roc.")
    predicted = np.asarray(model.predict(X))
    true, predicted = numbers_for(model, X, y, len(predicted)), predicted.reshape(len(predicted), -1)
    at, n_targets = chosen_output(output, predicted.shape[1]), true.shape[1]
    if n_targets not in (1, predicted.shape[1]):
        raise ValueError(f"y has {n_targets} targets, but the model predicts {predicted.shape[1]}.")
    true, predicted = true[:, min(at, n_targets - 1)], predicted[:, at]
    kind = "residual_vs_predicted" if plot == "plot_residuals" else "actual_vs_predicted"
    display = PredictionErrorDisplay.from_predictions(
        true, predicted, kind=kind, subsample=1000, random_state=0, ax=axes(ax, *SIZE),
        scatter_kwargs={"color": COLOURS[0], "s": 14, "alpha": 0.6}, line_kwargs={"color": shade(0.6)},
    )  # fmt: skip
    true_name, predicted_name = (f" {shortened(name)}" if name else "" for name in names_of(model, at))
    display.ax_.set(xlabel=f"predicted{predicted_name}", ylabel=f"{label}{true_name}")
    for axis in (display.ax_.xaxis, display.ax_.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    return display


def names_of(model: Any, output: int) -> tuple[str, str]:
    """The name of the target of an output, and that of the output, of a tabular estimator; else nothing."""
    if not hasattr(model, "preparation_"):
        return "", ""
    names, target = output_names(model), str(model.target_name_ or "")
    if len(names) == 1:
        return target, target
    if ", ".join(names) == target:
        return names[output], names[output]
    return target, ", ".join(filter(None, (target, names[output])))


def scored_rows(plot: str, model: Any, X: Any, y: Any) -> tuple[Array, NDArray[np.int64], Array]:
    """The classes, the number of each row's class, and the predicted probabilities [n_rows, n_classes]."""
    classes = classes_of(plot, model)
    if not hasattr(model, "predict_proba"):
        raise ValueError(f"{type(model).__name__} has no predict_proba, which this picture needs.")
    probabilities = np.asarray(model.predict_proba(X))
    labels = labels_among(model, X, y, len(probabilities))
    if len(present := np.unique(labels)) < 2:
        raise ValueError(f"y holds {str(classes[present[0]])!r} only; rows of at least two classes are needed.")
    return classes, labels, probabilities


def scored_classes(plot: str, model: Any, X: Any, y: Any) -> tuple[list[str], list[Array], list[Array]]:
    """Names of the positive classes that y has, whether each row is of them, and their predicted probabilities."""
    classes, labels, probabilities = scored_rows(plot, model, X, y)
    chosen = [1] if len(classes) == 2 else np.unique(labels).tolist()
    names = [legend_name(str(classes[k])) for k in chosen]
    return names, [labels == k for k in chosen], [probabilities[:, k] for k in chosen]


def lines_for(names: list[str]) -> list[dict[str, Any]]:
    """How the curve of each class is drawn."""
    return [{"color": colour, "alpha": 1.0, "linestyle": "-"} for colour in colours(len(names))]


def with_legend(display: Any) -> Any:
    """The display with a legend that hides no curve."""
    legend_above(display.ax_)
    return display
