"""Logs for TensorBoard, through tensorboardX (extra ``tensorboard``).

Goes in: an epoch of a training. Comes out: an event file with its losses, scores, learning rate, gradient statistics
and weight histograms; at first also the network's layers as a graph. It is a callback of `rosenblatt.training.fit` and,
by scikit-learn's protocol, of the estimators. It computes nothing that the training does not know.
"""

from __future__ import annotations

import math
import os
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


BINS = 30
PREFIX = "events.out.tfevents."


@dataclass
class Log:
    """An event file that is being written, and the last epoch in it."""

    path: Path
    last: int


class TensorBoard:
    """Writes what happens in each epoch to a folder that TensorBoard reads.

    When a call returns, its epoch is in the file: no moment to kill the process loses one. A training that goes on from
    a checkpoint goes on with the same curves, each epoch once: what was written after the checkpoint is taken back. A
    training that begins anew in a folder takes the place of the one before: give each a folder of its own, such as
    ``f"runs/{time.time():.0f}"``. In a search each candidate and split has a folder below `log_dir`, and the refit has
    `log_dir` itself.

    Parameters
    ----------
    log_dir : path
        Made if it does not exist.
    histograms : bool
        Write histograms of the weights.
    graph : bool
        Write the layers as a graph, once.

    Raises
    ------
    ImportError
        If tensorboardX is not installed.
    NotADirectoryError
        If log_dir is a file.

    Examples
    --------
    ``MLPClassifier(gradient_statistics=True).set_callbacks(TensorBoard("runs/first"))`` for an estimator; with
    ``gradient_statistics=True`` there are norms of the gradient by layer. For a network of your own:
    ``net.fit(X, y, callbacks=[TensorBoard("runs/net")])``. Then: ``tensorboard --logdir runs``. L-BFGS has no epochs, so
    nothing is written for it.
    """

    def __init__(self, log_dir: str | os.PathLike[str], *, histograms: bool = True, graph: bool = True) -> None:
        if Path(log_dir).is_file():
            raise NotADirectoryError(f"log_dir is {str(log_dir)!r}, which is a file; give a folder")
        self.log_dir, self.histograms, self.graph = str(log_dir), histograms, graph
        self._logs: dict[Path, Log] = {}
        require_tensorboardx()

    def __call__(self, epoch: Epoch) -> None:
        """Write an epoch of `rosenblatt.training.fit`."""
        self.write(epoch.number, epoch.network, epoch.history)

    def write(
        self,
        number: int,
        network: Network,
        history: Mapping[str, list[float]],
        text: str = "",
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        """Write the last row of a history as epoch `number`, and the network's weights, to `folder` or else log_dir."""
        from tensorboardX import summary

        where = Path(self.log_dir if folder is None else folder)
        log, events = self._logs.get(where), list[Any]()
        if log is None or number != log.last + 1:  # another training, or this one from an earlier epoch on
            first = number == 1 or not event_files(where)
            log = self._logs[where] = Log(new_file(where), number)
            events += beginning(number)
            events += [graph_event(network)] if self.graph and first else []
            events += [event(number, summary.text("parameters", text))] if text and first else []
        log.last = number
        row = {name: values[-1] for name, values in history.items() if not math.isnan(values[-1])}
        events += [event(number, summary.scalar(tag_of(column), value)) for column, value in row.items()]
        for name, array in network.named_parameters() if self.histograms else ():
            values = np.asarray(array, np.float64)
            events.append(event(number, summary.histogram(name.replace(".", "/"), values, BINS)))
        append(log.path, events)

    def close(self) -> None:
        """Let the next epoch begin a new file."""
        self._logs.clear()

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin an estimator's fit."""
        self._logs.pop(folder_of(self.log_dir, context), None)

    def teardown(self, estimator: Any, context: Any) -> None:
        """End it."""
        self._logs.pop(folder_of(self.log_dir, context), None)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Nothing happens before an epoch."""

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> None:
        """Write an epoch of an estimator."""
        history = getattr(estimator, "history_", None)
        if context.task_name == "epoch" and fitted_estimator is not None and history:
            text = "    " + repr(estimator).replace("\n", "\n    ")
            folder = folder_of(self.log_dir, context)
            self.write(history.n_epochs, fitted_estimator.network, history, text, folder)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_logs": {}}


def require_tensorboardx() -> None:
    """Import tensorboardX.

    Raises
    ------
    ImportError
        If it is not installed; says how to install it.
    """
    try:
        import tensorboardX  # noqa: F401
    except ImportError:
        raise ImportError("TensorBoard needs tensorboardX: pip install 'rosenblatt[tensorboard]'") from None


def folder_of(log_dir: str, context: Any) -> Path:
    """The folder of a fit: one of its own for each of several fits side by side, as in a search."""
    parts: list[str] = []
    while context.parent is not None:
        if not context.parent.sequential_subtasks:
            parts.insert(0, f"{context.source_task_name or context.task_name}-{context.task_id}")
        context = context.parent
    return Path(log_dir, *parts)


def event_files(folder: Path) -> list[str]:
    """Names of the event files in a folder, in the order in which TensorBoard reads them."""
    return sorted(path.name for path in folder.glob(f"{PREFIX}*"))


def new_file(folder: Path) -> Path:
    """A path for an event file; TensorBoard reads it after those that are there, also if the clock went back."""
    seconds = [int(name[len(PREFIX) :].partition(".")[0]) for name in event_files(folder)[-1:]]
    begin = max([int(time.time()), *(s + 1 for s in seconds)])
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{PREFIX}{begin:010d}.{socket.gethostname()}.{os.getpid()}"


def event(step: int, content: Any) -> Any:
    """A summary as an event."""
    from tensorboardX.proto.event_pb2 import Event

    return Event(wall_time=time.time(), step=step, summary=content)


def beginning(step: int) -> list[Any]:
    """What a file begins with; epochs from `step` on in older files no longer count."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    now = time.time()
    start = Event(wall_time=now, step=step, session_log=SessionLog(status=SessionLog.START))
    return [Event(wall_time=now, file_version="brain.Event:2"), start]


def append(path: Path, events: Sequence[Any]) -> None:
    """Write events as TFRecords: length, its checksum, the bytes, their checksum.

    tensorboardX's own writers hand events to a thread, which a kill takes with it; this has handed them to the system.
    """
    from tensorboardX.record_writer import masked_crc32c

    records = bytearray()
    for content in (e.SerializeToString() for e in events):
        length = struct.pack("<Q", len(content))
        records += length + struct.pack("<I", masked_crc32c(length)) + content
        records += struct.pack("<I", masked_crc32c(content))
    with path.open("ab") as file:
        file.write(records)


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
        own = graph.own(node)
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
