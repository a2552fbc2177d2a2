"""Estimators in a notebook: scikit-learn's diagram with documentation and the state after `fit`.

Takes an estimator, in any state. Returns what scikit-learn asks for when it draws: a link to the documentation, a table
of parameters, a table of fitted attributes. Never raises, and never computes what an estimator only computes on demand.

The address of the documentation stands in one place, the project's URL "Documentation" in the metadata of the
distribution. If it has none, or if it is not installed, each box holds the documentation itself, to be unfolded.
"""

from __future__ import annotations

import functools
import inspect
import re
from contextlib import suppress
from html import escape
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils._repr_html.fitted_attributes import AttrsDict, _fitted_attr_html_repr
from sklearn.utils._repr_html.params import ParamsDict, _params_html_repr

from rosenblatt._html import legible

__all__ = ["Diagram", "documentation_address", "nested_block"]

MAX_CLASSES = 10
NO_LINK = "about:blank"
"""Stands for an address where scikit-learn describes parameters only if there is one."""
LINK = re.compile(rf'\s+rel="noreferrer" target="_blank" href="{NO_LINK}[^"]*"')
PLAIN = (str, bytes, int, float, complex, bool, list, tuple, dict, set, np.generic, np.ndarray, type(None))
"""Types of fitted attributes whose values are shown; of others it is the type."""


@functools.cache
def documentation_address() -> str:
    """The address that the installed distribution names as its documentation; nothing if it names none."""
    try:
        urls = metadata("rosenblatt").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = {name.strip().lower(): address.strip() for name, _, address in (url.partition(",") for url in urls)}
    address = named.get("documentation", "").rstrip("/")
    return address if re.match(r"https?://", address) else ""


class Diagram:
    """What scikit-learn's diagram shows of an estimator."""

    _doc_link_module = "rosenblatt"
    documentation_page: ClassVar[str]
    """The page of the documentation that describes the class, in the folder `docs` as Markdown."""
    computed_on_demand: ClassVar[frozenset[str]] = frozenset()
    """Fitted attributes that are not shown, because reading them may take long."""

    @property
    def _doc_link_template(self) -> str:
        address = documentation_address()
        page = f"{address}/{self.documentation_page}.html" if address else ""
        return escape(page).replace("{", "{{").replace("}", "}}")  # which scikit-learn formats, and writes into HTML

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, as in scikit-learn; one that an unpickled instance lacks has its default.

        Parameters
        ----------
        deep : bool
            Whether to add the parameters of estimators among them.
        """
        try:
            return dict(super().get_params(deep))  # type: ignore[misc]
        except AttributeError:
            given = inspect.signature(type(self).__init__).parameters
            names = self._get_param_names()  # type: ignore[attr-defined]
            return {name: getattr(self, name, given[name].default) for name in names}

    def fitted_state(self) -> dict[str, str]:
        """What the diagram says of a fitted estimator: classes, score, epochs and seconds, as far as they are known."""
        state = {}
        with suppress(Exception):
            state["classes"] = classes_in_words(self.classes_)  # type: ignore[attr-defined]
        with suppress(Exception):
            state["score"] = self.score_in_words()
        with suppress(Exception):
            unit = "iterations" if getattr(self, "solver", "") == "lbfgs" else "epochs"
            state[unit] = f"{np.max(self.n_iter_):,}"  # type: ignore[attr-defined]
        with suppress(Exception):
            state["seconds"] = f"{self.fit_time_:.3g}"  # type: ignore[attr-defined]
        return {name: text for name, text in state.items() if text}

    def score_in_words(self) -> str:
        """The best score or, without one, the last loss."""
        known = vars(self)
        if (score := known.get("best_validation_score_")) is not None:
            return f"{score:.4f} on validation rows"
        return f"training loss {known['loss_']:.4g}" if "loss_" in known else ""

    def _sk_visual_block_(self) -> Any:
        return _VisualBlock("single", self, names=type(self).__name__, name_details=str(self))

    def _get_params_html(self, deep: bool = True, doc_link: str = "") -> Any:
        found = super()._get_params_html(deep, doc_link)  # type: ignore[misc]
        return Parameters(
            params=found.data, non_default=found.non_default, estimator_class=type(self), doc_link=doc_link
        )

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        attributes = {name: described(value) for name, value in fitted_attributes(self).items()}
        shown = FittedAttributes(fitted_attrs=attributes, estimator_class=type(self), doc_link=doc_link)
        shown.state = self.fitted_state()
        return shown


def nested_block(name: str, estimator: Any) -> Any:
    """The form of scikit-learn's diagram for an estimator that has another one, under this name."""
    title = f"{name}: {type(estimator).__name__}"
    return _VisualBlock("parallel", [estimator], names=[title], name_details=[str(estimator)])


def parameters_html(params: Parameters) -> str:
    """scikit-learn's table of parameters; without an address, with the documentation that it would link to."""
    if params.doc_link:
        return wrapped(_params_html_repr(params))
    offline = ParamsDict(
        params=params.data, non_default=params.non_default, estimator_class=params.estimator_class, doc_link=NO_LINK
    )
    return wrapped(LINK.sub("", _params_html_repr(offline))) + documentation_html(params.estimator_class)


class Parameters(ParamsDict):  # type: ignore[misc]
    """The parameters as the diagram shows them."""

    _html_repr = parameters_html


def fitted_html(attributes: FittedAttributes) -> str:
    """The state of the fit, and scikit-learn's table of fitted attributes below it."""
    rows = "".join(
        f'<tr class="default"><td class="param" style="padding:.5em">{legible(name)}</td><td>{legible(text)}</td></tr>'
        for name, text in attributes.state.items()
    )
    table = f'<table class="parameters-table"><tbody>{rows}</tbody></table>'
    fit = f'<div class="estimator-table"><details open><summary>Fit</summary>{table}</details></div>' if rows else ""
    return wrapped(fit + _fitted_attr_html_repr(attributes))


def wrapped(tables: str) -> str:
    """Tables whose long values, such as names without a space, take more lines instead of a wider box."""
    style = ".rosenblatt-wraps{max-width:60em}.rosenblatt-wraps td:last-child{overflow-wrap:anywhere}"
    return f'<div class="rosenblatt-wraps"><style>{style}</style>{tables}</div>'


class FittedAttributes(AttrsDict):  # type: ignore[misc]
    """The fitted attributes as the diagram shows them."""

    _html_repr = fitted_html
    state: dict[str, str] = {}


def documentation_html(cls: type) -> str:
    """The documentation of a class, to be unfolded."""
    text = inspect.getdoc(cls) or ""
    lines = "\n".join(map(legible, text.splitlines()))
    pre = f'<pre style="max-height:30em;overflow:auto;white-space:pre-wrap;text-align:left">{lines}</pre>'
    title = f"? Documentation for {legible(cls.__name__)}"
    return f'<div class="estimator-table"><details><summary>{title}</summary>{pre}</details></div>' if lines else ""


def fitted_attributes(estimator: Any) -> dict[str, Any]:
    """What the instance has, and what properties know; one that cannot be read is left out."""
    names = {*vars(estimator), *(name for name in dir(type(estimator)) if not name.startswith("_"))}
    found = {}
    for name in sorted(names - estimator.computed_on_demand):
        if name.endswith("_") and not name.startswith("_"):
            with suppress(Exception):
                found[name] = getattr(estimator, name)
    return found


def described(value: Any) -> dict[str, Any]:
    """A fitted attribute in the form that scikit-learn's table takes."""
    kind = type(value).__name__
    if isinstance(value, np.ndarray) or issparse(value):
        return {"type_name": kind, "shape": value.shape, "dtype": value.dtype, "value": value}
    return {"type_name": kind, "value": value if isinstance(value, PLAIN) else Unshown()}


class Unshown:
    """Stands for a value whose text would be long."""

    def __repr__(self) -> str:
        return "…"


def classes_in_words(classes: Any) -> str:
    """The first classes, and how many there are; of several outputs, how many each has."""
    if isinstance(classes, list):
        return ", ".join(f"{len(one)} in output {i}" for i, one in enumerate(classes))
    labels = [str(label) for label in np.asarray(classes)[:MAX_CLASSES].tolist()]
    more = f", … ({len(classes):,} in all)" if len(classes) > MAX_CLASSES else ""
    return ", ".join(label if len(label) <= 40 else f"{label[:39]}…" for label in labels) + more
