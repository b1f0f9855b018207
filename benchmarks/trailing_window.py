"""Distinct users of the last 7, 28 and 90 days, by intervals as the models count them, beside the join over the window.

Run from the project folder: ``python benchmarks/trailing_window.py [user-days]`` (default 2 million). The interval SQL
is the project's own ``merged_intervals`` macro and its running sum; both ways must give the same rows.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
from jinja2 import Environment

MACRO = Path(__file__).parents[1] / "dbt_project" / "macros" / "merged_intervals.sql"
WINDOWS = (7, 28, 90)
DAYS, USERS_PER_ACCOUNT = 365, 60
WARM_UP = 1000


def interval_sql(window: int) -> str:
    """A user-day covers [day, day + window): merge each user's intervals, +1 and -1 at their ends, running sum."""
    macros = Environment().from_string(MACRO.read_text(encoding="utf-8")).make_module()
    merged = macros.merged_intervals("covered", ["account_id", "user_id"])  # type: ignore[attr-defined]
    return f"""
        with covered as (
            select account_id, user_id, used_on as from_on, used_on + {window} as until_on from uses
        ),
        merged as ({merged}),
        changes as (
            select account_id, as_of_date, sum(change) as change
            from (
                select account_id, from_on as as_of_date, 1 as change from merged
                union all select account_id, until_on, -1 from merged
                union all select account_id, as_of_date, 0 from spine
            ) as ends
            where as_of_date < date '2025-01-01' + {DAYS}
            group by account_id, as_of_date
        )
        select account_id, as_of_date, sum(change) over (partition by account_id order by as_of_date) as users
        from changes
    """


def join_sql(window: int) -> str:
    """Each day joined with all user-days of its window."""
    return f"""
        select spine.account_id, spine.as_of_date, count(distinct uses.user_id) as users
        from spine
        left join uses on uses.account_id = spine.account_id
            and uses.used_on <= spine.as_of_date and uses.used_on > spine.as_of_date - {window}
        group by spine.account_id, spine.as_of_date
    """


def seconds(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> float:
    """CPU seconds of writing a query's rows into a temporary table."""
    started = time.process_time()
    connection.execute(f"create or replace temp table {name} as {sql}")
    return time.process_time() - started


def fill(connection: duckdb.DuckDBPyConnection, user_days: int) -> None:
    """Write about so many user-days: half of the days of each user, in accounts of sixty users."""
    accounts = max(1, round(user_days / (USERS_PER_ACCOUNT * DAYS * 0.5)))
    connection.execute(
        f"""
        create or replace table uses as
        select account_id, user_id, date '2025-01-01' + day::integer as used_on
        from range({accounts}) as a (account_id), range({USERS_PER_ACCOUNT}) as u (user_id), range({DAYS}) as d (day)
        where hash(account_id, user_id, day) % 2 = 0
        """
    )
    connection.execute(
        f"""
        create or replace table spine as
        select account_id, date '2025-01-01' + day::integer as as_of_date
        from range({accounts}) as a (account_id), range({DAYS}) as d (day)
        """
    )


def main(user_days: int) -> None:
    """Print both ways for each window, and refuse to when they differ."""
    with duckdb.connect() as connection:
        fill(connection, WARM_UP)
        seconds(connection, "intervals", interval_sql(WINDOWS[0]))
        fill(connection, user_days)
        [(count,)] = connection.execute("select count(*) from uses").fetchall()
        print(f"{count:,} user-days")
        first = None
        for window in WINDOWS:
            by_intervals = seconds(connection, "intervals", interval_sql(window))
            by_join = seconds(connection, "joined", join_sql(window))
            [(differing,)] = connection.execute(
                "select count(*) from ((from intervals except all from joined)"
                " union all (from joined except all from intervals))"
            ).fetchall()
            if differing:
                raise SystemExit(f"{window} days: {differing} rows differ")
            first = first or by_intervals
            print(
                f"{window:3} days: intervals {by_intervals:.2f} CPU s ({by_intervals / first:.2f} of 7 days),"
                f" join {by_join:.2f} s, {by_join / by_intervals:.1f} times as long"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000)
