"""What tabular estimators can be trained for: losses, the metrics that choose epochs, and the scores that go with them.

Takes names of losses and metrics. Returns records. Never sees a row: the measures are in `rosenblatt.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rosenblatt import metrics, nn
from rosenblatt.metrics import Metric
from rosenblatt.tables.evaluation import CLASS_SCORES

__all__ = ["CLASS_METRICS", "REGRESSIONS", "ClassMetric", "RegressionLoss", "regression_of"]


@dataclass(frozen=True)
class RegressionLoss:
    """A loss for regression, and what belongs to it."""

    loss: Any
    output: str  # activation of the head
    scaling: str  # of the targets, see `fit_target_scaler`
    metric: Metric  # chooses the best epoch
    score: Metric  # is ``score_``
    center: str | tuple[float, ...] = "mean"  # of the targets, which it predicts; see `trivial_guess`

    @property
    def reported(self) -> tuple[Metric, ...]:
        """What reports show, the main one first."""
        if not isinstance(self.center, str):
            return (self.score, self.metric)
        return (self.score, metrics.ROOT_MEAN_SQUARE, metrics.MEAN_ABSOLUTE)


REGRESSIONS: Mapping[str, RegressionLoss] = MappingProxyType(
    {
        "squared_error": RegressionLoss("squared_error", "identity", "linear", metrics.ROOT_MEAN_SQUARE, metrics.R2),
        "absolute_error": RegressionLoss(
            nn.losses.AbsoluteError(), "identity", "linear", metrics.MEAN_ABSOLUTE, metrics.D2_ABSOLUTE, "median"
        ),
        "poisson": RegressionLoss("poisson", "exp", "mean", metrics.POISSON, metrics.D2_POISSON),
    }
)


def regression_of(loss: str, quantiles: Sequence[float] | None) -> RegressionLoss:
    """What an estimator with these parameters minimizes; each quantile has its own output."""
    if quantiles is None:
        return REGRESSIONS[loss]
    q = tuple(map(float, quantiles))
    return RegressionLoss(nn.losses.Quantile(q), "identity", "linear", metrics.pinball(q), metrics.d2_quantiles(q), q)


@dataclass(frozen=True)
class ClassMetric:
    """A metric for classification, and what belongs to it."""

    metric: Metric  # chooses the best epoch
    score: Metric  # is ``score_``
    decides: bool = False  # whether it also decides on classes, which then need not be the most probable ones

    @property
    def reported(self) -> tuple[Metric, ...]:
        """What reports show, first what was asked for."""
        asked = self.metric if self.metric is metrics.LOG_LOSS else self.score
        return tuple(dict.fromkeys((asked, *CLASS_SCORES)))


CLASS_METRICS: Mapping[str, ClassMetric] = MappingProxyType(
    {
        "error": ClassMetric(metrics.ERROR, metrics.ACCURACY),
        "log_loss": ClassMetric(metrics.LOG_LOSS, metrics.ACCURACY),
        "balanced_error": ClassMetric(metrics.BALANCED_ERROR, metrics.BALANCED_ACCURACY, decides=True),
        "f1": ClassMetric(metrics.F1_ERROR, metrics.F1, decides=True),
        "auc": ClassMetric(metrics.AUC_ERROR, metrics.AUC),
    }
)
