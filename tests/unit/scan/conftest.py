"""The example book's pages, built once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.scan.scan_example import add_cards, book_of_cards, pages


@pytest.fixture(scope="session")
def example() -> tuple[dict[str, Any], dict[str, Any]]:
    return pages(add_cards(book_of_cards()))


@pytest.fixture(scope="session")
def scan(example):
    return example[0]


@pytest.fixture(scope="session")
def digest(example):
    return example[1]
