"""The library's messages in the words of the command line.

Takes a sentence that names parameters of Python, such as "say kinds={'zip': 'categorical'}". Returns it with options:
"say --kind zip=categorical". Never changes what stands in quotes, which is the user's.
"""

from __future__ import annotations

import ast
import re
import shlex
from typing import Any

__all__ = ["OPTIONS", "in_options"]

OPTIONS = {
    "X_val": "--validation",
    "checkpoint": "--checkpoint",
    "class_weight": "--class-weight",
    "dates": "--dates",
    "drop_missing_target": "--drop-missing-target",
    "dtype": "--dtype",
    "encoding": "--encoding",
    "groups": "--group",
    "hidden_layer_sizes": "--hidden",
    "id": "--id",
    "ignore": "--ignore",
    "kinds": "--kind",
    "learning_rate_init": "--learning-rate",
    "loss": "--loss",
    "max_iter": "--epochs",
    "members": "--members",
    "method": "--method",
    "metric": "--metric",
    "name": "--name",
    "n_repeats": "--repeats",
    "n_rows": "--rows",
    "ordered": "--ordered",
    "overwrite": "--overwrite",
    "preset": "--preset",
    "quantiles": "--quantiles",
    "random_state": "--seed",
    "sample_weight": "--weight",
    "target": "--target",
    "task": "--task",
    "memory_limit": "--memory-limit",
    "window": "--window",
    "time": "--time-column",
    "time_budget": "--time",
}
"""The option that sets each parameter."""
NAMES = "|".join(OPTIONS)
QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
REFUSAL = re.compile(rf"The '({NAMES})' parameter of \w+ must be (.*)\. Got (.*) instead\.", re.DOTALL)
"""How scikit-learn refuses a parameter."""
NOT_FROM_HERE = re.compile(r",? an instance of '[\w.]+'| or None$")
"""Values that no option can have."""
BEGINS, ENDS = r"(?<![\w/\\.-])", r"(?![\w/\\-]|\.\w)"
"""Where a name may begin and end: not in a path, such as ``parts/time=5/kinds.csv``, which is the user's."""
SETTING = re.compile(rf"{BEGINS}({NAMES})=({{[^{{}}]*}}|\([^()]*\)|\[[^][]*\]|{QUOTED}|[\w.+-]+(?![\w.+/\\-]))")
BARE = re.compile(rf"(?<![\w'\"`])({NAMES})=(?=[\s.,;:)]|$)")
"""A parameter whose value is left to the reader, as in "say groups="."""
SUBJECT = re.compile(rf"((?:^|: |, but ))({NAMES})(?=(?: is| has| names| says| must)\b|:)")
"""A parameter that a message begins with."""
ONLY_IN_PYTHON = re.compile(r" To use it as both, give \w+ as an array\.|, or a smaller batch_size\b")
"""Advice that no option follows."""
SUBJECTS = re.compile(rf"\b({NAMES}) and ({NAMES})(?= both| are)")
"""Two parameters that contradict each other."""
LEFT_OUT = re.compile(rf"\b([Ll]eave )({NAMES})(?= out\b)")
"""Advice to do without a parameter."""
OF_Y = re.compile(r"\b(labels|each class) of y\b")
"""What Python calls the target."""
KINDS_NAMED = r"kinds(?= (?:or ignore|says|names)\b)|ignore(?= names)"
"""Names that are words of English elsewhere, where a message can only mean the parameters."""
WITHIN = "|".join(name for name in OPTIONS if "_" in name)
UNUSUAL = re.compile(rf"{BEGINS}({WITHIN}|{KINDS_NAMED}){ENDS}|`({NAMES})`")
"""Names that are no words of English."""
INTERVAL = re.compile(
    r"\b(?P<what>an integer|an int|a number|a whole number|a float) in (?:the range )?"
    r"(?P<opens>[\[(])(?P<low>[-\w.]+), (?P<high>[-+\w.]+)(?P<closes>[\])])"
)
"""What mathematicians call the numbers from one to another."""


def in_options(message: str) -> str:
    """A message of the library, with the options that its parameters are set by."""
    message = ONLY_IN_PYTHON.sub("", REFUSAL.sub(refusal, message))
    message = BARE.sub(lambda found: OPTIONS[found[1]], message)
    message = SETTING.sub(lambda found: setting(found[1], found[2]), message)
    message = SUBJECTS.sub(lambda found: f"{OPTIONS[found[1]]} and {OPTIONS[found[2]]}", message)
    message = OF_Y.sub(r"\1 of the target", LEFT_OUT.sub(lambda found: found[1] + OPTIONS[found[2]], message))
    message = SUBJECT.sub(lambda found: f"{found[1]}{OPTIONS[found[2]]}", message)
    parts = re.split(rf"({QUOTED})", message)
    return "".join(
        p if i % 2 else INTERVAL.sub(interval, UNUSUAL.sub(lambda found: OPTIONS[found[1] or found[2]], p))
        for i, p in enumerate(parts)
    )


def interval(found: re.Match[str]) -> str:
    """The numbers that are allowed, in words: "an integer of at least 100" for "an integer in [100, inf)"."""
    what = {"an int": "an integer", "a float": "a number"}.get(found["what"], found["what"])
    low, high = (found[end].removesuffix(".0") for end in ("low", "high"))
    from_low = f"of at least {low}" if found["opens"] == "[" else f"above {low}"
    to_high = f"at most {high}" if found["closes"] == "]" else f"below {high}"
    if high == "inf":
        return f"{what} {from_low}"
    if low == "-inf":
        return f"{what} {'of ' * (found['closes'] == ']')}{to_high}"
    is_closed = (found["opens"], found["closes"]) == ("[", "]")
    return f"{what} from {low} to {high}" if is_closed else f"{what} {from_low} and {to_high}"


def refusal(found: re.Match[str]) -> str:
    """A refused parameter in the words of `rosenblatt._checks`."""
    allowed = NOT_FROM_HERE.sub("", NOT_FROM_HERE.sub("", found[2]))
    words = re.search(r"a str among {(.*)}", allowed)
    if words is not None:  # a set, whose order differs from run to run
        allowed = f"one of {', '.join(sorted(words[1].split(', ')))}"
    return f"{OPTIONS[found[1]]} is {found[3]}; it must be {allowed}."


def setting(name: str, text: str) -> str:
    """The option for ``name=value``, as it is typed in a shell."""
    if text == "True":
        return OPTIONS[name]
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        value = text
    return " ".join(f"{OPTIONS[name]} {shlex.quote(one)}" for one in values_of(value))


def values_of(value: Any) -> list[str]:
    """What an option is given for a value, perhaps several times."""
    if isinstance(value, dict):
        return [f"{key}={one}" for key, one in value.items()]
    if isinstance(value, list):
        return [str(one) for one in value]
    return [",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
