"""A prediction in the order that the documentation states: the oracle of the bits of a file in C.

One row at a time; sums have one accumulator, which takes in the terms in the order of the inputs; every operation is
rounded once; functions are those of the machine's own C library.
"""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np

LIBRARY = ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6")


def libm(name, dtype):
    """A function of the C library, for each element of an array."""
    kind = ctypes.c_float if dtype == np.float32 else ctypes.c_double
    function = getattr(LIBRARY, f"{name}f" if dtype == np.float32 else name)
    function.restype, function.argtypes = kind, [kind]

    def mapped(x):
        return np.array([function(value) for value in np.ravel(x).tolist()], dtype).reshape(np.shape(x))

    return mapped


def added_up(terms, axis):
    """The sum along an axis, one term after the other."""
    total = np.zeros_like(np.take(terms, 0, axis=axis))
    for i in range(terms.shape[axis]):
        total = total + np.take(terms, i, axis=axis)
    return total


def dense(x, weights, biases):
    """x W + b of a row."""
    return added_up(x[:, None] * weights, 0) + biases


def softmax(x):
    """exp(x - max) over its sum."""
    powers = libm("exp", x.dtype)(x - x.max())
    return powers / added_up(powers, 0)


def logistic(x):
    """1 / (1 + exp(-x)), from exp(-|x|)."""
    e, one = libm("exp", x.dtype)(-np.abs(x)), x.dtype.type(1)
    return np.where(x < 0, e / (one + e), one / (one + e))


def softplus(x):
    """max(x, 0) + log1p(exp(-|x|))."""
    return np.maximum(x, 0) + libm("log1p", x.dtype)(libm("exp", x.dtype)(-np.abs(x)))


ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": lambda x: libm("tanh", x.dtype)(x),
    "logistic": logistic,
    "softplus": softplus,
    "silu": lambda x: x * logistic(x),
    "mish": lambda x: x * libm("tanh", x.dtype)(softplus(x)),
    "softmax": softmax,
}


def predict(network, X, activations):
    """The outputs of a chain of dense layers with these activations, the last of which is the output's."""
    found = []
    for x in np.asarray(X, network.dtype):
        for weights, biases, activation in zip(network.weights, network.biases, activations, strict=True):
            x = ACTIVATIONS[activation](dense(x, weights, biases))
        found.append(x)
    return np.array(found)
