"""The network of a prepared table, and how its parameters start and learn.

Takes the preparation of a table, the number of outputs and `Settings`. Returns an initialized `Network` with factors
for the learning rate and decay of its parameters. Never reads rows except to scale the initial weights.

The parts are those of RealMLP (Holzmüller et al. 2024, arXiv:2407.04491): robustly scaled numbers and waves of them, a
front scale layer, layers whose inputs are divided by the root of their number (here folded into initial weights and
learning rates, which is the same for Adam), activations that mix with the identity, data-driven initial weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rosenblatt import nn
from rosenblatt.threads import matrix_product

if TYPE_CHECKING:
    from rosenblatt.tables.encoders import Prepared
    from rosenblatt.tables.preparation import Preparation

__all__ = ["NetworkWithRates", "Settings", "design_network", "feed", "rescale_outputs"]

MAX_WAVED = 100
"""Tables with more numeric columns than this have enough columns without embedding."""
INITIAL_ROWS = 4_000
"""Rows that scale the initial weights."""
MIN_BATCH = 32
ROUNDING = 1e-6
"""Outputs of float32 that differ by less, relative to the largest one, are equal."""
BIAS_ROWS = 5
"""Rows whose random mean puts a neuron's kink in the midst of the data."""


@dataclass(frozen=True)
class Settings:
    """How members are built and trained."""

    hidden: tuple[int, ...] = (128, 128, 128)  # neurons of each hidden layer
    activation: str = "mish"  # what `nn.Parametric` mixes with the identity
    waves: int = 8  # cosines that embed each number
    embedding: int = 8  # columns that embed a category with many levels
    topics: int = 16  # columns that the words of a text are mixed to
    dropout: float = 0.1  # annealed in the second half of training, as the weight decay is
    weight_decay: float = 0.02
    label_smoothing: float = 0.0
    learning_rate: float = 0.4  # the peak of the schedule
    beta_2: float = 0.95
    epochs: int = 64
    batch_size: int = 128  # or a quarter of the training rows (but at least 32), if that is less
    members: int = 5

    def rows_per_step(self, n_rows: int) -> int:
        """The batch size for so many training rows."""
        return min(self.batch_size, max(MIN_BATCH, n_rows // 4), n_rows)


@dataclass(frozen=True)
class NetworkWithRates:
    """A network and the factors that its parameters learn and decay with."""

    network: nn.Network
    learning_rate_factors: Mapping[str, float]
    weight_decay_factors: Mapping[str, float]


def feed(prepared: Prepared, rows: NDArray[np.int64] | None = None) -> dict[str, Any]:
    """The network's inputs by name, for all rows or for some; each is contiguous."""
    inputs: dict[str, Any] = {"numbers": prepared.numbers, "indicators": prepared.indicators}
    inputs = {name: matrix for name, matrix in inputs.items() if matrix.shape[1]}
    inputs |= {f"codes{i}": codes for i, codes in enumerate(prepared.codes.T)}
    words = {f"words{i}": matrix if rows is None else matrix[rows] for i, matrix in enumerate(prepared.words)}
    return {name: np.ascontiguousarray(x if rows is None else x[rows]) for name, x in inputs.items()} | words


def design_network(
    preparation: Preparation, n_outputs: int, output: str, settings: Settings, seed: int, sample: Mapping[str, Any]
) -> NetworkWithRates:
    """The network of a table; `sample`, some rows from `feed`, scales its initial weights."""
    rates: dict[str, float] = {}
    h = nn.Scale(name="front")(join_inputs(preparation, settings))
    for i, units in enumerate(settings.hidden, start=1):
        name, start = f"hidden{i}", nn.Normal(1 / math.sqrt(h.width))
        rates |= {f"{name}.weights": 1 / math.sqrt(h.width), f"{name}.biases": 0.1, f"{name}.alpha": 0.1}
        h = nn.Dense(units, nn.Parametric(settings.activation), name=name, weights=start)(h)
        h = nn.Dropout(settings.dropout, name=f"dropout{i}")(h) if settings.dropout else h
    for part, factor in {"frequencies": 0.2 * math.pi, "phases": 0.1, "mixture": 0.1, "shifts": 0.1}.items():
        rates |= {f"waves.{part}": factor} if is_waved(preparation, settings) else {}
    rates |= {"head.weights": 1 / math.sqrt(h.width), "head.biases": 0.1, "front.gain": 6.0}
    head = nn.Dense(n_outputs, name="head", weights=nn.Normal(1 / math.sqrt(h.width)))(h)
    network = nn.Network(head, output=output, seed=seed)
    scale_by_data(network, sample, np.random.default_rng([seed, 1]))
    # The decay's factor is the rate's squared, except where that comes from the division by the root of the inputs.
    decays = {name: factor**2 for name, factor in rates.items() if name.endswith((".gain", ".alpha"))}
    decays |= {name: 0.01 for name in rates if name.startswith("waves.")}
    decays |= {name: 0.0 for name in rates if name.endswith(".biases")}
    return NetworkWithRates(network, rates, decays)


def join_inputs(preparation: Preparation, settings: Settings) -> nn.Node:
    """All inputs side by side: numbers, indicators, embedded categories and mixtures of words."""
    parts = []
    if preparation.numbers:
        numbers = nn.input(len(preparation.numbers), "numbers")
        waved = is_waved(preparation, settings)
        parts.append(nn.Periodic(name="waves", n_frequencies=settings.waves)(numbers) if waved else numbers)
    if preparation.indicators:
        parts.append(nn.input(len(preparation.indicators), "indicators"))
    for i, n_levels in enumerate(preparation.n_codes):
        parts.append(nn.Embedding(settings.embedding, name=f"embedding{i}")(nn.codes(n_levels, f"codes{i}")))
    for i, n_words in enumerate(preparation.n_words):
        words = nn.input(n_words, f"words{i}", sparse=True)
        parts.append(nn.Dense(settings.topics, name=f"topics{i}", weights=nn.Normal(1.0))(words))
    return parts[0] if len(parts) == 1 else nn.Concat(name="inputs")(*parts)


def is_waved(preparation: Preparation, settings: Settings) -> bool:
    """Whether numbers are embedded."""
    return settings.waves > 0 and 0 < len(preparation.numbers) <= MAX_WAVED


def scale_by_data(network: nn.Network, sample: Mapping[str, Any], rng: np.random.Generator) -> None:
    """Scale each dense layer's weights so that its outputs have variance 1, and place its biases within the data.

    The bias of a neuron is minus a random convex combination of its outputs for five rows, with weights from a
    Dirichlet distribution ("he+5" in RealMLP). Outputs that are the same for all rows, such as those of a single row,
    are not scaled.
    """
    names = {name for name, _ in network.named_parameters()}
    for name in network.graph.layers:
        if not names >= {f"{name}.weights", f"{name}.biases"}:
            continue
        incoming = network.values_before(name, sample)
        weights = network[f"{name}.weights"]
        outputs = matrix_product(incoming, weights)
        spread = outputs.std(axis=0)
        varies = spread > ROUNDING * np.abs(outputs).max(axis=0)  # else the rows are equal, or there is a single one
        weights /= np.where(varies, spread, 1.0)
        z = matrix_product(incoming, weights)
        rows = rng.integers(0, len(z), size=(BIAS_ROWS, z.shape[1]))
        shares = rng.dirichlet(np.ones(BIAS_ROWS), size=z.shape[1]).T
        network[f"{name}.biases"][...] = -(shares * np.take_along_axis(z, rows, axis=0)).sum(axis=0)


def rescale_outputs(network: nn.Network, scale: NDArray[Any], center: NDArray[Any]) -> None:
    """Change the last layer such that its outputs become ``outputs * scale + center``."""
    weights, biases = network["head.weights"], network["head.biases"]
    weights *= scale.astype(weights.dtype)
    biases[...] = biases * scale + center
