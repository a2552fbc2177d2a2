"""One peer in a process of its own: ``python -m benchmarks.peers NAME THREADS``, driven by `benchmarks.speed`.

Reads lines of JSON {"case": number, "seconds": s} and answers each with {"us": mean microseconds of a step}. A step
gathers a reshuffled mini-batch, and does forward, loss, backward and Adam in float32; whole epochs are timed after one
for warming up, so that neither start-up nor compilation counts.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np

from benchmarks.cases import CASES, Case

Epoch = Callable[[], object]
RATE = 1e-3


def rosenblatt(case: Case, threads: int) -> Epoch:
    """What `fit` runs: one native call an epoch, in an order drawn by NumPy."""
    from rosenblatt import set_num_threads
    from rosenblatt.nn import Adam, Network, NetworkSpec
    from rosenblatt.training import Trainer

    set_num_threads(threads)
    X, y = case.data()
    output, loss = ("softmax", "softmax_cross_entropy") if case.loss == "softmax" else ("identity", "squared_error")
    spec = NetworkSpec(case.sizes[0], case.sizes[1:-1], case.sizes[-1], activation=case.activation, output=output)
    network = Network(spec, "float32")
    rng = np.random.default_rng(0)
    for w in network.weights:
        w[...] = rng.normal(size=w.shape) * (2 / w.shape[0]) ** 0.5
    trainer = Trainer(network, loss, Adam(), batch_size=case.batch)
    trainer.set_data(X, y)
    return lambda: trainer.epoch(rng.permutation(len(X)), RATE)


def torch(case: Case, threads: int) -> Epoch:
    """PyTorch, eager."""
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

    def epoch() -> None:
        order = torch.randperm(len(X))
        for first in range(0, len(X), case.batch):
            rows = order[first : first + case.batch]
            optimizer.zero_grad()
            loss_function(model(X[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def jax(case: Case, threads: int) -> Epoch:
    """JAX: one jitted scan over the batches of an epoch, Adam written out."""
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import jax.numpy as jnp

    X, y = (jnp.asarray(array) for array in case.data())
    rng = np.random.default_rng(0)
    shapes = list(zip(case.sizes[:-1], case.sizes[1:], strict=True))
    params = [(jnp.asarray(rng.normal(size=s) * 0.1, jnp.float32), jnp.zeros(s[1], jnp.float32)) for s in shapes]
    activation = jax.nn.relu if case.activation == "relu" else jnp.tanh

    def loss(params, x, t):
        for i, (w, b) in enumerate(params):
            x = x @ w + b
            x = activation(x) if i + 1 < len(params) else x
        if case.loss == "softmax":
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), t[:, None], 1))
        return jnp.mean((x - t) ** 2)

    def step(carry, rows):
        params, m, v, n = carry
        value, g = jax.value_and_grad(loss)(params, X[rows], y[rows])
        n = n + 1
        rate = RATE * jnp.sqrt(1 - 0.999**n) / (1 - 0.9**n)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), params, m, v)
        return (params, m, v, n), value

    run = jax.jit(lambda carry, order: jax.lax.scan(step, carry, order), donate_argnums=0)
    zeros = jax.tree.map(jnp.zeros_like, params)
    carry = (params, zeros, jax.tree.map(jnp.zeros_like, params), jnp.float32(0))

    def epoch() -> None:
        nonlocal carry
        order = rng.permutation(len(X)).astype(np.int32).reshape(-1, case.batch)
        carry, losses = run(carry, order)
        losses.block_until_ready()

    return epoch


def sklearn(case: Case, threads: int) -> Epoch:
    """scikit-learn's own network, by `partial_fit`: one epoch a call."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore", ConvergenceWarning)
    threadpool_limits(threads)
    X, y = case.data()
    kind = MLPClassifier if case.loss == "softmax" else MLPRegressor
    y = y.ravel() if case.sizes[-1] == 1 else y
    model = kind(hidden_layer_sizes=case.sizes[1:-1], activation=case.activation, batch_size=case.batch, alpha=0.0, random_state=0)
    classes = {"classes": np.arange(case.sizes[-1])} if case.loss == "softmax" else {}
    return lambda: model.partial_fit(X, y, **classes)


def microseconds_a_step(epoch: Epoch, n_steps: int, seconds: float) -> float:
    """Mean time of a step over about `seconds`."""
    n, start = 0, time.perf_counter()
    while n == 0 or time.perf_counter() - start < seconds:
        epoch()
        n += n_steps
    return (time.perf_counter() - start) / n * 1e6


def main() -> None:
    """Answer requests until the input ends."""
    name, threads = sys.argv[1], int(sys.argv[2])
    make = {"rosenblatt": rosenblatt, "torch": torch, "jax": jax, "sklearn": sklearn}[name]
    number, epoch = -1, None
    for line in sys.stdin:
        request = json.loads(line)
        if request["case"] != number:
            number = request["case"]
            epoch = make(CASES[number], threads)
            epoch()
            epoch()
        print(json.dumps({"us": microseconds_a_step(epoch, CASES[number].n_batches, request["seconds"])}), flush=True)


if __name__ == "__main__":
    main()
