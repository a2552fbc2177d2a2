"""What the command line makes of the library's messages: options instead of Python's parameters."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rosenblatt
from rosenblatt.cli.messages import OPTIONS, in_options
from rosenblatt.estimators import TabularClassifier
from rosenblatt.training.windows import Windows

SAID = {
    "column 'zip' holds integers: if they are codes, say kinds={'zip': 'categorical'}": "say --kind zip=categorical",
    "write them so, or say kinds={'the date': 'ignored'}.": "say --kind 'the date=ignored'.",
    "say kinds={\"it's\": 'text'}": "say --kind 'it'\"'\"'s=text'",
    "t.csv: the file is in UTF-16. Say encoding='utf-16', or save it.": "Say --encoding utf-16, or",
    "Choose another column, or task='regression' for numbers.": "or --task regression for",
    "task is 'binary', but target 'y' has 3 classes.": "--task is 'binary', but target 'y'",
    "kinds names a column 'x' that is not there.": "--kind names a column 'x'",
    "hidden_layer_sizes: layer 1 is 0; it must be a positive integer": "--hidden: layer 1 is 0",
    "Try a smaller learning_rate_init (now 0.1).": "smaller --learning-rate (now 0.1)",
    "random_state is -1; it must be at least 0": "--seed is -1",
    "time_budget is 'soon'; it must be": "--time is 'soon'",
    "leave it out by ignore=['a b', 'c'].": "by --ignore 'a b' --ignore c.",
    "kinds or ignore names the target 'y'": "--kind or --ignore names the target 'y'",
    "groups and time are both given, but rows": "--group and --time-column are both given, but rows",
    "kinds says that 'a' is text, but id names it. To use it as both, give id as an array.": "text, but --id names it.",
    "Fill it in, or say drop_missing_target=True, which": "or say --drop-missing-target, which",
    "hidden_layer_sizes=(128, 64) is too large": "--hidden 128,64 is",
    "cannot be shuffled; give more rows, or method='gradient'.": "or --method gradient",
    "(A column that is no input belongs in `ignore`.)": "belongs in --ignore",
    "nothing can be held out. Leave groups out.": "Leave --group out",
    "Give more, or leave time out.": "leave --time-column out",
    "ordered is ['a']; it must list each class of y once": "--ordered is ['a']; it must list each class of the target",
    "If rows belong together, say groups=; if they follow each other, say time=.": "say --group; if they follow each "
    "other, say --time-column.",
    "class_weight names 'a', but the labels of y are ['y']": "names 'a', but the labels of the target are ['y']",
    "'a' is 5, which kinds says is text, or kinds names it": "which --kind says is text, or --kind names it",
    "n_rows is 0; it must be an integer in [100, inf)": "--rows is 0; it must be an integer of at least 100",
    "window: it must be an integer in [1, 128]": "it must be an integer from 1 to 128",
    "the file is called 'm-1.c', but names in C are. Say name='m_1', or rename the file": "Say --name m_1, or rename",
    "name is 'a b', but names in C have": "--name is 'a b', but names in C have",
    "m.c exists; overwrite=True replaces it, or choose another name.": "m.c exists; --overwrite replaces it",
    "it must be a number in [0, 1)": "it must be a number of at least 0 and below 1",
    "it must be a number in (0, 1)": "it must be a number above 0 and below 1",
    "it must be a float in the range (0.0, 1.0]": "it must be a number above 0 and at most 1",
    "it must be a float in the range (0.0, inf)": "it must be a number above 0",
    "it must be a number in (-inf, 0]": "it must be a number of at most 0",
}


@pytest.mark.parametrize(("message", "said"), SAID.items())
def test_parameters_become_options(message: str, said: str) -> None:
    assert said in in_options(message)


def test_advice_that_no_option_follows_is_left_out() -> None:
    with pytest.raises(ValueError, match="or a smaller batch_size") as refused:
        Windows(1000, 100, 128)
    assert in_options(str(refused.value)) == (
        "--window 100 makes windows of 100 rows, fewer than the 128 of a batch; take a window of 256 rows or more"
    )


@pytest.mark.parametrize(
    "message",
    [
        "column 'learning_rate': by itself it predicts the class.",
        "there is no target column 'kinds'. The columns are: 'random_state', 'hidden'.",
        "target 'task' is missing in row 3.",
        "metrics and tasks are words; the members of a class are, too",
        "mixed holds files of several kinds: mixed/a.csv is CSV and mixed/b.parquet is Parquet.",
        "data/class_weight.csv: there is no column 'x' in n_rows/random_state=5.",
        "no file matches the pattern parts/time=5/*.csv, nor time=5/*.csv.",
        "sample_weight.csv: the file is empty.",
        "it holds 'a number in [0, 1)'",
    ],
)
def test_what_the_user_wrote_stays(message: str) -> None:
    assert in_options(message) == message


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"random_state": -1}, "--seed is -1; it must be an integer from 0 to 4294967295."),
        ({"members": 0}, "--members is 0; it must be an integer from 1 to 100."),
        ({"preset": "fst"}, "--preset is 'fst'; it must be one of 'best', 'default', 'fast'. Did you mean 'fast'?"),
        ({"max_iter": 1.5}, "--epochs is 1.5; it must be an integer of at least 1."),
    ],
)
def test_refusals_of_scikit_learn_name_the_option_and_nothing_of_python(parameters: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match="parameter of") as refused:
        TabularClassifier(**parameters).check_parameters()  # type: ignore[arg-type]
    assert in_options(str(refused.value)) == said


def texts_in(path: Path) -> list[str]:
    """The texts of a module that are no docstrings; what f-strings insert is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inner = {id(part) for node in joined for part in node.values}
    texts = ["".join(getattr(part, "value", "x") if isinstance(part, ast.Constant) else "x" for part in node.values)
             for node in joined]  # fmt: skip
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return texts + [str(node.value) for node in constants if id(node) not in bare | inner]


def test_no_hint_about_a_table_keeps_a_parameter_of_python() -> None:
    pattern = re.compile(rf"(?<![\w'\"])({'|'.join(OPTIONS)})=(?=['\"{{[(\w])")
    folder = Path(rosenblatt.__file__).parent / "tables"
    hints = [text for path in folder.rglob("*.py") for text in texts_in(path) if pattern.search(text)]
    assert hints
    for hint in hints:
        assert not pattern.search(in_options(hint)), hint
