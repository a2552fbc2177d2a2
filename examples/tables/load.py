"""1. Load
=======

What each column is taken for, before anything is trained.
"""

import tempfile
from pathlib import Path

from _subscribers import subscribers

from rosenblatt.tables.readers.reading import read_table
from rosenblatt.tables.task import TabularTask


def main() -> None:
    """Write the table as CSV, read it, and print the kind of each column with what should be checked."""
    table = subscribers()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "subscribers.csv"
        rows = zip(*table.values(), strict=True)
        lines = [",".join("" if cell is None or cell != cell else str(cell) for cell in row) for row in rows]
        path.write_text("\n".join([",".join(table), *lines]), encoding="utf-8")
        print(f"{read_table(path).n_rows} rows")
        task = TabularTask.of(path, "cancelled", groups="subscriber")  # columns that are no inputs have roles
    for kind in task.kinds:
        print(f"{kind.name:14} {kind.kind:12} {kind.n_missing:>4} missing  {kind.detail} {kind.check}".rstrip())


if __name__ == "__main__":
    main()
