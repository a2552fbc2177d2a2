"""Models in files: safetensors with JSON metadata, no code.

Takes a fitted model or a network. Returns one file that holds all of it; and from the file a model that predicts the
same. The loader validates every shape, dtype and number and executes nothing. The writer is atomic: a crash, a full
disk or an interrupt leaves the old file or the new one, never half of one.
"""

from __future__ import annotations

import os
from typing import Any

from rosenblatt._suggestions import suggest_keywords
from rosenblatt.storage.atomic import read_regular, write_atomically
from rosenblatt.storage.container import ModelFileError, pack, unpack

__all__ = ["ModelFileError", "load", "save"]

ESTIMATOR, NETWORK, TABULAR = "estimator", "network", "tabular estimator"
TABULARS = ("TabularClassifier", "TabularRegressor")


@suggest_keywords
def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted model, or a network, to a file.

    Constructor parameters, fitted attributes and the networks are stored (of a tabular estimator also how its table is
    prepared): layers, parameters, running statistics, what is frozen. Activations, initializers, losses, optimizers and
    schedules of the library may be given by name or as instances. Losses, activations and `nn.Apply` layers that you
    wrote as functions of ops are stored as these ops, without code. A `RandomState` given as random_state is stored as
    None, and so is the path of checkpoints; optimizer state is not stored.

    Parameters
    ----------
    model : estimator or nn.Network
        A network, or a fitted estimator of the library other than `Perceptron`.
    path : path
        Usually ending in .safetensors. An existing file is replaced, at once and only by a complete one.

    Raises
    ------
    ModelFileError
        A `ValueError`: if the model holds NaN or infinity, or functions or classes of your own that are not made of
        ops (an initializer, a scorer, a class of layers), as a file holds no code; if it cannot predict a row of
        ordinary numbers, or has more layers, columns or values than a file of its size may hold.
    TypeError
        For any other kind of object.
    OSError
        If the file cannot be written; an existing one is left as it was.
    """
    from rosenblatt.nn.network import Network
    from rosenblatt.persistence.estimators import STORABLE, estimator_state
    from rosenblatt.persistence.networks import network_to_state

    name = type(model).__name__ if type(model).__module__.startswith("rosenblatt.") else ""
    if name in STORABLE:
        write_atomically(path, pack(ESTIMATOR, *estimator_state(model)))
    elif name in TABULARS:
        from rosenblatt.persistence.tabular import tabular_state

        write_atomically(path, pack(TABULAR, *tabular_state(model)))
    elif type(model) is Network:
        write_atomically(path, pack(NETWORK, *network_to_state(model)))
    else:
        raise TypeError(
            f"save takes a fitted {', '.join((*STORABLE, *TABULARS))} or nn.Network of rosenblatt, not {type(model)}."
        )


@suggest_keywords
def load(path: str | os.PathLike[str]) -> Any:
    """Read a model that `save` wrote. No code in the file is executed: it holds none.

    Parameters
    ----------
    path : path

    Returns
    -------
    TabularClassifier, TabularRegressor, MLPClassifier, MLPRegressor, LogisticRegression or nn.Network

    Raises
    ------
    ModelFileError
        A `ValueError`: if the file is not such a model, is cut off, was changed or contradicts itself; if it asks for
        more memory or layers than a file of its size may, or cannot predict a row.
    OSError
        If there is no such file, or it cannot be read.
    MemoryError
        If there is too little memory: about twice the size of the file and 64 MB.
    """
    try:
        return model_from_bytes(read_regular(path))
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from None
    except MemoryError:
        megabytes = os.path.getsize(path) / 1e6
        raise MemoryError(
            f"{os.fspath(path)}: there is too little memory to load this file of {megabytes:.1f} MB; it takes about "
            f"{2 * megabytes + 64:.0f} MB."
        ) from None


def model_from_bytes(data: bytes) -> Any:
    """The model in the bytes of a file; see `load`."""
    from rosenblatt.persistence.estimators import estimator_from_state
    from rosenblatt.persistence.networks import network_from_state

    kind, state, arrays = unpack(data, kinds=(ESTIMATOR, NETWORK, TABULAR))
    del data  # of which the arrays are views
    if kind == ESTIMATOR:
        return estimator_from_state(state, arrays)
    if kind == TABULAR:
        from rosenblatt.persistence.tabular import tabular_from_state

        return tabular_from_state(state, arrays)
    return network_from_state(state, arrays)
