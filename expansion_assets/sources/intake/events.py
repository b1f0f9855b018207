"""Events: which tables take them, and a request's body as lines that the loader can read.

Belongs here: feeds (route -> contract), parsing, the landed form. Does not belong here: contract rules, files, HTTP.

The landed form is one JSON object: the members that the table's mapping knows, every other member under
``other_members``, names sorted. So the file has the columns of its contract whatever a sender adds: a thousand new
names, or two that differ in case only, would otherwise cost the whole file in the loader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as Names
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NoReturn

from expansion_assets.sources.intake import IntakeError
from expansion_assets.sources.mapping import ColumnMapping, TableMapping, previous_column

ROUTES = {"/v1/job-alerts": "people_job_alerts", "/v1/contact-role-changes": "crm_contact_role_changes"}
MAX_EVENTS = 1000
"""Events in one request."""
OTHER_MEMBERS = "other_members"
LISTENER = "intake"
"""Part of the file name: what the listener wrote is told apart from exports of the same table."""


class BadEvents(ValueError):  # noqa: N818 - reads as the answer it becomes
    """The body holds no events; the message says where, and holds nothing of the content."""


class TooManyEvents(BadEvents):
    """The body holds more events than a request may."""


@dataclass(frozen=True)
class Feed:
    """One kind of event and where it lands."""

    path: str
    """Route."""
    table: str
    """Contract."""
    files: str
    """Landing files under the landing folder, with one ``*``."""
    members: frozenset[str]
    """Names of an event that keep their place; all others go under ``other_members``."""
    loaded_at: str
    """Name of the arrival time in the landed line."""

    def file_of(self, day: str) -> str:
        """Landing file of a day (ISO date, or ``*`` for all days), relative to the landing folder."""
        return self.files.replace("*", f"{LISTENER}_{day}")


def feeds_of(tables: Names[str, TableMapping]) -> tuple[Feed, ...]:
    """The feeds that a data set's tables can take.

    Of several inputs of a table the first that can be appended to takes the events.

    Raises:
        IntakeError: none of the tables is there, or one has no input that can be appended to.
    """
    feeds = tuple(_feed(path, table, tables[table]) for path, table in ROUTES.items() if table in tables)
    if not feeds:
        raise IntakeError(f"the data set maps none of the tables that take events: {', '.join(ROUTES.values())}")
    return feeds


def _feed(path: str, table: str, mapping: TableMapping) -> Feed:
    hindrances = [_hindrance(part) for part in mapping.inputs]
    for part, hindrance in zip(mapping.inputs, hindrances, strict=True):
        if hindrance is None and part.loaded_at is not None and part.loaded_at.column is not None:
            members = part.sources() - _computed(part) - {part.loaded_at.column}
            return Feed(path, table, part.files, frozenset(members), part.loaded_at.column)
    raise IntakeError(f"{table}: no input can take events: {'; '.join(filter(None, hindrances))}")


def _hindrance(mapping: TableMapping) -> str | None:
    """Why events cannot be appended to the files of an input, or None."""
    name = PurePosixPath(mapping.files).name
    if mapping.format != "jsonl" or not name.endswith(("*", "jsonl", "json", "ndjson")):
        return f"{mapping.files} are not plain jsonl"
    if mapping.files.count("*") != 1 or "*" not in name or any(sign in mapping.files for sign in "?["):
        return f"{mapping.files} needs one * in the file's name, for the day"
    if mapping.loaded_at is None or mapping.loaded_at != ColumnMapping(column=mapping.loaded_at.column or "-"):
        return f"{mapping.files} needs loaded_at as a plain column, for the time of arrival"
    return None


def _computed(mapping: TableMapping) -> set[str]:
    """Columns that the loader puts beside those of the file; an event must not bring them."""
    changed = mapping.history.changed if mapping.history else ()
    return {part.helper for part in mapping.specs() if part.helper} | {previous_column(name) for name in changed}


def parse_events(body: bytes, feed: Feed, *, is_lines: bool) -> list[bytes]:
    """Read a body.

    Args:
        body: Raw bytes, UTF-8.
        feed: Says which members keep their place.
        is_lines: One object a line; else one object or an array of objects.

    Returns:
        One canonical JSON object per event, in order: equal content gives equal bytes.

    Raises:
        BadEvents: names the place of the first thing that is no JSON object.
        TooManyEvents: more than ``MAX_EVENTS``.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadEvents(f"not UTF-8 at byte {error.start}") from None
    events = _lines(text) if is_lines else _document(text)
    if not events:
        raise BadEvents("no event in the body")
    if len(events) > MAX_EVENTS:
        raise TooManyEvents(f"{len(events)} events; a request takes {MAX_EVENTS}")
    return [_landed(event, place, feed) for place, event in events]


def _document(text: str) -> list[tuple[str, Any]]:
    found = _load(text, "body")
    events = found if isinstance(found, list) else [found]
    return [(f"event {number}", event) for number, event in enumerate(events, start=1)]


def _lines(text: str) -> list[tuple[str, Any]]:
    # Not splitlines(): U+2028 and its kin are legal inside a JSON string.
    lines = [(f"line {number}", line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(lines) > MAX_EVENTS:
        raise TooManyEvents(f"{len(lines)} events; a request takes {MAX_EVENTS}")
    return [(place, _load(line, place)) for place, line in lines]


def _load(text: str, place: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise BadEvents(f"{place}: not JSON: {error.msg}, line {error.lineno} column {error.colno}") from None
    except (ValueError, RecursionError):  # NaN, an integer of more than 4,300 digits, a nesting of some 1,000 levels
        raise BadEvents(f"{place}: a number or a nesting that we do not take") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _landed(event: Any, place: str, feed: Feed) -> bytes:
    if not isinstance(event, dict):
        raise BadEvents(f"{place}: not a JSON object")
    landed = {name: value for name, value in event.items() if name in feed.members}
    if len(landed) < len(event):
        landed[OTHER_MEMBERS] = {name: value for name, value in event.items() if name not in feed.members}
    try:
        text = json.dumps(landed, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError:
        raise BadEvents(f"{place}: half of a surrogate pair is no text") from None
    except (ValueError, RecursionError):  # 1e999 reads as infinity
        raise BadEvents(f"{place}: a number or a nesting that we do not take") from None
