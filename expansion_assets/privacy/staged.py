"""The rule of ``persons`` on a table of the raw layer: rows just read (the loader), or stored ones (a purge).

Belongs here: finding the few rows that matter, changing or removing them. Does not belong here: the rule itself, tables
that dbt or other layers made (``store/forget.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from expansion_assets.privacy.persons import GONE, PersonColumns, forget_row, id_kinds, person_columns
from expansion_assets.privacy.suppression import Suppression
from expansion_assets.sources.contracts import TableContract, load_contracts
from expansion_assets.sources.sql import quoted

RULE = "suppressed_person"
"""Rule of a row that the loader sets aside; the quarantine keeps its file and number, and nothing of what it said."""
_BATCH = 50_000


@dataclass(frozen=True)
class Forgotten:
    """What the rule did to a table."""

    removed: int = 0
    changed: int = 0

    @property
    def messages(self) -> list[str]:
        """For the landing status: the files still hold what is not let in."""
        total = self.removed + self.changed
        rows = f"{total} row{'s' * (total != 1)} of forgotten people: {self.removed} set aside, {self.changed} cleaned"
        return [f"{rows}; `make forget` takes them out of the files"] if total else []


def suppress_staged(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, suppression: Suppression
) -> Forgotten:
    """Apply the list to the temporary table ``staged`` of the loader.

    A row whose grain is a forgotten person goes to the quarantine under :data:`RULE`, empty; another row stays without
    the person. Broken rows are treated alike; what they said is dropped where it tells of the person.
    """
    columns = person_columns(contract, id_kinds(load_contracts().values()))
    gone, changed = judge_table(connection, "staged", contract, columns, suppression)
    own = [name for name, column in contract.columns.items() if column.type == "string"]
    cleared = ", ".join(f"{quoted(name)} = null" for name in own)
    connection.register("gone_rows", pa.table({"row": pa.array(gone, pa.int64())}))
    connection.execute(
        f"""
        update staged set {cleared + ', ' if cleared else ''} rule = '{RULE}', raw_json = null, extra_json = null
        from gone_rows where staged.rowid = gone_rows.row
        """
    )
    connection.unregister("gone_rows")
    update_rows(connection, "staged", changed)
    mask_column(connection, "staged", "raw_json", suppression, to_null=True)
    mask_column(connection, "staged", "extra_json", suppression)
    return Forgotten(len(gone), len(changed))


def judge_table(
    connection: duckdb.DuckDBPyConnection, relation: str, contract: TableContract, columns: PersonColumns,
    suppression: Suppression,
) -> tuple[list[int], dict[int, dict[str, str | None]]]:
    """Judge the rows of a table that may be of somebody on the list.

    Args:
        connection: Open connection; nothing is written.
        relation: Table with the contract's columns.
        contract: Contract of the rows.
        columns: What its columns mean.
        suppression: Who is forgotten.

    Returns:
        Row ids that go, and the changes of those that stay.
    """
    names = [name for name, column in contract.columns.items() if column.type == "string"]
    suspects = {name: list(_suspects(connection, relation, name, columns, suppression)) for name in names}
    conditions = []
    for place, name in enumerate(name for name in names if suspects[name]):
        connection.register(f"suspects_{place}", pa.table({"given": pa.array(suspects[name], pa.string())}))
        conditions.append(f"{quoted(name)} in (select given from suspects_{place})")
    gone: list[int] = []
    changed: dict[int, dict[str, str | None]] = {}
    if conditions:
        listed = ", ".join(quoted(name) for name in names)
        found = connection.execute(f"select rowid, {listed} from {relation} where {' or '.join(conditions)}").fetchall()
        for row_id, *values in found:
            verdict = forget_row(dict(zip(names, values, strict=True)), columns, suppression)
            if verdict == GONE:
                gone.append(row_id)
            elif verdict:
                changed[row_id] = verdict
    for place in range(len(conditions)):
        connection.unregister(f"suspects_{place}")
    return gone, changed


def _suspects(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, columns: PersonColumns, suppression: Suppression
) -> Iterator[str]:
    """Distinct values of a column that hold an address, an id or a name on the list."""
    kind = dict(columns.ids).get(name)
    is_name, is_text = name in columns.names, name in columns.texts
    may_hold = "true" if kind or is_name or is_text else f"contains({quoted(name)}, '@')"
    for value in distinct_texts(connection, relation, name, may_hold):
        if (
            (kind and suppression.has_identifier(kind, value))
            or (is_name and suppression.has_name(value))
            or suppression.has_address(value)
            or (suppression.masked(value) if is_text else suppression.masked_addresses(value)) != value
        ):
            yield value


def distinct_texts(connection: duckdb.DuckDBPyConnection, relation: str, name: str, condition: str) -> Iterator[str]:
    """Distinct values of a text column, a batch in memory at a time."""
    cursor = connection.cursor() if relation != "staged" else connection
    column = quoted(name)
    cursor.execute(f"select distinct {column} from {relation} where {column} is not null and {condition}")
    while rows := cursor.fetchmany(_BATCH):
        yield from (str(value) for (value,) in rows)


def update_rows(
    connection: duckdb.DuckDBPyConnection, relation: str, changes: dict[int, dict[str, str | None]]
) -> None:
    """Write changes by row id."""
    for name in sorted({name for change in changes.values() for name in change}):
        rows = [(row_id, change[name]) for row_id, change in changes.items() if name in change]
        frame = pa.table({
            "row": pa.array([row_id for row_id, _ in rows], pa.int64()),
            "text": pa.array([text for _, text in rows], pa.string()),
        })
        connection.register("changed_rows", frame)
        connection.execute(
            f"update {relation} set {quoted(name)} = changed_rows.text from changed_rows"
            f" where {relation}.rowid = changed_rows.row"
        )
        connection.unregister("changed_rows")


def mask_column(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, suppression: Suppression, *, to_null: bool = False,
) -> int:
    """Mask a text column of any table; returns the number of distinct values that changed."""
    pairs = [
        (value, None if to_null else new)
        for value in distinct_texts(connection, relation, name, "true")
        if (new := suppression.masked(value)) != value
    ]
    replace_values(connection, relation, name, pairs)
    return len(pairs)


def replace_values(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, pairs: Iterable[tuple[str, Any]]
) -> None:
    """Replace whole values of a column."""
    pairs = list(pairs)
    if not pairs:
        return
    old, new = zip(*pairs, strict=True)
    connection.register("replaced", pa.table({"old": pa.array(old, pa.string()), "new": pa.array(new, pa.string())}))
    connection.execute(
        f"update {relation} set {quoted(name)} = replaced.new from replaced"
        f" where {relation}.{quoted(name)} = replaced.old"
    )
    connection.unregister("replaced")
