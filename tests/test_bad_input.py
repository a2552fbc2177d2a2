# ruff: noqa: E501 (one case per line: the catalogue reads as a table)
"""A catalogue of bad input: for each case what is raised and what the message says.

A message has to name what was given, where it is, and what to do. Nothing here may leave a file or a model behind.
"""

from __future__ import annotations

import itertools
import os
import pickle
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
from rosenblatt import logic, nn
from rosenblatt.estimators import DivergenceError, LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.persistence.save_load import ModelFileError
from rosenblatt.tables import TableError, read_table

A, B = logic.variables("a b")
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


def train(table: Any = None, target: str = "bought", **parameters: Any) -> Any:
    small = {"hidden_layer_sizes": (4,), "members": 1, "max_iter": 2}
    return rosenblatt.learn(TABLE if table is None else table, target, **{**small, **parameters})


def predict(table: Any) -> Any:
    return train().predict(table)


def file(content: str | bytes, name: str = "table.csv") -> Path:
    path = Path(name)  # tests run in a folder of their own
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def model_file(change: Callable[[bytes], bytes] = lambda data: data) -> Path:
    rosenblatt.save(train(), "model.safetensors")
    return file(change(Path("model.safetensors").read_bytes()), "model.safetensors")


def classifier(**parameters: Any) -> MLPClassifier:
    return MLPClassifier(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **parameters})


def regressor(**parameters: Any) -> MLPRegressor:
    return MLPRegressor(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **parameters})


def fitted(**parameters: Any) -> MLPClassifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return classifier(**parameters).fit(X, LABELS)


def assigned() -> MLPRegressor:
    model = regressor(hidden_layer_sizes=())
    model.coefs_, model.intercepts_, model.out_activation_ = [np.ones((3, 1))], [np.ones(1)], "identity"
    return model


class OwnLayer(nn.Dense):
    """A layer of the user's own."""


class OwnOptimizer(nn.SGD):
    """An optimizer of the user's own."""


CALLS = itertools.count()


def own(b: Any, *values: Any) -> Any:
    return b.mul(values[0], next(CALLS))


def long(b: Any, *values: Any) -> Any:
    x = values[0]
    for _ in range(2001):
        x = -x
    return x


def network(layer: nn.Layer) -> nn.Network:
    return nn.Network(layer(nn.input(3)))


def two_widths() -> nn.Node:
    shared = nn.Dense(2, name="shared")
    return shared(shared(nn.input(3)))


def poisoned(name: str, value: float) -> nn.Network:
    net = network(nn.BatchNorm(name="bn"))
    net[name][1] = value
    return net


def network_file(change: Callable[[bytes], bytes]) -> Path:
    rosenblatt.save(network(nn.Dense(2)), "net.safetensors")
    return file(change(Path("net.safetensors").read_bytes()), "net.safetensors")


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
    "blank lines only": (lambda: train(file("\n\n")), TableError, r"table\.csv: the file has no header, only blank lines"),
    "too many cells": (lambda: train(file("a,b\n1,2\n3,4,5\n")), TableError, r"line 3 has 3 cells where the header has 2: 3,4,5"),
    "too few cells": (lambda: train(file("a,b\n1,2\n3\n")), TableError, r"line 3 has 1 cell where the header has 2: 3\. Correct"),
    "latin-1 in a cell": (lambda: train(file("a,b\n1,Köln\n".encode("latin-1"))), TableError, r"line 2 holds the byte 0xf6 \(offset 7\), which is not valid utf-8\. Say its encoding"),
    "latin-1 in the header": (lambda: train(file("a,ö\n1,2\n".encode("latin-1"))), TableError, r"line 1 holds the byte 0xf6 \(offset 2\), which is not valid utf-8"),
    "utf-16 without a mark": (lambda: train(file("a,b\n1,2\n".encode("utf-16-le"))), TableError, r"as in UTF-16\. Say encoding='utf-16-le'"),
    "unknown encoding": (lambda: read_table(file("a,b\n1,2\n"), encoding="utf-9"), TableError, r"no encoding 'utf-9'; usual ones: utf-8"),
    "binary file": (lambda: train(file(b"\x00\x01,\x02\n")), TableError, r"neither text nor Parquet: it holds zero bytes"),
    "duplicate names in a file": (lambda: train(file("a,b,a,bought\n1,2,3,4\n1,2,3,5\n")), TableError, r"column name 'a' occurs more than once"),
    "duplicate names in a frame": (lambda: train(pd.DataFrame([[1, 2, 3], [1, 2, 4]], columns=["a", "a", "bought"])), TableError, r"'a' occurs more than once"),
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
    "objects in cells": (lambda: train({"a": [object()] * 2, "bought": [0, 1]}), TableError, r"column 'a' holds object values"),
    "complex numbers": (lambda: train({"a": X[:, 0] * 1j, "bought": LABELS}), TableError, r"column 'a' holds complex128 values"),
    "no columns": (lambda: train({}), TableError, r"the table has no columns"),
}  # fmt: skip

COLUMNS: dict[str, Case] = {
    "missing column at predict": (lambda: predict(without("town")), TableError, r"no column 'town'\. The columns are: 'age', 'income', 'bought'"),
    "renamed column at predict": (lambda: predict({**without("income"), "Income": NUMBERS}), TableError, r"no column 'income'\. Did you mean 'Income'\?"),
    "several missing columns": (lambda: predict(without("town", "age")), TableError, r"lacks 2 of the columns that training used: 'age', 'town'"),
    "all columns missing or constant": (lambda: train({"a": [None] * N, "b": [1] * N, "bought": LABELS}), TableError, r"no column is left to learn from: 'a' dropped: every cell is missing; 'b' dropped: always 1"),
    "only a target": (lambda: train({"bought": LABELS}), TableError, r"no column but the target 'bought'"),
    "kinds of no column": (lambda: train(kinds={"towm": "categorical"}), TableError, r"kinds names a column 'towm' that is not there\. Did you mean 'town'\?"),
    "kind of the target": (lambda: train(kinds={"bought": "categorical"}), TableError, r"kinds or ignore names the target 'bought'; they only say what other columns are"),
    "unknown setting": (lambda: train(hidden=3), TypeError, r"has no parameter 'hidden'. Did you mean 'hidden_layer_sizes'"),
    "tiny target": (lambda: train({**TABLE, "income": NUMBERS * 1e-300}, target="income"), TableError, r"target 'income' is too small for float64: .* Multiply it"),
    "constant huge target": (lambda: train({**TABLE, "income": [1e200] * N}, target="income"), TableError, r"'income' is 1e\+200 in every row"),
    "unknown kind": (lambda: train(kinds={"town": "ordinal"}), TableError, r"kinds says 'ordinal' for column 'town'; allowed are numeric, categorical, text, ignored"),
    "numeric by decree": (lambda: train(kinds={"town": "numeric"}), TableError, r"column 'town' holds numbers, but row \d+ says"),
    "too wide a range": (lambda: train({**TABLE, "income": np.where(LABELS == 1, 1e308, -1e308)}), TableError, r"column 'income' spans more than float64 can hold: -1e\+308 to 1e\+308"),
}  # fmt: skip

TARGETS: dict[str, Case] = {
    "unknown target": (lambda: train(target="baught"), TableError, r"no target column 'baught'\. Did you mean 'bought'\? The columns are: 'age', "),
    "target in another case": (lambda: train(target="BOUGHT"), TableError, r"Did you mean 'bought'\?"),
    "one class only": (lambda: train({**TABLE, "bought": ["yes"] * N}), TableError, r"'bought' has a single class, 'yes'; classification needs at least two"),
    "missing targets": (lambda: train(with_cell("bought", 6, None)), TableError, r"target 'bought' is missing in row 7 .*remove the rows"),
    "missing targets, many": (lambda: train({**TABLE, "bought": [None] * 9 + ["a", "b"] * 15 + ["a"]}), TableError, r"missing in rows 1, 2, 3, 4, 5, \.\.\. \(9 in all\)"),
    "NaN targets": (lambda: train(with_cell("income", 1, np.nan), "income"), TableError, r"target 'income' is missing in row 2"),
    "all targets missing": (lambda: train({**TABLE, "bought": [None] * N}), TableError, r"target 'bought' is missing in every row"),
    "infinite target": (lambda: train(with_cell("income", 0, np.inf), "income"), TableError, r"target 'income' is infinite in row 1"),
    "constant target": (lambda: train({**TABLE, "income": [5.0] * N}, "income"), TableError, r"target 'income' is 5 in every row"),
    "texts that name rows": (lambda: train({**TABLE, "bought": [f"p{i}" for i in range(N)]}), TableError, r"has 40 classes in 40 rows: they identify the rows"),
    "regression of texts": (lambda: train(task="regression"), TableError, r"column 'bought' holds numbers, but row 1 says"),
    "regression of dates": (lambda: train({**TABLE, "bought": np.datetime64("2020-01-01") + np.arange(N)}), TableError, r"target 'bought' holds dates\. Convert them"),
    "binary with three classes": (lambda: train({**TABLE, "bought": np.arange(N) % 3}, task="binary"), TableError, r"task is 'binary', but target 'bought' has 3 classes"),
    "unknown task": (lambda: train(task="ranking"), ValueError, r"task is 'ranking'; allowed: 'classification', 'binary'"),
    "probabilities of a regression": (lambda: train(target="income").predict_proba(TABLE), AttributeError, r"predict_proba"),
}  # fmt: skip

SETTINGS: dict[str, Case] = {
    "learning rate zero": (lambda: train(learning_rate_init=0), ValueError, r"'learning_rate_init' parameter of TabularClassifier must be a float in the range \(0\.0, inf\)"),
    "learning rate NaN": (lambda: train(learning_rate_init=float("nan")), ValueError, r"'learning_rate_init' parameter of TabularClassifier must be"),
    "learning rate huge": (lambda: train(target="income", learning_rate_init=1e38, batch_size=4), DivergenceError, r"became (nan|inf|infinite or NaN) in epoch 1\..* Try a smaller learning_rate_init \(now 1e\+38\)"),
    "no epochs": (lambda: train(max_iter=0), ValueError, r"'max_iter' parameter of TabularClassifier must be an int in the range \[1, inf\)"),
    "negative neurons": (lambda: train(hidden_layer_sizes=(8, -1)), ValueError, "hidden_layer_sizes: layer 2 is -1; it must be a positive integer"),
    "negative seed": (lambda: train(random_state=-1), ValueError, r"'random_state' parameter of TabularClassifier must be"),
    "negative penalty": (lambda: train(weight_decay=-1.0), ValueError, r"'weight_decay' parameter of TabularClassifier must be"),
    "unknown setting": (lambda: train(learning_rat=0.1), TypeError, r"learning_rat"),
}  # fmt: skip

FILES: dict[str, Case] = {
    "no such model": (lambda: rosenblatt.load("nothing"), FileNotFoundError, r"nothing"),
    "model is a folder": (lambda: rosenblatt.load("."), IsADirectoryError, r"folder|directory"),
    "empty model": (lambda: rosenblatt.load(file("", "m")), ModelFileError, r"m: this is not a rosenblatt model, or it is cut off"),
    "truncated model": (lambda: rosenblatt.load(model_file(lambda data: data[:-20])), ModelFileError, r"damaged or cut off"),
    "truncated header": (lambda: rosenblatt.load(model_file(lambda data: data[:50])), ModelFileError, r"cut off"),
    "flipped weight": (lambda: rosenblatt.load(model_file(lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])), ModelFileError, r"checksum does not fit"),
    "tampered text": (lambda: rosenblatt.load(model_file(lambda data: data.replace(b"town", b"tawn"))), ModelFileError, r"checksum does not fit"),
    "something appended": (lambda: rosenblatt.load(model_file(lambda data: data + b"x")), ModelFileError, r"damaged or cut off"),
    "foreign safetensors": (lambda: rosenblatt.load(other_safetensors()), ModelFileError, r"safetensors file, but not a rosenblatt model"),
    "a pickle": (lambda: rosenblatt.load(file(b"\x80\x04K\x01.", "m.pkl")), ModelFileError, r"not a rosenblatt model"),
    "a table as model": (lambda: rosenblatt.load(file("a,b\n1,2\n")), ModelFileError, r"not a rosenblatt model"),
    "saving an unfitted model": (lambda: rosenblatt.save(classifier(), "m"), NotFittedError, r"not fitted"),
    "saving something else": (lambda: rosenblatt.save({}, "m"), TypeError, r"save takes a fitted MLPClassifier, .*, not <class 'dict'>"),
    "saving a function": (lambda: rosenblatt.save(classifier(activation=long).partial_fit(X, LABELS, classes=[0, 1]), "m"), ModelFileError, r"activation of layer 'hidden1' is a function, .*A model file holds no code"),
    "saving a class": (lambda: rosenblatt.save(MLPClassifier, "m"), TypeError, r"not <class 'type'>. MLPClassifier is a class; give a fitted instance of it"),
    "saving to bytes": (lambda: rosenblatt.save(fitted(), b"m"), TypeError, r"path is b'm'; it must be the name of a file"),
    "saving to nothing": (lambda: rosenblatt.save(fitted(), None), TypeError, r"path is None; it must be the name of a file"),
    "saving to no name": (lambda: rosenblatt.save(fitted(), ""), ValueError, r"path is ''; it must be the name of a file"),
    "saving to half a name": (lambda: rosenblatt.save(fitted(), "a\0b"), ValueError, r"path is 'a\\x00b'; it must be the name of a file"),
    "loading a model": (lambda: rosenblatt.load(fitted()), TypeError, r"path is an MLPClassifier; it must be the name of a file"),
    "loading bytes": (lambda: rosenblatt.load_predictor(b"m"), TypeError, r"path is b'm'; it must be the name of a file"),
    "a layer that is none, for a predictor": (lambda: rosenblatt.load_predictor(model_file(lambda data: data), custom=5), TypeError, r"custom is 5; give a list of classes of layers"),
    "saving into no folder": (lambda: rosenblatt.save(fitted(), "no/where"), FileNotFoundError, r"no such folder"),
    "saving onto a folder": (lambda: (os.mkdir("d"), rosenblatt.save(fitted(), "d")), IsADirectoryError, r"is a folder; give a file name"),
}  # fmt: skip

ESTIMATORS: dict[str, Case] = {
    "one class, logistic regression": (lambda: LogisticRegression().fit(X, np.ones(N)), ValueError, r"at least two classes, but y has only one class: .*1\.0"),
    "NaN in X": (lambda: classifier().fit(put(X, (2, 1), np.nan), LABELS), ValueError, r"X contains NaN in row 2"),
    "infinity in X": (lambda: classifier().fit(put(X, (2, 1), np.inf), LABELS), ValueError, r"X contains inf in row 2"),
    "NaN in y": (lambda: regressor().fit(X, put(NUMBERS, 3, np.nan)), ValueError, r"y contains NaN in row 3"),
    "infinity in y": (lambda: regressor().fit(X, put(NUMBERS, 3, np.inf)), ValueError, r"y contains inf in row 3"),
    "bytes in X": (lambda: classifier().fit(np.full((N, 2), b""), LABELS), ValueError, "X contains b''; it must be an array of numbers"),
    "bytes in X to predict": (lambda: fitted().predict(np.full((N, 2), b"")), ValueError, "X contains b''; it must"),
    "texts in X": (lambda: classifier().fit(np.full((N, 2), "x"), LABELS), ValueError, "X contains 'x'; it must be an array of numbers|dtype='numeric'"),
    "texts as numbers to predict": (lambda: regressor().fit(X, np.full(N, "x")), ValueError, r"could not convert string to float|Unknown label"),
    "different lengths": (lambda: classifier().fit(X, LABELS[:-1]), ValueError, r"inconsistent numbers of samples: \[40, 39\]"),
    "one-dimensional X": (lambda: classifier().fit(X[:, 0], LABELS), ValueError, r"Expected 2D array, got 1D array"),
    "no rows": (lambda: classifier().fit(X[:0], LABELS[:0]), ValueError, r"0 sample\(s\)"),
    "no columns": (lambda: classifier().fit(X[:, :0], LABELS), ValueError, r"0 feature\(s\)"),
    "too many features at predict": (lambda: fitted().predict(np.zeros((2, 5))), ValueError, r"X has 5 features, but MLPClassifier is expecting 3"),
    "too few features, sparse": (lambda: fitted().predict(sp.csr_matrix((2, 2))), ValueError, r"X has 2 features"),
    "predict before fit": (lambda: classifier().predict(X), NotFittedError, r"not fitted yet"),
    "negative weight": (lambda: classifier().fit(X, LABELS, put(np.ones(N), 5, -1)), ValueError, r"sample_weight is -1 in row 5 \(from 0\); weights must be at least 0"),
    "NaN weight": (lambda: classifier().fit(X, LABELS, put(np.ones(N), 5, np.nan)), ValueError, r"sample_weight contains NaN in row 5"),
    "weights of zero": (lambda: classifier().fit(X, LABELS, np.zeros(N)), ValueError, r"sample_weight is zero in all rows; at least one weight must be positive"),
    "weights of another length": (lambda: classifier().fit(X, LABELS, np.ones(3)), ValueError, r"sample_weight has shape \(3,\); it must have one weight per row, shape \(40,\)"),
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
    "unknown class in the validation set": (lambda: classifier().fit(X, LABELS, X_val=X, y_val=LABELS + 1), ValueError, r"y_val contains labels that are not in y: \[2\]"),
    "new class in partial_fit": (lambda: fitted().partial_fit(X, LABELS + 1), ValueError, r"\b2\b"),
    "Poisson of negative counts": (lambda: regressor(loss="poisson").fit(X, NUMBERS), ValueError, r"loss='poisson' needs y >= 0, but the smallest value is -"),
    "logarithm of negative targets": (lambda: regressor(target_transform="log").fit(X, NUMBERS), ValueError, r"target_transform='log' needs y > 0, but \d+ values are not"),
    "probabilities of a perceptron": (lambda: Perceptron().fit(X, LABELS).predict_proba(X), AttributeError, r"Perceptron has no predict_proba: .* Use LogisticRegression"),
    "weights of another shape": (lambda: fitted().coefs_.__setitem__(0, np.zeros((2, 2))), ValueError, r"shape \(2, 2\) was assigned to parameters of shape \(3, 4\)"),
    "unknown public name": (lambda: rosenblatt.MLPClasifier, AttributeError, r"no attribute 'MLPClasifier'"),
}  # fmt: skip

NETWORK_FILES: dict[str, Case] = {
    "a function as layer": (lambda: rosenblatt.save(network(nn.Apply(own, name="twice")), "m"), ModelFileError, r"function of layer 'twice' is a function, own, that cannot be stored as ops: .*holds no code: use ops only, or pickle"),
    "a layer of one's own": (lambda: rosenblatt.save(network(OwnLayer(2, name="mine")), "m") or rosenblatt.load("m"), ModelFileError, r"is a 'OwnLayer', which is no layer of rosenblatt\.nn .*custom=\[OwnLayer\]"),
    "an activation of one's own": (lambda: rosenblatt.save(network(nn.Dense(2, own, name="h")), "m"), ModelFileError, r"activation of layer 'h' is a function, .* use ops only"),
    "an initializer of one's own": (lambda: rosenblatt.save(network(nn.Dense(2, biases=lambda rng, shape: np.ones(shape))), "m"), ModelFileError, r"biases of layer 'dense' is a function"),
    "an output of one's own": (lambda: rosenblatt.save(nn.Network(nn.input(3), output=own), "m"), ModelFileError, r"output activation of head 'prediction' is a function"),
    "a chain with an activation of one's own": (lambda: rosenblatt.save(nn.Network(nn.NetworkSpec(3, (2, 2), 1, ("relu", own))), "m"), ModelFileError, r"activation of layer 'hidden2' is a function"),
    "an output that learns": (lambda: nn.Network(nn.input(3), output=nn.PReLU()), ValueError, r"output activation of head 'prediction' is prelu, which learns parameters; give it to the last layer"),
    "a head without a text": (lambda: rosenblatt.save(nn.Network({0: nn.input(3)}), "m"), ModelFileError, r"a head is called 0, a int; give heads texts"),
    "shared weights of two widths": (lambda: rosenblatt.save(nn.Network(two_widths()), "m"), ModelFileError, r"layer 'shared' is applied to nodes of different widths"),
    "NaN in the statistics": (lambda: rosenblatt.save(poisoned("bn.mean", np.nan), "m"), ModelFileError, r"NaN or infinity in bn\.mean; .* Train it again"),
    "a negative variance": (lambda: rosenblatt.save(poisoned("bn.variance", -1), "m"), ModelFileError, r"bn\.variance has a negative element"),
    "a spec instead of a network": (lambda: rosenblatt.save(nn.NetworkSpec(3, (), 1), "m"), TypeError, r"or nn\.Network of rosenblatt, .*not <class .*NetworkSpec"),
    "a node instead of a network": (lambda: rosenblatt.save(nn.input(3), "m"), TypeError, r"or nn\.Network of rosenblatt, .*not <class .*Node"),
    "a truncated network": (lambda: rosenblatt.load(network_file(lambda data: data[:-5])), ModelFileError, r"damaged or cut off"),
    "a network with a flipped bit": (lambda: rosenblatt.load(network_file(lambda data: data[:-1] + bytes([data[-1] ^ 1]))), ModelFileError, r"checksum does not fit"),
    "a network with another layer": (lambda: rosenblatt.load(network_file(lambda data: data.replace(b"Dense", b"Apply"))), ModelFileError, r"checksum does not fit"),
    "a network onto a folder": (lambda: (os.mkdir("d"), rosenblatt.save(network(nn.Dense(2)), "d")), IsADirectoryError, r"is a folder; give a file name"),
    "a scorer of one's own": (lambda: rosenblatt.save(fitted(scoring=lambda model, X, y: 1.0, early_stopping=True), "m"), ModelFileError, r"parameter 'scoring' is a function"),
    "a loss of one's own": (lambda: rosenblatt.save(fitted(loss=long), "m"), ModelFileError, r"the loss is a function, long, that cannot be stored as ops"),
    "an optimizer of one's own": (lambda: rosenblatt.save(fitted(solver=OwnOptimizer()), "m"), ModelFileError, r"parameter 'solver' is a OwnOptimizer, which a model file cannot hold"),
    "an initializer of one's own among others": (lambda: rosenblatt.save(fitted(weight_init=["he_normal", lambda rng, shape: rng.normal(size=shape)]), "m"), ModelFileError, r"parameter 'weight_init' is a function"),
    "weights without a fit": (lambda: rosenblatt.save(assigned(), "m"), ModelFileError, r"n_features_in_ is None, which is not the network's number of inputs, 3\. Fit again"),
    "boundaries of NaN": (lambda: nn.Piecewise((np.nan,), (0.1,)), ValueError, r"boundaries are \(nan,\); they must be a tuple of finite numbers"),
}  # fmt: skip

LOGIC: dict[str, Case] = {
    "no names": (lambda: logic.variables(" , "), ValueError, r"names is empty; give at least one name"),
    "a name with a hyphen": (lambda: logic.variables("a b-c"), ValueError, r"variable 'b-c' is not a Python name; use letters, digits"),
    "a keyword as name": (lambda: logic.variables("x is"), ValueError, r"variable 'is' is not a Python name"),
    "the same name twice": (lambda: logic.variables("a b a"), ValueError, r"variable 'a' occurs twice in 'a b a'"),
    "numbers as names": (lambda: logic.variables([1, 2]), TypeError, r"name 1 of the variables is 1, a int; give strings"),
    "'and' for '&'": (lambda: A and B, TypeError, r"formula a has no truth value of its own: write & for 'and'"),
    "a number in a formula": (lambda: A & 1, TypeError, r"operand of & is 1, a int; it must be a formula"),
    "a text in a formula": (lambda: "b" | A, TypeError, r"operand of \| is 'b', a str"),
    "k too large": (lambda: logic.at_least(3, A, B), ValueError, r"at_least of 2 formulas: k is 3; it must be an integer in \[1, 2\]"),
    "k of zero": (lambda: logic.at_least(0, A, B), ValueError, r"k is 0; .* in \[1, 2\]"),
    "half a k": (lambda: logic.at_least(1.5, A, B), ValueError, r"k is 1\.5; .* an integer"),
    "k forgotten": (lambda: logic.at_least(A, B), ValueError, r"k is <formula a>; .* an integer in \[1, 1\]"),
    "majority of nothing": (lambda: logic.majority(), ValueError, r"need at least one formula, .* none was given"),
    "13 inputs": (lambda: logic.truth_function(lambda *x: True, [f"x{i}" for i in range(13)]), ValueError, r"names has 13 inputs; a truth function takes at most 12"),
    "a truth function that counts": (lambda: logic.truth_function(lambda p, q: p + q, "a b"), TypeError, r"gives 0, a int, for a=False, b=False; it must give True or False"),
    "a truth function of fewer inputs": (lambda: logic.truth_function(lambda p: p, "a b"), TypeError, r"has the inputs \(p\), but names has 2: a b"),
    "no truth function": (lambda: logic.truth_function(True, "a b"), TypeError, r"function is True; truth_function takes a Python function"),
    "a variable without a value": (lambda: (A ^ B)(a=1), ValueError, r"no value for 'b' in a \^ b; give each variable 0 or 1"),
    "an unknown variable": (lambda: (A ^ logic.variables("speed")[0])(a=1, sped=0), ValueError, r"no variable 'sped' in a \^ speed\. Did you mean 'speed'\?"),
    "a value that is no bit": (lambda: (A ^ B)(a=1, b=2), ValueError, r"b is 2; a variable must be 0 or 1"),
    "no formula to wire": (lambda: logic.threshold_network("a & b"), TypeError, r"formula is 'a & b', a str; threshold_network takes a formula"),
    "inputs that lack a variable": (lambda: logic.threshold_network(A & B, inputs="a c"), ValueError, r"no variable 'b' among the inputs\. .*The variables are: a, c"),
    "a neuron of 13 inputs": (lambda: logic.single_neuron(logic.majority(*logic.variables([f"x{i}" for i in range(13)]))), ValueError, r"has 13 variables; single_neuron takes at most 12"),
    "a neuron for exclusive or": (lambda: logic.single_neuron(A ^ B), logic.NotSeparableError, r"no single neuron computes a \^ b: the midpoint of the true points .* both are \(0\.5, 0\.5\)"),
    "too large a truth table": (lambda: logic.equivalent(logic.majority(*logic.variables([f"x{i}" for i in range(21)])), A), ValueError, r"22 variables has 2 \*\* 22 rows; at most 20"),
    "comparing with a text": (lambda: logic.equivalent(A, "a"), TypeError, r"g is 'a', a str; equivalent takes a Formula or a ThresholdNetwork"),
    "X that is not binary": (lambda: logic.threshold_network(A & B).predict([[0, 1], [1, 0.5]]), ValueError, r"X is 0\.5 in row 1 \(from 0\), column 'b'; allowed: 0 and 1"),
    "NaN in X": (lambda: logic.threshold_network(A & B).predict([[np.nan, 1]]), ValueError, r"X is nan in row 0 .* column 'a'"),
    "X too wide": (lambda: logic.threshold_network(A & B).predict([[0, 1, 1]]), ValueError, r"X has shape \(1, 3\); it must have shape \(n_rows, 2\), with the columns a, b"),
    "one row alone": (lambda: logic.single_neuron(A & B).predict([0, 1]), ValueError, r"X has shape \(2,\); it must have shape \(n_rows, 2\)"),
    "a network that is not chained": (lambda: logic.ThresholdNetwork(A & B, ("a", "b"), ([[1], [1], [1]],), ([-2],)), ValueError, r"weights of shapes \[\(3, 1\)\] .* do not form a network of 2 inputs"),
    "a network with thirds": (lambda: logic.ThresholdNetwork(A & B, ("a", "b"), ([[1 / 3], [1]],), ([-1],)), ValueError, r"weights of layer 1 are .* must be multiples of 1/2"),
    "a wrong network": (lambda: logic.ThresholdNetwork(A & B, ("a", "b"), ([[1], [1]],), ([-1],)).verify(), logic.WrongNetworkError, r"does not compute a & b: for a=0, b=1 it gives 1 and the formula 0; they differ on 2 of 4"),
    "too soft": (lambda: logic.soften(logic.XOR_FORMS[0], sharpness=1), ValueError, r"sharpness is 1, which is too small .* for A=\d, B=\d the output is .* Use a larger value, such as 2"),
    "negative sharpness": (lambda: logic.soften(logic.XOR_FORMS[0], sharpness=-3), ValueError, r"sharpness is -3; it must be a number in \(0, inf\)"),
    "softening a formula": (lambda: logic.soften(A & B), TypeError, r"network is <formula a & b>, .* threshold_network first"),
    "drawing a formula": (lambda: logic.plot(A & B), TypeError, r"plot takes a ThresholdNetwork"),
    "three classes to separate": (lambda: logic.linear_separability(X, np.arange(N) % 3), ValueError, r"y has 3 different labels: 0, 1, 2; .* compare one class with the rest"),
    "one class to separate": (lambda: logic.linear_separability(X, np.ones(N)), ValueError, r"y has 1 different labels: 1\.0"),
    "labels of another length": (lambda: logic.linear_separability(X, LABELS[:3]), ValueError, r"y has shape \(3,\); with 40 rows in X it must have shape \(40,\)"),
    "a row to separate": (lambda: logic.linear_separability(X[0], LABELS[:3]), ValueError, r"X has shape \(3,\); it must be a table"),
    "infinity to separate": (lambda: logic.linear_separability(put(X, (4, 2), np.inf), LABELS), ValueError, r"X contains inf in row 4, column 2 \(from 0\)"),
    "an unknown name of the module": (lambda: logic.treshold_network, AttributeError, r"module 'rosenblatt\.logic' has no attribute 'treshold_network'"),
}  # fmt: skip

PERCEPTRONS: dict[str, Case] = {
    "mistakes before fit": (lambda: Perceptron().mistakes_, NotFittedError, r"not fitted yet"),
    "convergence before fit": (lambda: Perceptron().explain_convergence(X, LABELS), NotFittedError, r"not fitted yet"),
    "logistic regression before fit": (lambda: Perceptron().to_logistic(), NotFittedError, r"not fitted yet"),
    "mistakes after unpickling": (lambda: pickle.loads(pickle.dumps(Perceptron().fit(X, LABELS))).mistakes_, AttributeError, r"mistakes_ cannot be counted without the training data: .* Fit again, and read mistakes_ first"),
    "convergence on other labels": (lambda: Perceptron().fit(X, LABELS).explain_convergence(X, LABELS + 1), ValueError, r"y has the labels \[1, 2\]; explain_convergence needs all labels of fit and no others: \[0, 1\]"),
    "convergence on other columns": (lambda: Perceptron().fit(X, LABELS).explain_convergence(X[:, :2], LABELS), ValueError, r"X has 2 features, but Perceptron is expecting 3"),
    "unknown parameter of the logistic regression": (lambda: Perceptron().fit(X, LABELS).to_logistic(max_itre=9), TypeError, r"LogisticRegression has no parameter 'max_itre'\. Did you mean 'max_iter'\? The parameters are: 'penalty', 'C', "),
    "wrong parameter of the logistic regression": (lambda: Perceptron().fit(X, LABELS).to_logistic(penalty="l3"), InvalidParameterError, r"'penalty' parameter .* Did you mean 'l"),
}  # fmt: skip

CATALOGUE = {
    f"{part}: {name}": case
    for part, cases in {
        "reading": READING,
        "columns": COLUMNS,
        "targets": TARGETS,
        "settings": SETTINGS,
        "files": FILES,
        "network files": NETWORK_FILES,
        "estimators": ESTIMATORS,
        "logic": LOGIC,
        "perceptrons": PERCEPTRONS,
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
    model = train({**TABLE, "void": [None] * N})
    assert "left out: dropped: every cell is missing" in str(model.report())
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
