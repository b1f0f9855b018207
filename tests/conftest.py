"""What tests share that run on several workers."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares an expensive fixture: a whole world by file, everything else by folder."""
    for item in items:
        path = Path(item.path)
        group = path if path.parent.name == "e2e" else path.parent
        item.add_marker(pytest.mark.xdist_group(str(group)))
