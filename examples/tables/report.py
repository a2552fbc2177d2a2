"""9. Report
=========

One page for those who were not there, and the same as data; two models side by side.
"""

import tempfile
from pathlib import Path

from _subscribers import in_two, subscribers

import rosenblatt
from rosenblatt.report import compare


def main() -> dict[str, float]:
    """Save what a colleague gets by mail, and ask whether the notes are worth their column."""
    training, later = in_two(subscribers())
    model = rosenblatt.learn(training, "cancelled", groups="subscriber", preset="fast")
    report = model.report(later, training=training)
    for check in report.checks:
        print(f"{check.severity}: {check.message} {check.remedy}")
    plain = rosenblatt.learn(training, "cancelled", groups="subscriber", preset="fast", ignore=["note"])
    comparison = compare(model, plain, later, names=("with notes", "without"))
    print(comparison.verdict)
    with tempfile.TemporaryDirectory() as folder:
        for name, saved in (("report.html", report), ("report.json", report), ("comparison.html", comparison)):
            saved.save(path := Path(folder) / name)
            print(f"{name}: {path.stat().st_size / 1000:,.0f} kB")
    score = report.to_dict()["scores"][0]
    return {"score": score["model"], "rows": float(score["rows"]), "checks": float(len(report.checks))}


if __name__ == "__main__":
    main()
