"""What a fitted tabular estimator says about itself: a report, explanations, learning curves.

Takes fitted estimators, and rows to explain. Returns the records of the modules beside this one. Never changes a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from rosenblatt._suggestions import suggest_in_methods, suggestion
from rosenblatt.estimators.tabular.ensemble import Ensemble
from rosenblatt.estimators.tabular.explain.background import Background
from rosenblatt.estimators.tabular.explain.contributions import ROW_METHODS, explain_rows
from rosenblatt.estimators.tabular.explain.importance import METHODS, Explanation, explain
from rosenblatt.estimators.tabular.explain.learning_curve import LearningCurve
from rosenblatt.estimators.tabular.explain.partial_dependence import PartialDependence, partial_dependence

if TYPE_CHECKING:
    from rosenblatt.report.report import Report

__all__ = ["Explainable"]


@suggest_in_methods
class Explainable:
    """The methods of tabular estimators that explain."""

    ensemble_: Ensemble
    background_: Background

    def report(
        self, X: Any = None, y: Any = None, *, sample_weight: Any = None, training: Any = None, others: Any = None
    ) -> Report:
        """What the model knows, how good it is, and what to check.

        ``print`` shows a text: the out-of-fold score, the treatment of each column, the training of the members. In a
        notebook the same is a page; ``save("report.html")`` writes it into one file, ``to_markdown()`` and
        ``to_dict()`` give it to a ticket or a program.

        Without rows it says what the model knows by itself. With labelled rows it adds scores with their intervals,
        beside those of a linear model, and everything that needs rows: thresholds, calibration, the worst rows.

        Parameters
        ----------
        X : table, as in `fit`, optional
            Labelled rows. If they are the rows that the model was trained on, in the same order, the out-of-fold
            predictions score them; other rows are held-out ones, which the model predicts. Rows without a target are
            left out where `fit` left out such rows, too.
        y : array-like of shape (n_rows,) or (n_rows, n_targets), or name, optional
            Their targets, or the name of the column of X that holds them. It may be left out if X has the column that
            `fit` learned to predict.
        sample_weight : array-like of shape (n_rows,) or name, optional
            Weights of the rows of X, or the name of the column of X that holds them.
        training : table or (X, y), optional
            The training rows, if X are others. Then held-out rows have a linear model beside them, and leaks, copies
            and drift of the last training rows are looked for.
        others : mapping of str to fitted estimator or to predictions, optional
            Other models for the table of scores. An estimator predicts X, without the target where that is a column
            of a data frame. Predictions are probabilities of shape (n_rows, n_classes) in the order of ``classes_``,
            classes of shape (n_rows,), or numbers.

        Returns
        -------
        Report

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        TypeError, ValueError
            If X has no targets or lacks columns, targets or weights do not fit, or one of `others` does not.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from rosenblatt import TabularClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = TabularClassifier("fast").fit(X, y)
        >>> report = model.report(X, y)
        >>> report.rows.what, sorted(report.to_dict())[:3]
        ('out of fold', ['calibration', 'checks', 'classes'])
        """
        from rosenblatt.report.report import make_report

        return make_report(self, X, y, sample_weight=sample_weight, training=training, others=others)

    def explain(
        self,
        X: Any,
        y: Any = None,
        *,
        method: str = "permutation",
        metric: str | None = None,
        n_repeats: int | None = None,
        n_rows: int | None = None,
        random_state: Any = 0,
    ) -> Explanation:
        """How much each raw column matters to the model, or what it contributes to single predictions.

        "permutation" shuffles one column at a time among the rows and measures how much worse the score becomes
        (Breiman 2001). "gradient" sums, over a column's network inputs, the derivative of the output times the input's
        difference from its mean over the training rows, which the model keeps. This is a first-order estimate of the
        column's contribution to each row, which is exact for a linear model, averaged over the networks. For two
        classes it explains the calibrated log odds of the predicted class, and for more classes its logit above the
        mean of the others. For ordered classes it explains the mean log odds of lying above a class as the networks
        give them, before calibration, and for regression the prediction, or its logarithm if that was learned.

        "integrated_gradients" and "shapley" explain single rows: contributions of the columns that add up to the row's
        prediction minus that for the mean training row (the baseline), and are checked to do so. Between the two, a
        column that is still at the baseline has the mean of what networks read of it: the mean number, the mean of the
        levels' embeddings. So a row's contributions do not depend on other rows. Integrated gradients (Sundararajan et
        al. 2017) add up the derivatives on the straight way from the mean training row; the number of steps is doubled
        until the sum misses by less than 0.1 % of the absolute contributions, or 1,024 steps are taken. Shapley values
        are the means, over all orders in which columns change from the baseline to the row's values, of what each
        changes: exact for at most 8 used columns, else from random orders, with standard errors. Explained are for
        classes the log odds of the predicted class (for ordered classes the mean log odds of lying above a class) by
        the probabilities of ``predict_proba``, and for regression the prediction itself.

        All describe what the model does with these rows, not causes. Columns with the same information share its
        importance. Rows that were not trained on show what generalizes.

        Parameters
        ----------
        X : table, as in `fit`
            One row is enough, except for "permutation".
        y : array-like of shape (n_rows,) or (n_rows, n_targets), or str, optional
            Targets, or the name of the column of X that holds them. Only "permutation" needs them; they may be left out
            if X has the column that `fit` learned to predict.
        method : {"permutation", "gradient", "integrated_gradients", "shapley"}
        metric : {"log_loss", "error", "balanced_error", "f1", "auc"}, optional
            Metric that scores a classification. The default "log_loss" also notices changes that flip no class. For
            regression it is that of ``score_``, usually R2. The methods for single rows have no score.
        n_repeats : int, optional
            How often each column is shuffled, by default 5. For "shapley" the number of random orders, each of which is
            used forwards and backwards, by default 25.
        n_rows : int, optional
            Largest number of rows, by default 2000, and 200 for the methods for single rows. If X has more, so many are
            drawn.
        random_state : int, RandomState instance or None
            Source of the rows, shuffles and orders.

        Returns
        -------
        Explanation or RowExplanation
            Columns with their importance, in the order of the training table. ``print`` shows a table with the most
            important first, and notes if half of the rows or more equal rows that the model was trained on. The methods
            for single rows add ``contributions``, ``baseline``, ``predictions`` and ``error``; for one row ``print``
            shows these.

        Raises
        ------
        ValueError
            If y is missing, has another length or an unknown class, or a parameter is not allowed.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from rosenblatt import TabularClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> model = TabularClassifier("fast").fit(X, y)
        >>> sorted(model.explain(X, y).ranked[:2])
        ['petal length (cm)', 'petal width (cm)']
        """
        check_is_fitted(self, "ensemble_")
        if method in ROW_METHODS:
            if metric is not None:
                raise ValueError(f"metric is {metric!r}, but method={method!r} has no score: leave metric out.")
            return explain_rows(self, X, y, method, n_repeats, n_rows, random_state)
        if method not in METHODS:
            raise ValueError(f"method is {method!r}.{suggestion(str(method), (*METHODS, *ROW_METHODS), 'methods')}")
        return explain(self, X, y, method, metric, n_repeats, n_rows, random_state)

    def partial_dependence(
        self,
        X: Any,
        column: str | int,
        *,
        grid: Any = None,
        n_grid: int = 20,
        n_rows: int = 1000,
        random_state: Any = 0,
    ) -> PartialDependence:
        """The mean prediction over rows if one column had the same value in all of them (Friedman 2001).

        Parameters
        ----------
        X : table, as in `fit`, which needs no target
        column : str or int
            Name of the column, or its number from 0.
        grid : sequence, optional
            Values in the column's own units. The default is quantiles from 5 % to 95 % for numbers and dates, and the
            most frequent levels for categories.
        n_grid : int
            Largest number of values in the default grid.
        n_rows : int
            Largest number of rows. If X has more, so many are drawn.
        random_state : int, RandomState instance or None
            Source of the rows.

        Returns
        -------
        PartialDependence
            Means and standard deviations over the rows, of probabilities or of predictions in the target's units.

        Raises
        ------
        ValueError
            If the column is unknown or the model leaves it out, or if a value of the grid is not of its kind.
        """
        check_is_fitted(self, "ensemble_")
        return partial_dependence(self, X, column, grid, n_grid, n_rows, random_state)

    def learning_curve(self) -> LearningCurve:
        """Training loss and held-out metric of each network after each epoch."""
        check_is_fitted(self, "ensemble_")
        return LearningCurve.of(self.ensemble_.members)
