"""Tabular models in C: a row's cells as doubles, the networks, and what is made of their outputs.

Takes a fitted `TabularClassifier` or `TabularRegressor`. Adds to a file the preparation of a row, a routine for each
network, and one that combines them. Never reads text: categories are numbers of levels there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from rosenblatt._suggestions import own_name
from rosenblatt.export.c.combination import combination
from rosenblatt.export.c.models import Choice, in_dtype, labels_of, network_program
from rosenblatt.export.c.networks import NOT_A_CODE, add_choice, argument_lines
from rosenblatt.export.c.preparation import Preparing
from rosenblatt.export.c.routines import C_TYPES, routine
from rosenblatt.export.c.source import Source
from rosenblatt.export.parameters import leaves_of
from rosenblatt.ir.types import ITEMSIZE, Program

__all__ = ["add_table", "is_tabular"]

WIDE = "float64"
"""The type of what members' outputs are combined in."""


def is_tabular(model: Any) -> bool:
    """Whether it is a tabular estimator of the library."""
    return own_name(model) in ("TabularClassifier", "TabularRegressor")


def add_table(source: Source, model: Any, dtype: str | None, prepare: bool) -> None:
    """Add ``NAME_predict`` and, for classes, what chooses one of them.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If a column holds sentences.
    """
    check_is_fitted(model, "ensemble_")
    if texts := [encoder.name for encoder in model.preparation_.encoders if encoder.n_words]:
        raise ValueError(
            f"column {texts[0]!r} holds sentences, and a file in C has no words: fit the model without it, as with "
            f"ignore={texts!r}"
        )
    networks = [in_dtype(network, dtype) for network in model.ensemble_.networks]
    members, programs = [], []
    for i, network in enumerate(networks, start=1):
        programs.append(network_program(network))
        name = source.names.new(f"{source.name}_network{i}")
        members.append(routine(programs[-1], leaves_of(network, programs[-1]), name, source.names))
    real, inputs = programs[0].dtype, networks[0].graph.input_widths
    for made in members:
        source.routine(made, real)
    combined, n_outputs = combination(model, len(members))
    last = routine(combined, {}, source.names.new(f"{source.name}_combined"), source.names)
    source.routine(last, WIDE)
    n_raw = networks[0].graph.n_outputs
    preparing = Preparing(source, model.preparation_, real) if prepare else None
    body, arguments = _fed(source, preparing, programs[0], inputs)
    outs = [f"out + {i * n_raw}" if i else "out" for i in range(len(members))]
    raw, size = [f"outputs + {i * n_raw}" if i else "outputs" for i in range(len(members))], n_raw * len(members)
    body = [f"{C_TYPES[real]} out[{size}];", f"double outputs[{size}];", *body]
    body += [f"{made.name}({', '.join([*arguments, out])});" for made, out in zip(members, outs, strict=True)]
    body += [f"for (int i = 0; i < {size}; ++i) outputs[i] = (double)out[i];"]
    body += [f"{last.name}({', '.join([*raw, 'y'])});"]
    x_type = "double" if prepare else C_TYPES[real]
    _finish(source, model, body, x_type, n_outputs, inputs, prepare)
    deepest = max(made.work_bytes for made in (*members, last))
    source.work_bytes += deepest + size * (ITEMSIZE[real] + ITEMSIZE[WIDE]) + _prepared_bytes(inputs, programs[0])


def _fed(
    source: Source, preparing: Preparing | None, program: Program, inputs: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    """What makes the networks' inputs of a row, and their names."""
    if preparing is not None:
        return preparing.lines(inputs), preparing.arguments(inputs)
    declared, arguments, codes = argument_lines(program, inputs)
    if codes:
        source.add(NOT_A_CODE.split("\n"), program.dtype)
    return [*declared, *(f"(void){code};" for code in codes)], arguments


def _finish(
    source: Source, model: Any, body: list[str], x_type: str, n_outputs: int, inputs: Mapping[str, int], prepare: bool
) -> None:
    """Add ``NAME_predict``, and the choice of a class."""
    n_prepared = sum(1 if name.startswith("codes") else width for name, width in inputs.items())
    n_inputs = len(model.preparation_.encoders) if prepare else n_prepared
    source.constant("N_INPUTS", n_inputs)
    source.constant("N_OUTPUTS", n_outputs)
    if not prepare:
        source.title += ["", "x, prepared:", *_prepared_places(model.preparation_, inputs)]
    head = f"void {source.name}_predict(const {x_type} *x, double *y)"
    about = f"The {n_outputs} predictions for a row of {n_inputs} {'cells' if prepare else 'numbers'}."
    source.function(head, body, about, WIDE)
    if hasattr(model, "classes_"):
        weights = np.asarray(model.decision_weights_)
        factors = () if (weights == 1).all() else tuple(weights.tolist())
        add_choice(source, Choice(labels_of(model.classes_), factors=factors), n_outputs, x_type, WIDE)


def _prepared_places(preparation: Any, inputs: Mapping[str, int]) -> list[str]:
    """What stands where in a prepared row, for the first comment."""
    coded = [encoder for encoder in preparation.encoders if encoder.n_codes]
    shown = list[str]()
    for name in inputs:
        if name.startswith("codes"):
            encoder = coded[int(name[5:])]
            shown.append(f"the number of the level of {encoder.name}, from 1 to {encoder.n_codes - 1}; 0 for others")
        else:
            shown += preparation.numbers if name == "numbers" else preparation.indicators
    return [f"  {place}: {what}" for place, what in enumerate(shown)]


def _prepared_bytes(inputs: Mapping[str, int], program: Program) -> int:
    """The bytes of the networks' inputs."""
    types = {name: program.leaf(name).dtype for name in inputs}
    return sum(4 if types[name] == "int32" else width * ITEMSIZE[types[name]] for name, width in inputs.items())
