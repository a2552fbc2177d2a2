"""A run: a network on the page, in training.

Takes `Settings` and messages of the page. Returns what the page is told: what was configured, frames, a script, a
document that continues the run. Never raises anything but a `SettingsError` for what a page may send, and changes
nothing then.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rosenblatt._checks import is_count, is_number
from rosenblatt.playground_page.choices import SCHEDULES
from rosenblatt.playground_page.documents import document_of, restore
from rosenblatt.playground_page.frames import Pictures, pack
from rosenblatt.playground_page.given import Given, SettingsError, shown
from rosenblatt.playground_page.networks import loss_choice, loss_of, make_network, make_trainer
from rosenblatt.playground_page.own_tables import PlaygroundTable
from rosenblatt.playground_page.problems import Problem
from rosenblatt.playground_page.scripts import script_of
from rosenblatt.playground_page.settings import LIMITS, LIVE, Settings, live_fields
from rosenblatt.playground_page.statistics import Statistics
from rosenblatt.playground_page.training_steps import take_steps
from rosenblatt.training.evaluation import Evaluator

__all__ = ["Run"]

MAX_WEIGHT = 1e9
"""Weights that a user sets are at most this large."""


class Run:
    """A network with its data, and how far its training has come.

    Parameters
    ----------
    settings : Settings
    table : PlaygroundTable, optional
        For the source "table".

    Attributes
    ----------
    settings : Settings
        As they are now.
    initial : Settings
        As they were at step 0.
    events : list of dict
        What the user changed on the way, with the step before which it was.
    problem : Problem
    network : rosenblatt.nn.Network
    trainer : rosenblatt.training.Trainer
    diverged : bool
        Whether numbers left the range of float32; then training is over.

    Raises
    ------
    SettingsError
        If the settings do not go with the data.
    """

    def __init__(self, settings: Settings, table: PlaygroundTable | None = None) -> None:
        self.settings = self.initial = settings
        self.table = table
        self.events: list[dict[str, Any]] = []
        self.problem = Problem.of(settings, table)
        self.network = make_network(settings, self.problem)
        self.trainer = make_trainer(self.network, settings, self.problem)
        self.diverged = False
        self.epochs_cut = 0.0
        self._steps_done = 0

    # What the page is told --------------------------------------------------------------------------------------------

    def configured(self) -> dict[str, Any]:
        """Settings, network and data, as the page is told after it has configured or loaded a run."""
        sizes = list(self.network.chain.layer_sizes)
        activations = [layer.activation for layer in self.settings.layers]
        return {
            "settings": self.settings.to_json(),
            "network": {
                "inputs": list(self.problem.inputs),
                "layers": sizes,
                "shown": [min(n, LIMITS["units_shown"]) for n in sizes],
                "parameters": int(self.network.parameters.size),
                "activations": [*activations, loss_choice(self.settings, self.problem)[1].output],
            },
            "data": self.problem.describe(),
        }

    def frame(self, run: int, *, statistics: bool = False, first: bool = False) -> bytes:
        """The present state as a binary message; see `rosenblatt.playground_page.frames.pack`.

        Parameters
        ----------
        run : int
            What the page calls this run.
        statistics : bool
            Whether gradients, dead units and histograms are in it.
        first : bool
            Whether the maps of the features are in it.
        """
        with np.errstate(all="ignore"):
            header = {"type": "frame", "run": run} | self.state()
            arrays = self._pictures.arrays() | (self._pictures.of_inputs() if first else {})
            if statistics:
                arrays |= self._statistics.arrays()
        return pack(header, arrays)

    def state(self) -> dict[str, Any]:
        """Steps, losses and scores; None for a number that is not finite."""
        losses = [evaluator.loss() for evaluator in self._evaluators]
        self.diverged |= not (math.isfinite(losses[0]) and np.isfinite(self.network.parameters).all())
        scores = self._scores()
        done, self._steps_done = self._steps_done, 0
        return {
            "step": self.trainer.step_count,
            "epoch": round(self.epoch, 6),
            "train_loss": _finite(losses[0]),
            "test_loss": _finite(losses[1]),
            "train_score": _finite(scores[0]),
            "test_score": _finite(scores[1]),
            "score_name": "R²" if self.problem.classes is None else "accuracy",
            "learning_rate": self.present_learning_rate,
            "steps_done": done,
            "diverged": bool(self.diverged),
            "finished": self.finished,
        }

    @property
    def epoch(self) -> float:
        """Passes over the training rows so far."""
        return self.epochs_cut + self.trainer.epoch_count + self.trainer.position[0] / len(self.problem.train)

    @property
    def finished(self) -> bool:
        """Whether the schedule is over, after which no step changes anything."""
        ends = getattr(self._schedule, "runs_to_completion", False)
        return bool(ends and self.trainer.step_count >= self.settings.schedule_steps)

    @property
    def present_learning_rate(self) -> float:
        """The learning rate of the next step."""
        step, span = np.array([self.trainer.step_count]), self.settings.schedule_steps
        return float(self._schedule.rates(self.settings.learning_rate, step, span, span)[0])

    @property
    def losses(self) -> tuple[float, float]:
        """Mean loss of the rows to train on, and of those to test, without penalties and dropout."""
        train, test = self._evaluators
        return train.loss(), test.loss()

    # What the page asks for -------------------------------------------------------------------------------------------

    def advance(self, steps: int, seconds: float = 0.1) -> int:
        """Train for so many steps, or until the time is over; return how many steps there were.

        Parameters
        ----------
        steps : int
            Up to 100,000.
        seconds : float
            0: without a limit.
        """
        if not is_count(steps, 0) or steps > LIMITS["steps"]:
            raise SettingsError(f"steps is {shown(steps)}; it must be an integer in [0, {LIMITS['steps']:,}].")
        before = self.trainer.step_count
        if getattr(self._schedule, "runs_to_completion", False):
            steps = min(steps, self.settings.schedule_steps - before)
        if self.diverged or steps <= 0:
            return 0
        settings = self.settings
        losses = take_steps(
            self.trainer, steps, settings.learning_rate, self._schedule, settings.schedule_steps, seconds
        )
        self.diverged |= bool(losses) and not math.isfinite(losses[-1])
        done = self.trainer.step_count - before
        self._steps_done += done
        return done

    def change(self, changes: object) -> None:
        """Change settings from the next step on: `learning_rate`, `batch_size`, `l1` or `l2`.

        After a change of the last three, the epoch begins anew.

        Raises
        ------
        SettingsError
            For others, and for values that are not allowed.
        """
        if self.note_change(changes) - {"learning_rate"}:
            self.continue_with_new_trainer()

    def note_change(self, changes: object) -> set[str]:
        """Change settings, and nothing else: which of them are other than before."""
        g = Given(changes, "changes", LIVE)
        found = live_fields(g, {name: getattr(self.settings, name) for name in LIVE})
        changed = {name: value for name, value in found.items() if value != getattr(self.settings, name)}
        if not changed:
            return set()
        last = self.events[-1] if self.events else {}
        if last.get("step") == self.trainer.step_count and "changes" in last:
            last["changes"] = last["changes"] | changed
        else:
            self._note({"step": self.trainer.step_count, "changes": changed})
        self.settings = replace(self.settings, **changed)
        return set(changed)

    def continue_with_new_trainer(self) -> None:
        """A trainer for the present settings, with the momenta and counts of the one before."""
        before = self.trainer
        self.epochs_cut += before.position[0] / len(self.problem.train)
        self.trainer = make_trainer(self.network, self.settings, self.problem)
        self.trainer.continue_from(before)

    def edit(self, layer: int, input: int | None, unit: int, value: float) -> None:
        """Set one weight, or with ``input=None`` a bias.

        Parameters
        ----------
        layer : int
            1 for the first hidden layer (or the output layer, if there is none), and so on.
        input, unit : int
            Row and column of the weight, from 0.
        value : float
            At most a billion in magnitude.

        Raises
        ------
        SettingsError
            If there is no such weight, or the value is not allowed.
        """
        n_layers = len(self.network.weights)
        if not is_count(layer) or layer > n_layers:
            raise SettingsError(f"layer is {shown(layer)}; the network has the layers 1 to {n_layers}.")
        n_in, n_out = self.network.weights[layer - 1].shape
        if input is not None and (not is_count(input, 0) or input >= n_in):
            raise SettingsError(f"input is {shown(input)}; layer {layer} has the inputs 0 to {n_in - 1}, or null.")
        if not is_count(unit, 0) or unit >= n_out:
            raise SettingsError(f"unit is {shown(unit)}; layer {layer} has the units 0 to {n_out - 1}.")
        if not is_number(value) or abs(value) > MAX_WEIGHT:
            raise SettingsError(f"value is {shown(value)}; it must be a number from -1e9 to 1e9.")
        place = [int(layer), None if input is None else int(input), int(unit)]
        event = {"step": self.trainer.step_count, "edit": [*place, float(value)]}
        last = self.events[-1] if self.events else {}
        if last.get("step") == event["step"] and last.get("edit", [])[:3] == place:
            self.events[-1] = event
        else:
            self._note(event)
        target = self.network.biases[layer - 1] if input is None else self.network.weights[layer - 1][input]
        target[unit] = value

    def script(self) -> str:
        """A script that does the same and prints the final losses, which are equal to the page's to the last bit."""
        return script_of(self)

    def document(self) -> dict[str, Any]:
        """All that `from_document` needs to continue with the same numbers, ready for JSON.

        Raises
        ------
        SettingsError
            If the run has diverged.
        """
        return document_of(self)

    @classmethod
    def from_document(cls, document: object, table: PlaygroundTable | None = None) -> Self:
        """The run that a `document` was made of, at the same step.

        Raises
        ------
        SettingsError
            For anything else.
        """
        return restore(cls, document, table)

    # Parts ------------------------------------------------------------------------------------------------------------

    @property
    def _schedule(self) -> Any:
        return SCHEDULES[self.settings.schedule].value

    def _note(self, event: dict[str, Any]) -> None:
        if len(self.events) >= LIMITS["events"]:
            raise SettingsError(f"this run has {LIMITS['events']:,} changes, the most that are kept; start it anew.")
        self.events.append(event)

    @cached_property
    def _pictures(self) -> Pictures:
        scores = self.problem.classes is not None and loss_choice(self.settings, self.problem)[1].output == "identity"
        return Pictures(self.network, self.problem, scores=scores)

    @cached_property
    def _parts(self) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Inputs and targets of the rows to train on, and of those to test."""
        problem = self.problem
        return [(problem.X[rows], problem.targets[rows]) for rows in (problem.train, problem.test)]

    @cached_property
    def _evaluators(self) -> list[Evaluator]:
        loss = loss_of(self.settings, self.problem)
        return [Evaluator(self.network, loss, X, y) for X, y in self._parts]

    @cached_property
    def _statistics(self) -> Statistics:
        X, y = self._parts[0]
        activations = [layer.activation for layer in self.settings.layers]
        return Statistics(self.network, self._pictures.twin, activations, loss_of(self.settings, self.problem), X, y)

    def _scores(self) -> list[float]:
        """Accuracy, or the share of variance that is explained, on both parts."""
        threshold = 0.0 if self._pictures.scores else 0.5
        found = []
        for X, y in self._parts:
            predicted = self.network.predict(X)
            if self.problem.kind == "regression":
                errors, spread = float(np.square(predicted[:, 0] - y).mean(dtype=np.float64)), float(np.var(y))
                found.append(1 - errors / spread if spread > 0 else math.nan)
            elif self.problem.kind == "binary":
                found.append(float(((predicted[:, 0] >= threshold) == (y > 0.5)).mean()))
            else:
                found.append(float((predicted.argmax(axis=1) == y).mean()))
        return found


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
