"""What tests of the playground share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def client() -> Iterator[Any]:
    """A client of a new application without a table."""
    from tests.playground_page.server_tools import Client

    with Client() as client:
        yield client
