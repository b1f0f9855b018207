"""Coverage: which triggers can be watched for which account, and why not.

Belongs here: watchable or blind per account, trigger and day, with the reason in words, and the totals per trigger.
Does not belong here: how a source is loaded (``sources``) or fired upon (``triggers``).

Blind is never shown as clear: silence of a blind trigger says nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from expansion_assets.catalogue.loader import Signals
from expansion_assets.readiness.needs import NEEDS, Need, needs_of, unmet

Row = dict[str, Any]

_NONE_OF = {
    "crm": "no contacts, role changes or job alerts",
    "text": "text: no texts in support, feedback, meetings or notes",
}
_NOT_LOADED = {
    "missing": "no file was delivered", "empty": "the file is empty", "failed": "the file could not be loaded",
}


class Landing:
    """What landed of each source, as reported by the raw layer."""

    def __init__(self, status_rows: Iterable[Mapping[str, Any]]) -> None:
        """Index rows of ``raw.landing_status``, one per table and loaded window."""
        self._tables: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._sources: dict[str, set[str]] = defaultdict(set)
        for row in status_rows:
            self._tables[row["source_table"]].append(row)
            self._sources[row["source"]].add(row["source_table"])
        for rows in self._tables.values():
            rows.sort(key=lambda row: row["window_start"])

    def status(self, table: str, as_of: date) -> str | None:
        """Return ``loaded`` once any load up to a day brought rows, else what the latest load met.

        None when the raw layer reports nothing on the table.
        """
        rows = [row for row in self._tables.get(table, []) if row["window_start"] <= as_of]
        if any(row["rows_loaded"] for row in rows):
            return "loaded"
        return (rows[-1]["status"] if rows[-1]["status"] != "loaded" else "failed") if rows else None

    def has_rows(self, tables: Iterable[str], as_of: date) -> bool:
        """Tell whether any of the tables holds rows; tables nobody reports on get the benefit of the doubt."""
        found = [status for table in tables if (status := self.status(table, as_of)) is not None]
        return not found or "loaded" in found

    def source_fault(self, source: str, as_of: date) -> str | None:
        """Return why a source has nothing on a day, or None when at least one of its tables is loaded."""
        tables = sorted(self._sources.get(source, ()))
        statuses = [s for table in tables if (s := self.status(table, as_of)) is not None]
        if not statuses:
            return "no file was delivered" if self._tables else None
        if "loaded" in statuses:
            return None
        worst = Counter(statuses).most_common(1)[0][0]
        return self.message(tables, as_of) or _NOT_LOADED.get(worst, worst)

    def message(self, tables: Iterable[str], as_of: date) -> str | None:
        """Return what the raw layer says of the tables that are missing; a mapping names its reasons there."""
        messages: list[str] = []
        for table in tables:
            if self.status(table, as_of) == "missing":
                rows = [row for row in self._tables[table] if row["window_start"] <= as_of and row.get("message")]
                messages += [row["message"] for row in rows[-1:]]
        return ", ".join(dict.fromkeys(messages)) or None

    def tables_of(self, source: str) -> list[str]:
        """Return the tables of a source that the raw layer reports on."""
        return sorted(self._sources.get(source, ()))

    def newest(self, source: str, as_of: date) -> date | None:
        """Return the day of the newest record of a source."""
        values = [
            row["newest_known_from"] for table in self._sources.get(source, ()) for row in self._tables[table]
            if row["window_start"] <= as_of and row["newest_known_from"] is not None
        ]
        return max(values).date() if values else None


def build_coverage(
    account_day: Iterable[Mapping[str, Any]],
    landing_status: Iterable[Mapping[str, Any]],
    signals: Signals,
    window: tuple[date, date],
) -> list[Row]:
    """Say for every account, trigger and day of a window whether the trigger is watchable.

    Args:
        account_day: Rows of ``features.account_day`` of the window.
        landing_status: Rows of ``raw.landing_status``.
        signals: Signal library.
        window: Half-open range of days.

    Returns:
        Rows of ``readiness.coverage``.
    """
    landing = Landing(landing_status)
    days = [day for day in account_day if window[0] <= day["as_of_date"] < window[1]]
    needs = {key: needs_of(key, trigger) for key, trigger in signals.triggers.items()}
    # A source that nobody can be watched in is stale or absent; one that others can be watched in is unmatched here.
    watched_by_someone = {
        (day["as_of_date"], need.key) for day in days for need in NEEDS.values() if need.is_met(day)
    }
    reasons: dict[tuple[date, Need], str] = {}

    def reason(need: Need, as_of: date) -> str:
        if (as_of, need) not in reasons:
            is_watched = (as_of, need.key) in watched_by_someone
            reasons[as_of, need] = need.reason or _need_reason(need, as_of, is_watched, landing)
        return reasons[as_of, need]

    rows = []
    for day in days:
        as_of = day["as_of_date"]
        for key in signals.triggers:
            missing = unmet(needs[key], day)
            rows.append({
                "account_id": day["account_id"], "trigger": key, "as_of_date": as_of,
                "is_watchable": not missing,
                "missing_sources": "|".join(dict.fromkeys(need.key for need in missing)) or None,
                "reason": "; ".join(dict.fromkeys(reason(need, as_of) for need in missing)) or None,
            })
    return rows


def _need_reason(need: Need, as_of: date, is_watched_elsewhere: bool, landing: Landing) -> str:
    source = need.key
    if is_watched_elsewhere:
        return f"{source}: no records matched to the account"
    if len(need.watches) > 1:
        return _reason_of_several(need, as_of, landing)
    if reason := landing.source_fault(source, as_of):
        return f"{source}: {reason}"
    # Some of its tables are there, and yet nobody can be watched: the missing ones say why.
    if reason := landing.message(landing.tables_of(source), as_of):
        return f"{source}: {reason}"
    newest = landing.newest(source, as_of)
    return f"{source}: not fresh" + (f" (newest record {newest:%-d %b %Y})" if newest and newest <= as_of else "")


def _reason_of_several(need: Need, as_of: date, landing: Landing) -> str:
    """Reason of a need that several sources could meet, when none of them does for anybody."""
    reason = _NONE_OF.get(need.key, f"{need.key}: no records")
    if landing.has_rows(need.tables, as_of):
        return f"{reason} matched to an account"
    message = landing.message(need.tables, as_of)
    return f"{reason} ({message})" if message else reason


def coverage_by_trigger(coverage: Iterable[Mapping[str, Any]], as_of: date) -> list[Row]:
    """Total the coverage of a day per trigger.

    Args:
        coverage: Rows of ``readiness.coverage``.
        as_of: Day.

    Returns:
        Rows ``trigger, watchable_accounts, blind_accounts, reason`` (the most frequent reason of the blind ones) in
        the order of the input.
    """
    totals: dict[str, Row] = {}
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for row in coverage:
        if row["as_of_date"] != as_of:
            continue
        total = totals.setdefault(
            row["trigger"], {"trigger": row["trigger"], "watchable_accounts": 0, "blind_accounts": 0, "reason": None}
        )
        total["watchable_accounts" if row["is_watchable"] else "blind_accounts"] += 1
        if not row["is_watchable"]:
            reasons[row["trigger"]][row["reason"] or "not known"] += 1
    for trigger, counts in reasons.items():
        totals[trigger]["reason"] = min(counts, key=lambda reason: (-counts[reason], reason))
    return list(totals.values())
