"""What the quarantine page says: rows set aside, why, and what to do about them; files that did not arrive.

Belongs here: the page's data, with every raw row masked. Does not belong here: rules (``sources``), SQL, markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from expansion_assets.expectations.masking import mask_patterns, mask_raw_row
from expansion_assets.sources.contracts import TableContract

Row = Mapping[str, Any]
# A run's instant is the end of its day, the first of the next.
_INSTANT = timedelta(microseconds=1)
# Folders of the machine that loaded: nobody's business on a page.
_FOLDERS = re.compile(r"(?:/[^/\s'\"]+)+/(?=[^/\s'\"])")
# These set a whole file aside.
_FILE_RULES = ("empty_file", "unreadable_file")
# Rule without its column -> what is wrong, and what to do about it.
RULES: dict[str, tuple[str, str]] = {
    "not_a_integer": ("is not a whole number",
                      "Mend the export, or give the mapping the number format that the file uses."),
    "not_a_number": ("is not a number", "Mend the export, or give the mapping the decimal sign that the file uses."),
    "not_finite": ("is no finite number", "Have the source leave the value empty where it has none."),
    "not_a_boolean": ("is not true or false", "Give the mapping the file's words for true and false."),
    "not_a_date": ("is not a date", "Give the mapping the date format that the file uses, or mend the export."),
    "not_a_timestamp": ("is not a date with time", "Give the mapping the time format and zone that the file uses."),
    "required": ("has no value, and must have one", "Have the source fill the column; nothing here can guess it."),
    "not_allowed": ("holds a value that the contract does not know",
                    "Map the value to an allowed one, or add it to the contract if it is a new, real state."),
    "below_minimum": ("is below the contract's minimum", "Ask the source whether sign or unit is wrong."),
    "above_maximum": ("is above the contract's maximum", "Ask the source whether the unit is wrong."),
    "future_load_time": ("the load time lies in the future", "Check the clock and the time zone of the export."),
    "future_date": ("a time lies in the future", "Check clock, time zone, date format: day and month may be swapped."),
    "snapshot_without_date": ("the name of a full export carries no date",
                              "Name the file with its day, such as accounts_2026-06-30.csv."),
    "missing_column": ("is missing from the file", "Name the column in the mapping, or have the export send it again."),
    "duplicate_key": ("a key is repeated", "Export each record once; a correction needs a later load time."),
    "malformed_row": ("a record cannot be read",
                      "Look at quotes, separators and line ends near this row, and export the file again."),
    "not_utf8": ("characters are not UTF-8", "Export the file in UTF-8."),
    "empty_file": ("the file is empty", "Export the file again; if there was nothing to send, send the header alone."),
    "unreadable_file": ("the file cannot be read", "Export the file again; its end or its header may be missing."),
    "suppressed_person": ("the row is of a person who asked to be forgotten",
                          "Nothing to mend: `make forget` takes the row out of its file."),
}
_UNKNOWN = ("a rule is broken", "See the contract of the table.")
_HEADINGS = {"failed": "Could not be read", "missing": "Did not arrive", "empty": "Brought no rows for this day"}


def build_quarantine(
    day: date,
    groups: Sequence[Row],
    examples: Sequence[Row],
    resolved: Sequence[Row],
    landing: Sequence[Row],
    contracts: Mapping[str, TableContract],
    landing_names: Mapping[str, Mapping[str, Collection[str]]],
) -> dict[str, Any]:
    """Build the page's data.

    Args:
        day: Day of the page.
        groups: Unresolved rows counted by source, table and rule, in that order.
        examples: The first raw rows of each group; they are masked here.
        resolved: Rows that left the quarantine since the day before, counted the same way.
        landing: Landing status of each table for the day.
        contracts: Contracts by table name, for what is personal.
        landing_names: Table -> contract column -> columns of the landing file that it is read from.

    Returns:
        ``as_of, totals, sources`` (each with its tables, each with its rules), ``resolved``, ``landing`` (tables whose
        files are missing, empty or could not be read) and ``notes`` (what else the loader said of files).
    """
    shown: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in examples:
        table = row["table"]
        masked = mask_raw_row(row["raw_json"], contracts.get(table), landing_names.get(table, {}))
        raw = json.loads(masked) if masked else None
        if row["rule"] in _FILE_RULES and isinstance(raw, str):
            raw = _FOLDERS.sub("", raw)
        # A file is set aside as a whole under row 0.
        place = {"file": mask_patterns(row["file"]), "row_number": row["row_number"] or None, "raw": raw}
        shown.setdefault((row["source"], table, row["rule"]), []).append(place)
    sources = [
        {"name": name, "tables": _tables(list(rows), shown), "rows": 0}
        for name, rows in groupby(groups, key=lambda row: row["source"])
    ]
    for source in sources:
        source["rows"] = sum(table["rows"] for table in source["tables"])
    return {
        "as_of": day,
        "totals": {
            "rows": sum(row["row_count"] for row in groups),
            "tables": len({(row["source"], row["table"]) for row in groups}),
            "rules": len({row["rule"] for row in groups}),
            "resolved": sum(row["row_count"] for row in resolved),
            "not_landed": sum(row["status"] in ("failed", "missing") for row in landing),
        },
        "sources": sources,
        "resolved": [
            {"table": row["table"], "what": _words(row["rule"])[0], "rows": row["row_count"]} for row in resolved
        ],
        "landing": _landing(landing, contracts),
        "notes": [
            {"table": row["source_table"], "message": _message(row, contracts)}
            for row in landing
            if row["status"] not in _HEADINGS and row["message"]
        ],
    }


def _tables(groups: list[Row], shown: Mapping[tuple[str, str, str], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    tables = []
    for name, rows in groupby(groups, key=lambda row: row["table"]):
        rules = [_rule(row, shown.get((row["source"], name, row["rule"]), [])) for row in rows]
        tables.append({"name": name, "rows": sum(rule["rows"] for rule in rules), "rules": rules})
    return tables


def _rule(row: Row, examples: list[dict[str, Any]]) -> dict[str, Any]:
    what, to_do = _words(row["rule"])
    return {
        "rule": row["rule"], "what": what, "to_do": to_do, "rows": row["row_count"], "files": row["file_count"],
        "is_file": row["rule"] in _FILE_RULES, "first_seen": (row["first_seen_at"] - _INSTANT).date(),
        "last_seen": (row["last_seen_at"] - _INSTANT).date(), "examples": examples,
    }


def _words(rule: str) -> tuple[str, str]:
    """What a rule found, in words with its column, and what to do about it."""
    name, _, column = rule.partition(":")
    what, to_do = RULES.get(name, _UNKNOWN)
    if name not in RULES:
        return f"{what}: {rule.replace('_', ' ')}", to_do
    return (f"{column} {what}" if column else what), to_do


def _message(row: Row, contracts: Mapping[str, TableContract]) -> str:
    """What the loader said of a table's files. A file without header shows its first record as unknown columns."""
    contract = contracts.get(row["source_table"])
    is_personal = contract is None or any(column.personal for column in contract.columns.values())
    message = row["message"] or ""
    if is_personal and "is missing" in message:
        message = re.sub(r"(not in the contract): [^;]*", r"\1 (names not shown)", message)
    return _FOLDERS.sub("", mask_patterns(message))


def _landing(rows: Sequence[Row], contracts: Mapping[str, TableContract]) -> list[dict[str, Any]]:
    return [
        {
            "status": status, "heading": heading,
            "tables": [
                {"name": row["source_table"], "message": _message(row, contracts)}
                for row in rows
                if row["status"] == status
            ],
        }
        for status, heading in _HEADINGS.items()
        if any(row["status"] == status for row in rows)
    ]
