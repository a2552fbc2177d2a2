"""One registry for each family: what a file of the library defines is known everywhere, what a user defines is not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rosenblatt
from rosenblatt import nn
from rosenblatt.nn.activations import FUNCTIONS

FAMILIES = {
    "activation": FUNCTIONS,
    "initializer": nn.INITIALIZERS,
    "layer": nn.LAYERS,
    "loss": nn.LOSSES,
    "optimizer": nn.OPTIMIZERS,
    "schedule": nn.SCHEDULES,
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_class_of_a_family_is_public_and_knows_its_name(kind):
    registry = FAMILIES[kind]
    assert (registry.kind, len(registry) > 5) == (kind, True)
    for name, member in registry.items():
        if isinstance(member, type):
            assert getattr(nn, member.__name__) is member
            assert member.__name__ in nn.__all__
            assert name == (member.__name__ if kind == "layer" else member.name)


@pytest.mark.parametrize("kind", [kind for kind in FAMILIES if kind != "layer"])
def test_states_of_defaults_come_back(kind):
    registry = FAMILIES[kind]
    needs_number = {"constant", "normal", "uniform"} if kind == "initializer" else set()
    for name in set(registry) - needs_number:
        instance = registry.resolve(name)
        state = json.loads(json.dumps(registry.to_state(instance)))
        assert state["name"] == name
        assert registry.from_state(state) == instance
        assert registry.resolve(instance) is instance


LAYER = '''

@dataclass(frozen=True, eq=False)
class Doubled(Layer):
    """Twice its input."""

    def append(self, scope: Scope, *inputs: Value) -> Value:
        return scope.b.mul(inputs[0], 2.0)


__all__ += ["Doubled"]
'''
OTHERS = {
    "activations/functions.py": "\n\ndef halved(b: Builder, x: Value) -> Value:\n    return b.mul(x, 0.5)\n",
    "schedules/rules.py": '\n\n@dataclass(frozen=True)\nclass Half(ConstantRate):\n    name: ClassVar[str] = "half"\n',
    "optimizers/rules.py": '\n\n@dataclass(frozen=True)\nclass Slow(SGD):\n    name: ClassVar[str] = "slow"\n',
    "losses/regression.py": '\n\n@dataclass(frozen=True)\nclass Own(SquaredError):\n    name: ClassVar[str] = "own"\n',
    "initializers/functions.py": '\n\n@dataclass(frozen=True)\nclass Nils(Zeros):\n    name: ClassVar[str] = "nils"\n',
}
USE = """
import numpy as np, sys
from rosenblatt import nn
from rosenblatt.persistence.objects import decode, encode
from rosenblatt.persistence.save_load import load, save
assert "Doubled" in nn.__all__ and "Doubled" in nn.LAYERS
network = nn.Network(nn.Doubled()(nn.Dense(2, "halved", biases="nils")(nn.input(3))))
save(network, sys.argv[1])
X = np.ones((1, 3), "float32")
assert (load(sys.argv[1]).predict(X) == network.predict(X)).all()
network.fit(X, X[:, :2], loss="own", optimizer="slow", schedule="half", epochs=1, batch_size=1)
for kind, registry, name in (("schedule", nn.SCHEDULES, "half"), ("optimizer", nn.OPTIMIZERS, "slow"),
                             ("loss", nn.LOSSES, "own"), ("initializer", nn.INITIALIZERS, "nils")):
    value = registry.resolve(name)
    assert decode(encode(value, name), kind) == value
"""


def test_what_one_file_of_the_library_defines_is_known_to_nn_to_fit_and_to_files(tmp_path: Path):
    copy = tmp_path / "rosenblatt"
    shutil.copytree(Path(rosenblatt.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file, text in {"layers/normalization.py": LAYER, **OTHERS}.items():
        with (copy / "nn" / file).open("a", encoding="utf-8") as stream:
            stream.write(text)
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, str(tmp_path / "use.py"), str(tmp_path / "model")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_users_class_of_a_known_name_is_none_of_the_library():
    class SGD(nn.SGD):
        """A user's own."""

    with pytest.raises(ValueError, match="SGD is a function of your own, which cannot be stored"):
        nn.OPTIMIZERS.to_state(SGD())
    assert nn.OPTIMIZERS.resolve(mine := SGD()) is mine


NEAREST = {
    "layer": (lambda: nn.Dens, r"no 'Dens'\. Did you mean 'Dense'\?"),
    "loss": (lambda: nn.LOSSES.resolve("squared_eror"), "did you mean 'squared_error'"),
    "activation": (lambda: nn.ACTIVATIONS.resolve("rlu"), "did you mean 'relu'"),
    "optimizer": (lambda: nn.OPTIMIZERS.resolve("adan"), "did you mean 'adam'"),
    "schedule": (lambda: nn.SCHEDULES.resolve("cosin"), "did you mean 'cosine'"),
    "initializer": (lambda: nn.INITIALIZERS.resolve("he_norml"), "did you mean 'he_normal'"),
    "half a name": (lambda: nn.INITIALIZERS.resolve("he"), "did you mean 'he_normal' or 'he_uniform'"),
}


@pytest.mark.parametrize("what", NEAREST)
def test_an_unknown_name_gets_the_nearest_one_and_the_page_that_lists_all(what):
    call, message = NEAREST[what]
    with pytest.raises((AttributeError, ValueError), match=f"{message}.*page .Building networks."):
        call()


def test_private_names_of_the_package_are_not_guessed():
    assert not hasattr(nn, "__wrapped__")
