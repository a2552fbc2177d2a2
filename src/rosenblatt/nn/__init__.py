"""What networks are made of: layers, activations, initializers, losses, optimizers, schedules; and the network."""

from rosenblatt.nn.graph import Graph, Node
from rosenblatt.nn.initializers import Constant
from rosenblatt.nn.layers import (
    Activate,
    Add,
    AlphaDropout,
    Apply,
    BatchNorm,
    Concat,
    Dense,
    Dropout,
    Embedding,
    GaussianNoise,
    Layer,
    LayerNorm,
    Multiply,
    codes,
    input,
)
from rosenblatt.nn.network import Network
from rosenblatt.nn.optimizers import SGD, AdaGrad, Adam, AdamW, Nadam, Optimizer, RMSProp
from rosenblatt.nn.spec import NetworkSpec

__all__ = [
    "SGD",
    "Activate",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Add",
    "AlphaDropout",
    "Apply",
    "BatchNorm",
    "Concat",
    "Constant",
    "Dense",
    "Dropout",
    "Embedding",
    "GaussianNoise",
    "Graph",
    "Layer",
    "LayerNorm",
    "Multiply",
    "Nadam",
    "Network",
    "NetworkSpec",
    "Node",
    "Optimizer",
    "RMSProp",
    "codes",
    "input",
]
