"""The loop around the executor: steps, epochs, checkpoints, history."""

from rosenblatt.training.checkpoint import CheckpointError
from rosenblatt.training.evaluation import LayerGradient, gradient_statistics
from rosenblatt.training.fitting import Epoch, fit
from rosenblatt.training.history import History
from rosenblatt.training.learning_rate_finder import RateRange, find_learning_rate
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
    "find_learning_rate",
    "fit",
    "gradient_statistics",
]
