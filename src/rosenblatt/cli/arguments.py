"""Arguments and options of the commands, each described once, and the decorator that gives a command its own.

Takes texts of the command line. Returns a namespace of Python values. Never reads a table, and imports nothing heavy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from rosenblatt._checks import parse_duration
from rosenblatt.cli import parsing
from rosenblatt.cli.parsing import choice, parse_count

__all__ = [
    *(
        "CHECKPOINT",
        "COMMON",
        "DATA",
        "ENCODING",
        "EXPLAINING",
        "EXPORTED",
        "FORCE",
        "KEEP_PREDICTIONS",
        "MEMORY",
        "MODEL",
        "OUT_MODEL",
        "PREDICT_OUT",
    ),
    *("REPORT", "REPORTED", "SCORED_FILE", "SCORING", "SEARCH", "SEED", "SERVER", "SHOWN_TABLE", "TABLE", "THRESHOLD"),
    *("TRAINING", "VALIDATION", "WEIGHT"),
    *("Parameter", "takes"),
]

COLUMNS, TRAIN, SCORE, OUTPUT = "Columns and rows", "Training", "Score", "Output"
FILES = ("out", "report", "test", "validation", "data", "training")
"""Options that name a file; the empty name means the folder of the process to `pathlib`."""
MAX_CHOICES = 22
"""Characters that choices may take beside the name of an option, where a terminal of 80 columns breaks no word."""
PRESETS = ("fast", "default", "best")
METHODS = ("permutation", "gradient", "integrated_gradients", "shapley")
MIN_WINDOW = 100
"""As of `rosenblatt.tables.task`, which is not imported for the help."""
METRICS = ("error", "log_loss", "balanced_error", "f1", "auc")
LOSSES = ("squared_error", "absolute_error", "poisson")
TASKS = ("classification", "binary", "multiclass", "regression")


@dataclass(frozen=True)
class Parameter:
    """An argument or an option: its name in Python, its type, and how the help describes it.

    `parse` turns (option, given value) into the value that the command gets; it is not called for what was left out.
    """

    name: str
    value_type: Any
    info: Any
    default: Any = None
    parse: Callable[[str, Any], Any] | None = None

    @property
    def option(self) -> str:
        """How it is written: "--test-share"."""
        return "--" + self.name.replace("_", "-")

    def value(self, given: Any) -> Any:
        """The value that the command gets."""
        if given == Path() and self.name in FILES:
            raise ValueError(f"{self.option} is empty, or a folder; give the name of a file.")
        return given if self.parse is None or given in (None, []) else self.parse(self.option, given)

    def declared(self) -> inspect.Parameter:
        """The parameter of the function that the argument parser sees."""
        annotation = Annotated[self.value_type, self.info]  # type: ignore[name-defined]
        return inspect.Parameter(self.name, inspect.Parameter.KEYWORD_ONLY, default=self.default, annotation=annotation)


def argument(name: str, type_: Any, text: str, default: Any = None) -> Parameter:
    """An argument without a name on the command line."""
    return Parameter(name, type_, typer.Argument(help=text, metavar=name.upper()), default)


def option(
    name: str,
    type_: Any,
    metavar: str,
    text: str,
    *,
    default: Any = None,
    parse: Callable[[str, Any], Any] | None = None,
    words: tuple[str, ...] = (),
    panel: str | None = None,
) -> Parameter:
    """An option with a value; `words` are those that a shell completes, shown as choices where they are all."""
    if words and not metavar:
        metavar, parse = "|".join(words), choice(*words)
        if len(metavar) > MAX_CHOICES:
            metavar, text = name.rpartition("_")[2].upper(), f"{text} Choices: {', '.join(words)}."
    complete = (lambda incomplete: [word for word in words if word.startswith(incomplete)]) if words else None
    given: Any = type_ if default is not None or type_ == list[str] else type_ | None
    info = typer.Option(help=text, metavar=metavar, autocompletion=complete, rich_help_panel=panel)
    return Parameter(name, given if type_ != list[str] else list[str] | None, info, default, parse)


def flag(name: str, text: str, panel: str | None = None) -> Parameter:
    """An option without a value."""
    return Parameter(name, bool, typer.Option(f"--{name.replace('_', '-')}", help=text, rich_help_panel=panel), False)


FORMATS = (
    "The table: CSV, JSON, Parquet, Arrow or Feather, or a folder of files of one kind but JSON, or a pattern of them, "
    "which needs quotes: 'flats/*.csv'; - is standard input."
)
TABLE = argument(
    "file",
    Path | None,
    f"{FORMATS} Without it, scikit-learn's digits are used.",
)
MODEL = argument("model", Path, "A model file that train or tune wrote.", ...)
SCORED_FILE = argument("file", Path, FORMATS, default=...)
SHOWN_TABLE = argument(
    "file", Path | None, "A table of your own: CSV, JSON, Parquet, Arrow or Feather; - is standard input."
)

ENCODING = option(
    "encoding",
    str,
    "NAME",
    "The encoding of a text file, such as latin-1.",
    default="utf-8",
    parse=parsing.check_encoding,
    panel=COLUMNS,
)
WEIGHT = option("weight", str, "COLUMN", "How much each row counts. The column is no input.", panel=COLUMNS)
DATA = (
    option("target", str, "COLUMN", "The column to predict.", panel=COLUMNS),
    option("task", str, "", "What the target is, if the guess is wrong.", words=TASKS, panel=COLUMNS),
    option(
        "kind",
        list[str],
        "COLUMN=KIND",
        "What a column is, if the guess is wrong: numeric, categorical, text or ignored. May be repeated.",
        parse=parsing.parse_kinds,
        panel=COLUMNS,
    ),
    option("ignore", list[str], "COLUMN", "A column to leave out. May be repeated.", panel=COLUMNS),
    option(
        "id",
        list[str],
        "COLUMN",
        "A column that names the rows. It is no input, and predict copies it into its output. May be repeated.",
        panel=COLUMNS,
    ),
    WEIGHT,
    option(
        "group",
        str,
        "COLUMN",
        "What rows belong to, such as customers: the rows of a group train together, or are scored.",
        panel=COLUMNS,
    ),
    option(
        "time_column",
        str,
        "COLUMN",
        "When rows were made: later rows than those that train are scored.",
        panel=COLUMNS,
    ),
    flag("drop_missing_target", "Leave out rows without a target, and count them.", COLUMNS),
    ENCODING,
)
SEED = option("seed", int, "N", "The seed of everything random. Equal seeds give equal models.", default=0, panel=TRAIN)
TRAINING = (
    option("preset", str, "", "How much training is done.", default="default", words=PRESETS, panel=TRAIN),
    option("time", str, "TIME", "A limit for training, such as 90s, 5m or 1h.", parse=parse_duration, panel=TRAIN),
    option("members", int, "N", "How many networks are trained and averaged.", panel=TRAIN),
    option(
        "hidden",
        str,
        "N,N,...",
        "The neurons of each hidden layer, such as 128,64.",
        parse=parsing.parse_hidden,
        panel=TRAIN,
    ),
    option("epochs", int, "N", "The most epochs of each network, of which the best is kept.", panel=TRAIN),
    option("learning_rate", float, "RATE", "The highest learning rate.", panel=TRAIN),
)
LOSS = (
    option("loss", str, "", "The loss to minimize, for a target of numbers.", words=LOSSES, panel=TRAIN),
    option(
        "quantiles",
        str,
        "Q,Q,...",
        "Predict these quantiles of a number instead of its mean, such as 0.1,0.5,0.9.",
        parse=parsing.parse_quantiles,
        panel=TRAIN,
    ),
    option(
        "ordered",
        str,
        "CLASS,CLASS,...",
        "The order of the classes, from low to high, or sorted for that of numbers and letters.",
        parse=parsing.parse_order,
        words=("sorted",),
        panel=TRAIN,
    ),
    option(
        "class_weight",
        list[str],
        "balanced|CLASS=WEIGHT",
        "How much rows of a class count in the loss. CLASS=WEIGHT may be repeated; other classes count 1.",
        parse=parsing.parse_class_weight,
        words=("balanced",),
        panel=TRAIN,
    ),
)
SCORING = (
    *LOSS,
    SEED,
    option("metric", str, "", "What classes are scored by, and epochs chosen by.", words=METRICS, panel=SCORE),
    option(
        "test_share",
        float,
        "SHARE",
        "The share of rows that is held out for the score, by default 0.2. With 0, the score is out of fold. Refused "
        "for a table that train reads in blocks: training holds rows out of it anyway.",
        parse=parsing.parse_share,
        panel=SCORE,
    ),
    option("test", Path, "FILE", "A table to score on, instead of a share of the rows.", panel=SCORE),
)
EXPLAINING = (
    option("row", int, "N", "Explain the prediction of one row. The first row is 1.", parse=parse_count()),
    option(
        "method", str, "", "How columns are examined: by default permutation, and shapley for a row.", words=METHODS
    ),
    option("repeats", int, "N", "How often each column is shuffled.", parse=parse_count()),
    option("rows", int, "N", "The most rows to use. Of more, so many are drawn.", parse=parse_count()),
    option("seed", int, "N", "The seed of rows and shuffles.", default=0, parse=parsing.parse_seed),
)
VALIDATION = option(
    "validation",
    Path,
    "FILE",
    "A table of rows that choose the best epochs, so that no rows of FILE are needed for that.",
    panel=TRAIN,
)
CHECKPOINT = option(
    "checkpoint",
    Path,
    "FOLDER",
    "A folder to save the training in. After a crash, the same command goes on where it was.",
    panel=TRAIN,
)
MEMORY = (
    option(
        "window",
        int,
        "N",
        f"A table of more rows, at least {MIN_WINDOW}, is not read into memory: networks train on so many at a time, "
        "and the result depends on how many. By default 1048576.",
        parse=parse_count(MIN_WINDOW),
        panel=TRAIN,
    ),
    option(
        "memory_limit",
        str,
        "SIZE",
        "What such windows may take together, such as 2GB. By default half of what is free. It changes no result.",
        panel=TRAIN,
    ),
)
THRESHOLD = option(
    "threshold",
    float,
    "P",
    "Of two classes, predict the second where its probability is above this.",
    parse=parsing.parse_threshold,
)
SEARCH = (
    option(
        "time",
        str,
        "TIME",
        "How long to search, such as 90s, 5m or 1h. By default 5m, or without limit if --candidates is given.",
        parse=parse_duration,
        panel=TRAIN,
    ),
    option(
        "candidates",
        int,
        "N",
        "How many candidates to search. Without --time, the model then depends on the table, the options and the seed "
        "alone, and with --checkpoint it has the same bytes if the command was killed and run again.",
        parse=parse_count(),
        panel=TRAIN,
    ),
)
SERVER = (
    option("target", str, "COLUMN", "The column to predict.", panel=COLUMNS),
    option(
        "port",
        int,
        "N",
        "Where the page is served; if the port is in use, the next free one is taken.",
        parse=parse_count(1, parsing.MAX_PORT),
        panel=OUTPUT,
    ),
    option(
        "host",
        str,
        "ADDRESS",
        "Another address than 127.0.0.1, at which other machines can reach the page, too.",
        panel=OUTPUT,
    ),
    flag("no_browser", "Print the address, and open no browser.", OUTPUT),
)
OUT_MODEL = option(
    "out", Path, "FILE", "The model file; - is standard output. By default FILE's name, .safetensors.", panel=OUTPUT
)
FORCE = flag("force", "Replace a model of another table or command, or by one that learned nothing.", OUTPUT)
PREDICT_OUT = option(
    "out",
    Path,
    "FILE",
    "Where to write the predictions: a .csv or .parquet file, or - for CSV on standard output.",
    default=...,
    panel=OUTPUT,
)
EXPORTED = (
    option("out", Path, "FILE", "The file to write: .onnx, .c or .h.", default=..., panel=OUTPUT),
    flag("overwrite", "Replace FILE, whatever it is.", OUTPUT),
)
KEEP_PREDICTIONS = flag(
    "keep_predictions",
    "Keep the out-of-fold predictions in the model file, so that report can score the training rows later. Of a table "
    "that is read in blocks there are none.",
    OUTPUT,
)
REPORT = option(
    "report",
    Path,
    "FILE",
    "Write a report of the model, too: a .html, .md, .json or .txt file. By default there is none.",
    panel=OUTPUT,
)
REPORTED = (
    Parameter(
        "others",
        list[Path] | None,
        typer.Argument(
            help="A second model to compare with, and a table that has the target; - is standard input.",
            metavar="MODEL|FILE",
        ),
    ),
    option("data", Path, "FILE", "The table of rows to score, as if it were FILE.", panel=COLUMNS),
    option(
        "training", Path, "FILE", "The table that the model was trained on, if FILE holds other rows.", panel=COLUMNS
    ),
    WEIGHT,
    ENCODING,
    option(
        "out",
        Path,
        "FILE",
        "Where to write the report: a .html, .md, .json or .txt file. Without it, the text is shown.",
        panel=OUTPUT,
    ),
)
COMMON = (
    option(
        "threads",
        int,
        "N",
        "How many threads to use. The number changes no result.",
        parse=parse_count(1, parsing.MAX_THREADS),
        panel=OUTPUT,
    ),
    flag("quiet", "Write nothing but errors, and what was asked for by --json or --out -.", OUTPUT),
    flag("json", "Write one JSON object to standard output; messages go to standard error.", OUTPUT),
)


def takes(*parameters: Parameter) -> Callable[[Callable[[Any], None]], Callable[..., None]]:
    """A decorator of a command that takes one namespace: the argument parser sees the parameters instead."""

    def decorate(command: Callable[[Any], None]) -> Callable[..., None]:
        def call(**given: Any) -> None:
            command(SimpleNamespace(**{each.name: each.value(given[each.name]) for each in parameters}))

        declared = [each.declared() for each in parameters]
        call.__name__, call.__doc__ = command.__name__, command.__doc__
        call.__annotations__ = {each.name: each.annotation for each in declared}
        call.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]
        return call

    return decorate
