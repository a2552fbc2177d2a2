"""`to_c`: a fitted model as one file of C99.

Takes a model and the name of a file. Returns what was written, and how large it is. Never changes the model, and never
replaces a file that nobody said to replace.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from rosenblatt._checks import check_flag
from rosenblatt._suggestions import article, own_name, suggest_keywords
from rosenblatt.export.c.models import parts_of
from rosenblatt.export.c.networks import add_parts
from rosenblatt.export.c.source import Source
from rosenblatt.export.c.tables import add_table, is_tabular
from rosenblatt.export.c.text import is_identifier, plain_identifier
from rosenblatt.export.files import check_destination, write_export
from rosenblatt.memory import size_text

__all__ = ["CFile", "to_c"]

DTYPES = ("float32", "float64")
_HEADERS_OF_C = (
    *("assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits", "locale", "math"),
    *("setjmp", "signal", "stdarg", "stdbool", "stddef", "stdint", "stdio", "stdlib", "string", "tgmath", "time"),
    *("wchar", "wctype"),
)


@dataclass(frozen=True)
class CFile:
    """A file of C that was written; its text is a sentence about its sizes.

    Attributes
    ----------
    path : Path
    name : str
        What its names begin with: it defines ``NAME_predict``.
    file_bytes : int
        Size of the file.
    constant_bytes : int
        Size of the parameters in the compiled program, which stay in read-only memory.
    work_bytes : int
        Size of the arrays that a prediction needs on the stack.
    """

    path: Path
    name: str
    file_bytes: int
    constant_bytes: int
    work_bytes: int

    @property
    def sizes(self) -> str:
        """The three sizes in words."""
        constants, stack = size_text(self.constant_bytes), size_text(self.work_bytes)
        return f"{size_text(self.file_bytes)} of C; {constants} of constants, {stack} of stack"

    def __str__(self) -> str:
        return f"{self.path} ({self.sizes}) defines {self.name}_predict"


@suggest_keywords
def to_c(
    model: Any,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    name: str | None = None,
    dtype: DTypeLike | None = None,
    prepare: bool = True,
) -> CFile:
    """Write a model as one file of C99 that predicts a row at a time, and needs nothing but ``math.h``.

    The file defines ``void NAME_predict(const float *x, float *y)``, for classifiers also
    ``int NAME_predict_class(const float *x)`` and ``const char *const NAME_classes[]``, and macros with the numbers of
    inputs and outputs. It allocates nothing and keeps nothing between calls, so that any number of threads may call it.

    Parameters
    ----------
    model : Network, or fitted estimator
        Several inputs of a network are one after the other in `x`, class numbers as whole numbers among them, and
        several heads one after the other in `y`. For classifiers `y` is what ``predict_proba`` gives, where they have
        it. Of `TabularClassifier` and `TabularRegressor`, `x` has a double for each column that the model uses:
        numbers as they are, NaN where one is missing; categories as the numbers of their levels, for which the file has
        an ``enum``, 0 where they are missing or unknown; dates as days since 1970.
    path : path
        It ends in ".c"; or in ".h": all is static then, for one file that includes it.
    overwrite : bool, default=False
        Whether an existing file may be replaced.
    name : str, optional
        What all names in the file begin with; by default the file's name. ASCII letters, digits and underscores.
    dtype : {"float32", "float64"}, optional
        What networks compute in: by default, what they were trained in. Of other models than tabular ones, it is the
        type of `x` and `y`, too.
    prepare : bool, default=True
        Of a tabular model, whether the file prepares a row's cells. If not, `x` are the prepared floats: scaled
        numbers, indicators, numbers of levels.

    Returns
    -------
    CFile
        The sizes of the file, of its constants, and of the stack that it needs.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If a file in C cannot hold such a model.
    ValueError
        If the name is no identifier of C, or the file is called like a header of C itself; if `prepare` is False for
        another model than a tabular one; if a parameter is not finite, or is too large for `dtype`; if a layer or
        function has an op that has no translation; if a column holds sentences; if a row's prediction depends on other
        rows.
    FileExistsError, OSError
        If the file exists, without `overwrite`; if it cannot be written. An existing file is as it was.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from rosenblatt import LogisticRegression
    >>> from rosenblatt.export import to_c
    >>> model = LogisticRegression(max_iter=2000).fit(*load_iris(return_X_y=True))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = to_c(model, f"{folder}/iris.c")
    >>> written.name, written.constant_bytes, written.work_bytes
    ('iris', 120, 48)
    """
    target = check_destination(path, (".c", ".h"), overwrite)
    dtype = _checked_dtype(dtype)
    is_header = target.name.lower().endswith(".h")  # also of a file that is called .h
    if is_header and target.stem.lower() in _HEADERS_OF_C:
        raise ValueError(f"{target.name} is a header of C itself, in whose place compilers would read yours; rename it")
    source = Source(_checked_name(name, target), is_header)
    source.title.append(f"{type(model).__name__}: a prediction of one row.")
    prepare = check_flag("prepare", prepare)
    if is_tabular(model):
        add_table(source, model, dtype, prepare)
    else:
        parts = parts_of(model, dtype)
        if not prepare:
            raise ValueError(
                f"prepare=False is for tabular models; {article(own_name(model))} prepares nothing. Leave it out"
            )
        add_parts(source, parts)
    data = source.written().encode("ascii")
    n_bytes = write_export(target, data, overwrite=overwrite)
    return CFile(target, source.name, n_bytes, source.constant_bytes, source.work_bytes)


def _checked_dtype(dtype: DTypeLike | None) -> str | None:
    """The name of the float type, or None for the model's own."""
    try:
        name = None if dtype is None else np.dtype(dtype).name
    except TypeError:
        name = ""
    if name is not None and name not in DTYPES:
        raise ValueError(f"dtype is {dtype!r}; allowed: {', '.join(DTYPES)}, or None for the model's own")
    return name


def _checked_name(name: str | None, target: Path) -> str:
    """The prefix of all names: the given one, or that of the file."""
    given = target.stem if name is None else name
    if not isinstance(given, str):
        raise TypeError(f"name is {given!r}; give a text, such as 'model'")
    if is_identifier(given):
        return given
    near = plain_identifier(given, "model")
    allowed = "names in C have up to 50 ASCII letters, digits and underscores, a letter first"
    if name is None:
        raise ValueError(f"the file is called {target.name!r}, but {allowed}. Say name={near!r}, or rename the file")
    raise ValueError(f"name is {given!r}, but {allowed}. Say name={near!r}")
