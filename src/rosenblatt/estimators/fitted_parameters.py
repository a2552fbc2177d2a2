"""The parameters that predictions depend on, as they were in the last fit.

Takes an estimator's parameters when it is fitted. Returns their values then, whatever `set_params` changes later. Never
changes a parameter.
"""

from __future__ import annotations

from copy import copy
from typing import Any, ClassVar

import numpy as np

__all__ = ["FittedParameters"]


class FittedParameters:
    """An estimator whose predictions, scores and reports use the parameters of its last fit."""

    prediction_parameters: ClassVar[tuple[str, ...]]
    """Parameters that say what the outputs mean; their values in `fit` are kept."""
    fitted_parameters_: dict[str, Any]

    def keep_parameters(self) -> None:
        """Keep the present values; lists and arrays are copied, because they may be changed in place."""
        values = {name: getattr(self, name) for name in self.prediction_parameters}
        self.fitted_parameters_ = {name: copy(value) if np.iterable(value) else value for name, value in values.items()}

    def fitted_parameter(self, name: str) -> Any:
        """A parameter as it was in the last fit; before it, as it is."""
        fitted = vars(self).get("fitted_parameters_", {})
        return fitted[name] if name in fitted else getattr(self, name)
