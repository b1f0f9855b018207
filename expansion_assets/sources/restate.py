"""Restatement of the raw layer: the same facts, as if each had been known the moment it was true.

Belongs here: what known time becomes of a version, and which versions a later one corrects. Does not belong here: the
days that are then computed from it (``defs/runs``), what is compared (``triggers/restatement``).

A version told later about the same time or an earlier one replaces what was told before it; what is left of a row
follows in the order of ``happened_at``. The live tables are read, never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.sql import literal
from expansion_assets.sources.versions import create_raw_tables
from expansion_assets.store.warehouse import transaction

_KEPT_AS_THEY_ARE = ("quarantine", "landing_status")


@dataclass(frozen=True)
class Restated:
    """What became of one table's versions and deletions."""

    table: str
    moved: int
    """Known later than true: now known when true."""
    replaced: int
    """Corrected by a later one, hence gone."""
    latest_days: float
    """Longest time between true and known, in days; 0 where nothing moved."""


def restate_raw(
    connection: duckdb.DuckDBPyConnection, live: str, contracts: Mapping[str, TableContract], time_zone: str
) -> list[Restated]:
    """Fill ``raw`` of this warehouse from a live one.

    Args:
        connection: Warehouse of the restatement; what its ``raw`` held is replaced.
        live: Name under which the live warehouse is attached.
        contracts: Contracts by table.
        time_zone: Where a day of the workspace starts: a fact with a date and no time is true from then on.

    Returns:
        One entry per table in which anything moved or was replaced, most moved first.
    """
    create_raw_tables(connection, dict(contracts))
    with transaction(connection):
        connection.execute("delete from raw.deletions")
        for table in _KEPT_AS_THEY_ARE:
            connection.execute(f"delete from raw.{table}")
            connection.execute(f"insert into raw.{table} by name select * from {live}.raw.{table}")
        found = [_restate_table(connection, live, contract, time_zone) for contract in contracts.values()]
    changed = (item for item in found if item.moved or item.replaced)
    return sorted(changed, key=lambda item: (-item.moved - item.replaced, item.table))


def _restate_table(
    connection: duckdb.DuckDBPyConnection, live: str, contract: TableContract, time_zone: str
) -> Restated:
    is_date = contract.columns[contract.happened_at].type == "date"
    local_midnight = f"timezone('UTC', timezone({literal(time_zone)}, happened_at))"
    own_deletions = f"select *, 0 as is_version from {live}.raw.deletions where source_table = {literal(contract.name)}"
    connection.execute(
        f"""
        create or replace temp table restated as
        with told as (
            select row_key, known_from, happened_at, 1 as is_version from {live}.raw.{contract.name}
            union all select row_key, known_from, happened_at, is_version from ({own_deletions})
        ),
        true_times as (
            select *, least(known_from, {local_midnight if is_date else 'happened_at'}) as true_from from told
        ),
        corrected as (
            select *, min(true_from) over (
                partition by row_key order by known_from rows between 1 following and unbounded following
            ) <= true_from as is_corrected
            from true_times
        )
        select row_key, known_from, is_version, true_from, coalesce(is_corrected, false) as is_corrected,
            case when not coalesce(is_corrected, false) then lead(true_from) over versions end as true_to,
            (sum(is_version) over (partition by row_key, coalesce(is_corrected, false) order by true_from))::integer
                as version_no
        from corrected
        window versions as (partition by row_key, coalesce(is_corrected, false) order by true_from)
        """
    )
    connection.execute(f"delete from raw.{contract.name}")
    connection.execute(
        f"""
        insert into raw.{contract.name} by name
        select live.* replace (
            restated.true_from as known_from, restated.true_to as known_to, restated.version_no as version_no
        )
        from {live}.raw.{contract.name} as live
        inner join restated using (row_key, known_from)
        where restated.is_version = 1 and not restated.is_corrected
        """
    )
    connection.execute(
        f"""
        insert into raw.deletions by name
        select live.* exclude (is_version) replace (restated.true_from as known_from)
        from ({own_deletions}) as live
        inner join restated using (row_key, known_from)
        where restated.is_version = 0 and not restated.is_corrected
        """
    )
    [(moved, replaced, latest)] = connection.execute(
        """
        select count(*) filter (where true_from < known_from and not is_corrected),
            count(*) filter (where is_corrected),
            coalesce(max(epoch(known_from - true_from)) filter (where not is_corrected), 0) / 86400
        from restated
        """
    ).fetchall()
    return Restated(contract.name, moved, replaced, latest)
