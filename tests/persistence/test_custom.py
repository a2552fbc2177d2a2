# ruff: noqa: E501 (one case per line)
"""Layers of the user's own in files: told by the names of their classes, made by the classes that `load` is given."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from rosenblatt import load, nn, save
from rosenblatt.persistence.networks import network_from_state, network_to_state
from rosenblatt.persistence.save_load import ModelFileError

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Factors(nn.Layer):
    """Each column times a learned number, then an activation."""

    start: float = 1.0
    activation: Any = "tanh"
    shape: tuple[int, ...] = ()

    def parameters(self, *widths: int) -> tuple[nn.ParameterSpec, ...]:
        return (nn.ParameterSpec("factors", (widths[0],), nn.Constant(self.start)),)

    def append(self, scope: Any, *inputs: Any) -> Any:
        return scope.b.tanh(scope.b.mul(inputs[0], scope.parameter("factors")))


class Wide(nn.Dense):
    """No dataclass of its own, and no fields of its own."""

    steps: ClassVar[int] = 3


def network(layer: Any, seed: int = 1) -> nn.Network:
    return nn.Network(nn.Dense(2)(layer(nn.input(3))), seed=seed)


@pytest.mark.parametrize(
    "layer",
    [Factors(0.5), Factors(2, nn.LeakyReLU(0.3), (1, 2), name="mine"), Wide(4, nn.PReLU(), weights=nn.Normal(0.5))],
)
def test_a_network_with_an_own_layer_predicts_the_same_bits(layer: Any, tmp_path: Any) -> None:
    before = network(layer)
    save(before, tmp_path / "m")
    after = load(tmp_path / "m", custom=[Factors, Wide, nn.Dense])
    assert after.predict(X).tobytes() == before.predict(X).tobytes()
    again = next(node.layer for node in after.graph.nodes if type(node.layer) is type(layer))
    assert {name: getattr(again, name) for name in vars(layer)} == vars(layer)


def test_what_to_pass_is_said(tmp_path: Any) -> None:
    save(network(Factors()), tmp_path / "m")
    for custom in ((), [Wide]):
        with pytest.raises(
            ModelFileError, match=r"layer 1 is a 'Factors'.*Pass it as rosenblatt.load\(path, custom=\[Factors"
        ):
            load(tmp_path / "m", custom=custom)


def renamed(kind: Any, name: str) -> Any:
    return type(name, (kind,), {})


@dataclass(frozen=True, eq=False)
class Hidden(nn.Layer):
    kept: int = field(default=3, init=False)


class Undecorated(nn.Layer):
    rate: float

    def __init__(self, rate: float) -> None:
        object.__setattr__(self, "rate", rate)
        object.__setattr__(self, "name", None)


@dataclass(frozen=True, eq=False)
class Holds(nn.Layer):
    what: Any = None


REFUSED: dict[str, tuple[Any, str]] = {
    "a name of the library": (renamed(Factors, "Dropout")(), "your class Dropout has the name of a layer of rosenblatt.nn"),
    "no dataclass": (Undecorated(0.5), r"your class Undecorated is no dataclass.*write @dataclass\(frozen=True"),
    "a hidden field": (Hidden(), "whose field 'kept' its constructor does not take"),
    "a function": (Holds(np.sin), "what of layer 'holds' is a function"),
    "an object": (Holds(object()), "what of layer 'holds' is a object, which a model file cannot hold"),
}  # fmt: skip


@pytest.mark.parametrize(("layer", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_file_cannot_hold_is_refused(layer: Any, message: str, tmp_path: Any) -> None:
    if not isinstance(layer, Factors):
        type(layer).append = lambda self, scope, *inputs: scope.b.tanh(inputs[0])
    with pytest.raises(ModelFileError, match=message):
        save(network(layer), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_forged_fields_are_refused() -> None:
    state, arrays = network_to_state(network(Factors()))
    for name, value in (
        ("start", {"lambda": 1}),
        ("other", 1),
        ("name", 3),
        ("activation", {"activation": {"name": "x"}}),
    ):
        forged = copy.deepcopy(state)
        forged["graph"]["layers"][1]["fields"][name] = value
        with pytest.raises(ModelFileError):
            network_from_state(forged, arrays, {"Factors": Factors})
