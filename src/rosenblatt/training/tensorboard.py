"""Logs for TensorBoard, through tensorboardX (extra ``tensorboard``).

Takes an epoch of a training, as a callback of `rosenblatt.training.fit` or, by scikit-learn's protocol, of an
estimator. Returns an event file with losses, scores, learning rate, gradient statistics and weight histograms, and once
the network's layers as a graph. Never computes anything that the training has not computed.
"""

from __future__ import annotations

import math
import os
import re
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rosenblatt._extras import needed
from rosenblatt.storage.atomic import append_durably

if TYPE_CHECKING:
    from rosenblatt.nn.network import Network
    from rosenblatt.training.fitting import Epoch

__all__ = ["TensorBoard"]

TAGS = {
    "loss": "loss/training",
    "held_out": "metric/held-out",
    "val_loss": "loss/validation",
    "val_score": "score/validation",
}
STATISTICS = {"norm": "gradient_norm", "vanishing": "vanishing_gradient", "dead": "dead_neurons"}
BINS = 30
PREFIX = "events.out.tfevents."


@dataclass
class Log:
    """An event file that is being written, and the number of the last epoch in it."""

    path: Path
    last: int


class TensorBoard:
    """Writes each epoch to a folder that TensorBoard reads.

    When a call returns, its epoch is in the file, so killing the process loses no epoch. A training that resumes from a
    checkpoint continues its curves and logs each epoch once: epochs that were logged after the checkpoint are dropped.
    A training that starts from scratch replaces the previous one in its folder, so give each training its own folder,
    such as ``f"runs/{time.time():.0f}"``. In a search, each candidate and split has a subfolder of `log_dir`, and the
    refit uses `log_dir` itself.

    Parameters
    ----------
    log_dir : path
        Folder for the event files. It is created if it does not exist.
    histograms : bool
        Whether to write histograms of the weights after each epoch.
    graph : bool
        Whether to write the layers as a graph, once per training.

    Raises
    ------
    ImportError
        If tensorboardX is not installed.
    NotADirectoryError
        If log_dir is a file.

    Examples
    --------
    Write ``MLPClassifier(gradient_statistics=True).set_callbacks(TensorBoard("runs/first"))`` for an estimator. With
    ``gradient_statistics=True``, the logs contain the norms of the gradient by layer. For your own network, write
    ``net.fit(X, y, callbacks=[TensorBoard("runs/net")])``. Then run ``tensorboard --logdir runs``. L-BFGS has no
    epochs, so nothing is written for it.
    """

    def __init__(self, log_dir: str | os.PathLike[str], *, histograms: bool = True, graph: bool = True) -> None:
        if Path(log_dir).is_file():
            raise NotADirectoryError(f"log_dir is {str(log_dir)!r}, which is a file; give a folder")
        self.log_dir, self.histograms, self.graph = str(log_dir), histograms, graph
        self._logs: dict[Path, Log] = {}
        with needed("TensorBoard needs", "tensorboardX", extra="tensorboard"):
            import tensorboardX  # noqa: F401

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
        """Write the last row of a history as epoch `number`, and the network's weights, to `folder` (or log_dir)."""
        from tensorboardX import summary

        where = Path(self.log_dir if folder is None else folder)
        log, events = self._logs.get(where), list[Any]()
        # Another training, or this one resumed from an earlier epoch, or the file was removed in between.
        if log is None or number != log.last + 1 or not log.path.is_file():
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
        """Close all files: the next epoch starts a new one."""
        self._logs.clear()

    def setup(self, estimator: Any, context: Any) -> None:
        """Forget the file of an earlier fit, before and after a fit of an estimator."""
        self._logs.pop(folder_of(self.log_dir, context), None)

    teardown = setup

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing before an epoch."""

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> None:
        """Write an epoch of an estimator."""
        history = getattr(fitted_estimator, "history_", None)
        if context.task_name == "epoch" and history:
            text = "    " + repr(estimator).replace("\n", "\n    ")
            folder = folder_of(self.log_dir, context)
            self.write(history.n_epochs, fitted_estimator.network, history, text, folder)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_logs": {}}


def folder_of(log_dir: str, context: Any) -> Path:
    """The folder of a fit. Fits that run side by side, as in a search, have separate folders."""
    parts: list[str] = []
    while context.parent is not None:
        if not context.parent.sequential_subtasks:
            parts.insert(0, f"{context.source_task_name or context.task_name}-{context.task_id}")
        context = context.parent
    return Path(log_dir, *parts)


def event_files(folder: Path) -> list[str]:
    """Names of the event files in a folder that begin with a time, in the order in which TensorBoard reads them.

    Others, such as "events.out.tfevents.old", are not ours.
    """
    names = (path.name for path in folder.glob(f"{PREFIX}*"))
    return sorted(name for name in names if re.fullmatch(r"[0-9]{1,12}", time_of(name)))


def time_of(name: str) -> str:
    """What stands in an event file's name for the time at which it was begun, in seconds."""
    return name[len(PREFIX) :].partition(".")[0]


def new_file(folder: Path) -> Path:
    """A path for an event file that TensorBoard reads after the existing ones, even if the clock was set back."""
    seconds = [int(time_of(name)) for name in event_files(folder)[-1:]]
    begin = max([int(time.time()), *(s + 1 for s in seconds)])
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{PREFIX}{begin:010d}.{socket.gethostname()}.{os.getpid()}"


def event(step: int, content: Any) -> Any:
    """A summary as an event."""
    from tensorboardX.proto.event_pb2 import Event

    return Event(wall_time=time.time(), step=step, summary=content)


def beginning(step: int) -> list[Any]:
    """The first events of a file. They tell TensorBoard to ignore the epochs from `step` on in older files."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    now = time.time()
    start = Event(wall_time=now, step=step, session_log=SessionLog(status=SessionLog.START))
    return [Event(wall_time=now, file_version="brain.Event:2"), start]


def append(path: Path, events: Sequence[Any]) -> None:
    """Write events as TFRecords: length, its checksum, the bytes, their checksum.

    tensorboardX's own writers pass events to a thread, which may lose them when the process is killed. This function
    has passed them to the operating system when it returns.
    """
    from tensorboardX.record_writer import masked_crc32c

    records = bytearray()
    for content in (e.SerializeToString() for e in events):
        length = struct.pack("<Q", len(content))
        records += length + struct.pack("<I", masked_crc32c(length)) + content
        records += struct.pack("<I", masked_crc32c(content))
    append_durably(path, records, sync=False)


def tag_of(column: str) -> str:
    """TensorBoard's name for a column of the history. A slash separates group and name."""
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
        own = graph.parameters_of(node)
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
