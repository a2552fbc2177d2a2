"""One peer in a process of its own: ``python -m benchmarks.peers NAME THREADS``, driven by `benchmarks.speed`.

Reads requests, lines of JSON such as {"task": "step", "case": 0, "seconds": 0.3}, and answers each with a line of JSON.
The first request of a kind creates and warms up whatever it needs.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.cases import CASES, PRODUCTS, VARIANTS, Case

Epoch = Callable[[], object]
RATE = 1e-3


def rosenblatt(case: Case, threads: int) -> Epoch:
    """The work of `fit`: a native call for several epochs, in orders drawn by NumPy."""
    from rosenblatt.nn import Adam, Network, NetworkSpec
    from rosenblatt.training import Trainer

    X, y = case.data()
    output, loss = ("softmax", "softmax_cross_entropy") if case.loss == "softmax" else ("identity", "squared_error")
    spec = NetworkSpec(case.sizes[0], case.sizes[1:-1], case.sizes[-1], activation=case.activation, output=output)
    network = Network(spec, "float32")
    rng = np.random.default_rng(0)
    for w in network.weights:
        w[...] = rng.normal(size=w.shape) * (2 / w.shape[0]) ** 0.5
    trainer = Trainer(network, loss, Adam(), batch_size=case.batch)
    trainer.set_data(X, y)
    n_epochs = case.epochs_a_call

    def epochs() -> None:
        trainer.epochs(n_epochs, RATE, np.stack([rng.permutation(len(X)) for _ in range(n_epochs)]))

    return epochs


def torch(case: Case, threads: int) -> Epoch:
    """PyTorch in eager mode."""
    import torch

    torch.set_num_threads(threads)
    data = case.data()
    X, y = (torch.from_numpy(array) for array in data)
    y = y.long() if case.loss == "softmax" else y
    layers: list[torch.nn.Module] = []
    for n_in, n_out in zip(case.sizes[:-1], case.sizes[1:], strict=True):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU() if case.activation == "relu" else torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    loss_function = torch.nn.CrossEntropyLoss() if case.loss == "softmax" else torch.nn.MSELoss()

    def step(x: torch.Tensor, t: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss_function(model(x), t).backward()
        optimizer.step()

    def epoch() -> None:
        if case.n_batches == 1:
            return step(X, y)
        order = torch.randperm(len(X))
        for first in range(0, len(X), case.batch):
            rows = order[first : first + case.batch]
            step(X[rows], y[rows])
        return None

    return epoch


def jax(case: Case, threads: int) -> Epoch:
    """JAX: one jitted scan over the batches of an epoch, with Adam written out."""
    import jax
    import jax.numpy as jnp

    X, y = (jnp.asarray(array) for array in case.data())
    rng = np.random.default_rng(0)
    shapes = list(zip(case.sizes[:-1], case.sizes[1:], strict=True))
    params = [(jnp.asarray(rng.normal(size=s) * 0.1, jnp.float32), jnp.zeros(s[1], jnp.float32)) for s in shapes]
    activation = jax.nn.relu if case.activation == "relu" else jnp.tanh
    whole = case.n_batches == 1  # then no rows are gathered, and a scan runs over epochs

    def loss(params: Any, x: Any, t: Any) -> Any:
        for i, (w, b) in enumerate(params):
            x = x @ w + b
            x = activation(x) if i + 1 < len(params) else x
        if case.loss == "softmax":
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), t[:, None], 1))
        return jnp.mean((x - t) ** 2)

    def step(carry: Any, rows: Any) -> Any:
        params, m, v, n = carry
        value, g = jax.value_and_grad(loss)(params, X if whole else X[rows], y if whole else y[rows])
        n = n + 1
        rate = RATE * jnp.sqrt(1 - 0.999**n) / (1 - 0.9**n)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), params, m, v)
        return (params, m, v, n), value

    run = jax.jit(lambda carry, order: jax.lax.scan(step, carry, order), donate_argnums=0)
    carry = (params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.float32(0))

    def epochs() -> None:
        nonlocal carry
        order = np.concatenate([rng.permutation(len(X)) for _ in range(case.epochs_a_call)])
        carry, losses = run(carry, order.astype(np.int32).reshape(-1, case.batch))
        losses.block_until_ready()

    return epochs


def sklearn(case: Case, threads: int) -> Epoch:
    """scikit-learn's own network, with one epoch per call of `partial_fit`."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    X, y = case.data()
    kind = MLPClassifier if case.loss == "softmax" else MLPRegressor
    y = y.ravel() if case.sizes[-1] == 1 else y
    hidden = case.sizes[1:-1]
    model = kind(
        hidden_layer_sizes=hidden, activation=case.activation, batch_size=case.batch, alpha=0.0, random_state=0
    )
    classes = {"classes": np.arange(case.sizes[-1])} if case.loss == "softmax" else {}
    return lambda: model.partial_fit(X, y, **classes)


def seconds_a_call(call: Callable[[], object], seconds: float) -> float:
    """The mean time of a call over about `seconds`."""
    n, start = 0, time.perf_counter()
    while n == 0 or time.perf_counter() - start < seconds:
        call()
        n += 1
    return (time.perf_counter() - start) / n


def least(call: Callable[[], object], seconds: float) -> float:
    """The time of the fastest call in about `seconds`."""
    found, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        found = min(found, time.perf_counter() - start)
    return found


class Peer:
    """The tasks of one peer. What a request has created is kept for the next one of its kind."""

    def __init__(self, name: str, threads: int) -> None:
        self.name, self.threads = name, threads
        if name == "rosenblatt":
            from rosenblatt import set_num_threads

            set_num_threads(threads)

    @cache  # noqa: B019 - one object for the life of the process
    def _epochs(self, number: int) -> Epoch:
        make = {"rosenblatt": rosenblatt, "torch": torch, "jax": jax, "sklearn": sklearn}[self.name]
        epochs = make(CASES[number], self.threads)
        end = time.perf_counter() + 0.3
        while time.perf_counter() < end:
            epochs()
        return epochs

    def step(self, case: int, seconds: float) -> float:
        """Microseconds per training step."""
        n_epochs = CASES[case].epochs_a_call if self.name in ("rosenblatt", "jax") else 1
        return seconds_a_call(self._epochs(case), seconds) / (CASES[case].n_batches * n_epochs) * 1e6

    def _estimators(self) -> Any:
        if self.name == "rosenblatt":
            import rosenblatt

            return rosenblatt
        from sklearn import neural_network

        return neural_network

    def fit(self, dataset: str, seconds: float) -> dict[str, Any]:
        """Seconds and loss curve of a whole fit of `MLPClassifier` with its defaults in float64."""
        from sklearn import datasets
        from sklearn.preprocessing import StandardScaler

        X, y = getattr(datasets, f"load_{dataset}")(return_X_y=True)
        X = StandardScaler().fit_transform(X)
        model = self._estimators().MLPClassifier(random_state=0)
        return {"seconds": least(lambda: model.fit(X, y), seconds), "curve": model.loss_curve_}

    def fixed(self, seconds: float) -> float:
        """Milliseconds of a fit beyond its epochs, for a 3-layer network and 1,000 rows."""
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(1000, 20)), rng.integers(0, 3, 1000)
        few, many = (
            self._estimators().MLPClassifier((100, 50), max_iter=n, tol=0.0, n_iter_no_change=10**6, random_state=0)
            for n in (1, 21)
        )
        one = least(lambda: few.fit(X, y), seconds)
        return (one - (least(lambda: many.fit(X, y), 3 * seconds) - one) / 20) * 1e3

    @cache  # noqa: B019
    def _fitted(self) -> Any:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(2000, 20)).astype(np.float32)
        return self._estimators().MLPClassifier((100,), max_iter=3, random_state=0).fit(X, X[:, 0] > 0)

    def predict(self, rows: int, through: str, seconds: float) -> float:
        """Microseconds to predict this many rows through the "estimator" or its "network"."""
        X = np.random.default_rng(1).normal(size=(rows, 20)).astype(np.float32)
        model = self._fitted()
        target = model if through == "estimator" else model.network
        return min(seconds_a_call(lambda: target.predict(X), seconds / 5) for _ in range(5)) * 1e6

    def product(self, shape: int, seconds: float) -> float:
        """GFLOP/s of one matrix product."""
        m, k, n, a_transposed, b_transposed = PRODUCTS[shape]
        a = np.full((k, m) if a_transposed else (m, k), 1e-3, np.float32)
        b = np.full((n, k) if b_transposed else (k, n), 1e-3, np.float32)
        if self.name == "rosenblatt":
            run, times = own_product(a, b, a_transposed, b_transposed)
        else:
            out, times = np.empty((m, n), np.float32), 20
            op_a, op_b = a.T if a_transposed else a, b.T if b_transposed else b

            def run() -> None:
                for _ in range(times):
                    np.dot(op_a, op_b, out=out)

        least(run, 0.1)
        return 2e-9 * m * k * n * times / least(run, seconds)

    def bandwidth(self, size: int, seconds: float) -> float:
        """GB/s of one core that reads one array and writes another, `size` bytes in total."""
        a = np.ones(size // 8, np.float32)
        b = np.empty_like(a)

        def run() -> None:
            for _ in range(10):
                np.copyto(b, a)

        return 1e-9 * 10 * 2 * a.nbytes / least(run, seconds)

    def variant(self, name: str, seconds: float) -> float:
        """Picoseconds per operation of a training step; see `benchmarks.cases.VARIANTS`."""
        return variant_cost(name, seconds)


def own_product(a: Any, b: Any, a_transposed: bool, b_transposed: bool) -> tuple[Callable[[], None], int]:
    """A function that runs a program with a single product several times, and how many times that is."""
    from rosenblatt import _core
    from rosenblatt.ir.compile import aligned_bytes, compile_program, source
    from rosenblatt.ir.program import Builder

    builder = Builder("float32")
    left, right = builder.leaf("params", "a", a.shape), builder.leaf("params", "b", b.shape)
    x = builder.input("x", (-1, 1))
    out = builder.matmul(left, right, transpose_a=int(a_transposed), transpose_b=int(b_transposed))
    first = builder.slice(builder.reshape(out, shape=(out.shape[0] * out.shape[1],)), axis=0, start=0, stop=1)
    made = compile_program(builder.build(loss=builder.sum(first), x=builder.mul(x, 1.0)), 1)
    memory = aligned_bytes(made.plan.persistent_bytes)
    made.persistent(memory, "a")[...], made.persistent(memory, "b")[...] = a, b
    session, times = _core.Session(made.core), 20
    rows = [source(made.program.leaf("x"), np.zeros((times, 1), np.float32))]
    return lambda: session.train(memory, rows, 1, None, times, np.zeros(0)) and None, times


def variant_cost(name: str, seconds: float) -> float:
    """Picoseconds per operation of a training step that departs from the regular case."""
    import scipy.sparse

    from rosenblatt.nn import SGD, Adam, Network, NetworkSpec
    from rosenblatt.training import Trainer

    variant = VARIANTS[name]
    sizes, batch, dtype, density = variant.sizes, variant.batch, variant.dtype, variant.density
    rng = np.random.default_rng(0)
    n_rows = 40 * batch
    X: Any = rng.normal(size=(n_rows, sizes[0])).astype(dtype)
    if density < 1:
        X = scipy.sparse.random(n_rows, sizes[0], density, format="csr", random_state=0, dtype=dtype)
    spec = NetworkSpec(
        sizes[0], sizes[1:-1], sizes[-1], activation=variant.activation, output="softmax", sparse_input=density < 1
    )
    network = Network(spec, dtype)
    for w in network.weights:
        w[...] = rng.normal(size=w.shape) / w.shape[0] ** 0.5
    optimizer = SGD() if variant.optimizer == "sgd" else Adam()
    trainer = Trainer(network, "softmax_cross_entropy", optimizer, batch_size=batch, **variant.options)
    trainer.set_data(X, rng.integers(0, sizes[-1], n_rows).astype(np.int32))
    least(lambda: trainer.epochs(1, RATE), 0.3)
    return least(lambda: trainer.epochs(1, RATE), seconds) / (n_rows // batch) / variant.operations * 1e12


def main() -> None:
    """Answer requests until the input ends."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    peer = Peer(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(peer, request.pop("task"))(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
