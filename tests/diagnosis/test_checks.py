"""What the checks find in tables that are made for them, and that they find nothing in good ones."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.model_selection import KFold

import rosenblatt
from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.diagnosis.checks import CHECKS
from rosenblatt.tables.table import TableWarning

QUICK = {"preset": "fast", "max_iter": 8, "hidden_layer_sizes": (16,)}


def table_of(n=400, noise=0.3, seed=0):
    """Three columns, of which two say what the class is."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, n))
    kind = rng.choice(["x", "y", "z"], n)
    y = np.where(a + b + noise * rng.normal(size=n) > 0, "yes", "no")
    return {"a": a, "b": b, "c": c, "kind": kind}, y


def codes(report):
    return [check.code for check in report.checks]


@pytest.fixture(scope="module")
def good():
    X, y = table_of()
    return TabularClassifier(**QUICK).fit(X, y), X, y


def test_a_good_table_has_nothing_to_check(good):
    model, X, y = good
    assert codes(model.report()) == codes(model.report(X, y)) == []
    later = table_of(seed=1)
    assert codes(model.report(*later)) == codes(model.report(*later, training=(X, y))) == []


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes, load_digits])
def test_toy_tables_give_no_warning(load):
    X, y = load(return_X_y=True, as_frame=True)
    kind, epochs = (TabularRegressor, 30) if load is load_diabetes else (TabularClassifier, 12)
    model = kind(preset="fast", max_iter=epochs).fit(X, y)
    assert [check for check in model.report(X, y).checks if check.severity == "warning"] == []


def test_a_column_that_is_the_target_leaks():
    X, y = table_of()
    X |= {"copy": np.where(y == "yes", 3.0, 5.0)}
    with pytest.warns(TableWarning, match="by itself"):
        model = TabularClassifier(**QUICK).fit(X, y)
    for report in (model.report(), model.report(X, y)):  # once, and not as a doubtful reading too
        (check,) = report.checks
        assert (check.code, check.severity) == ("leak", "warning")
        assert check.message == "column 'copy': by itself it predicts the class of 100.0% of rows."
        assert "ignore=['copy']" in check.remedy


def test_noise_is_no_better_than_the_guess():
    X, y = table_of()
    noise = np.random.default_rng(1).normal(size=400)
    assert "no-better-than-the-guess" in codes(TabularRegressor(**QUICK | {"max_iter": 2}).fit(X, noise).report())
    model = TabularClassifier(**QUICK).fit(X, y)
    other = np.where(y == "yes", "no", "yes")
    assert {"no-better-than-the-guess", "below-out-of-fold"} <= set(
        codes(model.report(X | {"a": X["a"] + 1e-9}, other))
    )


def test_a_network_that_hardly_learned_is_worse_than_a_linear_model():
    X, y = table_of()
    model = TabularClassifier(**QUICK | {"max_iter": 1, "learning_rate_init": 1e-6}).fit(X, y)
    (check,) = (check for check in model.report(X, y).checks if check.code == "underfitting")
    assert "LogisticRegression" in check.message


def test_a_held_out_metric_that_rises_is_overfitting():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    (check,) = TabularRegressor("fast").fit(X, y).report().checks
    assert (check.code, check.severity) == ("overfitting", "note")


def test_training_rows_known_by_heart_are_overfitting():
    rng = np.random.default_rng(1)
    X = {f"x{i}": rng.normal(size=200) for i in range(20)}
    y = rng.choice(["no", "yes"], 200)
    settings = {"dropout": 0.0, "weight_decay": 0.0, "max_iter": 40}
    model = TabularClassifier("fast", **settings).fit(X, y, X_val={k: v[:40] for k, v in X.items()}, y_val=y[:40])
    fresh = {name: rng.normal(size=300) for name in X}, rng.choice(["no", "yes"], 300)
    found = [c for c in model.report(*fresh, training=(X, y)).checks if c.code == "overfitting"]
    assert [check.severity for check in found] == ["warning"]
    assert re.search(r"0\.\d\d on training rows but [01]\.\d\d on others", found[0].message)


def test_copies_are_counted(good):
    X, y = table_of(200)
    rows = np.r_[np.arange(200), np.arange(40)]
    doubled = {name: values[rows] for name, values in X.items()}
    (check,) = (c for c in TabularClassifier(**QUICK).fit(doubled, y[rows]).report().checks)
    assert (check.code, check.severity) == ("copied-rows", "note")
    assert "40 of 240" in check.message
    split = TabularClassifier(**QUICK | {"cv": KFold(2)}).fit(doubled, y[rows])
    assert split.divides_copies_
    assert ("copied-rows", "warning") in [(c.code, c.severity) for c in split.report().checks]


def test_training_rows_that_are_given_as_held_out_ones_are_known(good):
    model, X, y = good
    some = {name: values[::2] for name, values in X.items()}
    for report in (model.report(some, y[::2]), model.report(some, y[::2], training=(X, y))):
        assert "known-rows" in codes(report)


@pytest.mark.parametrize("what", ["column", "target", "sorted"])
def test_the_last_rows_drift(what):
    X, y = table_of()
    last = np.arange(400) >= 360
    if what == "column":
        X = X | {"c": X["c"] + 4 * last}
    elif what == "target":
        y = np.where(last, "yes", y)
    else:
        order = np.argsort(y, kind="stable")  # the order of the rows is that of the target, and not of time
        X, y = {name: values[order] for name, values in X.items()}, y[order]
    found = [c for c in TabularClassifier(**QUICK).fit(X, y).report(X, y).checks if c.code == "drift-of-the-last-rows"]
    assert len(found) == (what != "sorted")
    if found:
        assert found[0].severity == "warning"
        assert ("'c'" if what == "column" else "the target") in found[0].message


def test_rows_ordered_by_a_category_drift_by_nature():
    X, y = table_of()
    site = np.repeat(["north", "east", "south", "west"], 100)
    X = X | {"site": site, "c": X["c"] + 4 * (site == "west")}
    found = [c for c in TabularClassifier(**QUICK).fit(X, y).report(X, y).checks if c.code == "drift-of-the-last-rows"]
    assert [check.severity for check in found] == ["note"]


def test_few_rows_and_groups_are_said(good):
    X, y = table_of(40)
    assert ("too-few-rows", "warning") in [
        (c.code, c.severity) for c in TabularClassifier(**QUICK).fit(X, y).report().checks
    ]
    X, y = table_of(150)
    model = TabularClassifier(**QUICK).fit(X, y, groups=np.arange(150) % 5)
    assert "too-few-groups" in codes(model.report())
    later, labels = table_of(20, seed=3)
    assert "too-few-scored-rows" in codes(good[0].report(later, labels))


def test_rare_classes_are_named():
    X, y = table_of()
    y = y.astype(object)
    y[:4] = "perhaps"
    (check,) = (c for c in TabularClassifier(**QUICK).fit(X, y).report(X, y).checks if c.code == "rare-classes")
    assert (check.severity, "'perhaps (4)'" in check.message) == ("warning", True)


def test_few_rows_that_were_given_make_no_class_rare(good):
    X, y = table_of(20, seed=3)
    assert "rare-classes" not in codes(good[0].report(X, y))


@pytest.mark.parametrize("known", [40, 0])
def test_known_rows_are_found_without_the_training_rows(good, known):
    model, X, y = good
    later, labels = table_of(100, seed=5)
    mixed = {name: np.r_[X[name][:known], later[name][known:]] for name in X}
    found = codes(model.report(mixed, np.r_[y[:known], labels[known:]]))
    assert ("known-rows" in found) == bool(known)


def test_copies_by_nature_are_no_known_rows():
    rng = np.random.default_rng(0)
    a, b, c = rng.integers(0, 9, (3, 800)).astype(float)
    y = np.where(a + b + rng.normal(size=800) > 8, "yes", "no")
    X = {"a": a, "b": b, "c": c}
    halves = [{name: values[part] for name, values in X.items()} for part in (slice(400), slice(400, 800))]
    model = TabularClassifier(**QUICK).fit(halves[0], y[:400])
    assert "known-rows" not in codes(model.report(halves[1], y[400:]))


def test_networks_whose_folds_differ_are_uneven():
    rng = np.random.default_rng(0)
    X = {"a": rng.normal(size=200)}
    y = X["a"] + np.where(np.arange(200) < 100, 0.1, 5.0) * rng.normal(size=200)
    model = TabularRegressor("fast", max_iter=8, hidden_layer_sizes=(16,), cv=KFold(2)).fit(X, y)
    assert "uneven-networks" in codes(model.report())


def test_doubtful_readings_are_there():
    X, _ = table_of(200)
    y = np.random.default_rng(0).integers(0, 6, 200).astype(float)
    with pytest.warns(TableWarning, match="taken for quantities"):
        model = rosenblatt.learn(X | {"y": y}, "y", **QUICK)
    found = [check for check in model.report().checks if check.code == "to-check"]
    assert found
    assert "say task='classification'" in found[0].message


def test_every_check_has_a_remedy_in_a_sentence():
    source = Path(rosenblatt.diagnosis.__path__[0])
    text = "".join((source / name).read_text() for name in ("checks_of_rows.py", "checks_of_scores.py", "checks.py"))
    assert len(CHECKS) == 11
    assert set(re.findall(r'Check\(\s*"([a-z-]+)"', text)) == {
        *("leak", "copied-rows", "known-rows", "drift-of-the-last-rows", "too-few-rows", "too-few-groups"),
        *("too-few-scored-rows", "rare-classes", "no-better-than-the-guess", "underfitting", "overfitting"),
        *("uneven-networks", "below-out-of-fold", "to-check"),
    }


def simulated(seed, signal):
    """400 rows to train on and 400 others of the same kind: two classes."""
    rng = np.random.default_rng(seed)
    a, b, c, d, e, noise = rng.normal(size=(6, 800))
    y = np.where(signal * (2 * a + 2 * np.sin(2 * b) + c * d) + noise > 0, "yes", "no")
    X = {"a": a, "b": b, "c": c, "d": d, "e": e}
    halves = [({name: values[part] for name, values in X.items()}, y[part]) for part in (slice(400), slice(400, 800))]
    return *halves, TabularClassifier("fast").fit(*halves[0])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_chance_and_the_choice_of_the_epochs_are_no_finding(seed):
    training, later, model = simulated(seed, 1)
    assert model.n_scored_ == 80  # a fifth of the rows, not all of them
    assert codes(model.report(*later)) == codes(model.report(*training)) == []


def test_noise_is_found_out_of_fold_too():
    training, later, model = simulated(3, 0)
    assert model.beats_guess_  # by the choice of the epoch
    for rows, what in ((training, "out of fold"), (later, "held out")):
        (check,) = (c for c in model.report(*rows).checks if c.code == "no-better-than-the-guess")
        assert what in check.message
