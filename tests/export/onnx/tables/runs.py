"""Tables as inputs of ONNX models, run in both programs."""

import numpy as np
from tests.export.onnx.running import open_reference, open_runtime


class Both:
    """A model in onnxruntime and in the reference evaluator; called with inputs, it gives the outputs of each."""

    def __init__(self, proto):
        self.proto, self.runs = proto, [open_runtime(proto), open_reference(proto)]

    def __call__(self, feed):
        return [run(feed) for run in self.runs]


def as_feed(proto, columns):
    """Columns, mappings of lists or arrays, as inputs: None is NaN or the empty text."""
    found = {}
    for one in proto.graph.input:
        cells, number = columns[one.name], one.type.tensor_type.elem_type
        if number == 8:
            array = np.array([str(c) if c is not None else "" for c in cells], object)
        elif number == 7:
            array = np.asarray(cells).astype(np.int64)
        else:
            array = np.array([np.nan if c is None else float(c) for c in cells])
        found[one.name] = array.reshape(-1, 1)
    return found
