"""The loop around the executor."""

from rosenblatt.training.trainer import Trainer

__all__ = ["Trainer"]
