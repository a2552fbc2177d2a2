"""Writes training runs for ``cpp/replay.cpp``: ``python tools/dump_programs.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO
from unittest.mock import patch

import numpy as np

from rosenblatt import _core
from rosenblatt.ir import compile as compiler
from rosenblatt.nn import SGD, Adam, Nadam, Network, NetworkSpec
from rosenblatt.training import Trainer, trainer

ORDER = ("dtype", "values", "code", "inputs", "slots", "outputs", "key", "inverse_weight", "weights", "loss")
SIZES = ("capacity", "persistent_bytes", "workspace_bytes")
RUNS = {
    "small": (NetworkSpec(10, (50,), 3, output="softmax"), Adam(), 32, "float32", {}),
    "odd": (NetworkSpec(33, (129, 65), 7, output="softmax"), Adam(), 77, "float64", {"l2": 0.1}),
    "tanh": (NetworkSpec(20, (64, 64), 4, activation="tanh", output="softmax"), SGD(), 64, "float32", {"l1": 0.1}),
    "toolbox": (
        NetworkSpec(
            20, (64, 40), 4, "elu", "softmax", dropout=0.2, input_noise=0.1, normalization="batch", max_norm=1.0
        ),
        *(Nadam(), 60, "float32", {"ema_decay": 0.9, "clip_norm": 1.0}),
    ),
    "blocks": (NetworkSpec(12, (70,), 3, output="softmax"), Adam(), 300, "float32", {"clip_norm": 1.0}),
}
N_EPOCHS = 4


def write(file: BinaryIO, value: Any) -> None:
    """One integer, or the length and the elements of an array of integers."""
    if np.ndim(value) == 1:
        file.write(np.int64(len(value)).tobytes())
    file.write(np.asarray(value, np.int64).tobytes())


def write_bytes(file: BinaryIO, array: np.ndarray) -> None:
    """The number of bytes and the bytes."""
    write(file, array.nbytes)
    file.write(array.tobytes())


def dump(path: Path, spec: NetworkSpec, optimizer: Any, batch: int, dtype: str, options: dict[str, Any]) -> None:
    """Write the programs of a trainer, its memory, and data for it."""
    programs: list[dict[str, Any]] = []
    sessions: list[tuple[Any, ...]] = []

    def record(planned: Any) -> dict[str, Any]:
        programs.append(arguments(planned))
        return programs[-1]

    def session(*args: Any) -> _core.Session:
        sessions.append(args)
        return _core.Session(*args)

    arguments = compiler.core_arguments
    rng = np.random.default_rng(0)
    network = Network(spec, dtype)
    network.parameters[:] = rng.normal(size=network.parameters.size) * 0.1
    rows = {"training_rows": lambda spec: 128} if path.stem == "blocks" else {}
    fake = type("core", (), {"Session": staticmethod(session), "Program": _core.Program, "Source": _core.Source})
    with patch.object(compiler, "core_arguments", record), patch.multiple(trainer, _core=fake, **rows):
        made = Trainer(network, "softmax_cross_entropy", optimizer, batch_size=batch, **options)
    n_rows = 5 * batch + 3
    with path.open("wb") as file:
        for i, program in enumerate(programs):
            if i == 1:
                write(file, 1)
            for name in (*ORDER, *SIZES):
                write(file, program[name])
        if len(programs) == 1:
            write(file, 0)
        zeroed = sessions[0][2:] or (0, 0)  # where gradients lie that are added up over blocks: offset and bytes
        for number in (*zeroed, batch, n_rows, N_EPOCHS, spec.n_inputs, spec.n_outputs):
            write(file, number)
        write_bytes(file, made.memory)
        write_bytes(file, rng.normal(size=(n_rows, spec.n_inputs)).astype(dtype))
        write_bytes(file, rng.integers(0, spec.n_outputs, n_rows).astype(np.int32))
        write_bytes(file, optimizer.slot_values(0.01, 0, N_EPOCHS * -(-n_rows // batch)))


def main() -> None:
    """Write all runs."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, run in RUNS.items():
        dump(folder / f"{name}.run", *run)


if __name__ == "__main__":
    main()
