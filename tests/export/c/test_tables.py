"""Tabular models in C: numbers with missing cells, levels, booleans and dates as the Python model prepares them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.export.c.compiling import SANITIZED, run_c

from rosenblatt import TabularClassifier, TabularRegressor
from rosenblatt.estimators.tabular.architecture import feed
from rosenblatt.export import to_c
from rosenblatt.tables.readers.reading import read_table

N = 300
SMALL = {"preset": "fast", "max_iter": 2, "hidden_layer_sizes": (8, 8)}


def table(seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, N),
            "weird */ name ??/\n": rng.integers(0, 1000, N).astype(float) * 1e6,
            "town": rng.choice([f"town {i}" for i in range(20)], N),
            "sex": rng.choice(["f", "m"], N),
            "grade": rng.choice(["a", "B", "ç", "3rd"], N),
            "member": rng.choice([True, False], N),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500 * 24, N), unit="h"),
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[::11, "grade"] = None
    return frame


def cells(model, frame):
    """The rows as a C program has them, from the frame itself and the levels that the model lists."""
    columns = []
    for encoder in model.preparation_.encoders:
        column = frame[encoder.name]
        if encoder.name == "since":
            columns.append((column - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1))
        elif encoder.name in ("age", "weird */ name ??/\n"):
            columns.append(column)
        else:
            number = {level: i for i, level in enumerate(encoder.levels, start=1)}
            number |= {True: number.get("true"), False: number.get("false")} if encoder.name == "member" else {}
            columns.append([number.get(cell, 0) for cell in column])
    return np.column_stack(columns).astype(float)


def target(frame):
    return np.where(frame.age.fillna(0) + 10 * (frame.sex == "f") > 45, "yes", "no")


@pytest.fixture(scope="module")
def classifier():
    frame = table()
    return TabularClassifier(**SMALL).fit(frame, target(frame))


def test_rows_of_all_kinds_of_columns(classifier, tmp_path):
    frame = table(1)
    frame.loc[3, ["age", "since"]] = np.nan, pd.NaT
    frame.loc[4, ["age", "sex", "town"]] = np.inf, None, "elsewhere"
    found, labels = run_c(to_c(classifier, tmp_path / "m.c"), cells(classifier, frame))
    assert_allclose(found, classifier.predict_proba(frame), rtol=0, atol=1e-6)
    assert_array_equal(classifier.classes_[labels], classifier.predict(frame))


def test_wrong_numbers_of_levels_are_unknown_levels(classifier, tmp_path):
    right = cells(classifier, table(1))[:1]
    town = [encoder.name for encoder in classifier.preparation_.encoders].index("town")
    rows = np.repeat(right, 7, axis=0)
    rows[:, town] = [0, -1, 21, 1.5, np.nan, np.inf, 1e300]
    found, _ = run_c(to_c(classifier, tmp_path / "m.c"), rows)
    assert_array_equal(found, np.repeat(found[:1], 7, axis=0))


def test_the_header_names_columns_and_levels(classifier, tmp_path):
    text = to_c(classifier, tmp_path / "m.h", name="shop").path.read_text()
    for line in ("SHOP_TOWN = 2,", "SHOP_SEX_F = 1,", "SHOP_GRADE_LEVEL_4 = 4", "SHOP_MEMBER_TRUE = 2"):
        assert line in text, line
    assert 'SHOP_GRADE_LEVEL_1_3RD = 1, /* "3rd" */' in text
    assert "#define SHOP_N_CLASSES 2" in text


def test_columns_may_have_the_names_of_macros(tmp_path):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(60, 5)), columns=["pi", "h", "n inputs", "N_inputs", "predict"])
    model = TabularClassifier(**SMALL).fit(frame, np.where(frame.pi > 0, "yes", "no"))
    written = to_c(model, tmp_path / "M.h")
    found, _ = run_c(written, frame)
    assert_allclose(found, model.predict_proba(frame), rtol=0, atol=1e-6)
    assert "M_N_INPUTS_2 = 2," in written.path.read_text()


@pytest.mark.parametrize(("name", "columns"), [("math", ["errno", "errexcept"]), ("fp", ["nan", "ilogb0", "fast fma"])])
def test_columns_may_have_names_of_math_h(name, columns, tmp_path):
    frame = pd.DataFrame(np.random.default_rng(5).normal(size=(60, len(columns))), columns=columns)
    model = TabularClassifier(**SMALL).fit(frame, np.where(frame[columns[0]] > 0, "yes", "no"))
    found, _ = run_c(to_c(model, tmp_path / "m.c", name=name), frame)
    assert_allclose(found, model.predict_proba(frame), rtol=0, atol=1e-6)


def test_no_name_says_what_two_things_are_called(tmp_path):
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(
        {
            "town": rng.choice(["LEIPZIG", "a b", "a-b", "bonn", "leipzig"], N),
            "town bonn": rng.normal(size=N),
            "Town": rng.choice(["bonn", "ulm"], N),
        }
    )
    model = TabularClassifier(**SMALL).fit(frame, rng.choice(["yes", "no"], N))
    text = to_c(model, tmp_path / "m.c").path.read_text()
    assert re.findall(r"^  (M_\w+ = \d)", text, re.M) == [
        *("M_TOWN_0 = 0", "M_TOWN_BONN = 1", "M_TOWN_2 = 2"),
        *("M_TOWN_0_LEIPZIG_1 = 1", "M_TOWN_0_A_B_2 = 2", "M_TOWN_0_A_B_3 = 3", "M_TOWN_0_BONN = 4"),
        *("M_TOWN_0_LEIPZIG_5 = 5", "M_TOWN_2_BONN = 1", "M_TOWN_2_ULM = 2"),
    ]


def test_a_level_and_a_column_are_not_taken_for_each_other(tmp_path):
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"town": rng.choice(["bonn", "ulm"], N), "town bonn": rng.normal(size=N)})
    model = TabularClassifier(**SMALL).fit(frame, rng.choice(["yes", "no"], N))
    text = to_c(model, tmp_path / "m.c").path.read_text()
    found = re.findall(r"^  (M_\w+ = \d)", text, re.M)
    assert found == ["M_TOWN = 0", "M_TOWN_BONN_1 = 1", "M_TOWN_BONN_1_2 = 1", "M_TOWN_ULM = 2"]
    assert not re.search(r"\bM_TOWN_BONN\b", text)


def test_the_first_comment_says_in_which_unit_a_number_is(tmp_path):
    rng = np.random.default_rng(8)
    hours, prices = rng.integers(0, 24, N), rng.integers(0, 999, N)
    frame = pd.DataFrame({"at": [f"{h}:30" for h in hours], "price": [f"{p}.50 €" for p in prices], "n": prices / 7})
    model = TabularClassifier(**SMALL).fit(frame, rng.choice(["yes", "no"], N))
    written = to_c(model, tmp_path / "m.c")
    for line in ("M_AT: at, hours, NAN if", "M_PRICE: price, a number of \\u20ac, NAN if", "M_N: n, a number, NAN if"):
        assert line in written.path.read_text()
    found, _ = run_c(written, np.column_stack([hours + 0.5, prices + 0.5, prices / 7]))
    assert_allclose(found, model.predict_proba(frame), rtol=0, atol=1e-6)


def test_prepared_rows(classifier, tmp_path):
    frame = table(1)
    prepared = feed(classifier.preparation_.transform(read_table(frame)))
    names = list(classifier.ensemble_.networks[0].graph.input_names)
    rows = np.column_stack([prepared[name] for name in names])
    written = to_c(classifier, tmp_path / "m.c", prepare=False)
    found, _ = run_c(written, rows)
    assert_allclose(found, classifier.predict_proba(frame), rtol=0, atol=1e-6)
    places = re.findall(r"^ \*   (\d+): (.*)$", written.path.read_text(), re.M)
    assert [int(place) for place, _ in places] == list(range(rows.shape[1]))
    assert ("0", "age") in places
    assert places[-1][1] == "the number of the level of town, from 1 to 20; 0 for others"


@pytest.mark.long
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers_find_nothing(compiler, classifier, tmp_path):
    rows = cells(classifier, table(1))
    rows[0], rows[1], rows[2], rows[3] = np.nan, np.inf, -np.inf, 1e308
    plain, _ = run_c(to_c(classifier, tmp_path / "m.h"), rows)
    found, _ = run_c(to_c(classifier, tmp_path / "m.h", overwrite=True), rows, compiler, SANITIZED)
    assert_allclose(found, plain, rtol=0, atol=1e-6)


@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        {"metric": "balanced_error", "members": 2},
        {"ordered": ["lo", "mid", "hi"], "members": 2},
        {"ordered": ["lo", "mid", "hi"], "dtype": "float64"},
    ],
    ids=["decision weights", "ordered", "double"],
)
def test_three_classes(options, tmp_path):
    frame, rng = table(), np.random.default_rng(2)
    y = rng.choice(["lo", "mid", "hi", "hi"], N)
    how = {"dtype": options.pop("dtype")} if "dtype" in options else {}
    model = TabularClassifier(**SMALL, **options).fit(frame, y)
    found, labels = run_c(to_c(model, tmp_path / "m.c", **how), cells(model, frame))
    assert_allclose(found, model.predict_proba(frame), rtol=0, atol=1e-6)
    assert_array_equal(model.classes_[labels], model.predict(frame))


@pytest.mark.parametrize(
    "options",
    [
        {"members": 2},
        pytest.param({"target_transform": "log"}, marks=pytest.mark.long),
        pytest.param({"quantiles": (0.1, 0.5, 0.9)}, marks=pytest.mark.long),
        pytest.param({"loss": "poisson"}, marks=pytest.mark.long),
    ],
    ids=["members", "log", "quantiles", "poisson"],
)
def test_numbers(options, tmp_path):
    frame = table()
    y = np.exp(frame.age.fillna(10) / 20 + np.random.default_rng(3).normal(size=N))
    model = TabularRegressor(**SMALL, **options).fit(frame, y)
    found, labels = run_c(to_c(model, tmp_path / "m.c"), cells(model, frame))
    right = model.predict(frame).reshape(N, -1)
    assert_allclose(found, right, rtol=1e-6, atol=1e-6 * y.std())
    assert (labels == -2).all()


@pytest.mark.long
def test_several_targets(tmp_path):
    frame = table()
    y = np.column_stack([frame.age.fillna(30), 3 * frame.age.fillna(0) + 1])
    model = TabularRegressor(**SMALL).fit(frame, y)
    found, _ = run_c(to_c(model, tmp_path / "m.c"), cells(model, frame))
    assert_allclose(found, model.predict(frame), rtol=1e-6, atol=1e-6 * y.std())


def test_sentences_are_refused_by_name(tmp_path):
    frame, rng = table(), np.random.default_rng(4)
    words = np.array(["blue", "red", "green", "small", "large", "house", "tree", "car", "sea"])
    frame["story"] = [" ".join(rng.choice(words, 8)) for _ in range(N)]
    model = TabularClassifier(**SMALL).fit(frame, target(frame))
    with pytest.raises(ValueError, match=r"column 'story' holds sentences.*ignore="):
        to_c(model, tmp_path / "m.c")
    assert not list(tmp_path.iterdir())
