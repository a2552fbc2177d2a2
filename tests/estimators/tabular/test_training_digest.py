"""The hash by which a model recognizes its training rows."""

import re
import time

import numpy as np
import pandas as pd
import pytest

import rosenblatt
from rosenblatt import ModelFileError, TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.training_digest import training_digest
from rosenblatt.persistence.tabular import tabular_from_state, tabular_state
from rosenblatt.tables.encoders import Prepared

RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "a": np.where(RNG.random(80) < 0.1, np.nan, RNG.normal(size=80)),
        "b": RNG.integers(0, 5, 80),
        "c": RNG.choice(["x", "y", "z"], 80),
    }
)
Y = RNG.choice(["yes", "no"], 80)
QUICK = {"preset": "fast", "max_iter": 1, "hidden_layer_sizes": (4,)}


def digest_of(X, y, kind=TabularClassifier, **parameters):
    return kind(**QUICK | parameters).fit(X, y).training_digest_


def test_it_is_that_of_the_rows_however_they_are_stored(tmp_path):
    X.assign(t=Y).to_csv(tmp_path / "rows.csv", index=False)
    found = {
        digest_of(X, Y),
        digest_of({name: X[name].tolist() for name in X}, list(Y)),
        digest_of(X.assign(t=Y), "t"),
        digest_of(tmp_path / "rows.csv", "t"),
        rosenblatt.learn(X.assign(t=Y), "t", **QUICK).training_digest_,
    }
    assert len(found) == 1
    assert re.fullmatch("[0-9a-f]{40}", found.pop())


def test_every_cell_the_order_and_the_target_count():
    other = X.copy()
    other.loc[3, "c"] = "x" if other.loc[3, "c"] != "x" else "y"
    turned = Y.copy()
    turned[0] = "yes" if Y[0] == "no" else "no"
    found = [
        digest_of(X, Y),
        digest_of(other, Y),
        digest_of(X[::-1], Y[::-1]),
        digest_of(X, turned),
        digest_of(X[1:], Y[1:]),
    ]
    assert len(set(found)) == 5
    numbers = [
        digest_of(X, values, TabularRegressor) for values in (X["b"], X["b"] + 1e-9, np.column_stack([X["b"], X["b"]]))
    ]
    assert len(set(numbers)) == 3
    first, second = np.flatnonzero(Y == "yes")[:2]
    order = np.arange(80)
    order[[first, second]] = second, first  # rows change places, but not targets
    assert digest_of(X.iloc[order], Y) != digest_of(X, Y)
    assert digest_of(X, Y, random_state=1) == digest_of(X, Y)


def test_it_costs_little_beside_a_training():
    numbers = np.random.default_rng(0).normal(size=(20_000, 10))
    prepared, target = Prepared.of(20_000, numbers=numbers), numbers[:, 0]
    start = time.process_time()
    training_digest(prepared, target)
    assert time.process_time() - start < 0.1  # a default training takes a minute


@pytest.mark.parametrize(
    ("name", "value"),
    [("training_digest_", "x" * 40), ("training_digest_", "ab"), ("training_digest_", 3), ("group_column_", 3)],
)
def test_files_with_another_thing_in_its_place_are_refused(name, value):
    state, arrays = tabular_state(TabularClassifier(**QUICK).fit(X, Y))
    state["fitted"][name] = value
    with pytest.raises(ModelFileError, match=f"attribute '{name}' is"):
        tabular_from_state(state, arrays)


def test_files_without_it_are_read():
    state, arrays = tabular_state(TabularClassifier(**QUICK).fit(X, Y, groups=np.arange(80) // 4))
    del state["fitted"]["training_digest_"], state["fitted"]["group_column_"]
    model = tabular_from_state(state, arrays)
    assert not hasattr(model, "training_digest_")
    assert model.report(X, Y).rows.what == "held out"
