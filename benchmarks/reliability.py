"""Faults on purpose: what is damaged or forged is refused by the documented error, or works.

Takes the name of a part and a number of trials. Prints how many were refused and accepted, and each that ended in
another way; the exit code is 1 if there was one. Never trains more than a few steps of tiny networks.

Run all parts with ``python -m benchmarks.reliability``, one with ``python -m benchmarks.reliability files --n 100000``.
A part is a function that takes a generator of random numbers and yields an `Attempt` after the other, without end; it
is added by the decorator `part`.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import rosenblatt
from rosenblatt import learn, nn
from rosenblatt.estimators import LogisticRegression, MLPClassifier, MLPRegressor
from rosenblatt.persistence.save_load import ModelFileError, model_from_bytes
from rosenblatt.search import MLPSearchCV
from rosenblatt.search.journal import RecordError
from rosenblatt.storage.container import FORMAT_VERSION, digest, pack, unpack
from rosenblatt.training import CheckpointError, DivergenceError

__all__ = ["PARTS", "Attempt", "Tally", "part", "run"]

Rng = np.random.Generator
State = Any
JUNK: list[Any] = [None, True, False, 0, 1, -1, 3, 625, 2**31, 2**53, 2**63, 2**64, 2**70, 0.5, -0.0, 1e308, 1e-320, ""]
JUNK += ["relu", "x\0\ud800", "9" * 400, [], [0], [[]], [None], {}, {"a": 1}, {"float": "nan"}, {"float": "-inf"}]
JUNK += [{"float": "x"}, {"tuple": [1]}, {"dict": [[1, 2]]}, {"dict": [1]}, {"texts": 0}, {"records": {"a": [1, 2]}}]
JUNK += [{"array": [1, 2], "dtype": "int64"}, {"array": ["a"], "dtype": "object"}]
DATA = np.random.default_rng(0).normal(size=(60, 3))
LABELS, NUMBERS = (DATA[:, 0] > 0).astype(int) + (DATA[:, 1] > 1), DATA @ [1.0, 2.0, 3.0]


@dataclass(frozen=True)
class Attempt:
    """Something that may raise one of the `allowed` errors, and nothing else."""

    what: str
    act: Callable[[], object]
    allowed: tuple[type[Exception], ...]


@dataclass
class Tally:
    """What came of the attempts; `failures` are those with another error."""

    refused: int = 0
    accepted: int = 0
    failures: list[str] = field(default_factory=list)


Part = Callable[[Rng], Iterator[Attempt]]
PARTS: dict[str, Part] = {}


def part(name: str) -> Callable[[Part], Part]:
    """Add a part under this name."""
    return lambda function: PARTS.setdefault(name, function)


def run(name: str, n: int, seed: int = 0) -> Tally:
    """`n` attempts of a part; equal seeds give equal attempts."""
    tally = Tally()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for attempt in islice(PARTS[name](np.random.default_rng(seed)), n):
            try:
                attempt.act()
                tally.accepted += 1
            except attempt.allowed:
                tally.refused += 1
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{Path(where.filename).name}:{where.lineno}"
                tally.failures.append(f"{attempt.what}: {type(error).__name__}: {str(error)[:200]} ({place})")
    return tally


# Mutations ---------------------------------------------------------------------------------------------------------


def places(state: State) -> list[tuple[Any, Any]]:
    """Every place in a nested state, as (container, key)."""
    keys = list(state) if isinstance(state, dict) else range(len(state)) if isinstance(state, list) else []
    return [place for key in keys for place in [(state, key), *places(state[key])]]


def mutated(state: State, rng: Rng) -> tuple[State, str]:
    """A copy with a change in one place: another value, type or range, an entry less or twice, a level more."""
    state = copy.deepcopy(state)
    container, key = (found := places(state))[rng.integers(len(found))]
    value, how = container[key], int(rng.integers(6))
    if how == 0 and isinstance(container, dict):
        del container[key]
        return state, f"without {key!r}"
    if how == 1 and isinstance(container, list):
        container.insert(key, copy.deepcopy(value))
        return state, f"item {key} twice"
    if how == 2 and type(value) in (int, float):
        container[key] = value * float(rng.choice([-1, 0, 1e-300, 1.5, 1e9, 1e300])) + int(rng.integers(-2, 3))
        container[key] = int(container[key]) if type(value) is int and abs(container[key]) < 1e30 else container[key]
    elif how == 3:
        container[key] = [value] if rng.random() < 0.5 else {"a": value}
    elif how == 4:
        other, elsewhere = found[rng.integers(len(found))]
        container[key] = copy.deepcopy(other[elsewhere]) if elsewhere in other or isinstance(other, list) else None
    else:
        container[key] = copy.deepcopy(JUNK[rng.integers(len(JUNK))])
    return state, f"{key!r} is {str(container[key])[:60]} instead of {str(value)[:60]}"


def mutated_arrays(arrays: dict[str, Any], rng: Rng) -> tuple[dict[str, Any], str]:
    """A copy in which one array is absent, of another shape, type or name, or holds extreme numbers."""
    arrays = {name: np.array(array) for name, array in arrays.items()}
    name = sorted(arrays)[rng.integers(len(arrays))]
    array, how = arrays[name], int(rng.integers(6))
    changes: list[Callable[[], Any]] = [
        lambda: arrays.pop(name),
        lambda: arrays.update({name: array.reshape(-1)[:-1].copy()}),
        lambda: arrays.update({name: array[None]}),
        lambda: arrays.update({name: array.astype([np.float32, np.float64, np.uint8][rng.integers(3)])}),
        lambda: arrays.update({name + "x": arrays.pop(name)}),
        lambda: array.reshape(-1).__setitem__(slice(0, 1 + int(rng.integers(3))), extreme(array, rng)),
    ]
    with np.errstate(all="ignore"):
        changes[how]()
    return arrays, f"array {name!r} changed in the way {how}"


def extreme(array: Any, rng: Rng) -> Any:
    """A number at the edge of what the array's type holds."""
    info: Any = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
    return rng.choice(np.array([info.max, info.min, 0, 1], array.dtype))


def mutated_bytes(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """A copy that is cut off, or with a few other bytes."""
    if rng.random() < 0.3:
        length = int(rng.integers(len(data)))
        return data[:length], f"{length} of {len(data)} bytes"
    changed, place = bytearray(data), int(rng.integers(len(data)))
    changed[place : place + int(rng.integers(1, 9))] = rng.bytes(int(rng.integers(0, 9)))
    return bytes(changed), f"other bytes at {place}"


def forged(kind: str, state: State, arrays: dict[str, Any]) -> bytes:
    """What `pack` gives for a state, without its checks and with a right checksum: only validation can refuse it."""
    from safetensors.numpy import save

    config = json.dumps({"format": "rosenblatt model", "version": FORMAT_VERSION, "kind": kind, "state": state})
    return bytes(save(arrays, metadata={"rosenblatt": f"{digest(config, arrays)} {config}"}))


def mutated_file(data: bytes, rng: Rng, *, finite: bool) -> tuple[bytes, str]:
    """A file with a mutation of its state, its arrays or its bytes."""
    kind, state, arrays = unpack(data, finite=finite)
    choice = rng.random()
    if choice < 0.15:
        return mutated_bytes(data, rng)
    if choice < 0.3:
        arrays, what = mutated_arrays(arrays, rng)
    else:
        state, what = mutated(state, rng)
    if rng.random() < 0.5:
        return forged(kind, state, arrays), what
    try:
        return pack(kind, state, arrays, finite=finite), what
    except ModelFileError:
        return forged(kind, state, arrays), what


# Parts -------------------------------------------------------------------------------------------------------------


def models() -> list[tuple[bytes, Any]]:
    """Files of each kind of model, and a table that it predicts."""
    rng, found = np.random.default_rng(0), []
    names = [f"level {i}" for i in range(40)]
    table = {"x": DATA[:, 0], "c": rng.choice(["a", "b", "c"], 60), "many": [names[i % 40] for i in range(60)]}
    quick = {"hidden_layer_sizes": (2,), "members": 1, "max_iter": 2}
    several = np.column_stack([LABELS > 0, LABELS > 1]).astype(int)
    made = [
        (MLPClassifier((2,), max_iter=2).fit(DATA, np.array(["a", "b", "c"])[LABELS]), DATA),
        (MLPClassifier((2,), max_iter=2, normalization="batch").fit(DATA, several), DATA),
        (MLPRegressor(hidden_layer_sizes=(2,), max_iter=2, target_transform="log").fit(DATA, np.exp(NUMBERS)), DATA),
        (LogisticRegression(max_iter=20).fit(DATA, LABELS), DATA),
        (nn.Network(nn.Dense(2)(nn.LayerNorm()(nn.input(3))), output="softmax"), DATA),
        (learn({**table, "y": LABELS}, "y", **quick), table),
        (learn({**table, "y": np.exp(NUMBERS)}, "y", **quick), table),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for model, X in made:
            rosenblatt.save(model, Path(folder) / "m")
            found.append(((Path(folder) / "m").read_bytes(), X))
    return found


@part("files")
def files(rng: Rng) -> Iterator[Attempt]:
    """Model files: `ModelFileError`, or a model that predicts finite numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = models()
    while True:
        data, X = kept[rng.integers(len(kept))]
        changed, what = mutated_file(data, rng, finite=True)
        yield Attempt(what, lambda changed=changed, X=X: use(changed, X), (ModelFileError,))


def use(data: bytes, X: Any) -> None:
    """Load a model and do with it what users do; another name of a column is the table's mistake.

    Where weights are extreme, rows that are larger than the one that `load` tries may be refused by name.
    """
    from rosenblatt.estimators.outputs import OutputError
    from rosenblatt.tables import TableError

    model = model_from_bytes(data)
    try:
        model.predict(X)
        if hasattr(model, "report"):
            model.report()
    except (TableError, OutputError):
        return
    with tempfile.TemporaryDirectory() as folder:
        rosenblatt.save(model, Path(folder) / "m")
        rosenblatt.load(Path(folder) / "m")


def trainings() -> list[Callable[[Path], object]]:
    """Trainings that save a checkpoint into a folder, or resume from it."""
    common = {"max_iter": 3, "random_state": 0, "batch_size": 16, "checkpoint_every": 3}

    def estimator(**options: Any) -> Callable[[Path], object]:
        return lambda folder: MLPClassifier((3,), checkpoint=folder, **common, **options).fit(DATA, LABELS)

    def network(folder: Path) -> object:
        net = nn.Network(nn.Dense(3)(nn.Dense(3, "relu")(nn.input(3))), output="softmax")
        how = {"schedule": "plateau", "validation": (DATA, LABELS), "checkpoint_every": 3, "checkpoint": folder}
        return net.fit(DATA, LABELS, epochs=3, batch_size=16, **how)

    return [
        estimator(),
        estimator(early_stopping=True, ema_decay=0.5, normalization="batch"),
        estimator(solver="sgd", learning_rate="adaptive"),
        network,
    ]


@part("checkpoints")
def checkpoints(rng: Rng) -> Iterator[Attempt]:
    """Checkpoints, in the middle of a training and of its end: `CheckpointError`, or a training that ends.

    Where numbers in arrays are extreme, it may diverge.
    """
    from rosenblatt.training.checkpoint import Checkpoints

    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder, kept, save = Path(name), list[tuple[Path, bytes, Callable[[Path], object]]](), Checkpoints.save
        for train in trainings():

            def saving(self: Checkpoints, *args: Any, train: Any = train) -> None:
                save(self, *args)
                kept.append((self.path, self.path.read_bytes(), train))

            Checkpoints.save = saving  # type: ignore[method-assign]
            try:
                train(folder)
            finally:
                Checkpoints.save = save  # type: ignore[method-assign]
            for path in folder.rglob("*.safetensors"):
                path.unlink()
        while True:
            path, data, train = kept[rng.integers(len(kept))]
            changed, what = mutated_file(data, rng, finite=False)
            path.write_bytes(changed)
            yield Attempt(what, lambda train=train: train(folder), (CheckpointError, DivergenceError))


@part("records")
def records(rng: Rng) -> Iterator[Attempt]:
    """Records of searches: `RecordError`, or a search whose best score is finite."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "record"

        def search() -> None:
            estimator = MLPClassifier((2,), max_iter=2, random_state=0)
            found = MLPSearchCV(estimator, {"alpha": [0.1, 1.0]}, n_trials=2, cv=2, checkpoint=path, refit=False)
            found.fit(DATA, LABELS)
            if not np.isfinite(found.best_score_):
                raise AssertionError(f"the best score is {found.best_score_}")

        search()
        whole = path.read_bytes()
        while True:
            lines = whole.splitlines()
            number = int(rng.integers(len(lines)))
            if rng.random() < 0.3:
                changed, what = mutated_bytes(whole, rng)
            else:
                entry, what = mutated([json.loads(lines[number])], rng)
                lines[number] = json.dumps(entry[0] if len(entry) else None).encode()
                changed = b"\n".join(lines) + b"\n"
            path.write_bytes(changed)
            yield Attempt(what, search, (RecordError,))


def main() -> int:
    """Run parts, print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="part", help=", ".join(PARTS))
    parser.add_argument("--n", type=int, default=10_000, help="attempts of each part")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    failed = False
    for name in given.parts:
        tally = run(name, given.n, given.seed)
        print(f"{name}: {tally.refused} refused, {tally.accepted} accepted, {len(tally.failures)} wrong", flush=True)
        for failure in tally.failures:
            print(f"  {failure}")
        failed |= bool(tally.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
