"""The steps of a pipeline before its network: in each trial they are fitted on its training rows only.

Takes a pipeline, or a network, and rows as the pipeline takes them. Returns the network, and for any training rows all
rows as the steps transform them that were fitted on those. Never shows a step the rows that score it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from rosenblatt.estimators.base import check_rows, rows_of

__all__ = ["Steps", "network_of", "steps_of"]

Array = npt.NDArray[Any]


def network_of(model: Any) -> Any:
    """The last step of a pipeline; anything else as it is."""
    return network_of(model.steps[-1][1]) if isinstance(model, Pipeline) and model.steps else model


def steps_of(model: Any, X: Any, y: Any) -> Steps | None:
    """The steps before the network of a pipeline, and their rows; None if there are none."""
    if not isinstance(model, Pipeline) or len(model.steps) < 2:
        return steps_of(model.steps[-1][1], X, y) if isinstance(model, Pipeline) else None
    return Steps(model[:-1], network_of(model), X, np.asarray(y))


@dataclass
class Steps:
    """Transformers in a row, and what they transform; `kept` are the rows by what the transformers were fitted on."""

    transformers: Pipeline
    network: Any
    X: Any
    y: Array
    kept: dict[bytes, Any] = field(default_factory=dict)

    def fitted_on_all(self) -> Any:
        """All rows by steps that saw all of them: for checks of what the network would be given."""
        return clone(self.transformers).fit_transform(self.X, self.y)

    def fitted_on(self, rows: Array) -> Any:
        """All rows by steps that were fitted on these, as the network takes them.

        Raises
        ------
        ValueError
            If the steps cannot transform the other rows, such as a category that these rows lack.
        """
        key = rows.tobytes()
        if key not in self.kept:
            steps = clone(self.transformers)
            steps.fit(_safe_indexing(self.X, rows), self.y[rows])
            try:
                transformed = steps.transform(self.X)
            except ValueError as error:
                raise ValueError(
                    f"the steps before the network, fitted on {len(rows)} rows of a split, cannot transform the "
                    f"others: {error}. Encoders take unknown categories with handle_unknown='ignore'."
                ) from error
            self.kept[key] = self._checked(transformed)
        return self.kept[key]

    def _checked(self, transformed: Any) -> Any:
        twin = clone(self.network)
        dtype: Any = np.float32 if twin.dtype is None else np.dtype(twin.dtype)
        return rows_of(check_rows(twin, transformed, self.y, dtype=dtype, multi_output=True)[0])
