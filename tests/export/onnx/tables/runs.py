"""Running graphs and models in onnxruntime and in ONNX's reference evaluator."""

import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator


class Both:
    """A model in both; called with inputs, it gives the outputs by name, of each."""

    def __init__(self, proto):
        self.proto = proto
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.evaluator = ReferenceEvaluator(proto)
        self.names = [out.name for out in proto.graph.output]

    def __call__(self, feed):
        with np.errstate(all="ignore"):  # operators compute what Where does not choose, too
            runs = (self.session.run(None, feed), self.evaluator.run(None, feed))
        return [dict(zip(self.names, outputs, strict=True)) for outputs in runs]


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
