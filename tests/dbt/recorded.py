"""What dbt executed, kept, so that a test can execute it again without dbt.

Belongs here: recording dbt's statements and running them. Does not belong here: calling dbt.

The statements of a run are the same every day, for the models read their window from ``control.run_window``; so one
recording builds any day of any warehouse. Starting, compiling and asking the catalogue cost dbt 6 CPU s for the 75
models of a day, the statements themselves 0.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import duckdb

_COMMENT = re.compile(r"\A\s*/\*.*?\*/\s*", re.DOTALL)
_CHANGES = re.compile(r"create|delete|insert", re.IGNORECASE)


@dataclass
class Recording:
    """Statements by which dbt changed a warehouse, in its order; pass ``keep`` to dbt as a callback."""

    statements: list[tuple[str, str]] = field(default_factory=list)
    """(model, statement)."""

    def keep(self, event: Any) -> None:
        """Take a statement out of dbt's event stream; its transactions and questions to the catalogue are no matter."""
        if event.info.name != "SQLQuery" or not event.data.conn_name.startswith("model."):
            return
        statement = _COMMENT.sub("", event.data.sql).strip()
        if _CHANGES.match(statement):
            statement = re.sub(r"\Acreate temporary table", "create or replace temporary table", statement)
            self.statements.append((event.data.conn_name.rpartition(".")[2], statement))

    def of(self, models: set[str]) -> Recording:
        """The statements of some models."""
        return Recording([(model, statement) for model, statement in self.statements if model in models])

    def run(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Execute them for the window that stands in ``control.run_window``; the database is named ``expansion``."""
        for _, statement in self.statements:
            connection.execute(statement)
