"""The steps of a run.

Takes a trainer and the learning rates' schedule. Returns the losses of the epochs that were completed. Never keeps
anything: how many steps a call takes makes no difference to the weights.
"""

from __future__ import annotations

import numpy as np

from rosenblatt.nn import Schedule
from rosenblatt.training import Trainer

__all__ = ["take_steps"]


def take_steps(
    trainer: Trainer, steps: int, learning_rate: float, schedule: Schedule, span: int, seconds: float = 0.0
) -> list[float]:
    """Train for some steps, in epochs of shuffled rows, each step with the learning rate of its number."""
    per_epoch = trainer.steps_per_epoch()
    done = trainer.position[0] // (trainer.batch_size or trainer.n_rows)
    epochs = (done + steps) // per_epoch + 1
    numbers = trainer.step_count + np.arange(epochs * per_epoch - done)
    rates = schedule.rates(learning_rate, numbers, span, span)
    return trainer.epochs(epochs, rates, resume=True, max_steps=steps, max_seconds=seconds)
