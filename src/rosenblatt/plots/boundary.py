"""A plot of the class that a model predicts at each point of a plane.

Takes a fitted classifier and rows with two columns. Returns scikit-learn's `DecisionBoundaryDisplay` with the rows
drawn on it. Never repeats what that display can do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.plots.given import classes_of, labels_among
from rosenblatt.plots.style import axes, colours, legend_above, shade

__all__ = ["plot_decision_boundary"]


@suggest_keywords
def plot_decision_boundary(model: Any, X: Any, y: Any = None, *, ax: Any = None, grid_resolution: int = 200) -> Any:
    """Draw the regions of a classifier, and the rows.

    Parameters
    ----------
    model : fitted classifier
        The model to draw. With two classes, shading shows their probabilities if the model predicts them.
    X : array or data frame of shape (n_rows, 2)
    y : array of shape (n_rows,), optional
        Labels of the rows, which set their colours.
    ax : matplotlib Axes, optional
    grid_resolution : int
        Number of points along each axis.

    Returns
    -------
    sklearn.inspection.DecisionBoundaryDisplay

    Raises
    ------
    ValueError
        If X does not have two columns, the model is not a classifier, or y has no class of the model for each row.
    NotFittedError
        If the model is not fitted.
    """
    known = classes_of("plot_decision_boundary", model, "only classifiers have regions to draw.")
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap
    from sklearn.inspection import DecisionBoundaryDisplay

    shape = np.shape(X)
    if len(shape) != 2 or shape[1] != 2:
        raise ValueError(f"X has shape {shape}; it must have two columns. Fit the model on two columns, or on a PCA")
    labels = None if y is None else labels_among(model, X, y, shape[0])
    ax = axes(ax, 5.0, 4.2)
    classes, shades = list(known), colours(len(known))
    points = np.asarray(X, float)
    if len(classes) == 2 and hasattr(model, "predict_proba"):
        shading = LinearSegmentedColormap.from_list("classes", [shades[0], shade(0.0), shades[1]])
        display = DecisionBoundaryDisplay.from_estimator(
            model, X, response_method="predict_proba", ax=ax, grid_resolution=grid_resolution, alpha=0.6,
            plot_method="contourf", cmap=shading, levels=np.linspace(0, 1, 11), vmin=0, vmax=1,
        )  # fmt: skip
        ax.figure.colorbar(display.surface_, ax=ax, label=f"probability of class {classes[1]}")
        ax.contour(display.xx0, display.xx1, display.response, levels=[0.5], colors=[shade(0.8)], linewidths=1)
    else:
        coloured = {"multiclass_colors": shades} if len(classes) > 2 else {"cmap": ListedColormap(shades)}
        display = DecisionBoundaryDisplay.from_estimator(
            model, X, response_method="predict", ax=ax, grid_resolution=grid_resolution, alpha=0.35,
            plot_method="pcolormesh", **coloured,
        )  # fmt: skip
    for i, label in enumerate(classes if labels is not None else ()):
        ax.scatter(
            *points[labels == i].T, s=18, color=shades[i], edgecolor=shade(0.0), linewidth=0.5, label=f"class {label}"
        )
    if labels is None:
        ax.scatter(*points.T, s=12, color=shade(0.7))
    else:
        legend_above(ax)
    if not hasattr(X, "columns"):
        ax.set(xlabel="column 0", ylabel="column 1")
    return display
