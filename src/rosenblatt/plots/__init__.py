"""Pictures of networks and of their training, with matplotlib (extra ``plot``).

Goes in: a history, a fitted model, activations. Comes out: displays in scikit-learn's style: objects that hold what is
shown, draw it with `plot`, and keep ``ax_`` and ``figure_``. Nothing here computes anything that a model needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosenblatt._lazy import lazy_names

if TYPE_CHECKING:
    from rosenblatt.plots.activations import ActivationDisplay, plot_activations
    from rosenblatt.plots.boundary import plot_decision_boundary
    from rosenblatt.plots.history import HistoryDisplay, plot_history
    from rosenblatt.plots.network import NetworkDisplay, plot_network
    from rosenblatt.plots.rates import RateDisplay, plot_learning_rates

_HOMES = {
    "ActivationDisplay": "activations",
    "HistoryDisplay": "history",
    "NetworkDisplay": "network",
    "RateDisplay": "rates",
    "plot_activations": "activations",
    "plot_decision_boundary": "boundary",
    "plot_history": "history",
    "plot_learning_rates": "rates",
    "plot_network": "network",
}

__all__ = [
    "ActivationDisplay",
    "HistoryDisplay",
    "NetworkDisplay",
    "RateDisplay",
    "plot_activations",
    "plot_decision_boundary",
    "plot_history",
    "plot_learning_rates",
    "plot_network",
]


__getattr__ = lazy_names(__name__, _HOMES)
