"""Match rates held against their thresholds.

Belongs here: which source reaches too few accounts, and the table that says so. Does not belong here: counting
(``features.match_rate_day``), thresholds (``catalogue/identity.yml``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from expansion_assets.catalogue.identity import MatchRateRule

_COLUMNS = ("source", "rows", "matched", "by id", "by domain", "by link", "by override", "accounts", "ARR", "too low")


@dataclass(frozen=True)
class SourceRate:
    """Match rates of one source on one day; a rate is None where its denominator is nothing."""

    source_table: str
    rows: int
    row_rate: float | None
    arr_rate: float | None
    counts: tuple[int, int, int, int]
    """Rows by id, domain, link and override."""
    accounts: tuple[int, int]
    """Customers with a record, and customers."""
    faults: tuple[str, ...]
    """Which thresholds it misses, in words."""


def judge_rates(rows: Iterable[Mapping[str, Any]], rule: MatchRateRule) -> list[SourceRate]:
    """Rates of a day, the lowest share of rows first.

    Args:
        rows: Rows of ``features.match_rate_day`` of one day.
        rule: Thresholds.
    """
    rates = [_judge(row, rule) for row in rows]
    return sorted(rates, key=lambda rate: (rate.row_rate if rate.row_rate is not None else 1.0, rate.source_table))


def render_rates(rates: Iterable[SourceRate]) -> str:
    """The rates as a Markdown table, for the metadata of an asset or a check."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    for rate in rates:
        cells = [
            rate.source_table, str(rate.rows), _percent(rate.row_rate), *map(str, rate.counts),
            f"{rate.accounts[0]} of {rate.accounts[1]}", _percent(rate.arr_rate), "; ".join(rate.faults),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _judge(row: Mapping[str, Any], rule: MatchRateRule) -> SourceRate:
    total, matched, arr, arr_total = (
        row[name] for name in ("rows_total", "rows_matched", "arr_matched", "arr_total")
    )
    row_rate = matched / total if total else None
    arr_rate = arr / arr_total if arr_total else None
    least_rows, least_arr = rule.thresholds(row["source_table"])
    faults = []
    if total >= rule.min_rows:
        if row_rate is not None and row_rate < least_rows:
            faults.append(f"rows {_percent(row_rate)} < {_percent(least_rows)}")
        if arr_rate is not None and arr_rate < least_arr:
            faults.append(f"ARR {_percent(arr_rate)} < {_percent(least_arr)}")
    return SourceRate(
        row["source_table"], total, row_rate, arr_rate,
        (row["rows_by_id"], row["rows_by_domain"], row["rows_by_link"], row["rows_by_override"]),
        (row["accounts_matched"], row["accounts_total"]), tuple(faults),
    )


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.1f} %"
