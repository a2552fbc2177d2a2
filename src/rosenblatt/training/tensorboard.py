"""Logs for TensorBoard, through tensorboardX (extra ``tensorboard``).

Goes in: an epoch of a training. Comes out: an event file with its losses, scores, learning rate, gradient statistics
and weight histograms; at first also the network's layers as a graph. It is a callback of `rosenblatt.training.fit` and,
by scikit-learn's protocol, of the estimators. It computes nothing that the training does not know.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt.nn.network import Network

if TYPE_CHECKING:
    from rosenblatt.training.fitting import Epoch

__all__ = ["TensorBoard"]

TAGS = {
    "loss": "loss/training",
    "val_loss": "loss/validation",
    "val_score": "score/validation",
    "learning_rate": "learning_rate",
}
STATISTICS = {"norm": "gradient_norm", "vanishing": "vanishing_gradient", "dead": "dead_neurons"}


class TensorBoard:
    """Writes what happens in each epoch to a folder that TensorBoard reads.

    A training that goes on from a checkpoint goes on with the same curves, each epoch once: what was written after the
    checkpoint is taken back. Give each training a folder of its own.

    Parameters
    ----------
    log_dir : path
        Made if it does not exist.
    histograms : bool
        Write histograms of the weights.
    graph : bool
        Write the layers as a graph, once.

    Examples
    --------
    ``MLPClassifier(statistics=True).set_callbacks(TensorBoard("runs/first"))`` for an estimator; with
    ``statistics=True`` there are norms of the gradient by layer. ``net.fit(X, y, callbacks=[TensorBoard("runs/net")])``
    for a network by hand. Then: ``tensorboard --logdir runs``.
    """

    def __init__(self, log_dir: str | os.PathLike[str], *, histograms: bool = True, graph: bool = True) -> None:
        if Path(log_dir).is_file():
            raise NotADirectoryError(f"log_dir is {str(log_dir)!r}, which is a file; give a folder")
        self.log_dir, self.histograms, self.graph = str(log_dir), histograms, graph
        self._writer: Any = None
        writer_class()

    def __call__(self, epoch: Epoch) -> None:
        """Write an epoch of `rosenblatt.training.fit`."""
        self.write(epoch.number, epoch.network, epoch.history)

    def write(self, number: int, network: Network, history: Mapping[str, list[float]], text: str = "") -> None:
        """Write the last row of a history as epoch `number`, and the network's weights."""
        if self._writer is None:
            suffix = f".{time.time_ns()}"  # its files are named by the second, and would overwrite each other
            self._writer = writer_class()(self.log_dir, purge_step=number, filename_suffix=suffix)
            if self.graph:
                self._writer.file_writer.add_event(graph_event(network))
            if text:
                self._writer.add_text("parameters", text, number)
        for column, values in history.items():
            self._writer.add_scalar(tag_of(column), values[-1], number)
        for name, array in network.named_parameters() if self.histograms else ():
            self._writer.add_histogram(name.replace(".", "/"), np.asarray(array), number)
        self._writer.flush()  # a process that is killed loses no epoch

    def close(self) -> None:
        """Close the file; writing again opens another one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin an estimator's fit."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """End it."""
        self.close()

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Nothing happens before an epoch."""

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> None:
        """Write an epoch of an estimator."""
        history = getattr(estimator, "history_", None)
        if context.task_name == "epoch" and fitted_estimator is not None and history:
            text = "    " + repr(estimator).replace("\n", "\n    ")
            self.write(history.n_epochs, fitted_estimator.network, history, text)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_writer": None}


def writer_class() -> Any:
    """TensorboardX's writer.

    Raises
    ------
    ImportError
        If it is not installed; says how to install it.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise ImportError("TensorBoard needs tensorboardX: pip install 'rosenblatt[tensorboard]'") from None
    return SummaryWriter


def tag_of(column: str) -> str:
    """TensorBoard's name for a column of the history; a slash makes groups."""
    layer, _, statistic = column.rpartition(".")
    return f"{STATISTICS[statistic]}/{layer}" if statistic in STATISTICS and layer else TAGS.get(column, column)


def graph_event(network: Network) -> Any:
    """The layers of a network as TensorBoard's graph."""
    from tensorboardX.proto.attr_value_pb2 import AttrValue
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.graph_pb2 import GraphDef
    from tensorboardX.proto.node_def_pb2 import NodeDef
    from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

    def shape(*sizes: int) -> Any:
        dims = [TensorShapeProto.Dim(size=size) for size in sizes]
        return AttrValue(list=AttrValue.ListValue(shape=[TensorShapeProto(dim=dims)]))

    graph, nodes, used = network.graph, [], dict[str, int]()
    names = {}
    for node in graph.nodes:
        name = graph.names[node]
        used[name] = used.get(name, 0) + 1
        names[node] = name if used[name] == 1 else f"{name}_{used[name]}"
        own = [p for p in graph.parameters if p.layer == name]
        sources = [f"{names[node]}/{p.spec.name}" for p in own]
        nodes += [
            NodeDef(name=source, op="parameter", attr={"_output_shapes": shape(*p.spec.shape)})
            for source, p in zip(sources, own, strict=True)
        ]
        inputs = [names[n] for n in node.inputs] + sources
        sizes = (-1,) if node.kind == "codes" else (-1, node.width)
        kind = type(node.layer).__name__
        nodes.append(NodeDef(name=names[node], op=kind, input=inputs, attr={"_output_shapes": shape(*sizes)}))
    return Event(graph_def=GraphDef(node=nodes).SerializeToString())
