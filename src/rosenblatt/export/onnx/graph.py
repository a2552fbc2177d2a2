"""ONNX graphs under construction.

Takes inputs, operators, constants and outputs, one after the other. Returns a checked `onnx.ModelProto`. Never knows
what the operators compute.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from rosenblatt._version import __version__
from rosenblatt.export.onnx.extra import require_onnx

__all__ = ["ML", "OPSET", "TEXT_OPSET", "OnnxGraph", "require_unicode"]

OPSET = 18
"""The version of the standard operators: the first in which all reductions take their axes as an input."""
TEXT_OPSET = 20
"""The first version with operators for texts."""
ML = "ai.onnx.ml"
"""The domain of the operators for labels."""
VERSIONS = {OPSET: {"": OPSET, ML: 3}, TEXT_OPSET: {"": TEXT_OPSET, ML: 4}}
IR_VERSIONS = {OPSET: 8, TEXT_OPSET: 9}
"""The version of the file format that came with the operators; runtimes of 2023 and later read 8, those of 2024 9."""
OWN_NAME = re.compile(r"/\w+/\d+(\.\d+)?")
"""What operators' results and constants are called."""
MAX_BYTES = 2**31 - 2**20
"""A file of protocol buffers holds 2 GiB; a little is left for all that is no constant."""
MAX_SHOWN = 100
"""Characters of a long text that an error message shows."""
TYPES = {
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "int64": "INT64",
    "int32": "INT32",
    "bool": "BOOL",
    "string": "STRING",
}


class OnnxGraph:
    """A graph to add to; tensors are named by strings.

    Parameters
    ----------
    name : str
        The graph's name in the file.
    opset : {18, 20}
        The version of the standard operators.
    """

    def __init__(self, name: str, opset: int = OPSET) -> None:
        self._onnx = require_onnx()
        self._name, self._opset = name, opset
        self._inputs: dict[str, Any] = {}
        self._outputs: dict[str, Any] = {}
        self._nodes: list[Any] = []
        self._constants: dict[tuple[Any, ...], Any] = {}
        self._domains = {""}
        self._n_bytes = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of inputs and outputs so far."""
        return (*self._inputs, *self._outputs)

    def free_name(self, name: str, others: Collection[str] = ()) -> str:
        """The name, with as many underscores as no input, no output and none of the others has."""
        while name in self.names or name in others:
            name += "_"
        return name

    def input(self, name: str, dtype: str, width: int | tuple[int, ...] | None) -> str:
        """Declare an input of shape [rows, width], [rows] where the width is None, or of a fixed shape; `name` again.

        `dtype` is "float32", "float64", "int64", "int32", "bool" or "string".
        """
        self._require_new(name)
        shape = width if isinstance(width, tuple) else (None,) if width is None else (None, width)
        self._inputs[name] = self._information(name, dtype, shape)
        return name

    @overload
    def add(self, op: str, *inputs: str, n_outputs: Literal[1] = 1, domain: str = "", **attrs: Any) -> str: ...
    @overload
    def add(self, op: str, *inputs: str, n_outputs: int, domain: str = "", **attrs: Any) -> tuple[str, ...]: ...
    def add(self, op: str, *inputs: str, n_outputs: int = 1, domain: str = "", **attrs: Any) -> str | tuple[str, ...]:
        """Apply an operator to tensors; the name of what it gives, or a tuple of names if it gives several.

        An empty name leaves an optional input out. `domain` is "" or `ML`. Attributes that are arrays become tensors.
        """
        number = len(self._nodes)
        outputs = [f"/{op}/{number}" if i == 0 else f"/{op}/{number}.{i}" for i in range(n_outputs)]
        given = {
            key: self._onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
            for key, value in attrs.items()
        }
        self._nodes.append(self._onnx.helper.make_node(op, inputs, outputs, domain=domain, **given))
        self._domains.add(domain)
        return outputs[0] if n_outputs == 1 else tuple(outputs)

    def cast(self, tensor: str, dtype: str) -> str:
        """The tensor as another type of `input`."""
        return self.add("Cast", tensor, to=getattr(self._onnx.TensorProto, TYPES[dtype]))

    def constant(self, array: ArrayLike) -> str:
        """A tensor of numbers, truth values or texts; equal ones are stored once."""
        given = np.asarray(array)
        key = (given.dtype.str, given.shape, given.tobytes() if given.dtype != object else tuple(given.ravel()))
        if key not in self._constants:
            if given.dtype.kind in "OU":
                for text in given.ravel():
                    require_unicode(text, "a class or level is")
            name, plain = (
                f"/constant/{len(self._constants)}",
                given.astype(object) if given.dtype.kind == "U" else given,
            )
            self._constants[key] = self._onnx.numpy_helper.from_array(plain, name)
            self._n_bytes += given.nbytes
        name = self._constants[key].name
        return str(name)

    def output(self, name: str, tensor: str, dtype: str, shape: Sequence[int | None]) -> None:
        """Declare that a tensor is an output of the graph; None in `shape` is the number of rows."""
        self._require_new(name)
        self._nodes.append(self._onnx.helper.make_node("Identity", [tensor], [name]))
        self._outputs[name] = self._information(name, dtype, tuple(shape))

    def build(self, metadata: Mapping[str, str]) -> Any:
        """The model, checked with all shapes; `metadata` becomes its properties.

        Raises
        ------
        ValueError
            If the constants are more than a file of this format holds.
        """
        helper = self._onnx.helper
        if self._n_bytes > MAX_BYTES:
            raise ValueError(
                f"the model has {self._n_bytes / 1e9:.1f} GB of parameters; one ONNX file holds at most 2 GiB. "
                "Export a smaller network."
            )
        graph = helper.make_graph(
            self._nodes,
            self._name,
            list(self._inputs.values()),
            list(self._outputs.values()),
            initializer=list(self._constants.values()),
        )
        model = helper.make_model(
            graph,
            producer_name="rosenblatt",
            producer_version=__version__,
            ir_version=IR_VERSIONS[self._opset],
            opset_imports=[
                helper.make_opsetid(domain, VERSIONS[self._opset][domain]) for domain in sorted(self._domains)
            ],
        )
        helper.set_model_props(model, dict(metadata))
        self._onnx.checker.check_model(model, full_check=True)
        return model

    def _information(self, name: str, dtype: str, shape: Sequence[int | None]) -> Any:
        number = getattr(self._onnx.TensorProto, TYPES[dtype])
        sizes = ["rows" if size is None else size for size in shape]
        return self._onnx.helper.make_tensor_value_info(name, number, sizes)

    def _require_new(self, name: str) -> None:
        if not name:
            raise ValueError("an input or output has an empty name; ONNX needs one for each.")
        require_unicode(name, "an input or output is called")
        if OWN_NAME.fullmatch(name):
            raise ValueError(f"an input or output is called {name!r}, as a tensor within the graph may be: rename it.")
        if name in self.names:
            raise ValueError(f"two inputs or outputs are called {name!r}; in an ONNX model their names must differ.")


def require_unicode(text: str, what: str) -> None:
    """Refuse halves of characters, which ONNX cannot store; `what` has such a text is how the message begins."""
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
        raise ValueError(
            f"{what} {shown!r}, which is no Unicode, so that ONNX cannot store it: correct it, and fit again."
        ) from None
