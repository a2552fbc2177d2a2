"""Arguments and options of the commands, each described once.

Takes nothing. Returns descriptions of parameters, alone or in groups. Never reads a table, and imports nothing heavy.
"""

from __future__ import annotations

from pathlib import Path

import typer

from rosenblatt._checks import parse_duration
from rosenblatt.cli import parsing
from rosenblatt.cli.parameters import Parameter, argument, flag, option
from rosenblatt.cli.parsing import parse_count

__all__ = [
    *(
        "ANY_MODEL",
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
]

COLUMNS, TRAIN, SCORE, OUTPUT = "Columns and rows", "Training", "Score", "Output"
PRESETS = ("fast", "default", "best")
METHODS = ("permutation", "gradient", "integrated_gradients", "shapley")
MIN_WINDOW = 100
"""As of `rosenblatt.tables.task`, which is not imported for the help."""
METRICS = ("error", "log_loss", "balanced_error", "f1", "auc")
LOSSES = ("squared_error", "absolute_error", "poisson")
TASKS = ("classification", "binary", "multiclass", "regression")


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
ANY_MODEL = argument("model", Path, "A model file that a command or rosenblatt.save wrote.", ...)
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
    option(
        "dates",
        str,
        "",
        "ONNX, of a table: how dates come in, by default as text.",
        words=("text", "integer"),
        panel=OUTPUT,
    ),
    option("name", str, "NAME", "C: what all names begin with, instead of the file's name.", panel=OUTPUT),
    option(
        "dtype",
        str,
        "",
        "C: what networks compute in, by default what they were trained in.",
        words=("float32", "float64"),
        panel=OUTPUT,
    ),
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
