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
    from rosenblatt.plots.rates import RateDisplay as RateDisplay
    from rosenblatt.plots.rates import plot_learning_rates as plot_learning_rates
    from rosenblatt.plots.search import SearchDisplay as SearchDisplay
    from rosenblatt.plots.search import plot_search as plot_search

_NAMES = {
    "activations": ("ActivationDisplay", "plot_activations"),
    "boundary": ("plot_decision_boundary",),
    "diagnosis": ("DiagnosisDisplay", "plot_diagnosis"),
    "explanation": ("DependenceDisplay", "ImportanceDisplay", "plot_dependence", "plot_importance"),
    "history": ("HistoryDisplay", "plot_history"),
    "network": ("NetworkDisplay", "plot_network"),
    "rates": ("RateDisplay", "plot_learning_rates"),
    "search": ("SearchDisplay", "plot_search"),
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
