"""``rosenblatt report``: what is known of a stored model and how good it is, or two models side by side.

Takes one or two model files, and perhaps tables. Returns nothing: it shows the report, or writes it to a file. Never
changes a model, nor a file that holds no report.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosenblatt._suggestions import missing_file
from rosenblatt.cli.destination import is_model_file
from rosenblatt.cli.display import Display
from rosenblatt.cli.messages import OPTIONS, in_options
from rosenblatt.cli.models import load_tabular
from rosenblatt.cli.report_file import ReportFile
from rosenblatt.cli.results import target_data
from rosenblatt.cli.scored import ScoredRows, of_model
from rosenblatt.cli.session import is_standard
from rosenblatt.cli.terminal import write_result

__all__ = ["report"]

SHARE = (
    "train and tune hold out a share of their table for the score (--test-share), so that not all of its rows are "
    "training rows; their --report knows which are, and with --test-share 0 all are"
)
"""What explains most tables that hold training rows and others."""


@dataclass(frozen=True)
class Files:
    """One or two model files, and the table of rows that score them, if there is one."""

    models: list[Path]
    data: Path | None


def report(given: Any, display: Display) -> None:
    """Load, read, score, show or write."""
    files = files_of(given)
    place = None
    if given.out is not None and not is_standard(given.out):
        place = ReportFile(given.out, "--out", *files.models, files.data, given.training)
    display.data |= {"command": "report", "model": str(files.models[0])}
    with display.warnings():
        found = report_of(files, given, display) if len(files.models) == 1 else comparison_of(files, given, display)
    display.data["report"] = found.to_dict()
    text = "\n".join(map(in_options, text_of(found).split("\n")))
    if given.out is None:
        display.text()
        display.sentences(text)
        display.complete()
        return
    data = f"{text}\n".encode("utf-8", "backslashreplace")
    n_bytes = len(data) if place is None else place.write(found)
    if place is None:
        write_result(display.result, data)
    display.wrote(str(given.out))
    display.file(str(given.out), n_bytes)


def text_of(found: Any) -> str:
    """A report, or a comparison with options instead of parameters, before columns are aligned."""
    facts = found.to_dict()
    if "parameters" not in facts:
        return str(found)
    from rosenblatt.report.compared_text import to_text

    parameters = [{**one, "name": OPTIONS.get(one["name"], one["name"])} for one in facts["parameters"]]
    return to_text({**facts, "parameters": parameters})


def files_of(given: Any) -> Files:
    """Which of the files are models, by what is in them."""
    others: list[Path] = given.others or []
    if not is_model_file(given.model):
        load_tabular(given.model)  # which says what is wrong
    for path in others:
        if not is_standard(path) and not path.exists():
            raise FileNotFoundError(missing_file(path))
    for option, path in (("--data", given.data), ("--training", given.training)):
        if path is not None and is_model_file(path):
            raise ValueError(f"{option} {path} is a model file; {option} names a table of rows.")
    is_model = [is_model_file(path) for path in others]
    models = [given.model, *(path for path, found in zip(others, is_model, strict=True) if found)]
    tables = [path for path, found in zip(others, is_model, strict=True) if not found]
    tables += [] if given.data is None else [given.data]
    if len(models) > 2:
        raise ValueError(f"{len(models)} models were given; a report is of one model, or of two side by side.")
    if len(tables) > 1:
        names = " and ".join(map(str, tables))
        raise ValueError(f"{names} are {len(tables)} tables of rows to score; give one. (--training names another.)")
    data = tables[0] if tables else None
    if len(models) == 2:
        require_comparable(models, data, given)
    elif data is None and given.weight is not None:
        raise ValueError("--weight names a column of the rows to score, but no table was given. Leave it out.")
    return Files(models, data)


def require_comparable(models: list[Path], data: Path | None, given: Any) -> None:
    """Refuse a comparison that would say nothing."""
    if data is None:
        raise ValueError("two models are compared on the same rows: give a table that has the target by --data.")
    if is_standard(data):
        raise ValueError("each of two models reads the table, but standard input (-) is read once; give a file.")
    if given.training is not None:
        raise ValueError("--training is for the report of one model; leave it out where two are compared.")
    if models[0].exists() and models[0].samefile(models[1]):
        raise ValueError(f"{models[0]} and {models[1]} are the same file; give two models.")


def report_of(files: Files, given: Any, display: Display) -> Any:
    """The report of one model."""
    model = load_tabular(files.models[0])
    rows, options = None, {}
    if files.data is not None:
        rows = rows_of(model, files.data, given.encoding, given.weight)
        shown_rows(rows, display)
    if given.training is not None:
        options["training"] = pair_of(rows_of(model, given.training, given.encoding))
    if rows is None:
        found = model.report(**options)
    else:
        found = model.report(*pair_of(rows), sample_weight=rows.weights, **options)
    found.source = ", rows of ".join(Path(path).name for path in (files.models[0], files.data) if path is not None)
    if getattr(model, "made_by_", "") and knows_of_others(found):
        display.note(SHARE)
    return found


def knows_of_others(found: Any) -> bool:
    """Whether a table was taken for the training rows, or for others, that holds both."""
    wrong = any(text.startswith("training: ") for text in found.evidence.missing)
    return wrong or any(check.code == "known-rows" for check in found.checks)


def comparison_of(files: Files, given: Any, display: Display) -> Any:
    """Two models on the rows of one table, which each reads as it did in training."""
    from rosenblatt.report.comparison import comparison_of, require_same_goal

    models = [load_tabular(path) for path in files.models]
    names = names_of(files.models)
    require_same_goal(models[0], models[1], names)
    assert files.data is not None
    display.data["models"] = [str(path) for path in files.models]
    rows = [rows_of(model, files.data, given.encoding, given.weight) for model in models]
    shown_rows(rows[0], display)
    found = [m.report(*pair_of(r), sample_weight=r.weights) for m, r in zip(models, rows, strict=True)]
    return comparison_of(found[0], found[1], names)


def rows_of(model: Any, file: Path, encoding: str, weight: str | None = None) -> ScoredRows:
    """The rows of a file with the target of a model, and with the columns of its ids, groups and weights."""
    roles = [getattr(model, name, None) for name in ("group_column_", "weight_column_")]
    found = of_model(model, file, encoding, weight, [*model.id_columns_, *(name for name in roles if name is not None)])
    found.require_columns(kind.name for kind in model.preparation_.kinds if kind.used)
    return found


def names_of(paths: list[Path]) -> tuple[str, str]:
    """What the models are called: their files without the ending, or the whole paths where these are alike."""
    a, b = paths
    return (a.stem, b.stem) if a.stem != b.stem else (str(a), str(b))


def pair_of(rows: ScoredRows) -> tuple[Any, Any]:
    """Inputs and targets as Python's `report` takes them."""
    return rows.inputs, rows.target.decoded()


def shown_rows(rows: ScoredRows, display: Display) -> None:
    """Say which rows score."""
    display.table(rows.file, rows.inputs.n_rows, len(rows.inputs.columns) + 1)
    display.target(target_data(rows.target))
