"""The doors through which data come in, behind one interface.

A door takes a `Training` in words that belong to no door, trains a small network in a moment, and returns an `Answer`.
Refusals are the door's own exceptions; the command line's become a `CommandError` with what it wrote.
"""

import csv
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rosenblatt
from rosenblatt import nn
from rosenblatt.cli import main


@dataclass(frozen=True)
class Training:
    """What a user brings; None is left out of the call, so that the door's default applies.

    `X` is an array or a mapping of columns, `y` the target, `validation` a pair (X, y), and `X_new` what to
    predict afterwards (by default `X`). `options` are passed to the door as they are, under the door's names.
    """

    X: Any = None
    y: Any = None
    weights: Any = None
    class_weight: Any = None
    validation: Any = None
    seed: Any = 0
    seeded: bool = True
    X_new: Any = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the door gave: the fitted object (None from the command line), predictions of `X_new`, and what was said."""

    model: Any
    predictions: Any
    said: str


class CommandError(ValueError):
    """A command line that ended with an exit code; the message is what it wrote on standard error."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said.strip())
        self.code = code


@dataclass(frozen=True)
class Door:
    """A way in: its name, the tasks it serves, and what it takes."""

    name: str
    tasks: frozenset[str]
    takes: frozenset[str]
    enter: Callable[[Training, str, Path], Answer]

    def __call__(self, training: Training, task: str, folder: Path) -> Answer:
        return self.enter(training, task, folder)

    def __repr__(self) -> str:
        return self.name


def given(**parameters: Any) -> dict[str, Any]:
    """The parameters that are not None."""
    return {name: value for name, value in parameters.items() if value is not None}


def heard(call: Callable[[], Any]) -> tuple[Any, str]:
    """What a call returns, and its warnings in one text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, "\n".join(str(warning.message) for warning in caught)


def estimator_door(name: str, small: dict[str, Any]) -> Callable[[Training, str, Path], Answer]:
    """Fit an estimator that is called `name`, with parameters that make it small."""

    def enter(training: Training, task: str, folder: Path) -> Answer:
        seed = {"random_state": training.seed} if training.seeded else {}
        parameters = {**small, **seed, **given(class_weight=training.class_weight), **training.options}
        model = getattr(rosenblatt, name)(**parameters)
        fit_parameters = given(sample_weight=training.weights)
        if training.validation is not None:
            fit_parameters |= dict(zip(("X_val", "y_val"), training.validation, strict=True))
        _, said = heard(lambda: model.fit(training.X, training.y, **fit_parameters))
        return Answer(model, model.predict(training.X if training.X_new is None else training.X_new), said)

    return enter


def enter_network(training: Training, task: str, folder: Path) -> Answer:
    """`Network.fit`, with the labels as they are if these are codes."""
    n_inputs = np.shape(training.X)[1] if np.ndim(training.X) == 2 else 1
    classes = 1 if task == "regression" else max(len(np.unique(np.asarray(training.y))), 2)
    output = "identity" if task == "regression" else "softmax"
    seed = training.seed if isinstance(training.seed, int) and 0 <= training.seed < 2**31 else 0
    spec = nn.NetworkSpec(n_inputs, (4,), classes, output=output)
    network = nn.Network(spec, dtype="float64", seed=seed)
    parameters = given(sample_weight=training.weights, validation=training.validation)
    if training.seeded:
        parameters["seed"] = training.seed
    fitted = {"epochs": 2, "batch_size": 16, **parameters, **training.options}
    _, said = heard(lambda: network.fit(training.X, training.y, **fitted))
    predictions = network.predict(training.X if training.X_new is None else training.X_new)
    return Answer(network, predictions[:, 0] if task == "regression" else predictions.argmax(1), said)


def columns_of(X: Any) -> dict[Any, Any]:
    """A mapping of columns, from one or from an array."""
    if isinstance(X, dict):
        return X
    return {f"x{i}": column for i, column in enumerate(np.asarray(X).T)}


def enter_learn(training: Training, task: str, folder: Path) -> Answer:
    """`rosenblatt.learn`, with the target as a column of the table."""
    table = {**columns_of(training.X), "target": training.y}
    seed = {"random_state": training.seed} if training.seeded else {}
    weights = given(sample_weight=training.weights, class_weight=training.class_weight)
    parameters = {"members": 2, "max_iter": 2, "hidden_layer_sizes": (4,), **seed, **weights, **training.options}
    model, said = heard(lambda: rosenblatt.learn(table, "target", task=task, **parameters))
    new = columns_of(training.X if training.X_new is None else training.X_new)
    return Answer(model, model.predict(new), f"{said}\n{model.report()!s}")


def enter_search(training: Training, task: str, folder: Path) -> Answer:
    """`MLPSearchCV` around an estimator for the task."""
    kind = rosenblatt.MLPRegressor if task == "regression" else rosenblatt.MLPClassifier
    options = dict(training.options)
    parameters = {name: options.pop(name) for name in list(options) if name in kind().get_params()}
    template = kind(**{"hidden_layer_sizes": (4,), "max_iter": 2, **given(class_weight=training.class_weight)})
    template.set_params(**parameters)
    seed = {"random_state": training.seed} if training.seeded else {}
    search = rosenblatt.MLPSearchCV(
        template, {"alpha": [1e-4, 1e-2]}, **{"n_trials": 2, "cv": 2, "strategy": "random", **seed, **options}
    )
    _, said = heard(lambda: search.fit(training.X, training.y, **given(sample_weight=training.weights)))
    return Answer(search, search.predict(training.X if training.X_new is None else training.X_new), said)


def enter_diagnose(training: Training, task: str, folder: Path) -> Answer:
    """`diagnose` of an estimator for the task; it predicts nothing."""
    kind = rosenblatt.MLPRegressor if task == "regression" else rosenblatt.MLPClassifier
    options = dict(training.options)
    parameters = {name: options.pop(name) for name in list(options) if name in kind().get_params()}
    model = kind(**{"hidden_layer_sizes": (4,), "max_iter": 2, **given(class_weight=training.class_weight)})
    seed = {"random_state": training.seed} if training.seeded else {}
    model.set_params(**parameters)
    found, said = heard(lambda: rosenblatt.diagnose(model, training.X, training.y, **{"cv": 2, **seed, **options}))
    return Answer(found, None, said)


def write_csv(path: Path, columns: dict[Any, Any]) -> Path:
    """A CSV file of the columns; a cell that is None is empty."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True))
    return path


def run(*arguments: str) -> str:
    """Run a command line here: what it wrote. A `CommandError` holds the exit code and the text of a refusal."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        patch.setattr(sys, "argv", ["rosenblatt", *arguments])
        shown, failed = Capture(), Capture()
        patch.setattr(sys, "stdout", shown)
        patch.setattr(sys, "stderr", failed)
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise CommandError(int(end.code), failed.text) from None
    return shown.text + failed.text


class Capture:
    """A text stream that keeps what is written; it is no terminal."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def command_door(command: str, *small: str) -> Callable[[Training, str, Path], Answer]:
    """``rosenblatt train`` or ``tune`` on a CSV file, then ``rosenblatt predict``."""

    def enter(training: Training, task: str, folder: Path) -> Answer:
        file = write_csv(folder / "table.csv", {**columns_of(training.X), "target": training.y})
        model, out = folder / "model.safetensors", folder / "predictions.csv"
        seed = ("--seed", str(training.seed)) if training.seeded else ()
        options = [text for name, value in training.options.items() for text in (name, *([value] if value else []))]
        head = (command, str(file), "--target", "target", "--task", task, "--out", str(model))
        said = run(*head, *small, *seed, *options)
        new = write_csv(folder / "new.csv", columns_of(training.X if training.X_new is None else training.X_new))
        said += run("predict", str(model), str(new), "--out", str(out))
        with open(out, newline="", encoding="utf-8") as rows:
            predictions = [row[0] for row in csv.reader(rows)][1:]
        return Answer(None, predictions, said)

    return enter


BOTH = frozenset({"classification", "regression"})
MLP = frozenset({"weights", "validation", "seed", "epochs"})
TABULAR = frozenset({"weights", "seed", "tables", "labels"})
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "batch_size": 16}

DOORS = {
    door.name: door
    for door in (
        Door(
            "MLPClassifier",
            frozenset({"classification"}),
            MLP | {"class_weight", "labels"},
            estimator_door("MLPClassifier", SMALL),
        ),
        Door("MLPRegressor", frozenset({"regression"}), MLP, estimator_door("MLPRegressor", SMALL)),
        Door(
            "LogisticRegression",
            frozenset({"classification"}),
            frozenset({"weights", "class_weight", "seed", "labels"}),
            estimator_door("LogisticRegression", {"max_iter": 200}),
        ),
        Door(
            "Perceptron",
            frozenset({"classification"}),
            frozenset({"weights", "class_weight", "labels"}),
            estimator_door("Perceptron", {"max_iter": 20}),
        ),
        Door("Network.fit", BOTH, MLP, enter_network),
        Door(
            "TabularClassifier",
            frozenset({"classification"}),
            TABULAR | {"class_weight"},
            estimator_door("TabularClassifier", {"members": 2, "max_iter": 2, "hidden_layer_sizes": (4,)}),
        ),
        Door(
            "TabularRegressor",
            frozenset({"regression"}),
            TABULAR,
            estimator_door("TabularRegressor", {"members": 2, "max_iter": 2, "hidden_layer_sizes": (4,)}),
        ),
        Door("learn", BOTH, TABULAR | {"names"}, enter_learn),
        Door("MLPSearchCV", BOTH, frozenset({"weights", "class_weight", "seed", "labels"}), enter_search),
        Door("diagnose", BOTH, frozenset({"class_weight", "seed", "labels"}), enter_diagnose),
        Door(
            "rosenblatt train",
            BOTH,
            frozenset({"seed", "tables", "labels", "files"}),
            command_door("train", "--epochs", "2", "--members", "2", "--hidden", "4"),
        ),
        Door(
            "rosenblatt tune",
            BOTH,
            frozenset({"tables", "labels", "files"}),
            command_door("tune", "--time", "1"),
        ),
    )
}


def data(task: str, n_rows: int = 40, n_columns: int = 3) -> Training:
    """A task that every door can learn: a class that is the sign of a sum, or the sum."""
    X = np.random.default_rng(0).normal(size=(n_rows, n_columns))
    total = X.sum(1)
    return Training(X, (total > 0).astype(int) if task == "classification" else total)


def spoil(array: Any, row: int, value: Any) -> Any:
    """A copy with another value in a row (in its first column)."""
    spoilt = np.array(array, copy=True)
    spoilt[(row, 0) if spoilt.ndim == 2 else row] = value
    return spoilt


__all__ = [
    "DOORS",
    "Answer",
    "CommandError",
    "Door",
    "Training",
    "columns_of",
    "data",
    "replace",
    "run",
    "spoil",
    "write_csv",
]
