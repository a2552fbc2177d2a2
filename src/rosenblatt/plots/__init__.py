"""Plots of networks and of their training, with matplotlib (extra ``plot``).

Takes a history, a fitted model, activations and so on. Returns displays in scikit-learn's style: objects that hold the
data, draw it with `plot`, and keep ``ax_`` and ``figure_``. Never computes anything that a model needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from rosenblatt.plots.activations import ActivationDisplay, plot_activations
    from rosenblatt.plots.boundary import plot_decision_boundary
    from rosenblatt.plots.diagnosis import DiagnosisDisplay, plot_diagnosis
    from rosenblatt.plots.explanation import DependenceDisplay, ImportanceDisplay, plot_dependence, plot_importance
    from rosenblatt.plots.history import HistoryDisplay, plot_history
    from rosenblatt.plots.network import NetworkDisplay, plot_network
    from rosenblatt.plots.rates import RateDisplay, plot_learning_rates
    from rosenblatt.plots.search import SearchDisplay, plot_search

_HOMES = {
    "ActivationDisplay": "activations",
    "DependenceDisplay": "explanation",
    "DiagnosisDisplay": "diagnosis",
    "HistoryDisplay": "history",
    "ImportanceDisplay": "explanation",
    "NetworkDisplay": "network",
    "RateDisplay": "rates",
    "SearchDisplay": "search",
    "plot_activations": "activations",
    "plot_decision_boundary": "boundary",
    "plot_dependence": "explanation",
    "plot_diagnosis": "diagnosis",
    "plot_history": "history",
    "plot_importance": "explanation",
    "plot_learning_rates": "rates",
    "plot_network": "network",
    "plot_search": "search",
}

__all__ = [
    "ActivationDisplay",
    "DependenceDisplay",
    "DiagnosisDisplay",
    "HistoryDisplay",
    "ImportanceDisplay",
    "NetworkDisplay",
    "RateDisplay",
    "SearchDisplay",
    "plot_activations",
    "plot_decision_boundary",
    "plot_dependence",
    "plot_diagnosis",
    "plot_history",
    "plot_importance",
    "plot_learning_rates",
    "plot_network",
    "plot_search",
]


__getattr__ = lazy_names(__name__, _HOMES)
