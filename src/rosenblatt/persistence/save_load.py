"""Models in files: safetensors with JSON metadata, no code.

Takes a fitted model or a network. Returns one file that holds all of it; and from the file a model that predicts the
same. The loader validates every shape, dtype and number and executes nothing. The writer is atomic: a crash, a full
disk or an interrupt leaves the old file or the new one, never half of one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rosenblatt._checks import check_path
from rosenblatt._suggestions import suggest_keywords
from rosenblatt.storage.atomic import read_regular, write_atomically
from rosenblatt.storage.container import ModelFileError, pack, unpack
from rosenblatt.storage.values import MAX_MESSAGE, shown

if TYPE_CHECKING:
    from rosenblatt.nn.layers.base import Layer

__all__ = ["ModelFileError", "load", "load_predictor", "save"]

Build = Callable[..., Any]


@suggest_keywords
def save(model: Any, path: str | os.PathLike[str], training_predictions: bool = False) -> None:
    """Write a fitted model, a pipeline around one, or a network, to a file.

    Constructor parameters, fitted attributes and the networks are stored (of a tabular estimator also how its table is
    prepared): layers, parameters, running statistics, what is frozen. Activations, initializers, losses, optimizers and
    schedules of the library may be given by name or as instances. Losses, activations and `nn.Apply` layers that you
    wrote as functions of ops are stored as these ops, without code. A `RandomState` given as random_state is stored as
    None, and so is the path of checkpoints; optimizer state is not stored.

    Of scikit-learn, `Pipeline`, `ColumnTransformer`, `FeatureUnion` and `TransformedTargetRegressor` are stored with
    the transformers in them that `docs/file-format.md` lists, by their parameters and fitted arrays. Of a layer of your
    own, the name of its class and its fields are stored: pass the class to `load`.

    Parameters
    ----------
    model : estimator or nn.Network
        A network, a fitted estimator of the library, or one of scikit-learn's around it.
    path : path
        Usually ending in .safetensors. An existing file is replaced, at once and only by a complete one.
    training_predictions : bool, default=False
        Whether the file holds `out_of_fold_` of tabular estimators. It takes a number for each training row and class,
        and predictions, scores, reports and intervals do not need it.

    Raises
    ------
    ModelFileError
        A `ValueError`: if the model holds NaN or infinity, or functions or classes of your own that are not made of
        ops (an initializer, a scorer), as a file holds no code; if a pipeline has a step that no file can hold; if it
        cannot predict a row of ordinary numbers, or has more layers, columns or values than a file of its size may
        hold. A pipeline's file is loaded once, before it replaces another.
    TypeError
        For any other kind of object, and if `path` is neither a text nor a path.
    OSError
        If the file cannot be written; an existing one is left as it was.
    """
    from rosenblatt.persistence.models import PIPELINE, model_parts

    check_path("path", path)
    if not isinstance(training_predictions, bool):
        raise TypeError(f"training_predictions is {training_predictions!r}; give True or False.")
    kind, state, arrays = model_parts(model, training_predictions)
    data = pack(kind, state, arrays)
    if kind == PIPELINE:  # whose parts are scikit-learn's, and may be what nobody thought of
        model_from_bytes(data)
    write_atomically(path, data)


@suggest_keywords
def load(path: str | os.PathLike[str], custom: Sequence[type[Layer]] = ()) -> Any:
    """Read a model that `save` wrote. No code in the file is executed: it holds none.

    Parameters
    ----------
    path : path
    custom : sequence of classes, default=()
        The classes of layers of your own in the file's network, told by their names. Their constructors are called with
        the fields that the file holds, which is the only code outside of the library that `load` runs.

    Returns
    -------
    estimator, nn.Network or scikit-learn's Pipeline, ColumnTransformer and the like
        What was saved. A tabular estimator has `out_of_fold_` only if it was saved with it.

    Raises
    ------
    ModelFileError
        A `ValueError`: if the file is not such a model, is cut off, was changed or contradicts itself; if it asks for
        more memory or layers than a file of its size may, or cannot predict a row. If it has layers whose class is not
        in `custom`.
    TypeError, ValueError
        If `custom` is no list of such classes, or two have one name; if `path` cannot be the name of a file.
    OSError
        If there is no such file, or it cannot be read.
    MemoryError
        If there is too little memory: about twice the size of the file and 64 MB.

    Warns
    -----
    VersionWarning
        A `sklearn.exceptions.InconsistentVersionWarning`: if a pipeline was saved under another minor version of
        scikit-learn. Its steps are tried with a row, but may compute other numbers.
    """
    return read_model(path, custom)


@suggest_keywords
def load_predictor(path: str | os.PathLike[str], custom: Sequence[type[Layer]] = ()) -> Any:
    """Read of a model that `save` wrote what predicts: a fraction of the time and memory of `load` in a new process.

    Estimators are scikit-learn's in `load`, and importing scikit-learn takes most of the time in which a new process
    loads a model and predicts a row. A predictor imports neither scikit-learn nor SciPy nor pandas, unless a column of
    free text, a sparse input or sparse labels need them. It gives the same bits and can do nothing else: it has no
    parameters, scores or reports.

    Parameters
    ----------
    path : path
    custom : sequence of classes, default=()
        As in `load`.

    Returns
    -------
    RowPredictor, TablePredictor or nn.Network
        Of a network itself; else an object with ``predict(X)``, for classes ``predict_proba(X)`` and ``classes_``, for
        a `TabularRegressor` ``predict_interval(X)``, and for tables ``predict_blocks(X)``. ``columns`` are the columns
        that it reads with their kinds, ``model`` the name of the class that was saved. X is what the estimator takes;
        where that is an array, X may also be a table by names: a row, a list of rows, a mapping of columns or a data
        frame, with a number in each cell, columns in any order and others beside them.

    Raises
    ------
    ModelFileError, TypeError, ValueError, OSError, MemoryError
        As `load` does; also if the file holds a `Perceptron` or a pipeline, which predict by scikit-learn. Parameters
        of training are not looked at, whatever they are.
    """
    from rosenblatt.persistence.models import predictor_from_parts

    return read_model(path, custom, predictor_from_parts)


def read_model(path: str | os.PathLike[str], custom: Sequence[type[Layer]], build: Build | None = None) -> Any:
    """What `build` makes of the file; errors name it."""
    name = check_path("path", path)
    try:
        return model_from_bytes(read_regular(path), custom, build)
    except ModelFileError as error:
        raise ModelFileError(f"{name}: {shown(error, MAX_MESSAGE)}") from None
    except MemoryError:
        megabytes = os.path.getsize(path) / 1e6
        raise MemoryError(
            f"{name}: there is too little memory to load this file of {megabytes:.1f} MB; it takes about "
            f"{2 * megabytes + 64:.0f} MB."
        ) from None


def model_from_bytes(data: bytes, custom: Sequence[type[Layer]] = (), build: Build | None = None) -> Any:
    """The model in the bytes of a file, or what `build` makes of its parts; see `load`."""
    from rosenblatt.persistence.models import KINDS, model_from_parts

    kind, state, arrays = unpack(data, kinds=KINDS)
    del data  # of which the arrays are views
    return (build or model_from_parts)(kind, state, arrays, custom)
