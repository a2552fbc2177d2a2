"""The exercises on deep networks: which example answers each, and the published figure that its own stands beside.

Goes in: nothing. Comes out: `ROWS`, for whoever runs the examples in full mode and prints both. Nothing runs here.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True)
class Row:
    """One figure of an example.

    Attributes
    ----------
    answer : str
        Number of the exercise, and what it asks.
    example : str
        Name of the module in examples/.
    figure : str
        Key in what its `main` returns.
    book : str
        The published figure, or "-" where there is none.
    """

    answer: str
    example: str
    figure: str
    book: str


ROWS = [
    Row("10.3 logistic: first to last layer's gradient", "vanishing", "logistic.first_to_last", "-"),
    Row("10.3 ReLU: first to last layer's gradient", "vanishing", "relu.first_to_last", "-"),
    Row("10.3 SELU: first to last layer's gradient", "vanishing", "selu.first_to_last", "-"),
    Row("10.8 overfitting: gap without a remedy", "overfitting", "none.gap", "-"),
    Row("10.8 overfitting: gap with dropout", "overfitting", "dropout.gap", "-"),
    Row("10.8 overfitting: gap with L2", "overfitting", "l2.gap", "-"),
    Row("10.8 overfitting: gap with more data", "overfitting", "more_data.gap", "-"),
    Row("11.3 ReLU: mean activation's distance from 0", "elu_vs_relu", "relu.mean", "-"),
    Row("11.3 ELU: mean activation's distance from 0", "elu_vs_relu", "elu.mean", "-"),
    Row("11.3 ReLU: dead units at a high rate", "elu_vs_relu", "relu.dead_at_high_rate", "-"),
    Row("11.3 ELU: dead units at a high rate", "elu_vs_relu", "elu.dead_at_high_rate", "-"),
    Row("11.8 digits 0-4: five layers", "digits_0_4", "plain.test", "97.26 %; searched 98.91 %, 98.99 %"),
    Row("11.8 digits 0-4: batch normalization", "digits_0_4", "batch_norm.test", "99.42 %"),
    Row("11.8 digits 0-4: dropout", "digits_0_4", "dropout.test", "98.62 %; searched 98.89 %"),
    Row("11.8 digits 0-4: chosen on validation", "digits_0_4", "chosen.test", "99.49 %"),
    Row("11.9 digits 5-9: five layers frozen", "transfer", "frozen.test", "64.02 %"),
    Row("11.9 digits 5-9: cached", "transfer", "frozen_cached.test", "61.16 %"),
    Row("11.9 digits 5-9: speed-up of an epoch by caching", "transfer", "caching_speedup", "1.45"),
    Row("11.9 digits 5-9: four layers frozen", "transfer", "frozen_four_layers.test", "69.10 %"),
    Row("11.9 digits 5-9: top two unfrozen", "transfer", "top_two.test", "78.09 %"),
    Row("11.9 digits 5-9: all unfrozen", "transfer", "all.test", "91.34 %"),
    Row("11.9 digits 5-9: from scratch", "transfer", "scratch.test", "84.82 %"),
    Row("11.10 pairs: different digits?", "pairs", "pairs.test", "97.65 %"),
    Row("11.10 pairs: A frozen, 5,000 labels", "pairs", "frozen.test", "96.54 %"),
    Row("11.10 pairs: 5,000 labels from scratch", "pairs", "scratch.test", "94.58 %"),
]
