"""What can be chosen by name on the page, and the parts of a network that the names stand for.

Takes names. Returns activations, initializers, optimizers, schedules and losses of `rosenblatt.nn`, with a title and a
line of explanation each. Never makes a network.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from rosenblatt import nn
from rosenblatt.ir.program import Builder
from rosenblatt.ir.types import Value

__all__ = [
    *("ACTIVATIONS", "INITIALIZERS", "LOSSES", "OPTIMIZERS", "PERCEPTRON", "SCHEDULES"),
    *("Choice", "LossChoice", "code_of", "literal", "optimizer_of", "perceptron_criterion"),
]


@dataclass(frozen=True)
class Choice:
    """A name on the page: its title, a line of explanation, and what it stands for in `rosenblatt.nn`."""

    title: str
    help: str
    value: Any = None


ACTIVATIONS: dict[str, Choice] = {
    "tanh": Choice("tanh", "An S from -1 to 1, through zero."),
    "relu": Choice("ReLU", "Zero below zero, the number itself above: quick, but units can die."),
    "logistic": Choice("logistic", "An S from 0 to 1; its slope is at most 1/4, so gradients vanish in deep networks."),
    "identity": Choice("identity", "The number itself: layers of it are together no more than one layer."),
    "elu": Choice("ELU", "Like ReLU, but with a slope below zero, so units do not die."),
    "leaky_relu": Choice("leaky ReLU", "Like ReLU, with a small slope below zero."),
    "selu": Choice("SELU", "An ELU that keeps mean 0 and variance 1 from layer to layer."),
    "gelu": Choice("GELU", "A smooth ReLU: the number times the probability that a normal number is smaller."),
    "silu": Choice("SiLU", "A smooth ReLU: the number times its logistic; also called swish."),
    "mish": Choice("mish", "A smooth ReLU with a dip below zero."),
    "softplus": Choice("softplus", "A smooth ReLU that is never zero: log(1 + exp(x))."),
    "softsign": Choice("softsign", "An S like tanh that flattens slowly: x / (1 + |x|)."),
    "celu": Choice("CELU", "An ELU whose slope has no jump."),
    "relu6": Choice("ReLU6", "A ReLU that ends at 6."),
    "hard_tanh": Choice("hard tanh", "The number itself, cut to -1 and 1."),
    "hard_sigmoid": Choice("hard sigmoid", "A logistic of straight lines."),
    "hard_swish": Choice("hard swish", "A SiLU of straight lines."),
    "step": Choice(
        "step", "0 or 1, the perceptron's threshold: no gradient passes, so the layers up to it do not learn."
    ),
}

INITIALIZERS: dict[str, Choice] = {
    "default": Choice("automatic", "He for ReLU and its relatives, LeCun for SELU, Glorot for all others."),
    "glorot_uniform": Choice(
        "Glorot, uniform", "Scaled by inputs and outputs: for tanh and logistic.", "glorot_uniform"
    ),
    "glorot_normal": Choice("Glorot, normal", "Scaled by inputs and outputs: for tanh and logistic.", "glorot_normal"),
    "he_uniform": Choice("He, uniform", "Scaled by inputs: for ReLU and its relatives.", "he_uniform"),
    "he_normal": Choice("He, normal", "Scaled by inputs: for ReLU and its relatives.", "he_normal"),
    "lecun_uniform": Choice("LeCun, uniform", "Scaled by inputs: for SELU.", "lecun_uniform"),
    "lecun_normal": Choice("LeCun, normal", "Scaled by inputs: for SELU.", "lecun_normal"),
    "orthogonal": Choice("orthogonal", "Columns at right angles: keeps lengths through many layers.", "orthogonal"),
    "small": Choice(
        "too small", "Normal numbers with standard deviation 0.01: signals fade from layer to layer.", nn.Normal(0.01)
    ),
    "large": Choice("too large", "Normal numbers with standard deviation 3: units saturate.", nn.Normal(3.0)),
    "equal": Choice(
        "all equal",
        "Every weight is 0.5: the units of a layer stay copies of each other.",
        nn.Constant(0.5, force=True),
    ),
    "zeros": Choice(
        "all zero", "Every weight is 0: hidden layers give nothing, and do not learn.", nn.Constant(0.0, force=True)
    ),
}

OPTIMIZERS: dict[str, Choice] = {
    "sgd": Choice("SGD", "Steps against the gradient, perhaps with momentum.", nn.SGD(momentum=0.0, nesterov=False)),
    "adam": Choice("Adam", "Momentum, and a step size of its own for each weight: a good first choice.", nn.Adam()),
    "adamw": Choice("AdamW", "Adam that also lets weights decay.", nn.AdamW()),
    "nadam": Choice("Nadam", "Adam with Nesterov's look-ahead.", nn.Nadam()),
    "rmsprop": Choice("RMSProp", "A step size of its own for each weight.", nn.RMSProp()),
    "adagrad": Choice("AdaGrad", "Step sizes that only shrink.", nn.AdaGrad()),
    "perceptron": Choice(
        "perceptron rule", "Rosenblatt's rule: a step only for points on the wrong side; for a single neuron.",
        nn.SGD(momentum=0.0, nesterov=False),
    ),
}  # fmt: skip

WITH_MOMENTUM = ("sgd", "rmsprop")
"""Optimizers whose momentum can be chosen."""

SCHEDULES: dict[str, Choice] = {
    "constant": Choice("constant", "The same rate in every step.", nn.ConstantRate()),
    "cosine": Choice("cosine", "Down to zero along half a cosine; then training is over.", nn.Cosine()),
    "one_cycle": Choice("one cycle", "Up, then down to almost zero; then training is over.", nn.OneCycle()),
    "exponential": Choice(
        "exponential", "Down to a tenth in each span of steps.", nn.Exponential(factor=0.1, epochs=1.0)
    ),
    "power": Choice("power", "Down as one over the steps: a half after a tenth of the span.", nn.Power(epochs=0.1)),
    "warmup": Choice("warm-up", "Up from near zero over a tenth of the span, then constant.", nn.Warmup(epochs=0.1)),
}


@dataclass(frozen=True)
class LossChoice(Choice):
    """A loss: for which kind of target, "binary", "multiclass" or "regression", and the output activation with it."""

    kind: str = "binary"
    output: str = "logistic"


def perceptron_criterion(b: Builder, z: Value, target: Value) -> Value:
    """The size of z where it is on the wrong side, else 0: its gradient step is Rosenblatt's rule."""
    return b.mul(b.sub(b.greater_equal(z, 0.0), target), z)


PERCEPTRON = nn.Loss(perceptron_criterion, outputs=("step",))
"""The perceptron criterion as a loss of the outputs before the step."""

LOSSES: dict[str, LossChoice] = {
    "logistic_cross_entropy": LossChoice(
        "log loss", "Minus the logarithm of the right class's probability.", "logistic_cross_entropy"
    ),
    "hinge": LossChoice(
        "hinge", "Zero beyond a margin, then straight: as in support vector machines.", "hinge", "binary", "identity"
    ),
    "logistic_focal": LossChoice(
        "focal", "A log loss that counts points that are right already for less.", "logistic_focal"
    ),
    "softmax_cross_entropy": LossChoice(
        "log loss",
        "Minus the logarithm of the right class's probability.",
        "softmax_cross_entropy",
        "multiclass",
        "softmax",
    ),
    "multiclass_hinge": LossChoice(
        "hinge", "Zero beyond a margin to each wrong class.", "multiclass_hinge", "multiclass", "identity"
    ),
    "focal": LossChoice(
        "focal", "A log loss that counts points that are right already for less.", "focal", "multiclass", "softmax"
    ),
    "squared_error": LossChoice(
        "squared error", "Half the squared difference: predicts the mean.", "squared_error", "regression", "identity"
    ),
    "absolute": LossChoice(
        "absolute error", "The difference: predicts the median.", "absolute", "regression", "identity"
    ),
    "huber": LossChoice(
        "Huber", "Squared for small differences, straight for large ones.", "huber", "regression", "identity"
    ),
}
"""The losses by name; the first of each kind is its default."""


def optimizer_of(name: str, momentum: float) -> Any:
    """The optimizer called `name`; `momentum` counts for those in `WITH_MOMENTUM`."""
    if name == "sgd":
        return nn.SGD(momentum=momentum, nesterov=False)
    return nn.RMSProp(momentum=momentum) if name == "rmsprop" else OPTIMIZERS[name].value


def literal(value: object) -> str:
    """A value as it is written in a script; texts in double quotes where that needs no escape."""
    code = repr(value)
    plain = isinstance(value, str) and code == f"'{value}'" and '"' not in value
    return f'"{value}"' if plain else code


def code_of(value: Any) -> str:
    """What stands for a value in a script: a literal, or ``nn.Cosine()`` for an instance, without its defaults."""
    if not hasattr(value, "__dataclass_fields__"):
        return literal(value)
    given = [(f.name, getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) != default_of(f)]
    return f"nn.{type(value).__name__}({', '.join(f'{name}={code_of(part)}' for name, part in given)})"


def default_of(field: Field[Any]) -> Any:
    """The default of a dataclass's field; what no value equals if it has none."""
    return field.default if field.default_factory is MISSING else field.default_factory()
