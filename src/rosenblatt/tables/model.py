"""`TableModel`: a table's encoding and the network trained on it, as one thing that predicts from raw rows.

Goes in: a table (file, frame, dictionary) and the name of its target. Comes out: a model that predicts, can be stored
in one file, and says what it did. It never uses a row of the validation set to set a weight or a scale.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt.tables.encoding import Encoder, fit_encoder
from rosenblatt.tables.kinds import ColumnKind, infer_kinds
from rosenblatt.tables.reading import read_table
from rosenblatt.tables.splits import split_rows
from rosenblatt.tables.table import Table, TableError, TableWarning, suggestion
from rosenblatt.tables.targets import Target, fit_target
from rosenblatt.tables.training import Epoch, History, Settings, train_network

__all__ = ["TableModel", "TableWarning", "find_target", "read_settings"]

FEWEST_ROWS = 10


@dataclass(frozen=True)
class TableModel:
    """Predicts one column of a table from the others.

    Made by `TableModel.train` or `TableModel.load`.

    Attributes
    ----------
    target : Target
        Name, task ("binary", "multiclass" or "regression") and classes of the predicted column.
    encoder : Encoder
        How rows become the network's inputs, fitted on the training rows.
    estimator : MLPClassifier or MLPRegressor
        The network, from encoded rows to labels 0, 1, ... or the standardized target.
    kinds : list of ColumnKind
        What each column was taken for, dropped ones included. Empty for a loaded model.
    history : History
        The epochs, and how training ended. Empty for a loaded model.
    """

    target: Target
    encoder: Encoder
    estimator: Any
    kinds: list[ColumnKind] = field(default_factory=list)
    history: History = field(default_factory=History)

    @classmethod
    def train(
        cls,
        table: Any,
        target: str,
        *,
        task: str | None = None,
        kinds: Mapping[str, str] | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        on_kinds: Callable[[list[ColumnKind]], None] | None = None,
        **settings: Any,
    ) -> TableModel:
        """Learn to predict the column `target` from the other columns.

        Numbers are scaled, categories become one column per level, missing cells are filled in and marked; part of
        the rows decides when training stops, and the weights that are best on them are kept. Equal inputs and seeds
        give equal models.

        Parameters
        ----------
        table : path, data frame, mapping of arrays, or Table
            The rows. See `rosenblatt.tables.read_table`.
        target : str
            The column to predict.
        task : {"classification", "binary", "multiclass", "regression"}, optional
            Default: classes for texts, booleans and integers of at most 20 different values, else regression.
        kinds : mapping of str to {"numeric", "categorical", "ignored"}, optional
            What columns are, where the guess is wrong.
        on_epoch : callable, optional
            Called with an `Epoch` after each epoch.
        on_kinds : callable, optional
            Called with the kinds of the columns before training.
        hidden : sequence of int, default=(128, 64)
            Neurons of each hidden layer.
        max_epochs : int, default=200
            Most epochs.
        patience : int, default=6
            Epochs without a smaller validation loss after which the learning rate is divided by 5, and in the end
            training stops.
        rate_drops : int, default=2
            How often the learning rate is divided.
        learning_rate : float, default=0.002
            The first learning rate of Adam.
        alpha : float, default=0.1
            L2 penalty: alpha / 2 * sum(weights**2) / (rows of the batch) is added to the loss.
        batch_size : int, optional
            Default: about a hundredth of the training rows, 32 to 256.
        validation_share : float, default=0.15
            Share of the rows that decide when to stop.
        seed : int, default=0
            Of validation rows, initial weights and row orders.

        Returns
        -------
        TableModel

        Raises
        ------
        TableError
            A `ValueError`, for a table or target that cannot be used.
        rosenblatt.estimators.DivergenceError
            A `ValueError`, if the loss becomes infinite or NaN in the first epoch; in a later one training ends with a
            warning and the best weights.
        """
        chosen = read_settings(settings)
        rows = read_table(table)
        inputs = require_learnable(rows, target)
        fitted_target = fit_target(rows.columns[target], task)
        y = fitted_target.encode(rows.columns[target])
        training, validation = split_rows(
            rows.n_rows, chosen.validation_share, chosen.seed, y if fitted_target.classes else None
        )
        if target in (kinds or {}):
            raise TableError(f"kinds names the target {target!r}; what that is, task says. Leave it out.")
        found = infer_kinds(inputs.take(training), kinds)
        tell_kinds(found, on_kinds)
        encoder = fit_encoder(inputs.take(training), found)
        X = encoder.transform(inputs)
        estimator = new_estimator(fitted_target, chosen, len(training))
        history = train_network(estimator, (X[training], y[training]), (X[validation], y[validation]), chosen, on_epoch)
        estimator.set_params(random_state=chosen.seed)
        warn_of_divergence(history, chosen)
        return cls(fitted_target, encoder, estimator, found, history)

    def predict(self, table: Any) -> NDArray[Any]:
        """The target of each row, in the target's own type; shape (n_rows,).

        Raises
        ------
        TableError
            If a column is missing, a number infinite, or a text where training saw numbers.
        """
        X = self.encoder.transform(read_table(table))
        return self.target.decode(self.estimator.predict(X))

    def predict_proba(self, table: Any) -> NDArray[Any]:
        """The probability of each class, shape (n_rows, n_classes), in the order of ``target.classes``."""
        if self.target.task == "regression":
            raise TableError(f"target {self.target.name!r} is a number: a regression has no class probabilities.")
        X = self.encoder.transform(read_table(table))
        return np.asarray(self.estimator.predict_proba(X))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole model to one file; see `rosenblatt.save`."""
        from rosenblatt.files import save

        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TableModel:
        """Read a model that `save` wrote; see `rosenblatt.load`."""
        from rosenblatt.files import ModelFileError, load

        model = load(path)
        if not isinstance(model, cls):
            raise ModelFileError(
                f"{os.fspath(path)}: it holds a {type(model).__name__}, no TableModel; use rosenblatt.load."
            )
        return model

    def summary(self) -> str:
        """The target, the columns, and the network with its shapes, as text."""
        classes = f": {', '.join(map(str, self.target.classes[:10]))}" if self.target.classes else ""
        more = ", ..." if len(self.target.classes) > 10 else ""
        lines = [f"target   {self.target.name} ({self.target.task}{classes}{more})"]
        lines.append(f"inputs   {len(self.encoder.columns)} columns, encoded as {len(self.encoder.outputs)} numbers")
        return "\n".join([*lines, "", self.estimator._fitted_network().summary()])

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The model as JSON-able data and arrays."""
        from rosenblatt.storage.estimators import estimator_state

        estimator, arrays = estimator_state(self.estimator)
        return {"target": self.target.to_dict(), "encoder": self.encoder.to_dict(), "estimator": estimator}, arrays

    @classmethod
    def from_state(cls, state: Any, arrays: Mapping[str, NDArray[Any]]) -> TableModel:
        """The model that `to_state` took apart; a `ModelFileError` if the parts are not valid or do not fit."""
        from rosenblatt.storage.container import ModelFileError
        from rosenblatt.storage.estimators import estimator_from_state

        if not isinstance(state, dict) or set(state) != {"target", "encoder", "estimator"}:
            raise ModelFileError("the file does not hold a target, an encoder and an estimator.")
        try:
            target, encoder = Target.from_dict(state["target"]), Encoder.from_dict(state["encoder"])
        except ValueError as error:
            raise ModelFileError(f"{error}.") from None
        estimator = estimator_from_state(state["estimator"], arrays)
        require_fit(target, encoder, estimator)
        return cls(target, encoder, estimator)


def find_target(table: Table, target: str) -> Any:
    """The target column; an error that suggests the nearest name if there is none."""
    if target not in table.columns:
        raise TableError(f"there is no target column {target!r}.{suggestion(target, table.columns)}")
    return table.columns[target]


def require_learnable(rows: Table, target: str) -> Table:
    """The inputs of a table that has a target column, other columns, and enough rows."""
    find_target(rows, target)
    if rows.n_rows < FEWEST_ROWS:
        raise TableError(
            f"the table has {rows.n_rows} rows to train on; training needs at least {FEWEST_ROWS}. Give more rows, or "
            "hold fewer of them out."
        )
    inputs = rows.drop([target])
    if not inputs.columns:
        raise TableError(f"the table has no column but the target {target!r}.")
    return inputs


def read_settings(settings: dict[str, Any]) -> Settings:
    """Keyword arguments as checked settings; `hidden` may be any sequence, or the size of a single layer."""
    known = [entry.name for entry in fields(Settings)]
    for name in settings:
        if name not in known:
            raise TypeError(f"there is no setting {name!r}.{suggestion(name, known, 'settings')}")
    if "hidden" in settings:
        hidden = settings["hidden"]
        settings = {**settings, "hidden": tuple(hidden) if np.iterable(hidden) else (hidden,)}
    return Settings(**settings)


def warn_of_divergence(history: History, settings: Settings) -> None:
    """Tell the user what is kept, if training was stopped by an infinite loss."""
    if history.ended == "diverged":
        warnings.warn(
            f"training diverged after epoch {len(history.epochs)} and was stopped; the weights of epoch "
            f"{history.best_epoch} are kept. Try a smaller learning_rate (now {settings.learning_rate:g}).",
            TableWarning,
            stacklevel=3,
        )


def tell_kinds(kinds: Sequence[ColumnKind], on_kinds: Callable[[list[ColumnKind]], None] | None) -> None:
    """Hand the kinds to the caller's function, or warn of what a user may not expect."""
    if on_kinds is not None:
        on_kinds(list(kinds))
        return
    for kind in kinds:
        if kind.kind == "identifier":
            warnings.warn(
                f"column {kind.name!r} looks like an identifier and is {kind.detail}. If it means something, say "
                f"kinds={{{kind.name!r}: 'numeric'}} or 'categorical'.",
                TableWarning,
                stacklevel=3,
            )


def new_estimator(target: Target, settings: Settings, n_rows: int) -> Any:
    """An unfitted estimator for the task; one generator serves all epochs, so that each has its own row order."""
    from rosenblatt.estimators import MLPClassifier, MLPRegressor

    kind = MLPRegressor if target.task == "regression" else MLPClassifier
    return kind(
        hidden_layer_sizes=settings.hidden,
        alpha=settings.alpha,
        batch_size=settings.rows_per_batch(n_rows),
        learning_rate_init=settings.learning_rate,
        random_state=np.random.RandomState(settings.seed),
    )


def require_fit(target: Target, encoder: Encoder, estimator: Any) -> None:
    """Refuse parts of a model file that do not belong together."""
    from rosenblatt.storage.container import ModelFileError

    spec = estimator._fitted_network().spec
    if spec.n_inputs != len(encoder.outputs):
        raise ModelFileError(
            f"the encoder gives {len(encoder.outputs)} numbers, but the network takes {spec.n_inputs}."
        )
    wanted = ("MLPRegressor", 1) if target.task == "regression" else ("MLPClassifier", len(target.classes))
    if type(estimator).__name__ != wanted[0]:
        raise ModelFileError(f"a {target.task} target needs an {wanted[0]}.")
    outputs = spec.n_outputs if target.task == "regression" else len(estimator.classes_)
    if outputs != wanted[1]:
        raise ModelFileError(f"the target needs {wanted[1]} outputs, but the estimator has {outputs}.")
    if target.classes and estimator.classes_.tolist() != list(range(len(target.classes))):
        raise ModelFileError("the estimator's classes are not 0, 1, 2, ...")
