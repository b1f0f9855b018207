"""An empty book for the tests of readiness."""

from __future__ import annotations

import pytest

from tests.unit.readiness.readiness_rows import World


@pytest.fixture
def world() -> World:
    return World()
