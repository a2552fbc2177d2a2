"""Columns beside those of training: the population stability index, and what predictions warn of."""

import warnings

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn import datasets

from rosenblatt.tables.drift import MAX_CHECKED, MIN_CELLS, population_stability_index, spread_rows, thinned
from rosenblatt.tables.kinds import infer_kinds
from rosenblatt.tables.preparation import PreparedBlocks, fit_preparation
from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.table import TableError, TableWarning

RNG = np.random.default_rng(0)
N = 400
COLUMNS = {
    "number": RNG.normal(size=N),
    "level": RNG.choice(["a", "b", "c"], N),
    "date": np.datetime64("2024-01-01") + RNG.integers(0, 300, N),
    "flag": RNG.random(N) < 0.5,
}


def fit(columns, **kinds):
    table = read_table(columns)
    return fit_preparation(table, infer_kinds(table, kinds))


def heard(preparation, columns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        preparation.transform(read_table(columns))
    assert all(warning.category is TableWarning for warning in caught)
    return [str(warning.message) for warning in caught]


@pytest.fixture(name="preparation", scope="module")
def _preparation():
    return fit(COLUMNS)


def test_the_index_is_the_symmetric_divergence_of_smoothed_shares():
    training, now = np.array([100, 50, 0, 7, 0]), np.array([10, 20, 5, 0, 0])
    p, q = training[:4] + 0.5, now[:4] + 0.5
    assert population_stability_index(training, now) == pytest.approx(entropy(p, q) + entropy(q, p))
    assert population_stability_index(training, training) == 0


def test_the_index_of_a_column_by_numpy():
    x, new = RNG.normal(size=1000), np.r_[RNG.normal(0.3, 1, 450), [np.nan] * 50]
    (found,) = fit({"x": x}).compare(read_table({"x": new}))
    edges = np.r_[-np.inf, np.quantile(x, np.arange(1, 10) / 10), np.inf]
    p, q = (np.r_[np.histogram(v[~np.isnan(v)], edges)[0], np.isnan(v).sum()] + 0.5 for v in (x, new))
    p, q = p / p.sum(), q / q.sum()
    assert found.psi == pytest.approx(np.sum((q - p) * np.log(q / p)))
    assert found.missing == 0.1
    assert found.missing_in_training == 0


def test_samples_of_one_distribution_stay_below_chance_in_19_of_20_cases():
    pairs = [(RNG.normal(size=500), RNG.normal(size=200)) for _ in range(400)]
    found = [fit({"x": x}).compare(read_table({"x": new}))[0] for x, new in pairs]
    assert np.mean([one.psi > one.psi_by_chance for one in found]) == pytest.approx(0.05, abs=0.035)


def test_equal_shares_have_an_index_of_zero():
    preparation = fit({"x": [2.0] * 20 + [None] * 20}, x="numeric")
    (found,) = preparation.compare(read_table({"x": [2.0, None]}))
    assert (found.psi, found.missing, found.missing_in_training) == (pytest.approx(0, abs=1e-3), 0.5, 0.5)
    (found,) = fit({"x": [True] * 30 + [False] * 30}).compare(read_table({"x": [True, False]}))
    assert found.psi == pytest.approx(0)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        (
            "number",
            np.full(N, 9.5),
            "100% of the cells lie outside the training range, -.* to .*, such as 9.5 in row 1",
        ),
        ("level", ["zz"] * (N - 100) + ["a"] * 100, "75% of the cells hold levels that training never saw, .*'zz'"),
        ("date", COLUMNS["date"] + 300, "lie outside the training range, 2024-01-01 to 2024-10-26, such as 20"),
        ("number", np.full(N, np.nan), "100% of the cells are missing, but only 0% were in training"),
        ("flag", [None] * 300 + [True] * 100, "75% of the cells are missing"),
    ],
)
def test_predictions_warn_of_a_column_whose_cells_are_mostly_unlike_those_of_training(
    preparation, column, values, words
):
    with pytest.warns(TableWarning, match=f"column '{column}': .*{words}") as caught:
        preparation.transform(read_table({**COLUMNS, column: values}))
    assert len(caught) == 1
    assert str(caught[0].message).count("column '") == 1


def test_all_columns_are_in_one_warning(preparation):
    (message,) = heard(preparation, {**COLUMNS, "number": np.full(N, 99.0), "level": ["new"] * N})
    assert message.index("column 'number'") < message.index("column 'level'")


def test_a_column_of_another_kind_has_one_sentence(preparation):
    (message,) = heard(preparation, {**COLUMNS, "number": ["high"] * N})
    assert message.count("column '") == 1
    assert "count as missing" in message


@pytest.mark.parametrize("n", [1, MIN_CELLS - 1])
def test_a_few_odd_rows_bring_no_warning(preparation, n):
    odd = {"number": [1e6] * n, "level": ["new"] * n, "date": [np.datetime64("1999-01-01")] * n, "flag": [None] * n}
    assert not heard(preparation, odd)


def test_few_training_rows_bring_no_warning():
    assert not heard(fit({"x": np.arange(MIN_CELLS - 1.0) / 3}), {"x": np.full(100, 1e6)})
    assert heard(fit({"x": np.arange(float(MIN_CELLS)) / 3}), {"x": np.full(100, 1e6)})
    few = np.r_[np.arange(MIN_CELLS - 1.0) / 3, np.full(MIN_CELLS, np.nan)]
    assert not heard(fit({"x": few}), {"x": np.full(100, 1e6)})
    assert not heard(fit({"x": np.arange(9.0) / 3}), {"x": np.full(100, np.nan)})


def test_few_cells_that_are_present_bring_no_warning():
    preparation = fit({"x": np.r_[np.arange(30.0) / 3, np.full(30, np.nan)]})
    for n in (MIN_CELLS - 1, MIN_CELLS):
        assert len(heard(preparation, {"x": np.r_[np.full(n, 99.0), np.full(n, np.nan)]})) == (n == MIN_CELLS)


def test_levels_that_occur_once_in_training_let_new_ones_be_expected():
    preparation = fit({"name": [f"n{i}" for i in range(60)] + [f"often{i % 9}" for i in range(60)]}, name="categorical")
    new = [f"new{i}" for i in range(74)] + ["often1"] * 26
    assert not heard(preparation, {"name": new})  # half are expected, so that three quarters are too many
    assert heard(preparation, {"name": [f"new{i}" for i in range(77)] + ["often1"] * 23})


def test_of_many_rows_some_are_looked_at(preparation):
    n = 5 * MAX_CHECKED
    many = {name: np.resize(values, n) for name, values in COLUMNS.items()}
    (message,) = heard(preparation, {**many, "level": np.repeat(["new", "a"], [n * 3 // 5, n - n * 3 // 5])})
    assert "60% of the cells in 1,000 rows of 5,000 hold levels" in message
    assert "such as 'new' in row " in message


def test_levels_that_are_left_out_are_dropped():
    column = read_table({"c": ["a", None, "b", "c", "b", None]})["c"]
    found = thinned(column, np.array([2, 4, 5]))
    assert (found.levels, found.values.tolist(), found.rows.tolist()) == (("b",), [0, 0, -1], [2, 4, 5])


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_random_splits_bring_no_warning(name):
    X = getattr(datasets, f"load_{name}")().data
    X = X[np.random.default_rng(0).permutation(len(X))][:, :30]
    for n_training, n_new in ((len(X) // 2, len(X) - len(X) // 2), (30, 30), (100, 20)):
        preparation = fit({f"x{i}": column for i, column in enumerate(X[:n_training].T)})
        assert not heard(preparation, {f"x{i}": column for i, column in enumerate(X[-n_new:].T)})


def test_a_table_without_rows_or_columns_is_refused(preparation):
    empty = {name: np.asarray(values)[:0] for name, values in COLUMNS.items()}
    with pytest.raises(TableError, match="no rows"):
        preparation.compare(read_table(empty))
    with pytest.raises(TableError, match="no column 'number'"):
        preparation.compare(read_table(COLUMNS).drop(["number"]))


def test_rows_that_are_looked_at_do_not_all_come_from_the_same_hour():
    rows = spread_rows(24 * MAX_CHECKED)
    assert len(rows) == MAX_CHECKED
    assert (rows // 24 == np.arange(MAX_CHECKED)).all()
    assert np.bincount(rows % 24, minlength=24).min() > 20


def blocks(columns, *cuts):
    table = read_table(columns)
    ends = [0, *cuts, table.n_rows]
    return [table.take(np.arange(a, b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]


def heard_in_blocks(preparation, columns, *cuts):
    parts = blocks(columns, *cuts)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = PreparedBlocks(preparation, sum(part.n_rows for part in parts))
        prepared = [rows.transform(part) for part in parts]
        assert caught == []
        rows.warn()
    return [str(warning.message) for warning in caught], prepared


def test_blocks_of_a_table_bring_the_warning_of_the_whole(preparation):
    n = 5 * MAX_CHECKED
    many = {name: np.resize(values, n) for name, values in COLUMNS.items()}
    number = np.where(np.arange(n) % 7 == 3, "none", "2").astype(object)
    level = np.array([f"new{i % 50}" if i % 5 < 3 else "a" for i in range(n)])
    odd = {**many, "number": number, "level": level, "date": np.full(n, "2099-01-01")}
    whole = heard(preparation, odd)
    assert len(whole) == 1
    assert f"{(number == 'none').sum()} cells of another kind count as missing" in whole[0]
    for cuts in ((n // 2,), (1, 2, 3), (MAX_CHECKED, n - 1), range(64, n, 64)):
        found, prepared = heard_in_blocks(preparation, odd, *cuts)
        assert found == whole
        together = preparation_of(preparation, odd)
        for part in ("numbers", "indicators", "codes"):
            assert np.array_equal(np.concatenate([getattr(p, part) for p in prepared]), getattr(together, part))


def preparation_of(preparation, columns):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return preparation.transform(read_table(columns))


def test_what_is_odd_in_one_block_alone_is_not_odd_in_the_whole(preparation):
    n = 4 * MAX_CHECKED
    many = {name: np.resize(values, n) for name, values in COLUMNS.items()}
    level = many["level"].copy()
    level[: n // 4] = "z"
    columns = {**many, "level": level}
    assert heard(preparation, {name: values[: n // 4] for name, values in columns.items()})
    assert heard_in_blocks(preparation, columns, n // 4, n // 2)[0] == heard(preparation, columns) == []


def test_small_blocks_of_a_small_table_are_looked_at_together(preparation):
    odd = {**COLUMNS, "level": ["new"] * N}
    assert heard_in_blocks(preparation, odd, *range(5, N, 5))[0] == heard(preparation, odd) != []
