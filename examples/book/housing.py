"""Prices and their logarithms
===========================

Prices: one linear output, and why the logarithm of the target needs a correction.

A network that learns log(price) minimizes relative errors, whatever the price. But the exponential of its prediction is
close to the median price of such houses, not to the mean, so the sum of the predictions is too small.
`target_transform="log"` multiplies them by the smearing factor, the mean of price / exp(prediction) over the training
rows (Duan 1983). Without --full the prices are generated, and the right factor is known: exp(σ² / 2).
"""

from typing import Any

import numpy as np
from _data import is_full, table
from _pictures import bars, show
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer

from rosenblatt import MLPRegressor

SIGMA = 0.6


def houses(full: bool) -> tuple[np.ndarray, np.ndarray]:
    """Districts of California with their median prices, or generated rows whose prices have a log-normal factor."""
    if full:
        import pandas as pd

        districts = table("california_housing")
        price = districts.pop("median_house_value").to_numpy()
        return pd.get_dummies(districts).to_numpy(float), price
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 3))
    return X, np.exp(12 + 0.5 * X[:, 0] + np.tanh(X[:, 1] * X[:, 2]) + SIGMA * rng.normal(size=len(X)))


def fitted(X: np.ndarray, y: np.ndarray, **options: Any) -> Pipeline:
    """A fitted network with two hidden layers, averaged weights, and early stopping on held-out rows."""
    net = MLPRegressor(
        hidden_layer_sizes=(64, 64), learning_rate_init=0.005, ema_decay=0.998, early_stopping=True,
        n_iter_no_change=20, random_state=0, **options,
    )  # fmt: skip
    normal = QuantileTransformer(output_distribution="normal", random_state=0)
    return make_pipeline(SimpleImputer(strategy="median"), normal, net).fit(X, y)


def main(full: bool = False) -> dict[str, float]:
    """The bias and the median relative error on a held-out fifth: plain, with the logarithm, and with the factor."""
    X, X_test, y, y_test = train_test_split(*houses(full), test_size=0.2, random_state=0)
    plain, log = fitted(X, y / y.std()), fitted(X, y, target_transform="log")
    factor, smeared = float(log[-1].smearing_factor_[0]), log.predict(X_test)
    figures = {"factor": factor}
    print(f"smearing factor {factor:.3f}" + ("" if full else f"; exp(σ² / 2) = {np.exp(SIGMA**2 / 2):.3f}"))
    for name, found in {"plain": plain.predict(X_test) * y.std(), "exp": smeared / factor, "smeared": smeared}.items():
        bias, error = found.mean() / y_test.mean() - 1, np.median(np.abs(found / y_test - 1))
        r2 = 1 - np.mean((found - y_test) ** 2) / y_test.var()
        print(f"{name:<8} sum of the predictions off by {bias:+6.1%}, median relative error {error:.1%}, R² {r2:.3f}")
        figures |= {f"{name}_bias": float(bias), f"{name}_error": float(error), f"{name}_r2": float(r2)}
    biases = {name: 100 * figures[f"{name}_bias"] for name in ("plain", "exp", "smeared")}
    show(bars, biases, xlabel="error of the sum of the predictions in %")
    return figures


if __name__ == "__main__":
    main(is_full())
