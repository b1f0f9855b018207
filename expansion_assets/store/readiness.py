"""What the readiness diagnostic reads from the warehouse and writes to it.

Belongs here: what had arrived of each raw table by the end of each day, accounts of a day in groups of equal flags with
their ARR in one currency, and the one function that writes the diagnostic's tables. Does not belong here: what the rows
mean (``readiness``).

Each day's work is that day's rows: what earlier days counted is carried on from ``readiness.source_history``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from expansion_assets import clock
from expansion_assets.catalogue.loader import Signals, load_catalogue
from expansion_assets.readiness.diagnostic import ALL_SOURCES, build_diagnostic
from expansion_assets.readiness.fixes import DataSet
from expansion_assets.readiness.needs import all_watches
from expansion_assets.scan.readiness import build_readiness
from expansion_assets.sources.contracts import TableContract
from expansion_assets.store.cards import landing_status, table_rows
from expansion_assets.store.warehouse import connect, fetch_rows, replace_window
from expansion_assets.tables import DIAGNOSTIC, FIXES, SOURCE_HISTORY
from expansion_assets.workspace import Workspace

Row = dict[str, Any]
REPORTING_CURRENCY = "EUR"
"""The currency that ``raw.billing_exchange_rates`` leads to."""
RATE_MAX_AGE_DAYS = 400
"""An exchange rate older than this counts as unknown. A prior; it also keeps the cost of a day flat."""


def source_history(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, TableContract], start: date, end: date, zone: str
) -> list[Row]:
    """Count what had arrived of each raw table by the end of each day of [start, end).

    Args:
        connection: Warehouse connection; the raw tables exist.
        contracts: Contracts by table.
        start: First day; it takes in all that was known before, when no earlier day was counted.
        end: Day after the last.
        zone: Workspace time zone.

    Returns:
        Rows of ``readiness.source_history``.
    """
    days = clock.days_between(start, end)
    _register_days(connection, days, zone)
    before = {
        row["source_table"]: row for row in fetch_rows(
            connection,
            f"select * from {SOURCE_HISTORY.full_name} where as_of_date = $1", [start - timedelta(days=1)],
        )
    }
    rows: list[Row] = []
    for table in contracts:
        counted = before.get(table)
        known_from = clock.as_of_end(start - timedelta(days=1), zone) if counted else None
        arrived = {row["as_of_date"]: row for row in _arrivals(connection, table, known_from)}
        state: Row = counted or {"source_table": table, "rows_total": 0, "rows_assumed": 0}
        for day in days:
            state = {**_add(state, arrived.get(day), zone), "as_of_date": day}
            rows.append(state)
    connection.unregister("diagnostic_days")
    return rows


def _arrivals(connection: duckdb.DuckDBPyConnection, table: str, known_from: datetime | None) -> list[Row]:
    columns = list(dict.fromkeys(w.column for w in all_watches() if table in w.tables and w.column))
    filled = "".join(f', count("{column}") as "filled_{column}"' for column in columns)
    since = "where raw.known_from >= $1" if known_from else ""
    return fetch_rows(
        connection,
        f"""
        select days.as_of_date, count(*) as rows_total,
            count(*) filter (where raw.is_known_at_assumed) as rows_assumed,
            min(raw.known_from) filter (where not raw.is_known_at_assumed) as first_loaded_at,
            min(raw.known_from) filter (where raw.is_known_at_assumed) as first_assumed_at,
            max(raw.known_from) as newest_known_at {filled}
        from raw.{table} as raw asof join diagnostic_days as days on raw.known_from < days.known_before
        {since}
        group by days.as_of_date
        """,
        [known_from] if known_from else [],
    )


def _add(state: Row, arrived: Row | None, zone: str) -> Row:
    if arrived is None:
        return state
    filled = {name.removeprefix("filled_") for name, count in arrived.items() if name.startswith("filled_") and count}
    filled |= set((state.get("filled_columns") or "").split("|")) - {""}
    return {
        "source_table": state["source_table"],
        "rows_total": state["rows_total"] + arrived["rows_total"],
        "rows_assumed": state["rows_assumed"] + arrived["rows_assumed"],
        "first_loaded_on": state.get("first_loaded_on") or _day(arrived["first_loaded_at"], zone),
        "first_assumed_on": state.get("first_assumed_on") or _day(arrived["first_assumed_at"], zone),
        "newest_known_on": _day(arrived["newest_known_at"], zone),
        "filled_columns": "|".join(sorted(filled)) or None,
    }


def _day(instant: datetime | None, zone: str) -> date | None:
    return clock.day_of(instant, zone) if instant is not None else None


def account_groups(
    connection: duckdb.DuckDBPyConnection, history: Iterable[Mapping[str, Any]], data_set: DataSet, start: date,
    end: date, zone: str,
) -> list[Row]:
    """Group the accounts of each day of [start, end) by what can be watched, with their ARR in one currency.

    ARR is that of the CRM; where it states none, the sum of the account's open contract lines. Everything as known by
    the end of the day, exchange rates included. The currency is the only one of the day, else ``REPORTING_CURRENCY``.

    Args:
        connection: Warehouse connection; ``features.account_day`` holds the days.
        history: Rows of ``readiness.source_history`` of the days: a stale source is judged by its last fresh day.
        data_set: Contracts.
        start: First day.
        end: Day after the last.
        zone: Workspace time zone.

    Returns:
        Rows as :func:`~expansion_assets.readiness.diagnostic.build_diagnostic` takes them, in a fixed order.
    """
    flags = list(dict.fromkeys(flag for watch in all_watches() for flag in watch.flags))
    stale = _stale(history, data_set)
    _register_days(connection, clock.days_between(start, end), zone)
    connection.register("diagnostic_stale", pa.table(
        {name: pa.array([row[place] for row in stale], type=kind)
         for place, (name, kind) in enumerate(
             [("as_of_date", pa.date32()), ("flag", pa.string()), ("newest_on", pa.date32())])}
    ))
    judged = sorted({flag for _, flag, _ in stale})
    was = "".join(f", was_{flag}.{flag} as was_{flag}" for flag in judged)
    last_fresh = "".join(
        f"""
        left join diagnostic_stale as stale_{flag}
            on stale_{flag}.as_of_date = accounts.as_of_date and stale_{flag}.flag = '{flag}'
        left join features.account_day as was_{flag}
            on was_{flag}.as_of_date = stale_{flag}.newest_on and was_{flag}.account_id = accounts.account_id
        """
        for flag in judged
    )
    # contracted_seats is the one flag that is a number.
    own = ", ".join(f"coalesce(cast(accounts.{flag} as double), 0) > 0 as {flag}" for flag in flags)
    rows = fetch_rows(
        connection,
        f"""
        with accounts as (
            select * from features.account_day where as_of_date >= $1 and as_of_date < $2
        ),
        lines as (
            select accounts.account_id, accounts.as_of_date, lines.currency, sum(lines.arr) as arr
            from accounts inner join diagnostic_days as days using (as_of_date)
            inner join raw.billing_subscription_lines as lines
                on lines.account_id = accounts.account_id and lines.arr is not null
                and lines.known_from < days.known_before
                and (lines.known_to is null or lines.known_to >= days.known_before)
                and lines.starts_on <= days.as_of_date
                and (lines.ends_on is null or lines.ends_on > days.as_of_date)
            where accounts.arr is null
            group by all
        ),
        stated as (
            select account_id, as_of_date, currency, arr from accounts where arr is not null
            union all select account_id, as_of_date, currency, arr from lines
        ),
        currencies as (
            select as_of_date, case when count(distinct currency) = 1 then any_value(currency)
                else '{REPORTING_CURRENCY}' end as reporting
            from stated group by as_of_date
        ),
        rates as (
            select days.as_of_date, rates.currency, arg_max(rates.rate_to_eur, rates.rate_on) as rate
            from diagnostic_days as days inner join raw.billing_exchange_rates as rates
                on rates.known_from < days.known_before
                and (rates.known_to is null or rates.known_to >= days.known_before)
                and rates.rate_on <= days.as_of_date
                and rates.rate_on > days.as_of_date - {RATE_MAX_AGE_DAYS}
            group by all
        ),
        converted as (
            select stated.account_id, stated.as_of_date,
                -- One amount that cannot be converted makes the account's sum unknown.
                case when count(*) = count(
                    case when stated.currency = currencies.reporting then 1 else rates.rate end
                ) then sum(cast(round(
                    stated.arr * case when stated.currency = currencies.reporting then 1 else rates.rate end, 2
                ) as decimal(18, 2))) end as arr
            from stated inner join currencies using (as_of_date)
            left join rates on rates.as_of_date = stated.as_of_date and rates.currency = stated.currency
            group by all
        ),
        flagged as (
            select accounts.account_id, accounts.as_of_date, {own} {was} from accounts {last_fresh}
        )
        select flagged.* exclude (account_id),
            coalesce(any_value(currencies.reporting), '{REPORTING_CURRENCY}') as currency,
            count(*) as accounts, coalesce(sum(converted.arr), 0) as arr,
            count(*) - count(converted.arr) as accounts_arr_unknown
        from flagged left join converted using (account_id, as_of_date)
        left join currencies using (as_of_date)
        group by all order by all
        """,
        [start, end],
    )
    for name in ("diagnostic_days", "diagnostic_stale"):
        connection.unregister(name)
    return rows


def _stale(history: Iterable[Mapping[str, Any]], data_set: DataSet) -> list[tuple[date, str, date]]:
    """Day, flag and newest record of sources that are too old on the day."""
    by_table = {watch.tables[0]: watch.flags[0] for watch in reversed(all_watches())}
    found = []
    for row in history:
        allowed = data_set.freshness_days(row["source_table"]) if row["source_table"] in by_table else None
        newest = row.get("newest_known_on")
        if allowed is not None and newest is not None and (row["as_of_date"] - newest).days >= allowed:
            found.append((row["as_of_date"], by_table[row["source_table"]], newest))
    return found


def match_rates(connection: duckdb.DuckDBPyConnection, start: date, end: date) -> list[Row]:
    """How much of each raw table reaches an account, of the days [start, end)."""
    query = "select * from features.match_rate_day where as_of_date >= $1 and as_of_date < $2"
    return fetch_rows(connection, f"{query} order by as_of_date, source_table", [start, end])


def write_diagnostic(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, signals: Signals, start: date, end: date
) -> dict[str, int]:
    """Write ``readiness.source_history``, ``diagnostic`` and ``fixes`` for the days [start, end).

    Args:
        connection: Warehouse connection; raw tables and ``features.account_day`` hold the days.
        workspace: Contracts, mapping and time zone.
        signals: Signal library.
        start: First day.
        end: Day after the last.

    Returns:
        Rows written, by table.
    """
    zone, data_set = workspace.settings.time_zone, DataSet(workspace.contracts, workspace.mapping)
    history = source_history(connection, workspace.contracts, start, end, zone)
    rows, fixes = build_diagnostic(
        account_groups(connection, history, data_set, start, end, zone), history, landing_status(connection),
        match_rates(connection, start, end), signals, data_set, clock.days_between(start, end),
    )
    tables = ((SOURCE_HISTORY, history), (DIAGNOSTIC, rows), (FIXES, fixes))
    return {table.full_name: replace_window(connection, table, found, start, end) for table, found in tables}


def readiness_data(connection: duckdb.DuckDBPyConnection, day: date) -> Row:
    """Data of the readiness page of a day."""
    found = [table_rows(connection, table, day, day + timedelta(days=1)) for table in (DIAGNOSTIC, FIXES)]
    # Triggers and sources in the library's order, which no sorted key has.
    order = {key: place for place, key in enumerate(load_catalogue().signals.triggers)}
    named = dict.fromkeys([ALL_SOURCES, *(watch.source for watch in all_watches())])
    sources = {source: place for place, source in enumerate(named)}
    rows = sorted(found[0], key=lambda row: (order.get(row["trigger"], 99), sources.get(row["source"], 99)))
    return build_readiness(day, rows, found[1])


def last_readiness(path: Path) -> Row | None:
    """Data of the readiness page of the newest day that ran, or None when no day was diagnosed."""
    if not path.exists():
        return None
    with connect(path, read_only=True) as connection:
        if not _exists(connection, DIAGNOSTIC.schema, DIAGNOSTIC.name):
            return None
        [row] = fetch_rows(connection, f"select max(as_of_date) as day from {DIAGNOSTIC.full_name}")
        return readiness_data(connection, row["day"]) if row["day"] else None


def _exists(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    query = "select 1 from information_schema.tables where table_schema = $1 and table_name = $2"
    return bool(fetch_rows(connection, query, [schema, name]))


def _register_days(connection: duckdb.DuckDBPyConnection, days: Sequence[date], zone: str) -> None:
    connection.register("diagnostic_days", pa.table({
        "as_of_date": pa.array(days, type=pa.date32()),
        "known_before": pa.array([clock.as_of_end(day, zone) for day in days], type=pa.timestamp("us")),
    }))
