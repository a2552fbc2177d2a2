"""The loop around the executor: steps, epochs, checkpoints, history."""

from rosenblatt.training.checkpoint import CheckpointError
from rosenblatt.training.evaluation import LayerGradient, gradient_statistics
from rosenblatt.training.fitting import fit
from rosenblatt.training.history import History
from rosenblatt.training.judge import Epoch
from rosenblatt.training.range_test import RateRange, learning_rate_range
from rosenblatt.training.tensorboard import TensorBoard
from rosenblatt.training.trainer import DivergenceError, Trainer

__all__ = [
    "CheckpointError",
    "DivergenceError",
    "Epoch",
    "History",
    "LayerGradient",
    "RateRange",
    "TensorBoard",
    "Trainer",
    "fit",
    "gradient_statistics",
    "learning_rate_range",
]
