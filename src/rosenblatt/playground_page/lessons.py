"""The lessons of the page: settings that each show one answer of the book, within a minute.

Takes nothing. Returns the lessons as the page is told. Never trains; the tests do, and check that each shows what it
says.
"""

from __future__ import annotations

from typing import Any

from rosenblatt.playground_page.settings import Settings

__all__ = ["lessons"]


def network(units: list[int], activation: str = "tanh", **layer: Any) -> list[dict[str, Any]]:
    """Hidden layers that are alike but for their units."""
    return [{"units": n, "activation": activation} | layer for n in units]


def settings(
    source: str, layers: list[dict[str, Any]], rate: float, *, data: Any = None, **others: Any
) -> dict[str, Any]:
    """Settings of a run: the data, the layers, and what differs from the defaults."""
    return {
        "version": 1,
        "data": {"source": source} | (data or {}),
        "layers": layers,
        "learning_rate": rate,
        **others,
    }


FEW = {"rows": 100, "noise": 30, "train_share": 0.3, "seed": 1}
OVERFIT = {"optimizer": "adam", "batch_size": 10}
EQUAL = {"output": {"initializer": "equal"}}
DEEP = [8] * 8

LESSONS: list[dict[str, Any]] = [
    {
        "id": "xor",
        "title": "A single neuron cannot learn XOR",
        "text": [
            "A single neuron draws one straight line, and no line parts the quarters of the exclusive or.",
            "So the left network guesses, however long it trains.",
            "Four hidden neurons draw four lines, and the output combines them: the right network gets there.",
        ],
        "runs": [settings("xor", [], 0.03, data={"seed": 3}), settings("xor", network([4]), 0.1, data={"seed": 3})],
        "steps": 4000,
        "watch": "The test accuracy: about a half on the left, nearly all on the right.",
    },
    {
        "id": "perceptron",
        "title": "The perceptron rule ends, or never does",
        "text": [
            "Rosenblatt's rule moves the line only for a point on the wrong side.",
            "Where a line parts the classes, it finds one after finitely many steps and then stands still.",
            "Where none does, it goes on forever: the right line never comes to rest.",
        ],
        "runs": [
            settings("gauss", [], 0.1, data={"rows": 400}, optimizer="perceptron", batch_size=1),
            settings("gauss", [], 0.1, data={"rows": 400, "noise": 50}, optimizer="perceptron", batch_size=1),
        ],
        "steps": 2000,
        "watch": "The line between the colors: it stops on the left and keeps jumping on the right.",
    },
    {
        "id": "vanishing",
        "title": "Gradients vanish in deep logistic networks",
        "text": [
            "Going back through a layer, a gradient is multiplied by the slope of the activation.",
            "The logistic's slope is at most a quarter, so behind eight layers almost nothing is left for the first.",
            "ReLU's slope is one wherever it is active: with He's first weights, the gradient arrives.",
        ],
        "runs": [
            settings("circle", network(DEEP, "logistic"), 0.03),
            settings("circle", network(DEEP, "relu", initializer="he_normal"), 0.03),
        ],
        "statistics": True,
        "steps": 2000,
        "watch": "The gradient norms by layer, first against last.",
    },
    {
        "id": "step",
        "title": "No gradient passes through a step",
        "text": [
            "The first neurons' step is flat: changing a weight a little changes nothing, so the gradient is zero.",
            "Its layer keeps its random weights, and only the output learns.",
            "A logistic is a softened step: with a slope everywhere, all layers learn.",
        ],
        "runs": [
            settings("circle", network([3], "step"), 0.3),
            settings("circle", network([3], "logistic"), 0.3),
        ],
        "statistics": True,
        "steps": 8000,
        "watch": "The gradient norm of the first layer: exactly zero on the left.",
    },
    {
        "id": "equal",
        "title": "Equal weights stay equal",
        "text": [
            "If all units of a layer start with the same weights, they compute the same and get the same gradient.",
            "So they stay copies of each other: eight units do the work of one.",
            "Random first weights break the tie, and each unit can find a task of its own.",
        ],
        "runs": [
            settings("circle", network([8], initializer="equal"), 0.1, **EQUAL),
            settings("circle", network([8]), 0.1),
        ],
        "steps": 3000,
        "watch": "The pictures of the hidden units: all alike on the left.",
    },
    {
        "id": "dead",
        "title": "ReLU units can die, ELU units do not",
        "text": [
            "A large step can push a ReLU unit so far that it gives zero for every point.",
            "Its gradient is zero then, too, so it never comes back: the unit is dead.",
            "An ELU has a slope below zero and finds its way back.",
        ],
        "runs": [
            settings("xor", network([16, 8], "relu"), 0.5),
            settings("xor", network([16, 8], "elu"), 0.5),
        ],
        "statistics": True,
        "steps": 2000,
        "watch": "The share of dead units in each layer.",
    },
    {
        "id": "overfitting",
        "title": "A large network learns the noise",
        "text": [
            "With few noisy points and many weights, a network can learn each point by heart.",
            "Its training loss goes to zero while the test loss grows: it overfits.",
            "A price on large weights (L2) keeps the test loss low; so do dropout, fewer units and more points.",
        ],
        "runs": [
            settings("xor", network([32, 32], "relu"), 0.01, data=FEW, **OVERFIT),
            settings("xor", network([32, 32], "relu"), 0.01, data=FEW, l2=0.03, **OVERFIT),
        ],
        "steps": 2000,
        "watch": "The gap between the two loss curves.",
    },
    {
        "id": "rate",
        "title": "Too high and too low a learning rate",
        "text": [
            "The learning rate is the length of a step.",
            "Too low, and the loss hardly moves in the time you watch.",
            "Too high, and steps jump over the valley: the loss leaps about, or leaves the numbers altogether.",
        ],
        "runs": [
            settings("circle", network([8]), 0.0001),
            settings("circle", network([8]), 30.0),
        ],
        "steps": 2000,
        "watch": "The training loss; then try 0.1 on both.",
    },
    {
        "id": "batch",
        "title": "Small batches make noisy steps",
        "text": [
            "The gradient of a batch is an estimate of that of all points, and the fewer points, the noisier it is.",
            "With one point a step the loss jumps from step to step.",
            "With all points it falls smoothly, at 250 times the work for each step.",
        ],
        "runs": [
            settings("moons", network([8]), 0.1, data={"noise": 20}, batch_size=1),
            settings("moons", network([8]), 0.1, data={"noise": 20}, batch_size=250),
        ],
        "steps": 1000,
        "watch": "How rough the two training curves are.",
    },
]
"""The lessons, in their order on the page."""


def lessons() -> list[dict[str, Any]]:
    """The lessons: id, title, three sentences, one or two runs, whether statistics show it, steps, what to watch."""
    return [
        {"statistics": False} | lesson | {"runs": [Settings.from_json(run).to_json() for run in lesson["runs"]]}
        for lesson in LESSONS
    ]
