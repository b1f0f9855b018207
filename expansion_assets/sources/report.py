"""What one load is asked for and what it reports: the window of days and the counts.

Belongs here: these two values. Does not belong here: how a row is read, judged or written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class Window:
    """Days [start, end) in the workspace time zone with their UTC instants."""

    start: date
    end: date
    known_from: datetime
    known_before: datetime


@dataclass
class LandingReport:
    """What a load did; rows_in = rows_loaded + rows_quarantined, always."""

    source: str
    table: str
    status: str = "loaded"
    files: int = 0
    rows_loaded: int = 0
    """Good rows: versions, reported deletions, and rows of a snapshot that say nothing new."""
    rows_quarantined: int = 0
    rows_unchanged: int = 0
    """Rows of snapshots that equal the version before."""
    rows_gone: int = 0
    """Deletions: reported ones, and rows that a snapshot no longer has."""
    rules: dict[str, int] = field(default_factory=dict)
    unmapped_columns: set[str] = field(default_factory=set)
    """Columns of files that no contract column reads; their values are in ``extra_json``."""
    messages: list[str] = field(default_factory=list)

    @property
    def rows_in(self) -> int:
        """Rows of the window that stood in landing files."""
        return self.rows_loaded + self.rows_quarantined
