"""Explanations that are asked for in the wrong words: methods, rows, targets, columns and counts."""

import numpy as np
import pytest

from rosenblatt import TabularClassifier, TabularRegressor, plots

RNG = np.random.default_rng(0)
X = {"size": RNG.normal(size=60), "colour": RNG.choice(["red", "green"], 60), "place": np.arange(60.0)}
VALUE = X["size"] + (X["colour"] == "red")
ROWS = ("integrated_gradients", "shapley")
ALL = ("permutation", "gradient", *ROWS)


@pytest.fixture(scope="module")
def models():
    classifier = TabularClassifier("fast", max_iter=2).fit(X, np.where(VALUE > 0.5, "yes", "no"))
    return classifier, TabularRegressor("fast", max_iter=2).fit(X, VALUE)


def without(name):
    return {column: values for column, values in X.items() if column != name}


SITUATIONS = [
    (
        "a misspelt method",
        {"method": "shaply"},
        ("permutation",),
        r"'shaply'\. Did you mean 'shapley'\? The methods are",
    ),
    ("a method of another type", {"method": None}, ("permutation",), "method is None.*The methods are: 'permutation'"),
    ("no rows at a time", {"n_rows": 0}, ALL, "n_rows is 0; it must be a positive integer"),
    ("half a row", {"n_rows": 2.5}, ALL, "n_rows is 2.5; it must be a positive integer"),
    ("no repeats", {"n_repeats": 0}, ALL, "n_repeats is 0; it must be a positive integer"),
    ("repeats in words", {"n_repeats": "5"}, ALL, "n_repeats is '5'; it must be a positive integer"),
    ("a table without a column", {"X": without("colour")}, ALL, "the table has no column 'colour'"),
    ("a table without rows", {"X": {name: v[:0] for name, v in X.items()}}, ALL, "the table has no rows"),
    ("targets of another length", {"y": 59}, ALL, "X has 60 rows, y has 59"),
    ("no targets", {"y": None}, ("permutation",), "method='permutation' needs y"),
    ("a target that is an input", {"y": "size"}, ALL, "y names 'size', which is one of the columns"),
    ("a target that is nowhere", {"y": "price"}, ALL, "there is no target column 'price'"),
    (
        "a score of rows",
        {"metric": "f1"},
        ROWS,
        "metric is 'f1', but method='(shapley|integrated_gradients)' has no sc",
    ),
]


@pytest.mark.parametrize(
    ("change", "method", "message"),
    [
        pytest.param(change, method, message, id=f"{name}-{method}")
        for name, change, methods, message in SITUATIONS
        for method in methods
    ],
)
def test_it_is_refused(models, change, method, message):
    for model in models:
        y = model.predict(X)
        given = {"X": X, "y": y, "method": method, **change}
        if isinstance(given["y"], int):
            given["y"] = y[: given["y"]]
        given["y"] = None if len(given["X"]["size"]) == 0 else given["y"]
        with pytest.raises(ValueError, match=message):
            model.explain(given.pop("X"), given.pop("y"), **given)


def test_an_unknown_keyword_gets_the_nearest(models):
    for model in models:
        with pytest.raises(TypeError, match=r"no parameter 'n_row'\. Did you mean 'n_rows'\?"):
            model.explain(X, method="shapley", n_row=3)


@pytest.mark.parametrize("method", ROWS)
def test_one_row_works_in_every_form(models, method):
    for model in models:
        found = [
            model.explain(row, method=method)
            for row in ({name: v[:1] for name, v in X.items()}, {name: v[0] for name, v in X.items()})
        ]
        assert np.array_equal(found[0].contributions, found[1].contributions)
        assert np.array_equal(found[0].rows, [0])
        for row in (1, -1, 0.5, "0", None):
            with pytest.raises(ValueError, match=f"row is {row!r}"):
                found[0].row_table(row)
            with pytest.raises(ValueError, match=f"row is {row!r}"):
                plots.plot_contributions(found[0], row)
