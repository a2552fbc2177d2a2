"""The data sets of the page: points in the square from -6 to 6, with classes or a number to predict.

Takes a `numpy.random.Generator`, a number of rows and the noise, a share from 0 to 0.5; some take a number of classes.
Returns points of shape (n_rows, 2) and a target of shape (n_rows,): class numbers from 0, or floats. Never looks at
anything else: each function stands by itself, so that a script can show it as it is.

Circle, xor, gauss, spiral, plane and multi_gauss have the geometry and the noise of the data sets of TensorFlow's
Playground.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SOURCES", "Source"]

Points = tuple[NDArray[np.float64], NDArray[Any]]


def circle(rng: np.random.Generator, n: int, noise: float) -> Points:
    """A disk (class 1) in a ring (class 0); noise moves the points before they get their classes."""
    inner = np.arange(n) < n // 2
    radius = np.where(inner, rng.uniform(0, 2.5, n), rng.uniform(3.5, 5, n))
    angle = rng.uniform(0, 2 * np.pi, n)
    points = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    moved = points + noise * rng.uniform(-5, 5, (n, 2))
    return points, (np.hypot(moved[:, 0], moved[:, 1]) < 2.5).astype(np.int64)


def xor(rng: np.random.Generator, n: int, noise: float) -> Points:
    """Class 1 where both coordinates have the same sign; noise moves the points before they get their classes."""
    points = rng.uniform(-5, 5, (n, 2))
    points += np.where(points > 0, 0.3, -0.3)
    moved = points + noise * rng.uniform(-5, 5, (n, 2))
    return points, (moved[:, 0] * moved[:, 1] >= 0).astype(np.int64)


def gauss(rng: np.random.Generator, n: int, noise: float) -> Points:
    """Two normal clouds, around (2, 2) and (-2, -2); noise widens them."""
    y = (np.arange(n) < n // 2).astype(np.int64)
    spread = np.sqrt(0.5 + 7 * noise)
    return np.where(y == 1, 2.0, -2.0)[:, None] + spread * rng.standard_normal((n, 2)), y


def spiral(rng: np.random.Generator, n: int, noise: float) -> Points:
    """Two arms that wind around each other; noise moves the points."""
    y = np.arange(n) % 2
    along = np.arange(n) // 2 / (n / 2)
    radius, angle = 5 * along, 3.5 * np.pi * along + np.pi * (1 - y)
    points = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return points + noise * rng.uniform(-1, 1, (n, 2)), y


def plane(rng: np.random.Generator, n: int, noise: float) -> Points:
    """The number (x1 + x2) / 10; noise moves the points before they get their numbers."""
    points = rng.uniform(-6, 6, (n, 2))
    moved = points + noise * rng.uniform(-6, 6, (n, 2))
    return points, moved.sum(axis=1) / 10


def multi_gauss(rng: np.random.Generator, n: int, noise: float) -> Points:
    """Six cones, up and down in turn, of height 1 and radius 2; noise moves the points before they get numbers."""
    points = rng.uniform(-6, 6, (n, 2))
    moved = points + noise * rng.uniform(-6, 6, (n, 2))
    y = np.zeros(n)
    for center, sign in [
        ((-4, 2.5), 1),
        ((0, 2.5), -1),
        ((4, 2.5), 1),
        ((-4, -2.5), -1),
        ((0, -2.5), 1),
        ((4, -2.5), -1),
    ]:
        height = np.clip(1 - np.hypot(*(moved - center).T) / 2, 0, 1)
        y = np.where(height > np.abs(y), sign * height, y)
    return points, y


def moons(rng: np.random.Generator, n: int, noise: float) -> Points:
    """Two half circles that reach into each other; noise moves the points."""
    y = np.arange(n) % 2
    angle, sign = rng.uniform(0, np.pi, n), 1 - 2 * y
    points = np.column_stack([3 * np.cos(angle) * sign - 1.5 * sign, 3 * np.sin(angle) * sign - 0.75 * sign])
    return points + 3 * noise * rng.standard_normal((n, 2)), y


def blobs(rng: np.random.Generator, n: int, noise: float, classes: int) -> Points:
    """Normal clouds, one for each class, around a circle; noise widens them."""
    y = np.arange(n) % classes
    angle = 2 * np.pi * y / classes
    centers = 3.5 * np.column_stack([np.sin(angle), np.cos(angle)])
    return centers + (0.5 + 3 * noise) * rng.standard_normal((n, 2)), y


def rings(rng: np.random.Generator, n: int, noise: float, classes: int) -> Points:
    """Rings around each other, one for each class; noise moves the points."""
    y = np.arange(n) % classes
    radius = 5.5 * (y + rng.uniform(0.1, 0.75, n)) / classes
    angle = rng.uniform(0, 2 * np.pi, n)
    points = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return points + noise * rng.uniform(-2, 2, (n, 2)), y


def spirals(rng: np.random.Generator, n: int, noise: float, classes: int) -> Points:
    """Arms that wind around each other, one for each class; noise moves the points."""
    y = np.arange(n) % classes
    along = rng.uniform(0.05, 1, n)
    radius, angle = 5 * along, 4 * along + 2 * np.pi * y / classes
    points = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return points + noise * rng.uniform(-1, 1, (n, 2)), y


@dataclass(frozen=True)
class Source:
    """A data set of the page.

    Attributes
    ----------
    make : callable
        ``make(rng, n, noise)``, or ``make(rng, n, noise, classes)`` where `max_classes` is above 2.
    title, help : str
    max_classes : int
        2, or more if the number of classes can be chosen; 0 for a number to predict.
    """

    make: Callable[..., Points]
    title: str
    help: str
    max_classes: int = 2

    @property
    def has_classes(self) -> bool:
        """Whether the number of classes can be chosen."""
        return self.max_classes > 2

    @property
    def task(self) -> str:
        """Classification or regression."""
        return "classification" if self.max_classes else "regression"


SOURCES: dict[str, Source] = {
    "circle": Source(circle, "Circle", "A disk in a ring: no straight line parts them."),
    "xor": Source(
        xor, "Exclusive or", "Opposite quarters belong together: the classical task no single neuron can do."
    ),
    "gauss": Source(gauss, "Two clouds", "Two normal clouds, which a straight line parts."),
    "spiral": Source(spiral, "Spiral", "Two arms around each other: the hardest of these tasks."),
    "plane": Source(plane, "Plane", "A number that grows from one corner to the other.", 0),
    "multi_gauss": Source(multi_gauss, "Hills and valleys", "A number with three peaks and three dips.", 0),
    "moons": Source(moons, "Moons", "Two half circles that reach into each other."),
    "blobs": Source(blobs, "Blobs", "A cloud for each class, two to six of them.", 6),
    "rings": Source(rings, "Rings", "A ring for each class, two to six of them.", 6),
    "spirals": Source(spirals, "Spiral arms", "An arm for each class, two to six of them.", 6),
}
"""The data sets by name."""
