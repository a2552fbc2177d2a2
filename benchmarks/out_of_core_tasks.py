"""One measurement in a process of its own: ``python -m benchmarks.out_of_core_tasks TASK REQUEST``.

Driven by `benchmarks.out_of_core`. Takes a request in JSON. Prints lines that mark phases ("begin", "epoch", "fitted"),
whose times the parent notes, and an answer in JSON at the end.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.large_table import LEVELS, TARGET, matrices
from benchmarks.processes import drop_cached, unnamed_files

TREES: dict[str, Any] = {"learning_rate": 0.1, "max_bin": 255}
LEAVES = 63


def area_under_curve(y: np.ndarray, score: np.ndarray) -> float:
    """The probability that a positive row has the larger score."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, score))


def mark(text: str) -> None:
    """A line for the parent."""
    print(text, flush=True)


def network(request: dict[str, Any], **more: Any) -> Any:
    """The estimator that is measured."""
    from rosenblatt import TabularClassifier

    def after_epoch(epoch: Any) -> None:
        mark(f"epoch {epoch.number}")
        if request.get("drop"):  # the next one begins with a cold cache of the prepared rows
            for descriptor in unnamed_files():
                drop_cached(descriptor)

    fixed = {"preset": "fast", "members": 1, "max_iter": request["epochs"], "random_state": request["seed"]}
    return TabularClassifier(**fixed, on_epoch=after_epoch, **more)


def streamed(request: dict[str, Any]) -> dict[str, Any]:
    """The streamed fit of a folder or a file."""
    model = network(request, window=request["window"], memory_limit=request["memory_limit"])
    mark("begin")
    model.fit(request["source"], TARGET)
    mark("fitted")
    if request.get("model"):
        from rosenblatt import save

        save(model, request["model"])
    return scored(model, request)


def in_memory(request: dict[str, Any]) -> dict[str, Any]:
    """The fit of a table in memory, validated on rows of its own, as the streamed fit is."""
    import pandas as pd

    frame = pd.read_parquet(request["source"]).iloc[: request["rows"]]
    held_out = pd.read_parquet(request["validation"])
    model = network(request)
    mark("begin")
    model.fit(frame.drop(columns=TARGET), frame[TARGET], X_val=held_out.drop(columns=TARGET), y_val=held_out[TARGET])
    mark("fitted")
    return scored(model, request)


def scored(model: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The AUC on the test rows."""
    import pandas as pd

    if not request.get("test"):
        return {}
    test = pd.read_parquet(request["test"])
    return {"auc": area_under_curve(test[TARGET], model.predict_proba(test.drop(columns=TARGET))[:, 1])}


def lightgbm(request: dict[str, Any]) -> dict[str, Any]:
    """LightGBM from a Sequence of the Parquet files, which it reads twice: to sample, and to sort into bins."""
    import lightgbm as gbm

    from benchmarks.parquet_sequence import parquet_sequence

    mark("begin")
    files = [Path(path) for path in request["files"]]
    y = np.concatenate([target for _, target in matrices(files)])
    parameters = {"objective": "binary", "num_leaves": LEAVES, "num_threads": request["threads"], "verbose": -1}
    data = gbm.Dataset(
        parquet_sequence(files), y, categorical_feature=list(range(len(LEVELS))), params=TREES, free_raw_data=True
    ).construct()
    mark("loaded")
    model = gbm.train(parameters | TREES, data, request["rounds"])
    mark("fitted")
    return peer_scored(request, model.predict)


def xgboost(request: dict[str, Any]) -> dict[str, Any]:
    """XGBoost's external memory: the row groups are sorted into bins in files, which each level of a tree reads."""
    import xgboost as xgb

    class Groups(xgb.DataIter):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(cache_prefix=request["cache"], on_host=False)
            self.left = iter(())

        def reset(self) -> None:
            self.left = matrices([Path(path) for path in request["files"]])

        def next(self, input_data: Any) -> bool:
            for X, y in self.left:
                input_data(data=X, label=y, feature_types=types)
                return True
            return False

    n_columns = request["columns"]
    types = ["c"] * len(LEVELS) + ["q"] * (n_columns - len(LEVELS))
    mark("begin")
    how = {"enable_categorical": True, "nthread": request["threads"], "max_bin": TREES["max_bin"]}
    data = xgb.ExtMemQuantileDMatrix(Groups(), **how)
    mark("loaded")
    parameters = {"objective": "binary:logistic", "tree_method": "hist", "grow_policy": "lossguide", "max_depth": 0}
    parameters |= {"max_leaves": LEAVES, "eta": TREES["learning_rate"], "nthread": request["threads"]}
    model = xgb.train(parameters | {"max_bin": TREES["max_bin"]}, data, request["rounds"])
    mark("fitted")
    return peer_scored(request, lambda X: model.predict(xgb.DMatrix(X, feature_types=types, enable_categorical=True)))


def peer_scored(request: dict[str, Any], predict: Any) -> dict[str, Any]:
    """The AUC on the test rows, predicted row group by row group."""
    parts = [(y, predict(X)) for X, y in matrices([Path(request["test"])])]
    return {"auc": area_under_curve(*map(np.concatenate, zip(*parts, strict=True)))}


def reading(request: dict[str, Any]) -> dict[str, Any]:
    """Reading and decoding the files, and nothing else."""
    import pyarrow.dataset as ds

    began = time.perf_counter()
    rows = sum(batch.num_rows for batch in ds.dataset(request["files"]).to_batches())
    return {"rows": rows, "seconds": time.perf_counter() - began}


TASKS = {task.__name__: task for task in (streamed, in_memory, lightgbm, xgboost, reading)}


def main() -> None:
    """Do one task."""
    warnings.simplefilter("ignore")
    print("", json.dumps(TASKS[sys.argv[1]](json.loads(sys.argv[2]))), sep="\n", flush=True)


if __name__ == "__main__":
    main()
