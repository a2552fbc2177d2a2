"""`Perceptron`: Rosenblatt's learning rule for one threshold unit per class.

Goes in: a table and class labels. Comes out: a linear classifier without probabilities. The rule itself is that of
`sklearn.linear_model.Perceptron`, which this class extends: a well-kept implementation needs no second one. It never
builds a network.
"""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

from sklearn.linear_model import Perceptron as SklearnPerceptron

from ._base import VERSION_KEY, SuggestingMixin, current_version

__all__ = ["Perceptron"]

NO_PROBABILITIES = (
    "Perceptron has no {name}: its rule corrects mistakes and minimizes no log loss, so that the distance from its "
    "boundary says nothing about probability. Use LogisticRegression, or sklearn.calibration.CalibratedClassifierCV."
)
