"""ROLE_CHANGE: moves of people, judged on the day they became known.

Belongs here: collecting moves from five tables, the four sub-triggers, once a year, leaver and successor.
Does not belong here: ranks and functions of titles (``rules``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from .book import Book, Row, Version, domain_of, lower, person_key
from .machine import Event
from .rules import Rules

TRIGGER = "ROLE_CHANGE"
# On one day the leaver comes first, so that the successor is the later one.
ORDER = ("champion_left", "new_executive", "promotion", "renewal_contact")


class Move(NamedTuple):
    """One observation that a person joined, left, or changed title or deal role."""

    account_id: str
    person: str
    move: str
    known_on: int
    happened_on: int
    from_title: str | None = None
    to_title: str | None = None
    from_deal_role: str | None = None
    to_deal_role: str | None = None
    function: str | None = None


def role_changes(book: Book, rules: Rules, days: Sequence[int]) -> Iterator[Event]:
    """Events of every person of every account."""
    fired = []
    for move in _moves(book):
        if days[0] <= move.known_on <= days[-1] and book.account(move.account_id, move.known_on):
            contact = _contact(book, move)
            for sub_trigger in _sub_triggers(book, rules, move, contact):
                fired.append((move.known_on, ORDER.index(sub_trigger), move, _function(rules, move, contact)))
    last_seen: dict[tuple[str, str, str], int] = {}
    opened: list[tuple[str, str, str | None, int]] = []
    for day, order, move, function in sorted(fired, key=lambda item: (item[0], item[1])):
        sub_trigger = ORDER[order]
        segment = book.account(move.account_id, day)["segment"]
        key = (move.account_id, move.person, sub_trigger)
        if day - last_seen.get(key, -10**6) < rules.of(TRIGGER, sub_trigger, segment)["dedupe_days"]:
            continue
        last_seen[key] = day
        opposite = {"champion_left": "new_executive", "new_executive": "champion_left"}.get(sub_trigger)
        episode_days = rules.of(TRIGGER, "champion_left", segment)["episode_days"]
        is_same_episode = function is not None and any(
            (other_account, other, other_function) == (move.account_id, opposite, function)
            and day - other_day <= episode_days
            for other_account, other, other_function, other_day in opened
        )
        event_type, reason = ("suppressed", "same_episode") if is_same_episode else ("opened", None)
        if not is_same_episode:
            opened.append((move.account_id, sub_trigger, function, day))
        as_of = date.fromordinal(day)
        yield Event(move.account_id, TRIGGER, sub_trigger, move.person, event_type, as_of, reason)


def _sub_triggers(book: Book, rules: Rules, move: Move, contact: Row | None) -> Iterator[str]:
    if move.move == "joined":
        account = book.account(move.account_id, move.known_on)
        rule = rules.of(TRIGGER, "new_executive", account["segment"])
        functions = {*rule["functions"], lower(account["using_function"])} - {None}
        rank = rules.rank(move.to_title)
        is_senior = rank is not None and rank >= rules.ranks.index(rule["min_rank"])
        is_there = _days_there(book, move) > rule["contact_days"]
        if is_senior and not is_there and _function(rules, move, contact) in functions:
            yield "new_executive"
    if move.move == "title_changed" and contact is not None:
        before, after = rules.rank(move.from_title), rules.rank(move.to_title)
        if before is not None and after is not None and after > before:
            yield "promotion"
    if move.move == "deal_role_changed" and move.to_deal_role == "renewal_contact":
        others = {
            _contact_key(version.row) for version in book.contacts.get(move.account_id, ())
            if version.row["deal_role"] == "renewal_contact" and version.since <= move.known_on
        }
        if others - {move.person}:
            yield "renewal_contact"
    if move.move == "left":
        deal_role = move.from_deal_role or (contact["deal_role"] if contact else None)
        if deal_role == "champion":
            yield "champion_left"


def _function(rules: Rules, move: Move, contact: Row | None) -> str | None:
    """Function as given by the move, else by the CRM, else by the title (a leaver's old one)."""
    contact = contact or {}
    title = move.from_title or contact.get("title") if move.move == "left" else move.to_title
    return lower(move.function) or lower(contact.get("function")) or rules.function(title)


def _contact(book: Book, move: Move) -> Row | None:
    """The CRM's contact for the person of a move, as last known by its day: who has left is often deleted there."""
    versions = [
        version for version in book.contacts.get(move.account_id, ())
        if version.since <= move.known_on and _contact_key(version.row) == move.person
    ]
    return max(versions, key=lambda version: version.row["known_from"]).row if versions else None


def _days_there(book: Book, move: Move) -> int:
    """Days for which the person of a move had been a contact without a break when it happened; else below 0."""
    known_by_then = [version for version in book.contacts.get(move.account_id, ()) if version.since <= move.known_on]
    own = [version for version in known_by_then if _contact_key(version.row) == move.person]
    since = None
    for version in known_by_then:
        if own and version.row["contact_id"] == own[-1].row["contact_id"]:
            is_gone = version.row["status"] == "left"
            since = None if is_gone else version.since if since is None else since
    return -1 if since is None else move.happened_on - since


def _contact_key(row: Row) -> str:
    return person_key(row["account_id"], row["email"], row["name"])


def _moves(book: Book) -> Iterator[Move]:
    yield from _moves_of_contacts(book)
    for row, known_on in _first_versions(book, "crm_contact_role_changes"):
        versions = [
            version for version in book.contacts.get(row["account_id"], ())
            if row["contact_id"] is not None
            and version.row["contact_id"] == row["contact_id"]
            and version.since <= known_on
        ]
        contact = versions[-1].row if versions else {}
        if not (row["email"] or contact):
            continue
        yield Move(
            row["account_id"],
            person_key(row["account_id"], row["email"] or contact.get("email"), contact.get("name")),
            row["move"], known_on, _day(row["happened_at"]), row["from_title"], row["to_title"],
            row["from_deal_role"], row["to_deal_role"], row["function"],
        )
    for row, known_on in _first_versions(book, "people_job_alerts"):
        for account_id in _accounts(book, row, row["account_domain"], known_on):
            yield Move(
                account_id, person_key(account_id, row["person_email"], row["person_name"]),
                row["move"], known_on, row["happened_on"].toordinal(), row["from_title"], row["to_title"],
                function=row["function"],
            )
    for row, known_on in _first_versions(book, "people_signature_changes"):
        for account_id in _accounts(book, row, domain_of(row["email"]), known_on):
            yield Move(
                account_id, person_key(account_id, row["email"], None), "title_changed",
                known_on, _day(row["happened_at"]), row["from_title"], row["to_title"],
            )
    for row, known_on in _first_versions(book, "people_absence_patterns"):
        if row["pattern"] == "left_company":
            for account_id in _accounts(book, row, domain_of(row["email"]), known_on):
                person = person_key(account_id, row["email"], None)
                yield Move(account_id, person, "left", known_on, _day(row["happened_at"]))


def _moves_of_contacts(book: Book) -> Iterator[Move]:
    """What changed between two versions of a contact; the first version is no move."""
    by_contact: dict[str, list[Version]] = {}
    for versions in book.contacts.values():
        for version in versions:
            by_contact.setdefault(version.row["contact_id"], []).append(version)
    for versions in by_contact.values():
        for before, after in pairwise(versions):
            old, new = before.row, after.row
            moves = []
            if old["title"] != new["title"]:
                moves.append("title_changed")
            if old["deal_role"] != new["deal_role"]:
                moves.append("deal_role_changed")
            if old["status"] == "active" and new["status"] == "left":
                moves.append("left")
            for move in moves:
                yield Move(
                    new["account_id"], _contact_key(new), move, after.since, after.since, old["title"], new["title"],
                    old["deal_role"], new["deal_role"], new["function"],
                )


def _day(moment: datetime) -> int:
    return moment.toordinal()


def _first_versions(book: Book, table: str) -> Iterator[tuple[Row, int]]:
    for version in book.table(table):
        if version.row["version_no"] == 1:
            yield version.row, version.since


def _accounts(book: Book, row: Row, domain: str | None, known_on: int) -> set[str]:
    owners = book.owners(Version(row, known_on, known_on + 1), domain)
    return {account_id for account_id, _, _ in owners}
