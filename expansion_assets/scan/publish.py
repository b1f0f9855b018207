"""Published pages: files that readers open while the warehouse is being written.

Belongs here: writing a day's pages and switching ``latest.json``. Does not belong here: rendering, and knowing which
day it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from expansion_assets.scan.rendering import Page


def publish(pages: Mapping[str, Page], folder: Path, day: date) -> dict[str, Path]:
    """Write the pages of a day and point ``latest.json`` at them.

    Each file is replaced whole, ``latest.json`` last: a reader sees the old day or the new one, never half a page.

    Args:
        pages: Pages by name (``scan, digest, index``).
        folder: Folder of the published pages.
        day: Day of the pages; they go to ``<folder>/<day>/<name>.{html,md,json}``.

    Returns:
        Written files by ``name.ending``.
    """
    written: dict[str, Path] = {}
    for name, page in pages.items():
        written |= write_page(name, page, folder / day.isoformat())
    latest = {"date": day.isoformat(), "pages": {name: f"{day.isoformat()}/{name}" for name in pages}}
    _replace(folder / "latest.json", json.dumps(latest, indent=2) + "\n")
    return written


def write_page(name: str, page: Page, folder: Path) -> dict[str, Path]:
    """Write one page in its three forms, each file replaced whole; returns the files by ``name.ending``."""
    written = {f"{name}.{ending}": folder / f"{name}.{ending}" for ending in page.forms()}
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    for path, text in zip(written.values(), page.forms().values(), strict=True):
        _replace(path, text)
    return written


def read_latest(folder: Path) -> date | None:
    """Return the day that ``latest.json`` points at, or None before the first publishing."""
    path = folder / "latest.json"
    return date.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["date"]) if path.exists() else None


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
