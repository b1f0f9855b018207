"""ADVANCED_TICKETS and ADJACENT_USE: what customers write and say.

Belongs here: which tags count, units of tickets, outages, mentions of a neighbouring problem.
Does not belong here: making tags (the tagger).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from .book import Book, Row, Version, domain_of, lower
from .machine import Event, Reading, Subject, level_events
from .rules import Rules, at_least

# Table and column of the speaker's e-mail. Notes are written by the vendor's side, so nothing in them counts.
TEXTS = {
    "support_tickets": "requester_email",
    "feedback_nps": "email",
    "feedback_references": None,
    "meetings_turns": None,
}


class Tags:
    """Proven, affirmed tags by the raw row of their text.

    Args:
        tags: Rows of text.tags with the source_table and row_key of their text.
    """

    def __init__(self, tags: Iterable[Row]) -> None:
        """Keep what counts."""
        self._by_text: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for tag in tags:
            if tag["is_quote_found"] and tag["polarity"] == "affirmed":
                self._by_text[tag["source_table"].removeprefix("raw."), tag["row_key"]].append(tag)

    def of(self, table: str, row: Row, label: str) -> list[Row]:
        """Tags with a label on the text of a raw row."""
        return [tag for tag in self._by_text.get((table, row["row_key"]), ()) if tag["label"] == label]


@dataclass
class Unit:
    """Tickets of one requester on one topic on one day: one question, however often it was sent."""

    requester: str | None
    topic: str | None
    happened_on: int
    known_on: int
    advanced_known_on: set[int] = field(default_factory=set)


@dataclass
class Counts:
    """Units of an account in the window and in its baseline on one day."""

    window: int = 0
    advanced: int = 0
    baseline: int = 0
    baseline_advanced: int = 0
    requesters: set[str | None] = field(default_factory=set)
    advanced_requesters: set[str | None] = field(default_factory=set)
    advanced_topics: set[str | None] = field(default_factory=set)


def advanced_tickets(book: Book, rules: Rules, tags: Tags, days: Sequence[int]) -> Iterator[Event]:
    """Events of every account."""
    units = _units(book, tags)
    readings: dict[str, list[Reading]] = defaultdict(list)
    default = rules.of("ADVANCED_TICKETS", "advanced_shift")
    for day in days:
        accounts = book.accounts_known(day)
        many = max(default["outage_min_accounts"], default["outage_min_share"] * len(accounts))
        outages = _outages(units, day, many)
        counts = {account: _counts(found, day, outages, default) for account, found in units.items()}
        n_book = sum(count.baseline for count in counts.values())
        book_share = sum(count.baseline_advanced for count in counts.values()) / n_book if n_book else 0.0
        for account_id, account in accounts.items():
            if book.watchable("support", account_id, day):
                rule = rules.of("ADVANCED_TICKETS", "advanced_shift", account["segment"])
                is_true = _is_shift(counts.get(account_id, Counts()), book_share, rule)
                readings[account_id].append(Reading(day, is_true, not is_true, rule["rearm_days"]))
    for account_id, found in readings.items():
        yield from level_events(Subject(account_id, "ADVANCED_TICKETS", "advanced_shift", "tickets"), found)


def _units(book: Book, tags: Tags) -> dict[str, list[Unit]]:
    units: dict[str, dict[tuple[str | None, str | None, int], Unit]] = defaultdict(dict)
    for version in book.table("support_tickets"):
        row = version.row
        if row["version_no"] != 1:
            continue
        requester, happened_on = lower(row["requester_email"]), book.day_of(row["happened_at"])
        for account_id in {owner for owner, _, _ in book.owners(version, domain_of(requester))}:
            unit = units[account_id].setdefault(
                (requester, row["topic"], happened_on),
                Unit(requester, row["topic"], happened_on, version.since),
            )
            unit.known_on = min(unit.known_on, version.since)
            if tags.of("support_tickets", row, "advanced_intent"):
                unit.advanced_known_on.add(version.since)
    return {account_id: list(found.values()) for account_id, found in units.items()}


def _outages(units: dict[str, list[Unit]], day: int, min_accounts: float) -> set[tuple[str | None, int]]:
    """Topics and days on which many accounts wrote at once."""
    accounts: dict[tuple[str | None, int], set[str]] = defaultdict(set)
    for account_id, found in units.items():
        for unit in found:
            if unit.known_on <= day and unit.topic is not None:
                accounts[unit.topic, unit.happened_on].add(account_id)
    return {key for key, found in accounts.items() if len(found) >= min_accounts}


def _counts(
    units: list[Unit], day: int, outages: set[tuple[str | None, int]], rule: dict[str, float]
) -> Counts:
    counts = Counts()
    for unit in units:
        if unit.known_on > day or (unit.topic, unit.happened_on) in outages:
            continue
        age = day - unit.happened_on
        is_advanced = any(known_on <= day for known_on in unit.advanced_known_on)
        if 0 <= age < rule["window_days"]:
            counts.window += 1
            counts.requesters.add(unit.requester)
            if is_advanced:
                counts.advanced += 1
                counts.advanced_requesters.add(unit.requester)
                counts.advanced_topics.add(unit.topic)
        elif rule["baseline_to_days"] <= age <= rule["baseline_from_days"]:
            counts.baseline += 1
            counts.requesters.add(unit.requester)
            counts.baseline_advanced += is_advanced
    return counts


def _is_shift(counts: Counts, book_share: float, rule: dict[str, float]) -> bool:
    if counts.advanced < rule["min_advanced"]:
        return False
    is_sole_contact = len(counts.requesters) == 1
    has_topics = len(counts.advanced_topics) >= rule["sole_contact_topics"]
    if len(counts.advanced_requesters) < rule["min_requesters"] and not (is_sole_contact and has_topics):
        return False
    share = counts.advanced / counts.window
    weight = rule["shrink_weight"]
    baseline = (counts.baseline_advanced + weight * book_share) / (counts.baseline + weight)
    return at_least(share, rule["min_share"]) and at_least(share, baseline + rule["lift_points"])


def adjacent_use(book: Book, rules: Rules, tags: Tags, days: Sequence[int]) -> Iterator[Event]:
    """Events of every account and problem."""
    judged: list[tuple[int, str, str]] = []
    for table, email in TEXTS.items():
        for version in book.table(table):
            if version.row["version_no"] == 1 and version.row.get("speaker_side") != "vendor":
                proven = tags.of(table, version.row, "adjacent_use")
                problems = {tag["problem_key"] or "other" for tag in proven}
                if problems:
                    domain = domain_of(version.row[email]) if email else None
                    judged += _judged(book, rules, version, domain, problems, days)
    last_opened: dict[tuple[str, str], int] = {}
    for day, account_id, problem in sorted(judged):
        rule = rules.of("ADJACENT_USE", "adjacent_problem", book.account(account_id, day)["segment"])
        if day - last_opened.get((account_id, problem), -10**6) >= rule["dedupe_days"]:
            last_opened[account_id, problem] = day
            yield Event(
                account_id, "ADJACENT_USE", "adjacent_problem", problem, "opened", date.fromordinal(day)
            )


def _judged(
    book: Book, rules: Rules, version: Version, domain: str | None, problems: set[str], days: Sequence[int]
) -> Iterator[tuple[int, str, str]]:
    """The day on which a text is judged, per account and problem; none if it was said too long ago."""
    said_on = book.day_of(version.row["happened_at"])
    for account_id in {owner for owner, _, _ in book.owners(version, domain)}:
        rule = rules.of("ADJACENT_USE", "adjacent_problem")
        if not days[0] <= version.since <= days[-1]:
            continue
        for day in range(version.since, min(version.since + rule["known_days"], days[-1] + 1)):
            if book.watchable("text", account_id, day):
                if 0 <= day - said_on < rule["said_days"]:
                    yield from ((day, account_id, problem) for problem in problems)
                break
