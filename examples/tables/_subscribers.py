"""The table of these examples: subscribers of a magazine, several rows each, and whether they cancelled.

It is made here, so that the examples need no file. It has what real tables have: categories, dates, missing cells, a
text, a column that names the subscriber, and cells that are written in more than one way.
"""

from typing import Any

import numpy as np

PLANS, CITIES = ("monthly", "yearly", "student"), ("Lyon", "Graz", "Turin", "Ghent", "Porto", "Bergen")
NOTES = ("asked about the price of the yearly plan", "moved to another city", "wrote to thank the editors")


def subscribers(n_people: int = 400, seed: int = 0) -> dict[str, Any]:
    """Columns by name; each of `n_people` subscribers has one to five rows, one for each year."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_people), rng.integers(1, 6, n_people))
    n = len(person)
    temper = rng.normal(size=n_people)[person]  # what no column says: rows of one person are alike
    plan, city = rng.integers(0, 3, n_people)[person], rng.integers(0, len(CITIES), n_people)[person]
    opened, price = rng.poisson(12 - 3 * (plan == 2), n).astype(float), np.array([9.0, 7.5, 5.0])[plan]
    year = np.arange(n) - np.searchsorted(person, person)
    noise = rng.logistic(size=n) * 0.5
    cancels = 0.25 * (10 - opened) + 0.8 * (plan == 0) - 0.3 * year + 0.7 * temper + noise > 0.4
    opened[rng.random(n) < 0.08] = np.nan
    day = np.datetime64("2019-01-01") + rng.integers(0, 365, n_people)[person] + 365 * year
    return {
        "subscriber": np.array([f"S{number:04d}" for number in person]),
        "renewal": day,
        "plan": np.array(PLANS)[plan],
        "city": np.where(rng.random(n) < 0.05, None, np.array(CITIES, dtype=object)[city]),
        "price": np.array([f"{value:.2f} €" for value in price]),
        "issues opened": opened,
        "note": np.where(rng.random(n) < 0.7, None, np.array(NOTES, dtype=object)[rng.integers(0, 3, n)]),
        "cancelled": np.where(cancels, "yes", "no"),
    }


def rows_of(table: dict[str, Any], chosen: Any) -> dict[str, Any]:
    """Some rows of a table."""
    return {name: column[chosen] for name, column in table.items()}


def in_two(table: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows to learn from, and those of a quarter of the subscribers."""
    names = np.unique(table["subscriber"])
    later = np.isin(table["subscriber"], names[len(names) * 3 // 4 :])
    return rows_of(table, ~later), rows_of(table, later)
