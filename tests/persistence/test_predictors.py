"""Predictors: the bits of the estimator, in processes that never import scikit-learn; and what a cold start imports."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tracemalloc
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import rosenblatt
from rosenblatt import nn
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor
from rosenblatt.persistence.save_load import ModelFileError, load, load_predictor, save
from rosenblatt.tables import TableError, read_table

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3)).astype(np.float32)
WORDS = np.array(["lo", "mid", "hi"])[np.digitize(X[:, 0], [-0.5, 0.5])]
TABLE = {"x": np.where(RNG.random(90) < 0.1, np.nan, X[:, 0]), "c": RNG.choice(["a", "b", "é"], 90), "z": X[:, 1]}
SHORT = {"max_iter": 3, "random_state": 0}
HEAVY = ("sklearn", "scipy", "pandas", "pyarrow", "polars", "narwhals", "joblib", "rich", "typer")


def fitted(model: Any, *data: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*data)


def few(**parameters: Any) -> dict[str, Any]:
    return {"hidden_layer_sizes": (3,), "members": 2, "max_iter": 2, **parameters}


ROWS = {
    "three classes": lambda: fitted(MLPClassifier((4,), **SHORT), X, WORDS),
    "two classes": lambda: fitted(MLPClassifier((4,), **SHORT), X, X[:, 0] > 0),
    "one class": lambda: fitted(MLPClassifier((4,), **SHORT), X, np.zeros(90, int)),
    "several labels": lambda: fitted(MLPClassifier((4,), **SHORT), X, (X > 0).astype(int)),
    "hinge": lambda: fitted(MLPClassifier((4,), loss="hinge", **SHORT), X, WORDS),
    "numbers": lambda: fitted(MLPRegressor(hidden_layer_sizes=(4,), **SHORT), X, X[:, 0]),
    "two targets": lambda: fitted(MLPRegressor(hidden_layer_sizes=(4,), dtype="float64", **SHORT), X, X[:, :2]),
    "variance": lambda: fitted(MLPRegressor(hidden_layer_sizes=(4,), loss="gaussian_nll", **SHORT), X, X[:, 0]),
    "log": lambda: fitted(MLPRegressor(hidden_layer_sizes=(4,), target_transform="log", **SHORT), X, np.exp(X[:, 0])),
    "logistic": lambda: fitted(LogisticRegression(), X, WORDS),
    "sparse": lambda: fitted(MLPClassifier((4,), **SHORT), sp.csr_matrix(X), WORDS),
}
TABLES = {
    "classes": lambda: fitted(TabularClassifier("fast", **few(metric="f1")), TABLE, WORDS),
    "ordered": lambda: fitted(TabularClassifier("fast", **few(ordered=["lo", "mid", "hi"])), TABLE, WORDS),
    "number": lambda: fitted(TabularRegressor("fast", **few()), TABLE, X[:, 2]),
    "quantiles": lambda: fitted(TabularRegressor("fast", **few(quantiles=(0.05, 0.5, 0.95))), TABLE, X[:, 2]),
    "two targets": lambda: fitted(TabularRegressor("fast", **few()), TABLE, X[:, :2]),
}


def saved(model: Any, tmp_path: Any) -> tuple[Any, Any]:
    """What was saved, as an estimator and as a predictor."""
    save(model, tmp_path / "m")
    return load(tmp_path / "m"), load_predictor(tmp_path / "m")


def require_same(model: Any, predictor: Any, rows: Any) -> None:
    for name in ("predict", "predict_proba", "predict_interval"):
        assert hasattr(predictor, name) == hasattr(model, name), name
        if hasattr(model, name):
            expected, found = getattr(model, name)(rows), getattr(predictor, name)(rows)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
    assert predictor.model == type(model).__name__
    if hasattr(model, "classes_"):
        np.testing.assert_array_equal(predictor.classes_, model.classes_)


@pytest.mark.parametrize("case", ROWS)
def test_predictors_of_rows_give_the_bits_of_the_estimator(case, tmp_path):
    model, predictor = saved(ROWS[case](), tmp_path)
    for rows in (X, X.astype(np.float64), X.tolist(), np.round(X).astype(int), X[:, ::-1], sp.csr_matrix(X)):
        require_same(model, predictor, rows)
    assert list(predictor.columns) == ["x0", "x1", "x2"]


@pytest.mark.parametrize("case", TABLES)
def test_predictors_of_tables_give_the_bits_of_the_estimator(case, tmp_path):
    model, predictor = saved(TABLES[case](), tmp_path)
    unseen = {"x": ["7", None, "1e3"], "c": ["new", None, "a"], "z": [np.nan, 0, 1], "other": [1, 2, 3]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for rows in (TABLE, unseen, [{"x": 1, "c": "a", "z": None}]):
            require_same(model, predictor, rows)
    (block,) = predictor.predict_blocks(TABLE)
    np.testing.assert_array_equal(block.predictions, model.predict(TABLE))
    assert predictor.columns == {"x": "numeric", "c": "categorical", "z": "numeric"}


def test_an_array_of_a_table_model(tmp_path):
    model, predictor = saved(fitted(TabularClassifier("fast", **few()), X, WORDS), tmp_path)
    require_same(model, predictor, X)
    for wrong in (X[:, :2], X[0], X[None]):
        with pytest.raises(TableError, match=r"the TabularClassifier takes one row or more of 3 columns"):
            predictor.predict(wrong)


def test_a_network_is_its_own_predictor(tmp_path):
    network = nn.Network(nn.NetworkSpec(3, (4,), 2))
    save(network, tmp_path / "m")
    found = load_predictor(tmp_path / "m")
    assert type(found) is nn.Network
    np.testing.assert_array_equal(found.predict(X), network.predict(X))


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    path = tmp_path_factory.mktemp("named") / "m"
    save(fitted(MLPRegressor(hidden_layer_sizes=(4,), **SHORT), frame, X[:, 0]), path)
    return load(path), load_predictor(path), frame


def test_rows_by_name_and_frames(named):
    model, predictor, frame = named
    expected = model.predict(frame)
    rows = [{"c": c, "a": a, "b": b, "more": "text"} for a, b, c in X.tolist()]
    np.testing.assert_array_equal(predictor.predict(frame), expected)
    np.testing.assert_array_equal(predictor.predict(rows), expected)
    np.testing.assert_array_equal(predictor.predict(frame[["c", "b", "a"]]), expected)  # which the estimator refuses
    with pytest.raises(TableError, match=r"the table has no column 'b'\. Did you mean 'bb'"):
        predictor.predict(frame.rename(columns={"b": "bb"}))


def test_tables_of_every_form_are_found_by_their_names(named):
    model, predictor, frame = named
    expected = model.predict(frame)
    shuffled = frame.assign(more="text")[["c", "more", "a", "b"]]
    columns = {name: column.tolist() for name, column in shuffled.items()}
    forms = [columns, shuffled, frame.astype(object), frame.astype("float64"), read_table(shuffled)]
    if find_spec("polars"):
        import polars

        forms += [polars.DataFrame(columns), polars.DataFrame(columns).lazy()]
    if find_spec("pyarrow"):
        import pyarrow

        forms += [pyarrow.table(columns)]
    for form in forms:
        np.testing.assert_array_equal(predictor.predict(form), expected)
    for row in (shuffled.iloc[3].to_dict(), shuffled.iloc[3], {"a": str(X[3, 0]), "b": X[3, 1], "c": X[3, 2]}):
        np.testing.assert_array_equal(predictor.predict(row), expected[3:4])


def test_a_sparse_matrix_is_never_made_dense_as_a_whole(tmp_path):
    wide = sp.random_array((200, 200_000), density=1e-5, format="csr", random_state=0, dtype=np.float32)
    _, predictor = saved(fitted(MLPClassifier((2,), **SHORT), wide, np.arange(200) % 2), tmp_path)
    tracemalloc.start()
    predictor.predict(wide)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6 < wide.shape[0] * wide.shape[1] * 4


def test_labels_that_were_sparse_are_sparse(tmp_path):
    model, predictor = saved(fitted(MLPClassifier((4,), **SHORT), X, sp.csr_matrix((X > 0).astype(int))), tmp_path)
    expected, found = model.predict(X), predictor.predict(X)
    assert type(found) is type(expected) is sp.csr_matrix
    assert found.dtype == expected.dtype == np.int64
    np.testing.assert_array_equal(found.toarray(), (model.predict_proba(X) > 0.5).astype(int))
    np.testing.assert_array_equal(expected.toarray(), found.toarray())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"a": 1, "b": 2}], "the table has no column 'c'"),
        ([{"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2}], "column 'c' has no value in row 2"),
        ([{"a": 1, "b": 2, "c": 3}, "abc"], "row 2 is 'abc', but the others name their cells"),
        ([{"a": 1, "b": 2, "c": 3}, None], "row 2 is None, but the others name their cells"),
        ([{"a": 1, "b": 2, "c": [3]}], "column 'c' holds list values"),
        ({"a": 1, "b": 2, "c": {}}, "column 'a' is a single value"),
        ([{"a": 1, "b": 2, "c": datetime.date(2024, 1, 1)}], "column 'c' has dates; the model takes a number"),
        ([{}], "the table has no columns"),
        ([[1, 2]], r"X has shape \(1, 2\), but the MLPRegressor takes one row or more of 3 columns"),
        (np.empty((0, 3)), r"X has shape \(0, 3\)"),
        (sp.csr_matrix((2, 5)), r"X has shape \(2, 5\)"),
        (sp.csr_matrix([[1, np.nan, 0]]), "NaN"),
        ([[1, 2, np.nan]], "NaN"),
        ([[1, 2, np.inf]], "inf"),
        ([{"a": 1, "b": "two", "c": 3}], "two"),
        ([{"a": 1, "b": None, "c": 3}], "column 'b' has no value in row 1"),
        ([{"a": 1, "b": float("inf"), "c": 3}], "inf in row 0, column 1"),
        (np.full((1, 3), 1e300), "too large"),
    ],
)
def test_rows_that_are_refused(named, rows, message):
    with pytest.raises(ValueError, match=message):
        named[1].predict(rows)


def test_what_predicts_by_scikit_learn_is_refused_by_name(tmp_path):
    save(fitted(rosenblatt.Perceptron(), X, X[:, 0] > 0), tmp_path / "m")
    with pytest.raises(ModelFileError, match=r"m: the file holds a perceptron, .*: use rosenblatt\.load\."):
        load_predictor(tmp_path / "m")


def test_a_damaged_file_is_refused(tmp_path):
    save(ROWS["numbers"](), tmp_path / "m")
    data = bytearray((tmp_path / "m").read_bytes())
    data[-1] ^= 1
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ModelFileError, match="checksum"):
        load_predictor(tmp_path / "m")


def imported_by(code: str) -> set[str]:
    """Which heavy packages a new process has imported at the end of the code."""
    code = f"import sys; {code}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()).intersection(HEAVY)


@pytest.mark.parametrize("case", ["network", "estimator", "table"])
def test_a_new_process_predicts_without_heavy_packages(case, tmp_path):
    models = {"network": lambda: nn.Network(nn.NetworkSpec(3, (4,), 2)), "estimator": ROWS["two classes"]}
    save({**models, "table": TABLES["classes"]}[case](), tmp_path / "m")
    row = {"x": 1.0, "c": "a", "z": None} if case == "table" else [1.0, 2.0, 3.0]
    path, rows = json.dumps(str(tmp_path / "m")), f"[{row!r}]" if case != "network" else f"numpy.array([{row}])"
    assert imported_by(f"import numpy, rosenblatt; rosenblatt.load_predictor({path}).predict({rows})") == set()
    if case == "network":
        assert imported_by(f"import numpy, rosenblatt; rosenblatt.load({path}).predict({rows})") == set()


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["predict", "--help"]])
def test_commands_that_compute_nothing_import_little(arguments):
    code = f"from rosenblatt.cli import main\ntry:\n    sys.argv[1:] = {arguments!r}; main()\nexcept SystemExit: pass\n"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}print(*{{name.split('.')[0] for name in sys.modules}})"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.splitlines()[-1].split()).intersection(HEAVY) <= {"rich", "typer"}


def test_the_command_that_predicts_imports_no_scikit_learn(tmp_path):
    save(TABLES["classes"](), tmp_path / "m")
    (tmp_path / "rows.csv").write_text("x,c,z\n1,a,2\n,b,0\n", encoding="utf-8")
    arguments = [str(tmp_path / "m"), str(tmp_path / "rows.csv"), "--out", str(tmp_path / "out.csv")]
    code = f"from rosenblatt.cli import main\ntry:\n    sys.argv[1:] = {['predict', *arguments]!r}; main()\n"
    code = f"import sys\n{code}except SystemExit: pass\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == 3
    assert not {"sklearn", "scipy", "joblib"}.intersection(done.stdout.splitlines()[-1].split())
