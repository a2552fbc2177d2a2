# ruff: noqa: E501 (one case per line: the catalogue reads as a table)
"""A catalogue of bad input: for each case what is raised and what the message says.

A message has to name what was given, where it is, and what to do. Nothing here may leave a file or a model behind.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

import rosenblatt
from rosenblatt.estimators import DivergenceError, LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.files import ModelFileError
from rosenblatt.tables import TableError, read_table
from rosenblatt.tables.model import TableModel

N = 40
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
LABELS = (X[:, 0] > 0).astype(int)
NUMBERS = X @ [1.0, 2.0, 3.0]
TABLE: dict[str, Any] = {
    "age": RNG.integers(18, 80, N),
    "income": RNG.normal(3000, 500, N),
    "town": RNG.choice(["Ulm", "Bonn"], N),
    "bought": np.where(X[:, 0] > 0, "yes", "no"),
}


def with_cell(name: str, row: int, value: Any) -> dict[str, Any]:
    """The table with one cell changed."""
    cells = [item.item() for item in TABLE[name]]
    cells[row] = value
    return {**TABLE, name: cells}


def without(*names: str) -> dict[str, Any]:
    return {name: cells for name, cells in TABLE.items() if name not in names}


def train(table: Any = None, target: str = "bought", **settings: Any) -> TableModel:
    return TableModel.train(TABLE if table is None else table, target, **{"hidden": (4,), "max_epochs": 2, **settings})


def predict(table: Any) -> Any:
    return train().predict(table)


def file(content: str | bytes, name: str = "table.csv") -> Path:
    path = Path(name)  # tests run in a folder of their own
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def model_file(change: Callable[[bytes], bytes] = lambda data: data) -> Path:
    train().save("model.safetensors")
    return file(change(Path("model.safetensors").read_bytes()), "model.safetensors")


def classifier(**parameters: Any) -> MLPClassifier:
    return MLPClassifier(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **parameters})


def regressor(**parameters: Any) -> MLPRegressor:
    return MLPRegressor(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **parameters})


def fitted() -> MLPClassifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return classifier().fit(X, LABELS)


def other_safetensors() -> Path:
    from safetensors.numpy import save

    return file(save({"weight": np.zeros(3)}, metadata={"format": "pt"}), "other.safetensors")


def put(array: Any, place: Any, value: Any) -> Any:
    changed = np.array(array, dtype=float)
    changed[place] = value
    return changed


Case = tuple[Callable[[], Any], type[Exception], str]

READING: dict[str, Case] = {
    "empty file": (lambda: train(file("")), TableError, r"table\.csv: the file is empty"),
    "header only": (lambda: train(file("a,bought\n")), TableError, r"no rows, only the columns 'a', 'bought'"),
    "blank lines only": (lambda: train(file("\n\n")), TableError, r"table\.csv: .*Empty CSV file"),
    "too many cells": (lambda: train(file("a,b\n1,2\n3,4,5\n")), TableError, r"line 3 has 3 cells where the header has 2: 3,4,5"),
    "too few cells": (lambda: train(file("a,b\n1,2\n3\n")), TableError, r"line 3 has 1 cells where the header has 2: 3\. Correct"),
    "latin-1 in a cell": (lambda: train(file("a,b\n1,Köln\n".encode("latin-1"))), TableError, r"column 'b', row 1 .* not valid utf-8\. Say its encoding"),
    "latin-1 in the header": (lambda: train(file("a,ö\n1,2\n".encode("latin-1"))), TableError, r"header line is not valid utf-8"),
    "utf-16": (lambda: train(file("a,b\n1,2\n".encode("utf-16"))), TableError, r"encoded in UTF-16, not utf-8\. Say encoding='utf-16'"),
    "unknown encoding": (lambda: read_table(file("a,b\n1,2\n"), encoding="utf-9"), TableError, r"no encoding 'utf-9'; usual ones: utf-8"),
    "binary file": (lambda: train(file(b"\x00\x01,\x02\n")), TableError, r"neither text nor Parquet: it holds zero bytes"),
    "duplicate names in a file": (lambda: train(file("a,b,a\n1,2,3\n")), TableError, r"column name 'a' occurs more than once"),
    "duplicate names in a frame": (lambda: train(pd.DataFrame([[1, 2]], columns=["a", "a"])), TableError, r"'a' occurs more than once"),
    "missing file": (lambda: train("table.cvs"), FileNotFoundError, r"there is no file table\.cvs"),
    "misspelled file": (lambda: (file("a\n1\n"), train("tabel.csv")), FileNotFoundError, r"Did you mean table\.csv\?"),
    "a folder": (lambda: train("."), IsADirectoryError, r"is a folder; give a CSV or Parquet file"),
    "text called parquet": (lambda: train(file("a,b\n", "t.parquet")), TableError, r"not a Parquet file: it does not start with PAR1"),
    "truncated parquet": (lambda: train(file(b"PAR1" + bytes(50), "t.parquet")), TableError, r"not a readable Parquet file"),
    "damaged gzip": (lambda: train(file("a,b\n", "t.csv.gz")), TableError, r"cannot be decompressed"),
    "spreadsheet": (lambda: train(file(b"PK\x03\x04", "t.xlsx")), TableError, r"spreadsheets are not read\. Save the sheet as CSV"),
    "an array": (lambda: train(X), TableError, r"can be a path, a pandas, Polars or PyArrow frame, .* not ndarray"),
    "mismatched lengths": (lambda: train({"a": [1, 2], "bought": [1]}), TableError, r"different lengths: 'a' 2, 'bought' 1"),
    "two-dimensional column": (lambda: train({"a": X, "bought": LABELS}), TableError, r"column 'a' has shape \(40, 3\)"),
    "lists in cells": (lambda: train(pl.DataFrame({"a": [[1], [2]], "bought": [0, 1]})), TableError, r"column 'a' holds List\(Int64\) values; supported are"),
    "objects in cells": (lambda: train({"a": [object()], "bought": [0]}), TableError, r"column 'a' holds object values"),
    "complex numbers": (lambda: train({"a": X[:, 0] * 1j, "bought": LABELS}), TableError, r"column 'a' holds complex128 values"),
    "no columns": (lambda: train({}), TableError, r"the table has no columns"),
}  # fmt: skip

COLUMNS: dict[str, Case] = {
    "infinite value": (lambda: train(with_cell("income", 6, np.inf)), TableError, r"column 'income' is infinite in row 7 .*empty the cell"),
    "several infinite values": (lambda: train({**TABLE, "income": [-np.inf] * N}), TableError, r"infinite in rows \d+, .*, \.\.\. \(34 in all\)"),
    "infinite value at predict": (lambda: predict(with_cell("income", 2, -np.inf)), TableError, r"column 'income' is infinite in row 3"),
    "one text among many numbers": (lambda: train({**TABLE, "code": [str(i * 7) for i in range(N - 1)] + ["abc"]}, validation_share=0.01), TableError, r"column 'code' holds numbers, but row \d+ says 'abc'.*say that the column is categorical"),
    "text where numbers were": (lambda: predict(with_cell("age", 4, "old")), TableError, r"column 'age' holds numbers, but row 5 says 'old'"),
    "infinity as text": (lambda: predict(with_cell("age", 4, "inf")), TableError, r"column 'age' holds numbers, but row 5 says 'inf'"),
    "dates where numbers were": (lambda: predict({**TABLE, "age": np.full(N, np.datetime64("2020-01-01"))}), TableError, r"column 'age' held numbers in training, now it holds dates"),
    "missing column at predict": (lambda: predict(without("town")), TableError, r"no column 'town'\. The columns are: 'age', 'income', 'bought'"),
    "renamed column at predict": (lambda: predict({**without("income"), "Income": NUMBERS}), TableError, r"no column 'income'\. Did you mean 'Income'\?"),
    "several missing columns": (lambda: predict(without("town", "age")), TableError, r"lacks 2 of the columns that training used: 'age', 'town'"),
    "all columns missing or constant": (lambda: train({"a": [None] * N, "b": [1] * N, "bought": LABELS}), TableError, r"no column is left to learn from: 'a' dropped: every cell is missing; 'b' dropped: always 1"),
    "only a target": (lambda: train({"bought": LABELS}), TableError, r"no column but the target 'bought'"),
    "too few rows": (lambda: train(read_table(TABLE).take(np.arange(5))), TableError, r"has 5 rows to train on; training needs at least 10\. Give more rows"),
    "kinds of no column": (lambda: train(kinds={"towm": "categorical"}), TableError, r"kinds names a column 'towm' that is not there\. Did you mean 'town'\?"),
    "kind of the target": (lambda: train(kinds={"bought": "categorical"}), TableError, r"kinds names the target 'bought'; what that is, task says"),
    "unknown setting": (lambda: train(hiden=3), TypeError, r"no setting 'hiden'\. Did you mean 'hidden'\? The settings are: 'hidden', 'max_epochs'"),
    "tiny target": (lambda: train({**TABLE, "income": NUMBERS * 1e-300}, target="income"), TableError, r"target 'income' is too small for float64: .* Multiply it"),
    "constant huge target": (lambda: train({**TABLE, "income": [1e200] * N}, target="income"), TableError, r"'income' is 1e\+200 in every row"),
    "unknown kind": (lambda: train(kinds={"town": "ordinal"}), TableError, r"kinds says 'ordinal' for column 'town'; allowed are numeric, categorical, ignored"),
    "numeric by decree": (lambda: train(kinds={"town": "numeric"}), TableError, r"column 'town' holds numbers, but row \d+ says"),
    "too wide a range": (lambda: train({**TABLE, "income": np.where(LABELS == 1, 1e308, -1e308)}), TableError, r"column 'income' spans more than float64 can hold: -1e\+308 to 1e\+308"),
}  # fmt: skip

TARGETS: dict[str, Case] = {
    "unknown target": (lambda: train(target="baught"), TableError, r"no target column 'baught'\. Did you mean 'bought'\? The columns are: 'age', "),
    "target in another case": (lambda: train(target="BOUGHT"), TableError, r"Did you mean 'bought'\?"),
    "one class only": (lambda: train({**TABLE, "bought": ["yes"] * N}), TableError, r"'bought' has one class only, 'yes'"),
    "missing targets": (lambda: train(with_cell("bought", 6, None)), TableError, r"target 'bought' is missing in row 7 .*remove the rows"),
    "missing targets, many": (lambda: train({**TABLE, "bought": [None] * 9 + ["a", "b"] * 15 + ["a"]}), TableError, r"missing in rows 1, 2, 3, 4, 5, \.\.\. \(9 in all\)"),
    "NaN targets": (lambda: train(with_cell("income", 1, np.nan), "income"), TableError, r"target 'income' is missing in row 2"),
    "all targets missing": (lambda: train({**TABLE, "bought": [None] * N}), TableError, r"target 'bought' is missing in every row"),
    "infinite target": (lambda: train(with_cell("income", 0, np.inf), "income"), TableError, r"column 'income' is infinite in row 1"),
    "constant target": (lambda: train({**TABLE, "income": [5.0] * N}, "income"), TableError, r"target 'income' is 5 in every row"),
    "texts that name rows": (lambda: train({**TABLE, "bought": [f"p{i}" for i in range(N)]}), TableError, r"has 40 classes in 40 rows: they name the rows"),
    "regression of texts": (lambda: train(task="regression"), TableError, r"column 'bought' holds numbers, but row 1 says"),
    "regression of dates": (lambda: train({**TABLE, "bought": np.datetime64("2020-01-01") + np.arange(N)}), TableError, r"target 'bought' holds dates\. Convert them"),
    "binary with three classes": (lambda: train({**TABLE, "bought": np.arange(N) % 3}, task="binary"), TableError, r"task is 'binary', but target 'bought' has 3 classes"),
    "unknown task": (lambda: train(task="ranking"), ValueError, r"task is 'ranking'; allowed: 'classification', 'binary'"),
    "probabilities of a regression": (lambda: train(target="income").predict_proba(TABLE), TableError, r"a regression has no class probabilities"),
}  # fmt: skip

SETTINGS: dict[str, Case] = {
    "learning rate zero": (lambda: train(learning_rate=0), ValueError, r"learning_rate is 0; it must be a positive number"),
    "learning rate NaN": (lambda: train(learning_rate=float("nan")), ValueError, r"learning_rate is nan; it must be a positive number"),
    "learning rate huge": (lambda: train(target="income", learning_rate=1e30), DivergenceError, r"non-finite in the first epoch, with learning_rate 1e\+30\. Try a smaller one"),
    "no epochs": (lambda: train(max_epochs=0), ValueError, r"max_epochs is 0; it must be a positive integer"),
    "negative neurons": (lambda: train(hidden=(8, -1)), ValueError, r"hidden is \(8, -1\)"),
    "validation share of one": (lambda: train(validation_share=1.0), ValueError, r"validation_share is 1\.0; it must lie between 0 and 1"),
    "negative seed": (lambda: train(seed=-1), ValueError, r"seed is -1; it must be an integer from 0"),
    "negative penalty": (lambda: train(alpha=-1.0), ValueError, r"alpha is -1\.0"),
    "unknown setting": (lambda: train(learning_rat=0.1), TypeError, r"learning_rat"),
}  # fmt: skip

FILES: dict[str, Case] = {
    "no such model": (lambda: rosenblatt.load("nothing"), FileNotFoundError, r"nothing"),
    "model is a folder": (lambda: rosenblatt.load("."), IsADirectoryError, r"folder|directory"),
    "empty model": (lambda: rosenblatt.load(file("", "m")), ModelFileError, r"m: this is no rosenblatt model, or it is cut off"),
    "truncated model": (lambda: rosenblatt.load(model_file(lambda data: data[:-20])), ModelFileError, r"damaged or cut off"),
    "truncated header": (lambda: rosenblatt.load(model_file(lambda data: data[:50])), ModelFileError, r"cut off"),
    "flipped weight": (lambda: rosenblatt.load(model_file(lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])), ModelFileError, r"checksum does not fit"),
    "tampered text": (lambda: rosenblatt.load(model_file(lambda data: data.replace(b"town", b"tawn"))), ModelFileError, r"checksum does not fit"),
    "something appended": (lambda: rosenblatt.load(model_file(lambda data: data + b"x")), ModelFileError, r"damaged or cut off"),
    "foreign safetensors": (lambda: rosenblatt.load(other_safetensors()), ModelFileError, r"safetensors file, but no rosenblatt model"),
    "a pickle": (lambda: rosenblatt.load(file(b"\x80\x04K\x01.", "m.pkl")), ModelFileError, r"no rosenblatt model"),
    "a table as model": (lambda: rosenblatt.load(file("a,b\n1,2\n")), ModelFileError, r"no rosenblatt model"),
    "estimator as table model": (lambda: (rosenblatt.save(fitted(), "m"), TableModel.load("m")), ModelFileError, r"holds a MLPClassifier, no TableModel"),
    "saving an unfitted model": (lambda: rosenblatt.save(classifier(), "m"), NotFittedError, r"not fitted"),
    "saving something else": (lambda: rosenblatt.save({}, "m"), TypeError, r"save takes a fitted TableModel, MLPClassifier, .*, not <class 'dict'>"),
    "saving a function": (lambda: rosenblatt.save(classifier(activation=lambda b, x: b.relu(x)).partial_fit(X, LABELS, classes=[0, 1]), "m"), ModelFileError, r"parameter 'activation' is a function, .* a model file holds no code"),
    "saving into no folder": (lambda: rosenblatt.save(fitted(), "no/where"), FileNotFoundError, r"no such folder"),
    "saving onto a folder": (lambda: (os.mkdir("d"), rosenblatt.save(fitted(), "d")), IsADirectoryError, r"this is a folder; give a file name"),
}  # fmt: skip

ESTIMATORS: dict[str, Case] = {
    "one class, logistic regression": (lambda: LogisticRegression().fit(X, np.ones(N)), ValueError, r"at least two classes, but y has only one class: .*1\.0"),
    "NaN in X": (lambda: classifier().fit(put(X, (2, 1), np.nan), LABELS), ValueError, r"Input X contains NaN"),
    "infinity in X": (lambda: classifier().fit(put(X, (2, 1), np.inf), LABELS), ValueError, r"Input X contains infinity"),
    "NaN in y": (lambda: regressor().fit(X, put(NUMBERS, 3, np.nan)), ValueError, r"Input y contains NaN"),
    "infinity in y": (lambda: regressor().fit(X, put(NUMBERS, 3, np.inf)), ValueError, r"Input y contains infinity"),
    "texts in X": (lambda: classifier().fit(np.full((N, 2), "x"), LABELS), ValueError, r"could not convert string to float|dtype='numeric'"),
    "texts as numbers to predict": (lambda: regressor().fit(X, np.full(N, "x")), ValueError, r"could not convert string to float|Unknown label"),
    "different lengths": (lambda: classifier().fit(X, LABELS[:-1]), ValueError, r"inconsistent numbers of samples: \[40, 39\]"),
    "one-dimensional X": (lambda: classifier().fit(X[:, 0], LABELS), ValueError, r"Expected 2D array, got 1D array"),
    "no rows": (lambda: classifier().fit(X[:0], LABELS[:0]), ValueError, r"0 sample\(s\)"),
    "no columns": (lambda: classifier().fit(X[:, :0], LABELS), ValueError, r"0 feature\(s\)"),
    "too many features at predict": (lambda: fitted().predict(np.zeros((2, 5))), ValueError, r"X has 5 features, but MLPClassifier is expecting 3"),
    "too few features, sparse": (lambda: fitted().predict(sp.csr_matrix((2, 2))), ValueError, r"X has 2 features"),
    "predict before fit": (lambda: classifier().predict(X), NotFittedError, r"not fitted yet"),
    "negative weight": (lambda: classifier().fit(X, LABELS, put(np.ones(N), 5, -1)), ValueError, r"[Nn]egative values in data passed to `sample_weight`"),
    "NaN weight": (lambda: classifier().fit(X, LABELS, put(np.ones(N), 5, np.nan)), ValueError, r"sample_weight contains NaN"),
    "weights of zero": (lambda: classifier().fit(X, LABELS, np.zeros(N)), ValueError, r"sample_weight is zero for every row|at least one non-zero number"),
    "weights of another length": (lambda: classifier().fit(X, LABELS, np.ones(3)), ValueError, r"sample_weight\.shape == \(3,\), expected \(40,\)"),
    "misspelled activation": (lambda: classifier(activation="rleu").fit(X, LABELS), InvalidParameterError, r"'activation' parameter .* Did you mean 'relu'\?"),
    "activation of another library": (lambda: classifier(activation="Tanh").fit(X, LABELS), InvalidParameterError, r"Did you mean 'tanh'\?"),
    "misspelled solver": (lambda: classifier(solver="adm").fit(X, LABELS), InvalidParameterError, r"Did you mean 'adam'\?"),
    "misspelled penalty": (lambda: LogisticRegression(penalty="elastic_net").fit(X, LABELS), InvalidParameterError, r"Did you mean 'elasticnet'\?"),
    "learning rate of zero": (lambda: classifier(learning_rate_init=0.0).fit(X, LABELS), InvalidParameterError, r"'learning_rate_init' parameter .* Got 0\.0"),
    "huge learning rate": (lambda: regressor(learning_rate_init=1e300).fit(X, NUMBERS), DivergenceError, r"non-finite .* smaller learning_rate_init"),
    "no neurons": (lambda: classifier(hidden_layer_sizes=(3, 0)).fit(X, LABELS), ValueError, r"hidden_layer_sizes must be > 0, got \[3, 0\]"),
    "half a neuron": (lambda: classifier(hidden_layer_sizes=(3.5,)).fit(X, LABELS), ValueError, r"hidden_layer_sizes must be integers, got \[3\.5\]"),
    "batch of zero rows": (lambda: classifier(batch_size=0).fit(X, LABELS), InvalidParameterError, r"'batch_size' parameter"),
    "half a validation set": (lambda: classifier().fit(X, LABELS, X_val=X), ValueError, r"X_val and y_val belong together"),
    "unknown class in the validation set": (lambda: classifier().fit(X, LABELS, X_val=X, y_val=LABELS + 1), ValueError, r"y_val has labels that y has not: \[2\]"),
    "new class in partial_fit": (lambda: fitted().partial_fit(X, LABELS + 1), ValueError, r"\b2\b"),
    "Poisson of negative counts": (lambda: regressor(loss="poisson").fit(X, NUMBERS), ValueError, r"loss='poisson' needs y >= 0, but the smallest value is -"),
    "logarithm of negative targets": (lambda: regressor(target_transform="log").fit(X, NUMBERS), ValueError, r"target_transform='log' needs y > 0, but \d+ values are not"),
    "probabilities of a perceptron": (lambda: Perceptron().fit(X, LABELS).predict_proba(X), AttributeError, r"Perceptron has no predict_proba: .* Use LogisticRegression"),
    "weights of another shape": (lambda: fitted().coefs_.__setitem__(0, np.zeros((2, 2))), ValueError, r"shape \(2, 2\) was assigned to parameters of shape \(3, 4\)"),
    "unknown public name": (lambda: rosenblatt.MLPClasifier, AttributeError, r"no attribute 'MLPClasifier'"),
}  # fmt: skip

CATALOGUE = {
    f"{part}: {name}": case
    for part, cases in {
        "reading": READING,
        "columns": COLUMNS,
        "targets": TARGETS,
        "settings": SETTINGS,
        "files": FILES,
        "estimators": ESTIMATORS,
    }.items()
    for name, case in cases.items()
}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("attempt", "error", "message"), CATALOGUE.values(), ids=CATALOGUE)
def test_bad_input(attempt: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        attempt()


def test_the_catalogue_has_its_size() -> None:
    assert len(CATALOGUE) >= 100


def test_a_huge_learning_rate_leaves_the_fitted_network_as_it_was() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = regressor(warm_start=True).fit(X, NUMBERS)
    before = [weights.copy() for weights in model.coefs_]
    model.set_params(learning_rate_init=1e300)
    with pytest.raises(DivergenceError):
        model.fit(X, NUMBERS)
    for weights, kept in zip(model.coefs_, before, strict=True):
        np.testing.assert_array_equal(weights, kept)


def test_divergence_leaves_an_unfitted_estimator_unfitted() -> None:
    model = regressor(learning_rate_init=1e300)
    with pytest.raises(DivergenceError):
        model.fit(X, NUMBERS)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_an_all_missing_column_is_dropped_and_said() -> None:
    kinds: list[Any] = []
    model = train({**TABLE, "void": [None] * N}, on_kinds=kinds.extend)
    assert [kind.detail for kind in kinds if kind.name == "void"] == ["dropped: every cell is missing"]
    assert model.predict(TABLE).shape == (N,)


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_refuses_a_model() -> None:
    os.mkdir("locked")
    os.chmod("locked", 0o500)
    with pytest.raises(PermissionError):
        rosenblatt.save(fitted(), "locked/m")
    os.chmod("locked", 0o700)
    assert os.listdir("locked") == []
