"""Plots of networks and of their training, with matplotlib (extra ``plot``).

Takes a history, a fitted model, activations and so on. Returns displays in scikit-learn's style: objects that hold the
data, draw it with `plot`, and keep ``ax_`` and ``figure_``. Never computes anything that a model needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from rosenblatt.plots.activations import ActivationDisplay as ActivationDisplay
    from rosenblatt.plots.activations import plot_activations as plot_activations
    from rosenblatt.plots.boundary import plot_decision_boundary as plot_decision_boundary
    from rosenblatt.plots.contributions import ContributionDisplay as ContributionDisplay
    from rosenblatt.plots.contributions import plot_contributions as plot_contributions
    from rosenblatt.plots.diagnosis import DiagnosisDisplay as DiagnosisDisplay
    from rosenblatt.plots.diagnosis import plot_diagnosis as plot_diagnosis
    from rosenblatt.plots.explanation import DependenceDisplay as DependenceDisplay
    from rosenblatt.plots.explanation import ImportanceDisplay as ImportanceDisplay
    from rosenblatt.plots.explanation import plot_dependence as plot_dependence
    from rosenblatt.plots.explanation import plot_importance as plot_importance
    from rosenblatt.plots.history import HistoryDisplay as HistoryDisplay
    from rosenblatt.plots.history import plot_history as plot_history
    from rosenblatt.plots.network import NetworkDisplay as NetworkDisplay
    from rosenblatt.plots.network import plot_network as plot_network
    from rosenblatt.plots.performance import plot_calibration as plot_calibration
    from rosenblatt.plots.performance import plot_confusion as plot_confusion
    from rosenblatt.plots.performance import plot_precision_recall as plot_precision_recall
    from rosenblatt.plots.performance import plot_predictions as plot_predictions
    from rosenblatt.plots.performance import plot_residuals as plot_residuals
    from rosenblatt.plots.performance import plot_roc as plot_roc
    from rosenblatt.plots.rates import RateDisplay as RateDisplay
    from rosenblatt.plots.rates import plot_learning_rates as plot_learning_rates
    from rosenblatt.plots.search import SearchDisplay as SearchDisplay
    from rosenblatt.plots.search import plot_search as plot_search

_NAMES = {
    "activations": ("ActivationDisplay", "plot_activations"),
    "boundary": ("plot_decision_boundary",),
    "contributions": ("ContributionDisplay", "plot_contributions"),
    "diagnosis": ("DiagnosisDisplay", "plot_diagnosis"),
    "explanation": ("DependenceDisplay", "ImportanceDisplay", "plot_dependence", "plot_importance"),
    "history": ("HistoryDisplay", "plot_history"),
    "network": ("NetworkDisplay", "plot_network"),
    "performance": (
        *("plot_calibration", "plot_confusion", "plot_precision_recall", "plot_predictions", "plot_residuals"),
        "plot_roc",
    ),
    "rates": ("RateDisplay", "plot_learning_rates"),
    "search": ("SearchDisplay", "plot_search"),
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
