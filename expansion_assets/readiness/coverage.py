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

from expansion_assets.catalogue.loader import Signals, Trigger

Row = dict[str, Any]

# What a trigger needs beyond its sources: a column that must not be null (its denominator), and the tables of which at
# least one must hold rows, because the source as a whole may be there without them.
_DENOMINATORS = {"USAGE_MILESTONE": ("contracted_seats", "billing", "no seat limit in the contract lines")}
_TABLES = {
    "ROLE_CHANGE": (
        ("crm_contacts", "crm_contact_role_changes", "people_job_alerts", "people_signature_changes"),
        "no contacts, role changes or job alerts",
    ),
    "CROSS_TEAM": (("identity_directory", "identity_logins"), "no directory and no sign-ins"),
}
# Tickets without their words cannot be told basic from advanced.
_FLAGS = {"ADVANCED_TICKETS": ("text", "ticket texts")}
_TEXT_SOURCES = ("support", "feedback", "meetings", "crm")
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
    # A source that nobody can be watched in is stale or absent; one that others can be watched in is unmatched here.
    watched_by_someone: set[tuple[date, str]] = set()
    needs = {need for trigger in signals.triggers.values() for need in trigger.needs} | {"text"}
    for day in days:
        watched_by_someone.update((day["as_of_date"], need) for need in needs if day.get(f"watchable_{need}"))

    faults: dict[tuple[date, str, bool], str] = {}

    def fault(source: str, as_of: date) -> str:
        key = (as_of, source, (as_of, source) in watched_by_someone)
        if key not in faults:
            faults[key] = _source_reason(source, as_of, key[2], landing)
        return faults[key]

    tables_present = {
        (as_of, trigger): landing.has_rows(tables, as_of)
        for as_of in {day["as_of_date"] for day in days} for trigger, (tables, _) in _TABLES.items()
    }
    rows = []
    for day in days:
        as_of = day["as_of_date"]
        for key, trigger in signals.triggers.items():
            missing = _missing(key, trigger, day, tables_present.get((as_of, key), True))
            reasons = [reason or fault(source, as_of) for source, reason in missing]
            rows.append({
                "account_id": day["account_id"], "trigger": key, "as_of_date": as_of,
                "is_watchable": not missing,
                "missing_sources": "|".join(dict.fromkeys(source for source, _ in missing)) or None,
                "reason": "; ".join(dict.fromkeys(reasons)) or None,
            })
    return rows


def _missing(key: str, trigger: Trigger, day: Mapping[str, Any], has_tables: bool) -> list[tuple[str, str | None]]:
    """Sources that a trigger lacks for an account day, each with its reason when the source itself is not at fault."""
    missing: list[tuple[str, str | None]] = [
        (need, None) for need in trigger.needs if not day.get(f"watchable_{need}")
    ]
    blind = {source for source, _ in missing}
    if key in _DENOMINATORS:
        column, source, reason = _DENOMINATORS[key]
        if source not in blind and not day.get(column):
            missing.append((source, reason))
    if not has_tables and not blind:
        missing.append((trigger.needs[0], _TABLES[key][1]))
    if key in _FLAGS and not blind:
        flag, words = _FLAGS[key]
        if not day.get(f"watchable_{flag}"):
            missing.append((flag, f"{words} are missing"))
    return missing


def _source_reason(source: str, as_of: date, is_watched_elsewhere: bool, landing: Landing) -> str:
    if source == "text":
        faults = {part: landing.source_fault(part, as_of) for part in _TEXT_SOURCES}
        return "text: no records matched to the account" if is_watched_elsewhere else (
            "text: " + ("no texts in support, feedback, meetings or notes" if any(faults.values()) else "not fresh")
        )
    if reason := landing.source_fault(source, as_of):
        return f"{source}: {reason}"
    if is_watched_elsewhere:
        return f"{source}: no records matched to the account"
    # Some of its tables are there, and yet nobody can be watched: the missing ones say why.
    if reason := landing.message(landing.tables_of(source), as_of):
        return f"{source}: {reason}"
    newest = landing.newest(source, as_of)
    return f"{source}: not fresh" + (f" (newest record {newest:%-d %b %Y})" if newest and newest <= as_of else "")


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
