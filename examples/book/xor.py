"""Exclusive or with threshold neurons
===================================

Exclusive or with threshold neurons: three networks, why one neuron is not enough, and a trainable copy.
"""

import numpy as np
from _pictures import show

from rosenblatt.logic import XOR_FORMS, NotSeparableError, equivalent, plot, single_neuron, soften, variables
from rosenblatt.nn import Adam
from rosenblatt.training import Trainer


def three_forms() -> int:
    """Print the three networks; return how many of them have the truth table of A ^ B."""
    A, B = variables("A B")
    for network in XOR_FORMS:
        print(network, end="\n\n")
    verdicts = [equivalent(network, A ^ B) for network in XOR_FORMS]
    for verdict in verdicts:
        print(verdict)
    print(XOR_FORMS[0].truth_table())
    return sum(map(bool, verdicts))


def one_neuron() -> np.ndarray:
    """Ask for a single neuron; return the point that it would need on both sides of its threshold."""
    A, B = variables("A B")
    try:
        single_neuron(A ^ B)
    except NotSeparableError as error:
        print(f"\n{error}")
        error.certificate.verify()
        return error.certificate.point
    raise AssertionError("XOR is not linearly separable")


def trained(sharpness: float = 4.0, n_epochs: int = 200) -> tuple[float, float]:
    """Soften a network and train it further; return the loss (in nats) of the first and the last epoch."""
    table = XOR_FORMS[0].truth_table()
    X, y = table[:, :-1].astype(np.float64), table[:, -1:].astype(np.float64)
    soft = soften(XOR_FORMS[0], sharpness=sharpness, dtype="float64")
    print(f"\nsoftened, before training: {soft.predict(X)[:, 0].round(3)}")
    trainer = Trainer(soft, "logistic_cross_entropy", Adam(), batch_size=None)
    trainer.set_data(X, y)
    losses = trainer.epochs(n_epochs, 0.05)
    print(f"after {n_epochs} epochs:          {soft.predict(X)[:, 0].round(3)}")
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    return losses[0], losses[-1]


def main() -> tuple[int, np.ndarray, tuple[float, float]]:
    """Run all three parts."""
    show(plot, XOR_FORMS[0])
    return three_forms(), one_neuron(), trained()


if __name__ == "__main__":
    main()
