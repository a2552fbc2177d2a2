"""What networks are made of: layers, activations, losses, optimizers; and the network itself."""

from rosenblatt.nn.network import Network, NetworkSpec
from rosenblatt.nn.optimizers import SGD, Adam, Optimizer

__all__ = ["SGD", "Adam", "Network", "NetworkSpec", "Optimizer"]
