"""One fit of ours or of a peer, all with default settings.

Goes in: a method's name, a table, a seed. Comes out: errors and seconds. Peers take missing numbers as median and
indicator where they cannot take them as they are; classes are 0, 1, 2, ... for all.
"""

from __future__ import annotations

import logging
import re
import time
import warnings
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.tabular.tables import class_errors, load, number_errors, split, tables

OURS = ("default", "best", "fast")
TUNED = "tuned-"
PEERS = ("mlp", "hist_gradient_boosting", "lightgbm", "catboost", "realmlp_s", "realmlp")


def attempt(method: str, name: str, seed: int, full: bool, threads: int) -> dict[str, Any]:
    """What `run` returns, or how it failed: a failure is a result too."""
    try:
        return run(method, name, seed, full, threads)
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"[:300]}


def run(method: str, name: str, seed: int, full: bool, threads: int) -> dict[str, Any]:
    """Errors, seconds of fit (of the clock and of the processor) and of prediction."""
    frame, y = load(name)
    classify = tables()[name]
    classes = None
    if classify:
        classes, y = np.unique(y, return_inverse=True)
    train, test = split(y if classes is None else classes[y], classify, seed, None if full else 3000)
    make = peer(method, classify, threads) if method in PEERS else ours(method, classify, threads)
    if method in PEERS:
        frame = plain(frame, train, method)
    # OpenMP and OpenBLAS that are loaded already read no environment variable any more.
    with warnings.catch_warnings(), threadpool_limits(threads):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        wall, processor = time.perf_counter(), time.process_time()
        model = make(frame.iloc[train], y[train])
        times = {"seconds": time.perf_counter() - wall, "processor_seconds": time.process_time() - processor}
        wall = time.perf_counter()
        if classes is None:
            errors = number_errors(y[test], np.ravel(model.predict(frame.iloc[test])))
        else:
            p = np.zeros((len(test), len(classes)))
            p[:, np.asarray(model.classes_).astype(int)] = model.predict_proba(frame.iloc[test])
            errors = class_errors(y[test], p)
        times["predict_seconds"] = time.perf_counter() - wall
        if method.startswith(TUNED):
            default = ours("default", classify, threads)(frame.iloc[train], y[train])
            errors |= beside(default, model, frame.iloc[test], y[test], classify)
            times["candidates"] = len(model.cv_results_["params"])
    return {**errors, **times, "n_test": len(test), "threads": threads}


def ours(method: str, classify: bool, threads: int) -> Any:
    """A function (X, y) -> fitted estimator of this library: a preset, or a search of "tuned-" so many seconds."""
    import rosenblatt
    from rosenblatt.cli.train import SEARCH

    rosenblatt.set_num_threads(threads)
    kind = rosenblatt.TabularClassifier if classify else rosenblatt.TabularRegressor
    if not method.startswith(TUNED):
        return lambda X, y: kind(preset=method).fit(X, y)
    seconds = float(method.removeprefix(TUNED))
    return lambda X, y: rosenblatt.MLPSearchCV(kind(), time_budget=seconds, **SEARCH).fit(X, y)


def beside(default: Any, tuned: Any, X: Any, y: Any, classify: bool) -> dict[str, float]:
    """The error of the default model on the same rows, and by how many standard errors the other one is worse."""
    of_each = [np.ravel(model.predict(X)) for model in (default, tuned)]
    losses = [(p != y).astype(float) if classify else np.square(p - y) for p in of_each]
    difference = losses[1] - losses[0]
    mean = float(losses[0].mean())
    spread = float(difference.std() / np.sqrt(len(y)))
    return {
        "default_error": mean if classify else float(np.sqrt(mean) / y.std()),
        "worse_by": float(difference.mean()) / spread if spread else 0.0,
    }


def plain(frame: Any, train: Any, method: str) -> Any:
    """Texts without gaps; for networks also numbers without gaps, with indicators."""
    import pandas as pd

    columns, indicators = {}, {}
    for name in frame:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            values = column.astype(float)
            if method.startswith("realmlp") and values.isna().any():
                indicators[f"{name}_missing"] = values.isna().astype(float)
                known = values.iloc[train].dropna()
                values = values.fillna(known.median() if len(known) else 0.0)
            columns[name] = values
        else:
            text = column.astype(object).where(column.notna(), "missing").astype(str)
            levels = sorted(set(text.iloc[train]))
            many = method == "hist_gradient_boosting" and len(levels) > 255
            as_category = method in ("lightgbm", "hist_gradient_boosting")
            category = pd.Series(pd.Categorical(text.where(text.isin(levels)), categories=levels), index=frame.index)
            columns[name] = category.cat.codes.astype(float) if many else category if as_category else text
    found = pd.DataFrame({**columns, **indicators})
    if method == "lightgbm":  # it refuses brackets and the like in names
        found.columns = [re.sub(r"\W", "_", str(name)) for name in found.columns]
    return found


def peer(method: str, classify: bool, threads: int) -> Any:
    """A function (X, y) -> fitted model of a peer; what it imports is imported now, before the clock runs."""
    if method == "mlp":
        return lambda X, y: mlp(texts_of(X), [c for c in X if c not in texts_of(X)], classify).fit(X, y)
    if method == "hist_gradient_boosting":
        from sklearn import ensemble

        kind = ensemble.HistGradientBoostingClassifier if classify else ensemble.HistGradientBoostingRegressor
        return lambda X, y: kind(categorical_features="from_dtype", random_state=0).fit(X, y)
    if method == "lightgbm":
        import lightgbm

        kind = lightgbm.LGBMClassifier if classify else lightgbm.LGBMRegressor
        return lambda X, y: kind(verbose=-1, n_jobs=threads, random_state=0).fit(X, y)
    if method == "catboost":
        import catboost

        kind = catboost.CatBoostClassifier if classify else catboost.CatBoostRegressor
        options = {"verbose": 0, "allow_writing_files": False, "thread_count": threads, "random_seed": 0}
        return lambda X, y: kind(cat_features=texts_of(X), **options).fit(X, y)
    return realmlp("S_" if method == "realmlp_s" else "", classify, threads)


def realmlp(variant: str, classify: bool, threads: int) -> Any:
    """RealMLP of pytabkit; its first fit of a process, which imports more, is done here on a few rows."""
    import pytabkit

    kind = getattr(pytabkit, f"RealMLP_TD_{variant}{'Classifier' if classify else 'Regressor'}")

    def fit(X: Any, y: Any, **options: Any) -> Any:
        target = y if classify else np.asarray(y, np.float32)
        model = kind(random_state=0, n_threads=threads, device="cpu", **options)
        return model.fit(X, target, cat_col_names=texts_of(X))

    if (variant, classify) not in _WARM:
        import pandas as pd

        _WARM.add((variant, classify))
        fit(pd.DataFrame({"x": np.arange(40.0)}), np.arange(40) % 2, n_epochs=1)
    return fit


_WARM: set[tuple[str, bool]] = set()


def texts_of(X: Any) -> list[str]:
    """Names of the columns of texts."""
    return [name for name in X if X[name].dtype.kind == "O" or str(X[name].dtype) in ("str", "string")]


def mlp(texts: list[str], numbers: list[str], classify: bool, seed: int = 0) -> Any:
    """scikit-learn's network behind the preparation that its guide recommends."""
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), texts),
    )
    network = (MLPClassifier if classify else MLPRegressor)(random_state=seed)
    model = make_pipeline(prepare, network)
    return model if classify else TransformedTargetRegressor(model, transformer=StandardScaler())
