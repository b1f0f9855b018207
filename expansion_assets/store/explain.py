"""Explanations from the warehouse: the frozen rows, the event log and the blind reasons of one account and day.

Belongs here: what is read for one explanation. Does not belong here: verdicts (``triggers/explain``), words.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.store.firings import account_logs, read_inputs
from expansion_assets.store.warehouse import connect, fetch_rows
from expansion_assets.triggers.base import Window
from expansion_assets.triggers.explain import Explanation, explain
from expansion_assets.triggers.registry import DETECTORS


class UnknownAccountError(ValueError):
    """No such account on that day."""


@dataclass(frozen=True)
class AccountDay:
    """One account on one day."""

    account_id: str
    name: str | None
    day: date
    explanations: list[Explanation]
    blind: dict[str, str]
    """Trigger -> why it is blind for this account."""


def explain_account(warehouse: Path, account: str, day: date) -> AccountDay:
    """Explain every rule for an account.

    Args:
        warehouse: The DuckDB file; only read.
        account: Id, or the name in any case.
        day: A day that ran.

    Raises:
        UnknownAccountError: naming what was asked and, where there are any, accounts that are spelt alike.
    """
    with connect(warehouse, read_only=True) as connection:
        found = fetch_rows(
            connection,
            """
            select account_id, account_name from features.account_day
            where as_of_date = $1 and (account_id = $2 or lower(account_name) = lower($2))
            """,
            [day, account],
        )
        if len(found) != 1:
            raise UnknownAccountError(_unknown(connection, account, day, len(found)))
        account_id = found[0]["account_id"]
        blind = fetch_rows(
            connection,
            """
            select trigger, reason from readiness.coverage
            where as_of_date = $1 and account_id = $2 and not is_watchable
            """,
            [day, account_id],
        )
        explanations = book_explanations(connection, [account_id], day)[account_id]
    reasons = {row["trigger"]: row["reason"] or "a source is missing" for row in blind}
    return AccountDay(account_id, found[0]["account_name"], day, explanations, reasons)


def book_explanations(
    connection: duckdb.DuckDBPyConnection, accounts: Collection[str], day: date
) -> dict[str, list[Explanation]]:
    """Explain every rule for some accounts, from rows that are read once for all of them."""
    catalogue, window = load_catalogue(), Window(day, day + timedelta(days=1))
    inputs = read_inputs(connection, window, max(detector.lookback_days(catalogue) for detector in DETECTORS))
    return explain(inputs, accounts, day, account_logs(connection, window), catalogue)


def _unknown(connection: duckdb.DuckDBPyConnection, account: str, day: date, matches: int) -> str:
    if matches:
        return f"{matches} accounts are called {account!r}: give the id"
    alike = fetch_rows(
        connection,
        """
        select account_name from features.account_day
        where as_of_date = $1 and account_name is not null
        order by jaro_winkler_similarity(lower(account_name), lower($2)) desc, account_name limit 3
        """,
        [day, account],
    )
    names = ", ".join(row["account_name"] for row in alike)
    return f"no account {account!r} on {day}" + (f"; alike: {names}" if names else "; nothing has run for that day")
