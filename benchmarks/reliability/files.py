"""Model files that are damaged or forged: `ModelFileError`, or a model that predicts finite numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import rosenblatt
from benchmarks.reliability.attempts import Attempt, Rng, part
from benchmarks.reliability.data import DATA, LABELS, NUMBERS
from benchmarks.reliability.mutations import mutated_file
from rosenblatt import learn, nn
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor, Perceptron
from rosenblatt.persistence.save_load import ModelFileError, model_from_bytes


def models() -> list[tuple[bytes, Any]]:
    """Files of each kind of model, and a table that it predicts."""
    rng, found = np.random.default_rng(0), []
    names = [f"level {i}" for i in range(40)]
    table = {"x": DATA[:, 0], "c": rng.choice(["a", "b", "c"], 60), "many": [names[i % 40] for i in range(60)]}
    quick = {"hidden_layer_sizes": (2,), "members": 1, "max_iter": 2}
    several = np.column_stack([LABELS > 0, LABELS > 1]).astype(int)
    made = [
        (MLPClassifier((2,), max_iter=2).fit(DATA, np.array(["a", "b", "c"])[LABELS]), DATA),
        (MLPClassifier((2,), max_iter=2, normalization="batch").fit(DATA, several), DATA),
        (MLPRegressor(hidden_layer_sizes=(2,), max_iter=2, target_transform="log").fit(DATA, np.exp(NUMBERS)), DATA),
        (LogisticRegression(max_iter=20).fit(DATA, LABELS), DATA),
        (nn.Network(nn.Dense(2)(nn.LayerNorm()(nn.input(3))), output="softmax"), DATA),
        (learn({**table, "y": LABELS}, "y", **quick), table),
        (learn({**table, "y": np.exp(NUMBERS)}, "y", **quick), table),
    ]
    made += [(pipeline.fit(rows, LABELS), rows) for pipeline, rows in pipelines(table)]
    made += [(Perceptron(max_iter=5).fit(DATA, LABELS), DATA)]
    with tempfile.TemporaryDirectory() as folder:
        for model, X in made:
            rosenblatt.save(model, Path(folder) / "m")
            found.append(((Path(folder) / "m").read_bytes(), X))
    return found


def pipelines(table: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Pipelines with every kind of step that a file can hold, and what they are fitted on."""
    import pandas as pd
    from sklearn import compose, decomposition, feature_selection, impute, pipeline, preprocessing
    from sklearn.feature_extraction import text

    frame, quick = pd.DataFrame(table), {"max_iter": 2, "random_state": 0}
    frame["words"] = [f"word{i % 5} and word{i % 3}" for i in range(60)]
    gaps = np.where(np.abs(DATA) > 1.5, np.nan, DATA)
    bins = preprocessing.KBinsDiscretizer(3, strategy="uniform")
    numbers = [preprocessing.PowerTransformer(), preprocessing.QuantileTransformer(n_quantiles=10), bins]
    scalers = [preprocessing.MinMaxScaler(), preprocessing.RobustScaler(), preprocessing.MaxAbsScaler()]
    selecting = [feature_selection.SelectKBest(k=3), feature_selection.VarianceThreshold(), decomposition.PCA(2)]
    reduced = decomposition.TruncatedSVD(2, random_state=0)
    columns = compose.make_column_transformer(
        (preprocessing.StandardScaler(), ["x"]),
        (preprocessing.OneHotEncoder(handle_unknown="ignore"), ["c"]),
        (preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["many"]),
        (pipeline.make_pipeline(text.TfidfVectorizer(), reduced), "words"),
    )
    by_places = compose.make_column_transformer((preprocessing.Normalizer(), slice(0, 2)), remainder="passthrough")
    target = preprocessing.StandardScaler()
    return [
        (pipeline.make_pipeline(columns, MLPClassifier((2,), **quick)), frame),
        (pipeline.make_pipeline(impute.SimpleImputer(add_indicator=True), MLPClassifier((2,), **quick)), gaps),
        (pipeline.make_pipeline(impute.KNNImputer(), *scalers, LogisticRegression(max_iter=20)), gaps),
        (pipeline.make_pipeline(pipeline.make_union(*numbers), LogisticRegression(max_iter=20)), DATA),
        (pipeline.make_pipeline(preprocessing.PolynomialFeatures(2), *selecting, Perceptron(max_iter=5)), DATA),
        (pipeline.make_pipeline(by_places, preprocessing.Binarizer(), LogisticRegression(max_iter=20)), DATA),
        (
            pipeline.make_pipeline(text.CountVectorizer(), text.TfidfTransformer(), Perceptron(max_iter=5)),
            frame["words"],
        ),
        (pipeline.make_pipeline(text.HashingVectorizer(n_features=8), Perceptron(max_iter=5)), frame["words"]),
        (compose.TransformedTargetRegressor(MLPRegressor(hidden_layer_sizes=(2,), **quick), transformer=target), DATA),
    ]


@part("files")
def files(rng: Rng) -> Iterator[Attempt]:
    """Load each changed file, and use the model."""
    kept = models()
    while True:
        data, X = kept[rng.integers(len(kept))]
        changed, what = mutated_file(data, rng, finite=True)
        yield Attempt(what, partial(use, changed, X), (ModelFileError,))


def use(data: bytes, X: Any) -> None:
    """Load a model and do with it what users do; another name of a column is the table's mistake.

    Where weights are extreme, rows that are larger than the one that `load` tries may be refused by name. What a step
    of a pipeline does not take is a `ValueError` or a `TypeError` of scikit-learn.
    """
    from rosenblatt.estimators.outputs import OutputError
    from rosenblatt.tables import TableError

    model = model_from_bytes(data)
    wrong_rows = (
        TableError,
        OutputError,
        *((ValueError, TypeError) if hasattr(model, "steps") or hasattr(model, "regressor_") else ()),
    )
    try:
        model.predict(X)
        if hasattr(model, "report"):
            model.report()
    except wrong_rows:
        return
    with tempfile.TemporaryDirectory() as folder:
        rosenblatt.save(model, Path(folder) / "m")
        rosenblatt.load(Path(folder) / "m")
